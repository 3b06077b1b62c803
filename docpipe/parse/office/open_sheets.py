"""The sheets of an OpenDocument -> their filled cells (pure)."""

from typing import TYPE_CHECKING

from docpipe.parse.office.cell_regions import Cells, Range
from docpipe.parse.office.names import local, number, value
from docpipe.parse.office.open_names import TABLE, TEXT
from docpipe.parse.office.sheet_cells import MOST_CELLS, MOST_MERGED, MOST_TEXT, too_many_cells
from docpipe.parse.office.unseen_cells import Hidden, as_seen, note
from docpipe.types import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384


def open_cells(table: "Element", source: Source) -> Cells:
    """All cells of a sheet as it shows them; rows that a filter leaves out are hidden, too.

    Raises:
        SourceTooLarge: too many cells are filled, repeated ones counted.
    """
    cells = Cells({}, [], {})
    hidden: list[tuple[int, int]] = []
    place = count = length = 0
    for element, folded in _parts(table, "row"):
        row = _row(element, place, cells.merged)
        repeated = _repeated(element, "rows", _LAST_ROW)
        if folded:
            note(hidden, place, min(_LAST_ROW, place + repeated) - 1)
        if row:
            count += len(row) * repeated
            length += sum(map(len, row.values())) * repeated
            if count > MOST_CELLS or length > MOST_TEXT:
                raise too_many_cells(source)
            for offset in range(repeated):
                cells.rows[place + offset] = row
        place = min(_LAST_ROW, place + repeated)
    return as_seen(cells, Hidden(hidden), Hidden(_hidden_columns(table)))


def _hidden_columns(table: "Element") -> list[tuple[int, int]]:
    hidden: list[tuple[int, int]] = []
    place = 0
    for element, folded in _parts(table, "column"):
        repeated = _repeated(element, "columns", _LAST_COLUMN)
        if folded:
            note(hidden, place, min(_LAST_COLUMN, place + repeated) - 1)
        place = min(_LAST_COLUMN, place + repeated)
    return hidden


def _repeated(element: "Element", what: str, most: int) -> int:
    return max(1, min(number(value(element, f"{TABLE}number-{what}-repeated"), 1), most))


def _parts(table: "Element", what: str, *, folded: bool = False) -> "Iterator[tuple[Element, bool]]":
    """A sheet's rows or columns, those in groups among them, each with whether it is not shown."""
    for child in table:
        if child.tag == f"{TABLE}table-{what}":
            yield child, folded or value(child, TABLE + "visibility") in ("collapse", "filter")
        elif local(child) in (f"table-header-{what}s", f"table-{what}-group", f"table-{what}s"):
            yield from _parts(child, what, folded=folded or value(child, TABLE + "display") == "false")


def _row(element: "Element", place: int, merged: list[Range]) -> dict[int, str]:
    row: dict[int, str] = {}
    column = 0
    for cell in element:
        repeated = _repeated(cell, "columns", _LAST_COLUMN)
        if cell.tag == TABLE + "table-cell" and len(cell):
            text = "\n".join(_shown(paragraph) for paragraph in cell.iterchildren(TEXT + "p")).strip()
            if text:
                row.update(dict.fromkeys(range(column, min(column + repeated, _LAST_COLUMN)), text))
                _merge(cell, place, column, merged)
        column = min(_LAST_COLUMN, column + repeated)
    return row


def _shown(paragraph: "Element") -> str:
    return " ".join("".join(paragraph.itertext()).split())


def _merge(cell: "Element", row: int, column: int, merged: list[Range]) -> None:
    width = number(value(cell, TABLE + "number-columns-spanned"), 1)
    height = number(value(cell, TABLE + "number-rows-spanned"), 1)
    box = Range(row, column, row + max(1, height) - 1, column + max(1, width) - 1)
    if box.area > 1 and len(merged) < MOST_MERGED:
        merged.append(box)
