"""Tables found in PDFs -> how close they come to the truth, how many are found where there are none, and how quickly.

    python benchmarks/table_quality.py [--data FOLDER] [--files] [--peer]

FOLDER holds `tables/icdar2013.jsonl` and, for pages of prose, `parse-gt/jose` and `pdf-qa`; the scorer lies beside
it in `../score/score.py`. `--peer` also measures PyMuPDF's own finder in the same run. Times are CPU seconds of
rules and `find_tables` together; reading the words is not counted.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluation import lines, scorer

from docpipe.parse.content import Word
from docpipe.parse.grid.rules import page_rules
from docpipe.parse.grid.tables import find_tables
from docpipe.tables import grid, write

type_finder = Callable[[Any], list[str]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per table")
    options.add_argument("--peer", action="store_true", help="also measure PyMuPDF's find_tables")
    given = options.parse_args()
    gold = lines(given.data / "tables" / "icdar2013.jsonl")
    if not gold:
        print(f"skipped: {given.data / 'tables'} is missing")
        return
    finders: dict[str, type_finder] = {"docpipe": ours}
    if given.peer:
        finders["pymupdf"] = theirs
    score = scorer(given.data)
    print(f"{'finder':8} {'tables':>6} {'TEDS':>6} {'structure':>9} {'pages':>5} {'pages / CPU s':>13}")
    for name, finder in finders.items():
        measure(name, finder, gold, given.data / "tables", score, files=given.files)
    prose(given.data, finders)


def measure(
    name: str, finder: type_finder, gold: list[dict[str, Any]], folder: Path, score: ModuleType, *, files: bool
) -> None:
    """Score all gold tables against what is found on their pages."""
    import pymupdf

    pages = sorted({(row["file"], number) for row in gold for number in row["pages"]})
    found, spent = {}, 0.0
    for file, number in pages:
        with pymupdf.open(folder / file) as document:
            page, words = prepared(document, number - 1)
            start = time.process_time()
            tables = finder((page, words))
            spent += time.process_time() - start
            found[file, number] = tables
    predicted = {row["_id"]: [html for number in row["pages"] for html in found[row["file"], number]] for row in gold}
    if files:
        for row in gold:
            print(f"  {row['_id']:14} {score.tables([row], predicted)['teds']:.3f}")
    result = score.tables(gold, predicted)
    print(
        f"{name:8} {result['tables']:6} {result['teds']:6.3f} {result['teds_struct']:9.3f}"
        f" {len(pages):5} {len(pages) / spent:13.0f}"
    )


def prose(data: Path, finders: dict[str, type_finder]) -> None:
    """Pages that are mostly prose: what is found there must be looked at; most should have nothing."""
    import pymupdf

    files = [*sorted((data / "parse-gt" / "jose").rglob("*.pdf"))[:40], *sorted((data / "pdf-qa").rglob("*.pdf"))[:40]]
    if not files:
        return
    print(f"\n{'mostly prose':14} {'pages':>5} {'tables':>6} {'ms / page':>9} {'ms / page without':>17}")
    for name, finder in finders.items():
        count, tables, spent, empty = 0, 0, 0.0, []
        for file in files:
            with pymupdf.open(file) as document:
                for number in range(min(3, len(document))):
                    page = prepared(document, number)
                    start = time.process_time()
                    found = finder(page)
                    took = time.process_time() - start
                    count, tables, spent = count + 1, tables + len(found), spent + took
                    empty += [took] * (not found)
        print(f"{name:14} {count:5} {tables:6} {1000 * spent / count:9.2f} {1000 * sum(empty) / len(empty):17.2f}")


def prepared(document: Any, number: int) -> tuple[Any, list[Word]]:
    """A page and its words."""
    page = document[number]
    return page, [Word(*word[:5]) for word in page.get_text("words")]


def ours(page: tuple[Any, list[Word]]) -> list[str]:
    """Tables by docpipe, as HTML."""
    opened, words = page
    rect = opened.rect
    found = find_tables(words, page_rules(opened), width=rect.width, height=rect.height)
    return [write(each.table).html for each in found]


def theirs(page: tuple[Any, list[Word]]) -> list[str]:
    """Tables by PyMuPDF, as HTML."""
    rows = (each.extract() for each in page[0].find_tables().tables)
    return [write(grid([[cell or "" for cell in row] for row in each])).html for each in rows]


if __name__ == "__main__":
    main()
