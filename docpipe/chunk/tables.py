"""A written table -> groups of rows that fit, and what is put before each (pure)."""

from collections.abc import Iterator
from typing import NamedTuple

from docpipe.protocols import Tokenizer
from docpipe.tables import (
    Cell,
    Placed,
    Table,
    column_name,
    is_label,
    placed,
    read,
    row_spans,
    width,
    without_tags,
    write,
)
from docpipe.types import Span

_MOST_COLUMNS = 200
"""Of a header whose rows are made into one."""


class Rows(NamedTuple):
    """A table's rows in the document's text, and the tokens of each as a person reads it."""

    spans: tuple[Span, ...]
    tokens: tuple[int, ...]
    header: str
    """The names of its columns as one written row with its line break; nothing where it has none."""
    header_tokens: int
    reaching: dict[int, str]
    """By row: what holds for it and stands above it, as written rows, each with its line break."""


def rows(text: str, span: Span, tokenizer: Tokenizer) -> Rows:
    """The rows of the table that stands at `span`."""
    html = span.of(text)
    found = row_spans(html)
    written = [html[start:end] for start, end in found]
    counts = tokenizer.count_many([without_tags(row) for row in written])
    header_rows = _header_rows(written)
    header = _header(written[:header_rows])
    return Rows(
        spans=tuple(Span(span.start + start, span.start + end) for start, end in found),
        tokens=tuple(counts),
        header=header,
        header_tokens=tokenizer.count(without_tags(header)) if header else 0,
        reaching=_reaching(html, header_rows) if 'span="' in html else {},
    )


def _header(written: list[str]) -> str:
    """Header rows as one row of names, `Revenue / 2024` for a cell below another, under the title that they hold."""
    if len(written) < 2:
        return "".join(f"{row}\n" for row in written)
    standing = list(placed(read("".join(written)).rows))
    whole = width(standing)
    if whole > _MOST_COLUMNS:
        return "".join(f"{row}\n" for row in written)
    names: list[Cell] = []
    for column in range(whole):
        name = column_name(standing, column)
        if names and name and names[-1].text == name:
            names[-1] = names[-1]._replace(colspan=names[-1].colspan + 1)
        else:
            names.append(Cell(name, header=True))
    title = [_row([row[0].cell]) for row in standing if is_label(row, whole)]
    return "".join(title) + _row(names)


def _reaching(html: str, header_rows: int) -> dict[int, str]:
    """What stands over a row: the label above its section, and cells that reach down into it from rows before."""
    standing = list(placed(read(html).rows))
    whole, label, found = width(standing), "", {}
    for number, row in enumerate(standing[header_rows:], start=header_rows):
        above = [each for each in row if each.rows_left < each.cell.rowspan]
        labels = is_label(row, whole)
        over = ("" if labels else label) + (_row(_spaced(above)) if above else "")
        if over:
            found[number] = over
        if labels:
            label = _row([row[0].cell._replace(header=False, rowspan=1)])
    return found


def _spaced(above: list[Placed]) -> list[Cell]:
    """The cells, with an empty one for the columns between them."""
    cells: list[Cell] = []
    at = 0
    for each in above:
        if each.column > at:
            cells.append(Cell("", colspan=each.column - at))
        cells.append(each.cell._replace(header=False, rowspan=each.rows_left + 1))
        at = each.end
    return cells


def _row(cells: list[Cell]) -> str:
    """One written row with its line break."""
    return write(Table((tuple(cells),))).html.removeprefix("<table>\n").removesuffix("</table>")


def row_groups(table: Rows, *, first: int, later: int, tokenizer: Tokenizer) -> Iterator[tuple[int, int]]:
    """Numbers of the first row and past the last row of each group.

    Args:
        first: tokens that the first group may take, the header rows among them.
        later: tokens that each other group may take, what reaches down into it among them.

    A row that is too long is a group of its own; so are header rows that nothing fits beside.
    """
    start, filled, room = 0, 0, first
    for number, tokens in enumerate(table.tokens):
        cost = tokens + 1  # its line break
        if number > start and filled + cost > room:
            yield start, number
            above = table.reaching.get(number, "")
            start, filled = number, 0
            room = later - tokenizer.count(without_tags(above)) - 1 if above else later
        filled += cost
    if start < len(table.tokens):
        yield start, len(table.tokens)


def _header_rows(written: list[str]) -> int:
    for number, row in enumerate(written):
        if "<td" in row or not read(row).header_rows:
            return number if number < len(written) else 0
    return 0
