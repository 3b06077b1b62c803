"""HTML within a reply -> tables and plain text (pure but for the parser's library)."""

import re
from html import unescape
from itertools import takewhile

from docpipe.tables import Cell, Table

_TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.S | re.I)
_TAG = re.compile(r"<\s*table\b", re.I)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{1,6}|#x[\da-f]{1,5});", re.I)
_FIGURES = re.compile(r"[\s\d.,:;%+\-–—−/()$€£¥]*\d[\s\d.,:;%+\-–—−/()$€£¥]*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_CELLS = 20_000


def has_table(text: str) -> bool:
    """Whether a text holds an HTML table, or the begin of one."""
    return _TAG.search(text) is not None


def plain(text: str) -> str:
    """A text with its entities read."""
    return _ENTITY.sub(lambda match: unescape(match.group()), text) if "&" in text else text


def tables(text: str) -> list[Table | str]:
    """A text as the tables in it and what stands between them; tables without a word are left out."""
    found: list[Table | str] = []
    at = 0
    for match in _TABLE.finditer(text):
        found.append(text[at : match.start()])
        table = table_of(match.group())
        if any(cell.text for row in table.rows for cell in row):
            found.append(table)
        at = match.end()
    return [piece for piece in [*found, text[at:]] if not isinstance(piece, str) or piece.strip()]


def table_of(html: str) -> Table:
    """The rows of one table's HTML, spans kept. The service writes no `<th>`: the top rows of labels are its header."""
    from lxml import html as parser

    from docpipe.parse.web.html_tables import table_of as read

    root = parser.fromstring(f"<div>{html}</div>")
    element = next(root.iter("table"), None)
    rows = read(element).rows if element is not None else ()
    rows = _bounded(rows)
    if any(cell.header for row in rows for cell in row):
        return Table(rows)
    head = _header_rows(rows)
    return Table(tuple(tuple(c._replace(header=n < head) for c in row) for n, row in enumerate(rows)))


def widths(table: Table) -> list[int]:
    """How many columns each row takes, cells that reach down from above counted."""
    reach: list[int] = []
    found = []
    for row in table.rows:
        column = 0
        for cell in row:
            while column < len(reach) and reach[column] > 0:
                column += 1
            reach += [0] * (column + cell.colspan - len(reach))
            reach[column : column + cell.colspan] = [cell.rowspan] * cell.colspan
            column += cell.colspan
        found.append(sum(1 for rows in reach if rows > 0))
        reach = [max(0, rows - 1) for rows in reach]
    return found


def _bounded(rows: tuple[tuple[Cell, ...], ...]) -> tuple[tuple[Cell, ...], ...]:
    """The rows up to a number of cells that no printed page holds."""
    total = 0

    def fits(row: tuple[Cell, ...]) -> bool:
        nonlocal total
        total += sum(cell.colspan for cell in row)
        return total <= _MOST_CELLS

    return tuple(takewhile(fits, rows))


def _header_rows(rows: tuple[tuple[Cell, ...], ...]) -> int:
    """How many rows at the top hold labels only: one, or as many as its tallest cell, with figures below."""
    if len(rows) < 2 or not rows[0]:
        return 0
    count = max(cell.rowspan for cell in rows[0])
    if count == 1 and any(cell.colspan > 1 for cell in rows[0]) and len(rows) > 2:
        count = 2 if all(map(_is_name, rows[1])) else 1
    if count >= len(rows):
        return 0
    return count if all(_is_name(cell) for cell in rows[0]) and any(cell.text for cell in rows[0]) else 0


def _is_name(cell: Cell) -> bool:
    return len(cell.text) > 60 or not _FIGURES.fullmatch(cell.text) or _YEAR.fullmatch(cell.text) is not None
