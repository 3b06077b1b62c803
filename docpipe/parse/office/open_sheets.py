"""The sheets of an OpenDocument -> their filled cells (pure)."""

from typing import TYPE_CHECKING

from docpipe.parse.office.cell_regions import Range
from docpipe.parse.office.names import local, number, value
from docpipe.parse.office.open_names import TABLE, TEXT
from docpipe.parse.office.sheet_cells import Cells, too_many_cells
from docpipe.types import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

_MOST_CELLS = 2_000_000
_MOST_TEXT = 64_000_000
_MOST_MERGED = 20_000
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384


def open_cells(table: "Element", source: Source) -> Cells:
    """All cells of a sheet that show something, as it shows them.

    Raises:
        SourceTooLarge: too many cells are filled, repeated ones counted.
    """
    cells = Cells({}, [])
    place = count = length = 0
    for element in _rows(table):
        row = _row(element, place, cells.merged)
        repeated = max(1, min(number(value(element, TABLE + "number-rows-repeated"), 1), _LAST_ROW))
        if row:
            count += len(row) * repeated
            length += sum(map(len, row.values())) * repeated
            if count > _MOST_CELLS or length > _MOST_TEXT:
                raise too_many_cells(source)
            for offset in range(repeated):
                cells.rows[place + offset] = row
        place = min(_LAST_ROW, place + repeated)
    return cells


def _rows(table: "Element") -> "Iterator[Element]":
    for child in table:
        if child.tag == TABLE + "table-row":
            yield child
        elif local(child) in ("table-header-rows", "table-row-group", "table-rows"):
            yield from _rows(child)


def _row(element: "Element", place: int, merged: list[Range]) -> dict[int, str]:
    row: dict[int, str] = {}
    column = 0
    for cell in element:
        repeated = max(1, min(number(value(cell, TABLE + "number-columns-repeated"), 1), _LAST_COLUMN))
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
    if box.area > 1 and len(merged) < _MOST_MERGED:
        merged.append(box)
