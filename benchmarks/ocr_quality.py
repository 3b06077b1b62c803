"""Scans and photographs -> how much of what is on them local OCR finds, in what order, at what cost.

    python benchmarks/ocr_quality.py [--data FOLDER] [--files] [--match raster]

FOLDER holds `scans/`; the scorer lies beside it in `../score/score.py`. Running headers and footers count: the truth
has them. `--match` takes only files with this in their path. The greatest amount of memory is that of the whole process.
"""

import argparse
import resource
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation import blob, lines, scorer

from docpipe.markdown import to_markdown
from docpipe.parse.ocr import OcrParser

type_row = dict[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per file")
    options.add_argument("--match", default="", help="only files with this in their path")
    given = options.parse_args()
    folder = given.data / "scans"
    if not folder.is_dir():
        print(f"skipped: {folder} is missing")
        return
    score = scorer(given.data)
    rows: dict[str, list[type_row]] = {}
    print(f"{'set':28} {'recall':>6} {'precision':>9} {'edit':>6} {'fields':>6} {'CPU s / page':>12} {'marked':>6}")
    for item in lines(folder / "manifest.jsonl"):
        if given.match in item["file"]:
            row = _measured(folder, item, score)
            rows.setdefault(item["set"], []).append(row)
            if given.files:
                _print(f"  {item['file']}", [row])
    for name, found in rows.items():
        _print(f"{name} ({len(found)} files)", found)
    print(f"greatest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _measured(folder: Path, item: dict[str, Any], score: ModuleType) -> type_row:
    started = time.process_time()
    (document,) = OcrParser()(blob(folder / item["file"]))
    spent = time.process_time() - started
    text = to_markdown(document)
    found = score.text((folder / item["expected"]).read_text("utf-8"), text)
    row = {
        "recall": found["word_recall"],
        "precision": found["word_precision"],
        "edit": found["edit"],
        "seconds": spent / max(1, len(document.pages)),
        "marked": float(sum(page.needs_ocr for page in document.pages)),
    }
    if item.get("fields"):
        folded = _folded(text)
        row["fields"] = sum(_folded(value) in folded for value in item["fields"].values()) / len(item["fields"])
    return row


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()


def _print(name: str, rows: list[type_row]) -> None:
    def mean(key: str) -> float:
        values = [row[key] for row in rows if key in row]
        return sum(values) / len(values) if values else float("nan")

    print(
        f"{name:28} {mean('recall'):6.3f} {mean('precision'):9.3f} {mean('edit'):6.3f} {mean('fields'):6.3f} "
        f"{mean('seconds'):12.1f} {sum(row['marked'] for row in rows):6.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
