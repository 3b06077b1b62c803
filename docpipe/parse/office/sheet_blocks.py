"""The filled cells of a sheet -> blocks on paper (pure)."""

from docpipe.parse.office.cell_regions import Range, is_dense, ragged, region_table, regions
from docpipe.parse.office.paper import Paper
from docpipe.parse.office.sheet_cells import Cells
from docpipe.tables import Table, without_tags, write
from docpipe.types import HIDDEN, BlockKind


def add_cells(cells: Cells, paper: Paper, *, hidden: bool = False) -> None:
    """Append a sheet: each group of touching cells is a table, a cell that stands alone a paragraph.

    Args:
        hidden: whether the sheet is not shown; all of it is hidden text then.
    """
    found = regions(cells.rows, cells.merged)
    if not found or not all(is_dense(box, cells.rows) for box in found):
        _add_table(ragged(cells.rows), paper, hidden=hidden)
        return
    merged = {(box.top, box.left): box for box in cells.merged}
    for box in found:
        texts = _texts(box, cells)
        if len(texts) == 1 and not hidden:
            paper.add(BlockKind.PARAGRAPH, texts[0], label="cell")
        else:
            _add_table(region_table(box, cells.rows, merged), paper, hidden=hidden)


def _texts(box: Range, cells: Cells) -> list[str]:
    filled = [cells.rows[row] for row in range(box.top, box.bottom + 1) if row in cells.rows]
    return [text for row in filled for column, text in row.items() if box.left <= column <= box.right]


def _add_table(table: Table, paper: Paper, *, hidden: bool) -> None:
    if hidden:
        paper.add(BlockKind.OTHER, without_tags(write(table).html), label=HIDDEN)
    else:
        paper.add_table(table)
