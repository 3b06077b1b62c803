"""A packed stream (gzip, bzip2, xz) -> its bytes, within limits."""

import bz2
import gzip
import lzma
import os
import tempfile
import zlib
from typing import IO, BinaryIO, cast

from docpipe.errors import SourceTooLarge, UnreadableSource
from docpipe.load.inside.members import FLAT, Allowed, damaged

_IN_MEMORY = 64 << 20
"""Larger ones lie in a temporary file without a name."""
_LZMA_MEMORY = 256 << 20
_PIECE = 1 << 20
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def unpacked(file: BinaryIO, media: str, uri: str, allowed: Allowed) -> BinaryIO:
    """What a packed stream holds, as a file that can be read from anywhere in it.

    Raises:
        SourceTooLarge: more than is allowed, or grown beyond reason.
        CorruptSource: damaged, or cut short.
    """
    packed = file.seek(0, os.SEEK_END)
    file.seek(0)
    made = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        with _opened(file, media) as stream:
            while piece := _next(stream, uri):
                size += len(piece)
                _admit(size, packed, uri, allowed)
                _write(made, piece, uri)
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return made


def _opened(file: BinaryIO, media: str) -> IO[bytes]:
    if media == "application/gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb"))
    if media == "application/x-bzip2":
        return bz2.BZ2File(file)
    return cast(IO[bytes], _Xz(file))


class _Xz:
    """A stream of xz with a bound on the memory that its dictionary may take."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._inner = file, lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        while True:
            if self._inner.eof:
                rest = (self._inner.unused_data or self._file.read(_PIECE)).lstrip(b"\x00")
                if not rest:
                    return b""
                self._inner = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
                data = self._inner.decompress(rest, size)
            else:
                more = self._file.read(_PIECE) if self._inner.needs_input else b""
                if self._inner.needs_input and not more:
                    raise EOFError("it ends too early")
                data = self._inner.decompress(more, size)
            if data:
                return data

    def __enter__(self) -> "_Xz":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _next(stream: IO[bytes], uri: str) -> bytes:
    try:
        return stream.read(_PIECE)
    except _DAMAGE as error:
        raise damaged(uri, error) from error


def _admit(size: int, packed: int, uri: str, allowed: Allowed) -> None:
    if size > allowed.bytes:
        option, limit = "max_unpacked_bytes", allowed.bytes
    elif size > FLAT and size > allowed.ratio * packed:
        option, limit = "max_ratio", allowed.ratio
    else:
        return
    raise SourceTooLarge(
        f"unpacked it has more than {option} = {limit:,} allows",
        source=uri,
        remedy=f"raise `{option}` of load.files if you trust it, or leave it out with `exclude`",
    )


def _write(made: BinaryIO, piece: bytes, uri: str) -> None:
    try:
        made.write(piece)
    except OSError as error:
        raise UnreadableSource(
            f"there is no room to unpack it: {error.strerror}",
            source=uri,
            remedy="make room in the folder for temporary files (TMPDIR), then run again",
        ) from error
