"""Chunk -> the rows of its tables, each value with the name of its column (pure)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from docpipe import tables
from docpipe.types import Chunk, Span

_OPENING = re.compile("<table>")


class Row(NamedTuple):
    """A row of a table in a chunk."""

    span: Span
    """From `<tr>` to `</tr>`, in code points of the chunk's text."""
    values: tuple[tuple[str, str], ...]
    """Name of the column (or nothing) and text of each cell that is not empty: the label of its section, those that
    reach down from above, its own."""
    is_header: bool


def table_rows(chunk: Chunk) -> Iterator[Row]:
    """The rows of a chunk's tables, in order; the first ones may continue the table that its context names."""
    starts = [match.start() for match in _OPENING.finditer(chunk.text)]
    held: dict[int, list[Span]] = {}
    for start, end in tables.row_spans(chunk.text):
        held.setdefault(bisect_right(starts, start), []).append(Span(start, end))
    for number, spans in held.items():
        before = () if number else tables.read(chunk.context).rows
        rows = [*before, *(tables.read(span.of(chunk.text)).rows[0] for span in spans)]
        yield from _named(rows, spans)


def _named(rows: list[tuple[tables.Cell, ...]], spans: list[Span]) -> Iterator[Row]:
    standing = list(tables.placed(rows))
    columns, first = tables.width(standing), len(rows) - len(spans)
    header: list[tuple[tables.Placed, ...]] = []
    label, below = "", False
    for number, row in enumerate(standing):
        is_header = bool(row) and all(each.cell.header for each in row)
        labels = (below or not is_header) and tables.is_label(row, columns)
        if labels:
            label = row[0].cell.text
        elif is_header:
            header = [row] if below else [*header, row]
        below = below or not is_header if labels else not is_header
        if number >= first:
            yield Row(spans[number - first], _values(row, header, "" if labels else label), is_header)


def _values(
    row: tuple[tables.Placed, ...], header: list[tuple[tables.Placed, ...]], label: str
) -> tuple[tuple[str, str], ...]:
    """Names are left out where the header has other columns than the row: nobody knows which is which."""
    fits = tables.width(header) == tables.width([row])
    values = tuple(
        (tables.column_name(header, each.column, each.cell.colspan) if fits else "", each.cell.text)
        for each in row
        if each.cell.text
    )
    return (("", label), *values) if label else values
