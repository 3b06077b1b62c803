"""Scans and photographs -> how much of what is on them local OCR finds, in what order, at what cost.

    python benchmarks/ocr_quality.py [--data FOLDER] [--files] [--match raster] [--turn 90]

FOLDER holds `scans/` and, for pictures of tables, `tables/pubtabnet.jsonl`; the scorer lies beside it in
`../score/score.py`. Running headers and footers count: the truth has them. `--match` takes only files with this in
their path; `--turn` turns all pages clockwise before they are read. CPU seconds, loading the networks included once.
The greatest amount of memory is that of the whole process.
"""

import argparse
import resource
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation import blob, lines, scorer

from docpipe.markdown import to_markdown
from docpipe.parse.ocr import OcrParser
from docpipe.types import Blob, BlockKind

type_row = dict[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per file")
    options.add_argument("--match", default="", help="only files with this in their path")
    options.add_argument("--turn", type=int, choices=(0, 90, 180, 270), default=0, help="degrees, clockwise")
    given = options.parse_args()
    folder = given.data / "scans"
    if not folder.is_dir():
        print(f"skipped: {folder} is missing")
        return
    score = scorer(given.data)
    pages(folder, score, given)
    tables(given.data / "tables", score, given)
    print(f"greatest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def pages(folder: Path, score: ModuleType, given: argparse.Namespace) -> None:
    """Words, order and fields of scanned pages."""
    rows: dict[str, list[type_row]] = {}
    items = [item for item in lines(folder / "manifest.jsonl") if given.match in item["file"]]
    if items:
        print(f"{'set':28} {'recall':>6} {'precision':>9} {'edit':>6} {'fields':>6} {'CPU s / page':>12} {'marked':>6}")
    for item in items:
        row = _measured(folder, item, score, given.turn)
        rows.setdefault(item["set"], []).append(row)
        if given.files:
            _print(f"  {item['file']}", [row])
    for name, found in rows.items():
        _print(f"{name} ({len(found)} files)", found)


def tables(folder: Path, score: ModuleType, given: argparse.Namespace) -> None:
    """Structure and text of tables that are pictures."""
    gold = [item for item in lines(folder / "pubtabnet.jsonl") if given.match in item["file"]]
    predicted, spent = {}, 0.0
    for item in gold:
        started = time.process_time()
        (document,) = OcrParser()(_turned(blob(folder / item["file"]), given.turn))
        spent += time.process_time() - started
        blocks = [block for block in document.blocks if block.kind is BlockKind.TABLE]
        predicted[item["_id"]] = [block.span.of(document.text) for block in blocks]
        if given.files:
            print(f"  {item['file']:40} TEDS {score.tables([item], predicted)['teds']:.3f}", flush=True)
    if gold:
        found = score.tables(gold, predicted)
        print(
            f"pictures of tables ({len(gold)}): TEDS {found['teds']:.3f}, structure {found['teds_struct']:.3f}, "
            f"{spent / len(gold):.1f} CPU s each"
        )


def _measured(folder: Path, item: dict[str, Any], score: ModuleType, turn: int) -> type_row:
    source = _turned(blob(folder / item["file"]), turn)
    started = time.process_time()
    (document,) = OcrParser()(source)
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


def _turned(source: Blob, degrees: int) -> Blob:
    """A file whose pages lie otherwise, without a mark that says so."""
    import pymupdf
    from PIL import Image

    if not degrees:
        return source
    held = BytesIO()
    if source.source.media_type != "application/pdf":
        with Image.open(BytesIO(source.data)) as image:
            image.convert("RGB").rotate(-degrees, expand=True).save(held, "PNG")
        return replace(source, source=replace(source.source, media_type="image/png"), data=held.getvalue())
    with pymupdf.open(stream=source.data, filetype="pdf") as document:
        for page in document:
            page.set_rotation((page.rotation + degrees) % 360)
        return replace(source, data=document.tobytes())


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
