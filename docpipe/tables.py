"""Tables as values, and the one way their HTML is written inside a document's text (pure)."""

import re
from collections.abc import Sequence
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
