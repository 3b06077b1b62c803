"""HTML, Markdown and delimited files -> how close their text comes to the truth, and how quickly.

    python benchmarks/html_quality.py [--data FOLDER] [--files]

FOLDER holds `parse-gt/`; the scorer lies beside it in `../score/score.py`. Tables are compared as the truth
writes them: a cell that spans columns or rows is repeated in each of them; the rule below the header is no text.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from types import ModuleType

from evaluation import blob, pairs, scorer

from docpipe import tables
from docpipe.markdown import block_markdown
from docpipe.parse.auto import AutoParser
from docpipe.types import HIDDEN, NOTES, BlockKind, Document

_RULE = re.compile(r"^\|(?: - \|)+$", re.M)
FOLDERS = {"html-articles": ("html",), "office": ("html", "csv"), "same-text": ("html", "md", "txt", "csv", "tsv")}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--files", action="store_true", help="one line per file")
    given = options.parse_args()
    truth = given.data / "parse-gt"
    if not truth.is_dir():
        print(f"skipped: {truth} is missing")
        return
    score = scorer(given.data)
    print(f"{'folder':18} {'files':>5} {'edit':>6} {'recall':>6} {'precision':>9} {'MB / CPU s':>10}")
    for name, kinds in FOLDERS.items():
        for kind in kinds:
            _measure(truth / name, kind, score, files=given.files)


def _measure(folder: Path, kind: str, score: ModuleType, *, files: bool) -> None:
    parser, rows, size, seconds = AutoParser(), [], 0, 0.0
    for path, expected in pairs(folder, kind):
        found = blob(path)
        list(parser(found))  # what is loaded at the first use is not measured
        start = time.process_time()
        (document,) = parser(found)
        seconds, size = seconds + time.process_time() - start, size + len(found.data)
        rows.append((path.name, score.text(_RULE.sub("", expected.read_text("utf-8")), rendered(document))))
    if not rows:
        return
    edit, recall, precision = (
        sum(row[key] for _, row in rows) / len(rows) for key in ("edit", "word_recall", "word_precision")
    )
    figures = f"{edit:6.3f} {recall:6.3f} {precision:9.3f} {size / 1e6 / seconds:10.2f}"
    print(f"{folder.name + ' ' + kind:18} {len(rows):5} {figures}")
    for name, row in sorted(rows, key=lambda row: row[1]["edit"]) if files else ():
        print(f"    {name:45} {row['edit']:6.3f} {row['word_recall']:6.3f} {row['word_precision']:9.3f}")


def rendered(document: Document) -> str:
    """The document as Markdown, tables with repeated cells, pictures and hidden text left out, notes as comments."""
    parts = []
    for block in document.blocks:
        text = block.span.of(document.text)
        if block.kind is BlockKind.TABLE:
            text = "\n".join("| " + " | ".join(row) + " |" for row in filled(tables.read(text)))
        elif block.kind is BlockKind.FIGURE or block.native_label == HIDDEN:
            continue
        elif block.native_label == NOTES:
            text = block_markdown(block, text)
        parts.append(text)
    return "\n\n".join(parts)


def filled(table: tables.Table) -> list[list[str]]:
    """The texts of a table's grid, a spanning cell's text in each place it covers."""
    grid: dict[tuple[int, int], str] = {}
    for y, row in enumerate(table.rows):
        x = 0
        for cell in row:
            while (y, x) in grid:
                x += 1
            for down in range(cell.rowspan):
                grid.update({(y + down, x + right): cell.text for right in range(cell.colspan)})
    width = 1 + max((x for _, x in grid), default=-1)
    return [[grid.get((y, x), "") for x in range(width)] for y in range(len(table.rows))]


if __name__ == "__main__":
    sys.exit(main())
