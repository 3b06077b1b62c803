"""Rows of delimited text (CSV, TSV) -> one table."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from docpipe._encodings import decode
from docpipe.parse.draft import Draft, clean, with_language
from docpipe.parse.text import TextParser
from docpipe.tables import grid, write
from docpipe.types import Blob, BlockKind, Document

_OPENING, _CLOSING = "<table>\n", "</table>"
_DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"\s*[-+]?[$€£¥]?\s*\d[\d.,\s]*%?\s*")
_YEAR = re.compile(r"\s*(?:19|20)\d\d\s*")
_SEPARATOR = re.compile(r"sep=([,;|\t])[^\S\n]*\n", re.I)
_LONGEST_LINE = 4_000_000
"""Code points; no row of a table that a person made is as long."""
_SAMPLE_LINES, _MOST_ABOVE = 50, 12
_BATCH = 2_000


@dataclass(frozen=True, kw_only=True)
class DelimitedParser:
    """A sheet saved as text: one table block, its first row the header unless it holds numbers, what stands above it
    as paragraphs."""

    VERSION = 2

    delimiter: str = ""
    """The sign between cells; nothing: the one of `,`, tab, `;` and `|` that divides the first rows most evenly."""

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1:
            raise ValueError(f"delimiter must be one character or nothing, got {self.delimiter!r}")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document with one table; rows may be of unequal length. One line of megabytes is read as text."""
        read = decode(blob.data)
        text = clean(read.text)
        if max(map(len, io.StringIO(text)), default=0) > _LONGEST_LINE:
            (plain,) = TextParser(headings=False)(blob)
            yield replace(plain, metadata={**plain.metadata, "not_valid": "a line of it is too long for a row"})
            return
        declared, text = _declared(text)
        delimiter = self.delimiter or declared or _delimiter(text)
        above, start = _above(text, delimiter)
        draft = Draft()
        for line in above:
            draft.add(BlockKind.PARAGRAPH, line, label="above")
        draft.add(BlockKind.TABLE, _table(text[start:], delimiter), label="csv")
        metadata = {"encoding": read.encoding, "encoding_errors": str(read.errors) if read.errors else ""}
        yield draft.document(blob.source, with_language(metadata, text))


def _declared(text: str) -> tuple[str, str]:
    """The delimiter that a first line `sep=;` names, and the text after it."""
    match = _SEPARATOR.match(text)
    return (match.group(1), text[match.end() :]) if match else ("", text)


def _above(text: str, delimiter: str) -> tuple[list[str], int]:
    """Lines above the table that are no rows of it (titles, dates, remarks), and where the table begins: at the first
    row with as many cells as most have."""
    lines = list(islice(io.StringIO(text[:100_000]), _SAMPLE_LINES))
    counts = [len(row) for row in _cells(lines, delimiter)]
    wide = [count for count in counts if count > 2]
    if not wide or '"' in "".join(lines[:_MOST_ABOVE]) or len(wide) * 2 < len(counts):
        return [], 0
    usual = max(set(wide), key=wide.count)
    first = next((number for number, line in enumerate(lines) if _width(line, delimiter) == usual), 0)
    above = lines[:first]
    if first > _MOST_ABOVE or any(_width(line, delimiter) > max(1, usual // 2) for line in above):
        return [], 0
    return [line.strip().strip(delimiter).lstrip("# ") for line in above], sum(map(len, above))


def _width(line: str, delimiter: str) -> int:
    """How many cells of a line hold something, counted to the last of these."""
    return len(line.strip().rstrip(delimiter).split(delimiter)) if line.strip(delimiter + "\n ") else 0


def _cells(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def _table(text: str, delimiter: str) -> str:
    """All rows, written in batches so that only a few of them exist as lists of cells."""
    rows = (row for row in _rows(text, delimiter) if any(cell.strip() for cell in row))
    first = next(rows, None)
    if first is None:
        return ""
    parts = [_written([first], header_rows=int(_is_header(first)))]
    while batch := list(islice(rows, _BATCH)):
        parts.append(_written(batch, header_rows=0))
    return f"{_OPENING}{''.join(parts)}{_CLOSING}"


def _written(rows: Sequence[Sequence[str]], *, header_rows: int) -> str:
    return write(grid(rows, header_rows=header_rows)).html[len(_OPENING) : -len(_CLOSING)]


def _is_header(row: Sequence[str]) -> bool:
    """Whether it names columns: no cell is a number, but for years beside a name."""
    numbers = [cell for cell in row if _NUMBER.fullmatch(cell)]
    return not numbers or (not _NUMBER.fullmatch(row[0]) and all(_YEAR.fullmatch(cell) for cell in row[1:]))


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Cells by the rules of CSV; where quotes are broken, the rest is divided at every delimiter."""
    done = 0
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for row in reader:
            done = reader.line_num
            yield row
    except csv.Error:  # one field of more than 128 KB: a quote that was never closed
        lines = islice(io.StringIO(text), done, None)
        yield from ([cell.strip('"') for cell in line.rstrip("\n").split(delimiter)] for line in lines)


def _delimiter(text: str) -> str:
    """The delimiter that gives the first rows the most cells of one and the same number."""
    lines = list(islice(io.StringIO(text[:100_000]), _SAMPLE_LINES))
    return max(_DELIMITERS, key=lambda sign: _evenness(lines, sign))


def _evenness(lines: Iterable[str], delimiter: str) -> tuple[float, int]:
    try:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    wide = [count for count in counts if count > 1]
    if not wide:
        return 0.0, 0
    usual = max(set(wide), key=wide.count)
    return wide.count(usual) / len(counts), usual
