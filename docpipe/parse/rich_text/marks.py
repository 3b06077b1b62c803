"""The bytes of an RTF file -> its marks: groups, control words, letters (pure)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST = 8_000_000
"""Marks that are read of one file; each costs half a microsecond, and no document that a person wrote has as many."""

_MARK = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})?[ ]?"
    rb"|\\'(?P<byte>[0-9A-Fa-f]{2})"
    rb"|\\(?P<sign>[^A-Za-z'])"
    rb"|(?P<group>[{}])"
    rb"|(?P<text>[^\\{}\r\n\x00]{1,65536})"
    rb"|[\r\n\x00]+|\\'?",
    re.S,
)


class TooManyMarks(ValueError):
    """The file holds more marks than `MOST`."""


class Mark(NamedTuple):
    """One mark; exactly one of word, byte, sign, group and text is there."""

    kind: str
    """`word`, `byte`, `sign`, `group` or `text`."""
    value: bytes
    number: int | None = None


def marks(data: bytes) -> Iterator[Mark]:
    """All marks in their order; binary data (`\\bin`) is left out.

    Raises:
        TooManyMarks: there are more than `MOST`.
    """
    at, count = 0, 0
    while (match := _MARK.match(data, at)) is not None:
        at, count = match.end(), count + 1
        if count > MOST:
            raise TooManyMarks
        kind = match.lastgroup
        if kind is None:
            continue
        if kind == "number":
            word, number = match["word"], int(match["number"])
            if word == b"bin":
                at += max(0, number)
                continue
            yield Mark("word", word, number)
        else:
            yield Mark(kind, match[kind])
