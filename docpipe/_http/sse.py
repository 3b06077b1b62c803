"""Bytes of an event stream -> its events (pure, bytes may be split anywhere)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


class TooLong(ValueError):
    """A line or an event is larger than allowed."""


class Events:
    """Takes bytes as they come, gives events as they end."""

    def __init__(self, *, most: int = 16_000_000) -> None:
        """Args: most: bytes of one event."""
        self._most = most
        self._rest = bytearray()
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[tuple[str, ...]]:
        """The `data` lines of each event that ends in `piece`, in order.

        Raises:
            TooLong: an event grows over the limit.
        """
        self._rest += piece
        lines: list[bytes] = []
        if b"\n" in piece:
            lines = bytes(self._rest).replace(b"\r\n", b"\n").split(b"\n")
            self._rest = bytearray(lines.pop())
        if self._size + len(self._rest) > self._most:
            raise TooLong(f"an event is longer than {self._most:,} bytes")
        for line in lines:
            yield from self._line(line)

    def finish(self) -> Iterator[tuple[str, ...]]:
        """The last event, where the stream ended without the blank line."""
        rest, self._rest = bytes(self._rest), bytearray()
        if rest:
            yield from self._line(rest)
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[tuple[str, ...]]:
        line = line.rstrip(b"\r")
        if not line:
            if self._data:
                yield tuple(self._data)
            self._data, self._size = [], 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(line)
            if self._size > self._most:
                raise TooLong(f"an event is longer than {self._most:,} bytes")
            self._data.append(value.decode("utf-8", "replace").removeprefix(" "))


DONE = "[DONE]"


def payloads(event: tuple[str, ...]) -> list[Mapping[str, Any] | str]:
    """The JSON objects of an event, and `DONE`; what cannot be read is left out.

    An event should be one object. Where its lines together are none, each is read by itself: a line that broke off
    spoils only itself, also where the blank line after it is missing.
    """
    whole = _payload("\n".join(event))
    if whole is not None or len(event) == 1:
        return [] if whole is None else [whole]
    return [payload for line in event if (payload := _payload(line)) is not None]


def _payload(text: str) -> Mapping[str, Any] | str | None:
    if text.strip() == DONE:
        return DONE
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
