"""Tables as values, and the one way their HTML is written inside a document's text (pure)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import NamedTuple

_TAG = re.compile(r"</?(?:table|tr|td|th)(?: (?:col|row)span=\"\d+\")*>")
_CELL = re.compile(r"<(td|th)((?: (?:col|row)span=\"\d+\")*)>(.*?)</\1>", re.S)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.S)
_SPAN = re.compile(r"(col|row)span=\"(\d+)\"")


class Cell(NamedTuple):
    """One cell; its text is plain, without line breaks."""

    text: str
    header: bool = False
    colspan: int = 1
    rowspan: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, as HTML counts them: a cell that spans rows stands in its first row only."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def header_rows(self) -> int:
        """How many rows at the top hold nothing but header cells."""
        for number, row in enumerate(self.rows):
            if not row or not all(cell.header for cell in row):
                return number
        return len(self.rows)


class Placed(NamedTuple):
    """A cell in one of the rows where it stands."""

    column: int
    """Its first column, from 0."""
    cell: Cell
    rows_left: int
    """How many rows it covers from this one on."""

    @property
    def end(self) -> int:
        """Past its last column."""
        return self.column + self.cell.colspan


class TableText(NamedTuple):
    """A table written out: `spans[i][j]` is where the text of cell j of row i stands in `html`."""

    html: str
    spans: tuple[tuple[tuple[int, int], ...], ...]


def grid(rows: Sequence[Sequence[str]], *, header_rows: int = 1) -> Table:
    """A table without spans from its cells' texts; the first `header_rows` rows are its header."""
    return Table(
        tuple(
            tuple(Cell(" ".join(text.split()), header=number < header_rows) for text in row)
            for number, row in enumerate(rows)
        )
    )


def write(table: Table) -> TableText:
    """Write a table: `<table>`, one line per `<tr>`, `</table>`; texts escaped, white space folded."""
    parts, at, spans = ["<table>\n"], len("<table>\n"), []
    for row in table.rows:
        parts.append("<tr>")
        at += len("<tr>")
        row_spans = []
        for cell in row:
            tag = "th" if cell.header else "td"
            opening = f"<{tag}{_attributes(cell)}>"
            text = escape(" ".join(cell.text.split()), quote=False)
            row_spans.append((at + len(opening), at + len(opening) + len(text)))
            piece = f"{opening}{text}</{tag}>"
            parts.append(piece)
            at += len(piece)
        parts.append("</tr>\n")
        at += len("</tr>\n")
        spans.append(tuple(row_spans))
    parts.append("</table>")
    return TableText("".join(parts), tuple(spans))


def read(html: str) -> Table:
    """Read what `write` wrote, or some of its rows. Law: `read(write(table).html) == table` (white space folded)."""
    return Table(tuple(_cells(row) for row in _ROW.findall(html)))


def row_spans(html: str) -> list[tuple[int, int]]:
    """Where each `<tr>...</tr>` of a written table stands, without its line break."""
    return [match.span() for match in _ROW.finditer(html)]


def placed(rows: Iterable[Sequence[Cell]]) -> Iterator[tuple[Placed, ...]]:
    """For each row all cells that stand in it, from left to right: its own, and those that reach down from above."""
    above: list[Placed] = []
    for row in rows:
        found: list[Placed] = []
        column, waiting = 0, 0
        for cell in row:
            while waiting < len(above) and above[waiting].column <= column:
                column = max(column, above[waiting].end)
                waiting += 1
            found.append(Placed(column, cell, cell.rowspan))
            column += cell.colspan
        standing = sorted([*above, *found], key=lambda each: each.column) if above else found
        yield tuple(standing)
        above = [each._replace(rows_left=each.rows_left - 1) for each in standing if each.rows_left > 1]


def width(rows: Iterable[Sequence[Placed]]) -> int:
    """How many columns rows take, as `placed` gives them."""
    return max((each.end for row in rows for each in row), default=0)


def is_label(row: Sequence[Placed], columns: int) -> bool:
    """Whether a row is one cell over all columns: it names the rows below it."""
    return columns > 1 and len(row) == 1 and row[0].end - row[0].column >= columns and bool(row[0].cell.text)


def closed(table: Table) -> Table:
    """A table none of whose cells reaches below its last row."""
    count = len(table.rows)
    if all(number + cell.rowspan <= count for number, row in enumerate(table.rows) for cell in row):
        return table
    return Table(
        tuple(
            tuple(cell._replace(rowspan=min(cell.rowspan, count - number)) for cell in row)
            for number, row in enumerate(table.rows)
        )
    )


def column_name(header: Sequence[Sequence[Placed]], column: int, columns: int = 1) -> str:
    """What the header rows, as `placed` gives them, call a column: `Revenue / 2024`; of several, what they share.

    A cell over the whole table is its title, and no column's name.
    """
    whole = width(header)
    names: list[str] = []
    for row in header:
        for each in row:
            covers = each.column <= column and column + columns <= each.end
            if covers and each.cell.text and each.cell.text not in names and (whole == 1 or each.cell.colspan < whole):
                names.append(each.cell.text)
    return " / ".join(names)


def is_table(text: str) -> bool:
    """Whether a text holds written table rows."""
    return "<tr>" in text and ("</td>" in text or "</th>" in text)


def without_tags(text: str) -> str:
    """A text as a person reads it: each row of a written table is a line, its cells parted by ` | `."""
    if not is_table(text):
        return text
    text = re.sub(r"</(?:td|th)><(?:td|th)(?: (?:col|row)span=\"\d+\")*>", " | ", text)
    return unescape(_TAG.sub("", text)).strip("\n")


def _attributes(cell: Cell) -> str:
    col = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
    row = f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
    return col + row


def _cells(row: str) -> tuple[Cell, ...]:
    cells = []
    for tag, attributes, text in _CELL.findall(row):
        spans = {name: int(value) for name, value in _SPAN.findall(attributes)}
        cells.append(Cell(unescape(text), header=tag == "th", colspan=spans.get("col", 1), rowspan=spans.get("row", 1)))
    return tuple(cells)
