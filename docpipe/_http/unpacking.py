"""Compressed bytes of a reply -> what they hold, never more than asked for (pure)."""

import zlib

_RAW, _ZLIB, _GZIP = -15, 15, 31


class TooLong(Exception):
    """What comes out is longer than the limit; nothing beyond it was unpacked."""


class Unpacker:
    """One reply's body, piece by piece. Memory stays within the limit, however well the bytes were compressed."""

    def __init__(self, encoding: str, limit: int) -> None:
        """Start.

        Args:
            encoding: the `Content-Encoding`: nothing, `identity`, `gzip`, `x-gzip` or `deflate`.
            limit: most bytes to give.

        Raises:
            ValueError: another encoding, or several over each other.
        """
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise ValueError(f"the encoding {name[:40]!r} was not asked for")
        self._name, self._left = name, limit
        self._engine = zlib.decompressobj(_GZIP) if name.endswith("gzip") else None

    def feed(self, data: bytes) -> bytes:
        """What `data` adds.

        Raises:
            TooLong: more than the limit in all.
            ValueError: it is not compressed as it says.
        """
        if self._name in ("", "identity"):
            return self._counted(data)
        if self._engine is None:
            self._engine = zlib.decompressobj(_ZLIB if data[:1] and data[0] & 15 == 8 else _RAW)
        try:
            return b"".join(self._pieces(data))
        except zlib.error as error:
            raise ValueError(f"it is no {self._name}: {error}") from error

    @property
    def complete(self) -> bool:
        """Whether nothing is missing at the end."""
        return self._engine is None or self._engine.eof

    def _pieces(self, data: bytes) -> list[bytes]:
        pieces = []
        while data:
            engine = self._engine
            assert engine is not None
            if engine.eof:
                if not self._name.endswith("gzip") or not data.startswith(b"\x1f"):
                    break  # padding behind the end
                engine = self._engine = zlib.decompressobj(_GZIP)
            pieces.append(self._counted(engine.decompress(data, self._left + 1)))
            data = engine.unused_data if engine.eof else engine.unconsumed_tail
        return pieces

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise TooLong
        return data
