"""Chunk -> the statements it makes: sentences of its prose, rows of its tables (pure)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from docpipe.chat.folding import is_cjk
from docpipe.chat.grounding import readable
from docpipe.chat.table_rows import Row, table_rows
from docpipe.split.boundaries import Level, cuts
from docpipe.types import Chunk, Span

__all__ = ["Statement", "statements"]

_TABLE_MARK = re.compile(r"</?table>")
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.S)
_CUTS = (Level.CLAUSE, Level.WORD, Level.RUN)
"""Where a sentence that is too long is cut, best first."""
_MARKS = ".!?:;…。！？：；,，"
_HEADING = 80
"""The longest heading, in code points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """Something that can be quoted on its own."""

    span: Span
    """Code points of the chunk's text."""
    text: str
    """As it is quoted: one line; the cells of a row parted by ` | `."""
    told: str
    """As an answer tells it; a row with the names of its columns."""
    is_row: bool = False
    is_heading: bool = False
    """A short line of its own that ends without a mark, with more text below it."""


def statements(chunk: Chunk, *, longest: int = 400) -> list[Statement]:
    """What a chunk says, in the order of its text.

    Args:
        longest: code points; a longer sentence is cut at its clauses, or at a blank where it has none.
    """
    found, at = [], 0
    for row in table_rows(chunk):
        found += _sentences(chunk, at, row.span.start, longest=longest)
        found += _row(chunk, row)
        at = row.span.end
    return found + _sentences(chunk, at, len(chunk.text), longest=longest)


def _sentences(chunk: Chunk, start: int, end: int, *, longest: int) -> list[Statement]:
    found = []
    for span in _pieces(chunk.text, start, end, longest=longest):
        text = readable(chunk, span)
        if any(letter.isalnum() for letter in text):
            found.append(Statement(span=span, text=text, told=text, is_heading=_is_heading(chunk.text, span)))
    return found


def _is_heading(text: str, span: Span) -> bool:
    alone = span.start == 0 or text.startswith("\n\n", max(0, span.start - 2))
    alone = alone and text.startswith("\n\n", span.end)
    return alone and span.end - span.start <= _HEADING and text[span.end - 1] not in _MARKS


def _pieces(text: str, start: int, end: int, *, longest: int) -> Iterator[Span]:
    for left, right in _prose(text, start, end):
        breaks = {*cuts(text, left, right, Level.LINE), *cuts(text, left, right, Level.SENTENCE)}
        for first, last in pairwise([left, *sorted(breaks), right]):
            for piece in _cut(text, first, last, longest=longest):
                if span := _stripped(text, *piece):
                    yield span


def _prose(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches between the tags that open and close a table."""
    for match in _TABLE_MARK.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _cut(text: str, start: int, end: int, *, longest: int) -> Iterator[tuple[int, int]]:
    """A stretch in parts of at most `longest`, each as long as its clauses allow."""
    while end - start > longest:
        stop = next(filter(None, (_last_cut(text, start, longest, level) for level in _CUTS)), start + longest)
        yield start, stop
        start = stop
    yield start, end


def _last_cut(text: str, start: int, longest: int, level: Level) -> int:
    """The last place to cut in the later two thirds of what fits; 0 where there is none."""
    found = cuts(text, start, start + longest, level)
    return found[-1] if found and found[-1] >= start + longest // 3 else 0


def _stripped(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _row(chunk: Chunk, row: Row) -> list[Statement]:
    """A body row as a statement; a header row says nothing alone."""
    inner = _inner(chunk.text, row.span)
    if row.is_header or not inner:
        return []
    return [Statement(span=inner, text=readable(chunk, inner), told=_told(row), is_row=True)]


def _inner(text: str, span: Span) -> Span:
    """A row from the first letter of its first filled cell to the last letter of its last one; empty where none is."""
    cells = [match.span(1) for match in _CELL.finditer(span.of(text))]
    filled = [(a, b) for a, b in cells if a < b] or [(0, 0)]
    return Span(span.start + filled[0][0], span.start + filled[-1][1])


def _told(row: Row) -> str:
    """A row's values with the names of their columns."""
    if not any(name for name, _ in row.values):
        return " | ".join(value for _, value in row.values)
    chinese = any(is_cjk(name[-1]) for name, _ in row.values if name)
    colon, semicolon = ("：", "；") if chinese else (": ", "; ")
    return semicolon.join(f"{name}{colon}{value}" if name else value for name, value in row.values)
