"""Rows of delimited text (CSV, TSV) -> one table."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from docpipe._encodings import decode
from docpipe.parse.draft import Draft, clean, with_language
from docpipe.tables import grid, write
from docpipe.types import Blob, BlockKind, Document

_OPENING, _CLOSING = "<table>\n", "</table>"
_DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"\s*[-+]?[$€£¥]?\s*\d[\d.,\s]*%?\s*")
_SAMPLE_LINES = 50
_BATCH = 2_000


@dataclass(frozen=True, kw_only=True)
class DelimitedParser:
    """A sheet saved as text: one table block, its first row the header unless it holds numbers."""

    VERSION = 2

    delimiter: str = ""
    """The sign between cells; nothing: the one of `,`, tab, `;` and `|` that divides the first rows most evenly."""

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1:
            raise ValueError(f"delimiter must be one character or nothing, got {self.delimiter!r}")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document with one table; rows may be of unequal length."""
        read = decode(blob.data)
        text = clean(read.text)
        draft = Draft()
        draft.add(BlockKind.TABLE, _table(text, self.delimiter or _delimiter(text)), label="csv")
        metadata = {"encoding": read.encoding, "encoding_errors": str(read.errors) if read.errors else ""}
        yield draft.document(blob.source, with_language(metadata, text))


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
    return not any(_NUMBER.fullmatch(cell) for cell in row)


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
