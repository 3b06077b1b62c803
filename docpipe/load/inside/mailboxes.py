"""A mailbox (mbox) -> its messages."""

import re
import zlib
from collections.abc import Iterator
from email.header import Header
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from typing import BinaryIO

from docpipe.load.inside.members import Allowed, Member, Named, checked, stamp, too_large

_FROM = re.compile(rb"From \S+(?: at \S+)? .*\d{1,2}:\d\d.*\d{4}|From [^\s@]+(?:@\S+)? .*\d{1,2}:\d\d", re.I)
_QUOTED = re.compile(rb"(?m)^>(>*From )")
_UNSAFE = re.compile(r"[^\w.@+=-]+")
_LONGEST_LINE = 1 << 20
_HEADERS = 64 << 10
_LONGEST_ID = 150
_LONGEST_FROM = 300
"""Bytes of the line before a message: an address and a date."""


class Mailbox:
    """A file of messages, each after a line that begins with `From `; they are known by their Message-ID."""

    title = "mailbox"

    def __init__(self, file: BinaryIO, uri: str, allowed: Allowed) -> None:
        self._file, self._allowed = file, allowed
        self._places: list[tuple[int, int]] = []
        self.members = tuple(checked(self._found(), allowed, uri))

    def read(self, member: Member) -> bytes:
        """A message as it was sent."""
        return self._message(*self._places[member.position])

    def close(self) -> None:
        """Nothing is held but the file."""

    def _found(self) -> Iterator[Member]:
        named = Named()
        for number, (start, stop) in enumerate(_messages(self._file), start=1):
            self._places.append((start, stop))
            is_large = stop - start > self._allowed.largest
            data = self._message(start, start + _HEADERS if is_large else stop)
            message_id, seconds = _known_by(data[:_HEADERS])
            yield Member(
                name=named(f"{message_id or number}.eml")[0],
                size=stop - start if is_large else len(data),
                modified=stamp(seconds, zlib.crc32(data)),
                position=number - 1,
                problem=too_large(stop - start, self._allowed) if is_large else None,
            )

    def _message(self, start: int, stop: int) -> bytes:
        """What the mailbox put before lines with `From `, and the empty line after the message, are taken out."""
        self._file.seek(start)
        return _QUOTED.sub(rb"\1", self._file.read(stop - start)).rstrip(b"\r\n") + b"\n"


def is_mailbox(head: bytes) -> bool:
    """Whether a file begins as a mailbox: the line with `From `, then a header."""
    line, _, rest = head.lstrip(b"\r\n").partition(b"\n")
    return _begins(line) and re.match(rb">?[\w-]+:", rest) is not None


def _begins(line: bytes) -> bool:
    """Whether a message begins after this line."""
    return line.startswith(b"From ") and _FROM.match(line[:_LONGEST_FROM]) is not None


def _messages(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where each message begins and ends. The file may be moved between two."""
    at, start, blank = 0, -1, True
    file.seek(0)
    while line := file.readline(_LONGEST_LINE):
        if blank and _begins(line):
            if start >= 0:
                yield start, at
                file.seek(at + len(line))
            start = at + len(line)
        blank = not line.strip()
        at += len(line)
    if start >= 0:
        yield start, at


def _known_by(head: bytes) -> tuple[str, float]:
    """A message's id, made safe, and when it was sent; nothing where it does not say."""
    message = BytesHeaderParser().parsebytes(head)
    identity = str(_plain(message.get("Message-ID"))).strip("<> \t\r\n")
    try:
        seconds = parsedate_to_datetime(str(_plain(message.get("Date")))).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        seconds = 0.0
    return _UNSAFE.sub("_", identity)[:_LONGEST_ID].strip("._"), seconds


def _plain(value: "str | Header | None") -> str:
    return "" if value is None else str(value)
