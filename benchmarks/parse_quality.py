"""PDF -> how close text and headings come to the truth, and pages per CPU second beside MuPDF's plain text.

    python benchmarks/parse_quality.py [--data FOLDER] [--files] [--pages 60]

FOLDER holds `parse-gt/` and `pdf-qa/`; the scorer lies beside it in `../score/score.py`.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation import blob, lines, scorer

from docpipe.markdown import to_markdown
from docpipe.parse.pdf import PdfParser
from docpipe.types import Document

type_row = dict[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per file")
    options.add_argument("--pages", type=int, default=60, help="pages of each file whose parsing is timed")
    given = options.parse_args()
    truth = given.data / "parse-gt"
    if not truth.is_dir():
        print(f"skipped: {truth} is missing")
        return
    score = scorer(given.data)
    print(f"{'folder':12} {'files':>5} {'edit':>6} {'recall':>6} {'precision':>9} {'headings':>8} {'levels':>6}")
    for folder in ("jose", "office", "same-text"):
        for name, read in (("plain", _plain), ("docpipe", _markdown)):
            _report(f"{folder} {name}", list(_scores(truth / folder, score, read)), files=given.files)
    _facts(truth / "olmocr", score)
    _speed(sorted((given.data / "pdf-qa" / "pdfs").glob("*.pdf")), given.pages)


@cache
def _document(path: Path) -> Document:
    return next(iter(PdfParser()(blob(path))))


def _markdown(path: Path) -> str:
    return to_markdown(_document(path))


def _plain(path: Path) -> str:
    import pymupdf

    with pymupdf.open(path) as pdf:
        return "\n".join(page.get_text() for page in pdf)


def _scores(folder: Path, score: ModuleType, read: Callable[[Path], str]) -> Iterator[tuple[str, type_row]]:
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        path = folder / entry["file"]
        if path.suffix != ".pdf":
            continue
        text = read(path)
        if entry.get("cut_after"):
            text = score.cut_after(text, entry["cut_after"])
        row = score.text((folder / entry["expected"]).read_text("utf-8"), text)
        if entry.get("headings"):
            row |= score.headings(entry["headings"], text)
        yield path.name, row


def _report(name: str, rows: list[tuple[str, type_row]], *, files: bool) -> None:
    columns = ("edit", "word_recall", "word_precision", "heading_f1", "heading_levels")
    widths = (6, 6, 9, 8, 6)
    for label, chosen in [*(rows if files else ()), (name, {})] if rows else ():
        scored = [chosen] if chosen else [row for _, row in rows]
        values = [sum(row.get(column, 0.0) for row in scored) / len(scored) for column in columns]
        cells = " ".join(f"{value:{width}.3f}" for value, width in zip(values, widths, strict=True))
        print(f"{label[:40]:{18}} {len(scored):>3} {cells}")


def _facts(folder: Path, score: ModuleType) -> None:
    """Share of the human-checked facts that hold; scanned pages count, although nothing here recognises them."""
    tests = lines(folder / "tests.jsonl")

    def page(name: str, number: int | None) -> str:
        return to_markdown(_document(folder / name), pages={number} if number else None)

    found = score.facts(tests, page)
    print("olmocr facts " + " ".join(f"{kind} {value:.2f}" for kind, value in found.items()))


def _speed(paths: list[Path], most: int) -> None:
    """Pages per CPU second of the first pages of each file: parsed, and as plain text."""
    import pymupdf

    if not paths:
        print("skipped: no pdf-qa/pdfs")
        return
    variants = (("docpipe", PdfParser()), ("docpipe without tables", PdfParser(tables=False)))
    PdfParser().page_count(blob(paths[0]))
    pages, plain = 0, time.process_time()
    for path in paths:
        with pymupdf.open(path) as pdf:
            for number in range(min(most, pdf.page_count)):
                pdf[number].get_text("text")
                pages += 1
    plain = time.process_time() - plain
    print(f"{'pages per CPU second':24} {'rate':>6} {'time / plain':>12}   ({pages} pages of {len(paths)} files)")
    print(f"{'get_text':24} {pages / plain:6.0f} {1:12.2f}")
    for name, parser in variants:
        spent = 0.0
        for path in paths:
            found = blob(path)
            start = time.process_time()
            parser.merge(found.source, [parser.parse_pages(found, 0, most)])
            spent += time.process_time() - start
        print(f"{name:24} {pages / spent:6.0f} {spent / plain:12.2f}")


if __name__ == "__main__":
    main()
