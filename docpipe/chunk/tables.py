"""A written table -> groups of rows that fit, and what is put before each (pure)."""

from collections.abc import Iterator
from typing import NamedTuple

from docpipe.protocols import Tokenizer
from docpipe.tables import read, row_spans, without_tags
from docpipe.types import Span


class Rows(NamedTuple):
    """A table's rows in the document's text, and the tokens of each as a person reads it."""

    spans: tuple[Span, ...]
    tokens: tuple[int, ...]
    header: str
    """Its header rows as they are written, each with its line break; nothing where it has none."""
    header_tokens: int
    header_rows: int


def rows(text: str, span: Span, tokenizer: Tokenizer) -> Rows:
    """The rows of the table that stands at `span`."""
    html = span.of(text)
    found = row_spans(html)
    written = [html[start:end] for start, end in found]
    counts = tokenizer.count_many([without_tags(row) for row in written])
    header_rows = _header_rows(written)
    return Rows(
        spans=tuple(Span(span.start + start, span.start + end) for start, end in found),
        tokens=tuple(counts),
        header="".join(f"{row}\n" for row in written[:header_rows]),
        header_tokens=sum(counts[:header_rows]),
        header_rows=header_rows,
    )


def row_groups(table: Rows, *, first: int, later: int) -> Iterator[tuple[int, int]]:
    """Numbers of the first row and past the last row of each group.

    Args:
        first: tokens that the first group may take, the header rows among them.
        later: tokens that each other group may take.

    A row that is too long is a group of its own; so are header rows that nothing fits beside.
    """
    start, filled, room = 0, 0, first
    for number, tokens in enumerate(table.tokens):
        cost = tokens + 1  # its line break
        if number > start and filled + cost > room:
            yield start, number
            start, filled, room = number, 0, later
        filled += cost
    if start < len(table.tokens):
        yield start, len(table.tokens)


def _header_rows(written: list[str]) -> int:
    for number, row in enumerate(written):
        if "<td" in row or not read(row).header_rows:
            return number if number < len(written) else 0
    return 0
