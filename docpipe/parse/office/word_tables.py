"""A Word table -> a Table, spans kept (pure)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docpipe.parse.office.header_rows import with_header
from docpipe.parse.office.names import W, local, number, switched_on, value
from docpipe.tables import Cell, Table

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WRAPPERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"})
_LARGEST_SPAN = 200
_PLAIN = frozenset({"", "TableGrid", "TableNormal"})


@dataclass(slots=True)
class _Open:
    """A cell that later rows may make taller."""

    text: str
    colspan: int
    rowspan: int = 1


def own_children(element: "Element", name: str) -> Iterator["Element"]:
    """Children of this name, those inside content controls and marks of changes included."""
    for child in element:
        if child.tag == W + name:
            yield child
        elif local(child) in _WRAPPERS:
            yield from own_children(child, name)


def is_plain(table: "Element") -> bool:
    """Whether a table has white paper behind its cells unless they say otherwise: no style of its own colours them."""
    properties = table.find(W + "tblPr")
    style = properties.find(W + "tblStyle") if properties is not None else None
    return value(style, W + "val") in _PLAIN and (properties is None or properties.find(W + "shd") is None)


def is_bare(cell: "Element") -> bool:
    """Whether a cell has no colour of its own behind its text."""
    properties = cell.find(W + "tcPr")
    return properties is None or properties.find(W + "shd") is None


def word_table(table: "Element", read_cell: Callable[["Element"], str]) -> Table:
    """The rows of a `w:tbl`; deleted rows are left out.

    Args:
        read_cell: gives the text of a `w:tc`; called once for each that is shown, in order.
    """
    rows: list[list[_Open]] = []
    above: dict[int, _Open] = {}
    declared = 0
    for element in own_children(table, "tr"):
        properties = element.find(W + "trPr")
        if properties is not None and properties.find(W + "del") is not None:
            continue
        if switched_on(properties, W + "tblHeader") and declared == len(rows):
            declared += 1
        row, above = _row(element, properties, above, read_cell)
        rows.append(row)
    cells = [[Cell(cell.text, colspan=cell.colspan, rowspan=cell.rowspan) for cell in row] for row in rows]
    return with_header([row for row in cells if row], declared)


def _row(
    element: "Element", properties: "Element | None", above: dict[int, _Open], read_cell: Callable[["Element"], str]
) -> tuple[list[_Open], dict[int, _Open]]:
    """A row's own cells, and those that go on below it, by their first column."""
    row: list[_Open] = []
    below: dict[int, _Open] = {}
    column = _span(properties, "gridBefore", 0)
    if column:
        row.append(_Open("", column))
    for cell in own_children(element, "tc"):
        about = cell.find(W + "tcPr")
        span = max(1, _span(about, "gridSpan", 1))
        merge = about.find(W + "vMerge") if about is not None else None
        goes_on = merge is not None and value(merge, W + "val", "continue") == "continue"
        if goes_on and column in above:
            above[column].rowspan += 1
            below[column] = above[column]
        else:
            row.append(_Open(read_cell(cell), span))
            if merge is not None:
                below[column] = row[-1]
        column += span
    return row, below


def _span(properties: "Element | None", name: str, default: int) -> int:
    child = properties.find(W + name) if properties is not None else None
    return min(_LARGEST_SPAN, number(value(child, W + "val"), default))
