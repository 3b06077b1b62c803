"""The filled cells of a sheet -> blocks on paper (pure)."""

import re
from collections.abc import Iterator
from itertools import islice

from docpipe.parse.office.cell_regions import Cells, Range, is_dense, ragged_rows, region_rows, regions, usable
from docpipe.parse.office.paper import Paper
from docpipe.tables import Cell, Table, without_tags, write
from docpipe.types import HIDDEN, BlockKind

_OPENING, _CLOSING = "<table>\n", "</table>"
_BATCH = 2_000
_UNNAMED = re.compile(r"(?:sheet|tabelle|feuil|hoja|foglio|planilha|лист|工作表|シート)\s?\d*", re.I)


def is_unnamed(sheet: str) -> bool:
    """Whether a sheet has the name that its program gave it."""
    return bool(_UNNAMED.fullmatch(sheet))


def add_cells(cells: Cells, paper: Paper, *, hidden: bool = False) -> None:
    """Append a sheet: each group of touching cells is a table, a cell that stands alone a paragraph.

    What is in hidden rows and columns is hidden text.

    Args:
        hidden: whether the sheet is not shown; all of it is hidden text then.
    """
    _add_rows(ragged_rows(cells.unseen), paper, hidden=True)
    spans = usable(cells.merged, cells.rows)
    found = regions(cells.rows, spans)
    if not found or not all(is_dense(box, cells.rows) for box in found):
        _add_rows(ragged_rows(cells.rows), paper, hidden=hidden)
        return
    merged = {(box.top, box.left): box for box in spans}
    for box in found:
        texts = _texts(box, cells)
        if len(texts) == 1 and not hidden:
            paper.add(BlockKind.PARAGRAPH, texts[0], label="cell")
        else:
            _add_rows(region_rows(box, cells.rows, merged), paper, hidden=hidden)


def _texts(box: Range, cells: Cells) -> list[str]:
    filled = [cells.rows[row] for row in range(box.top, box.bottom + 1) if row in cells.rows]
    return [text for row in filled for column, text in row.items() if box.left <= column <= box.right]


def _add_rows(rows: Iterator[tuple[Cell, ...]], paper: Paper, *, hidden: bool) -> None:
    html = _written(rows)
    if not html:
        return
    if hidden:
        paper.add(BlockKind.OTHER, without_tags(html), label=HIDDEN)
    else:
        paper.add(BlockKind.TABLE, html, label="table")


def _written(rows: Iterator[tuple[Cell, ...]]) -> str:
    """A table of these rows, in batches so that only some of them exist as cells; nothing where there are none."""
    parts = []
    while batch := tuple(islice(rows, _BATCH)):
        parts.append(write(Table(batch)).html[len(_OPENING) : -len(_CLOSING)])
    return f"{_OPENING}{''.join(parts)}{_CLOSING}" if parts else ""
