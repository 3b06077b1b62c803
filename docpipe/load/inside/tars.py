"""A tar file -> its members; and a packed stream that is only one file."""

import os
import tarfile
from collections.abc import Iterator
from io import SEEK_CUR
from typing import BinaryIO

from docpipe.errors import CorruptSource
from docpipe.load.inside.members import (
    Allowed,
    Member,
    Named,
    Problem,
    check_of,
    checked,
    damaged,
    no_file,
    stamp,
    too_large,
)

_PIECE = 1 << 20
_LARGEST_HEADER = 4 << 20
"""Bytes of one extended header: a path and some attributes."""
_DAMAGE = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, IndexError, KeyError, RecursionError)


class TarArchive:
    """A tar file, open."""

    title = "archive"

    def __init__(self, file: BinaryIO, uri: str, allowed: Allowed) -> None:
        self._uri, self._allowed, self._file = uri, allowed, file
        try:
            self._tar = tarfile.open(fileobj=_Careful(file), mode="r:")  # type: ignore[call-overload]  # noqa: SIM115
            self._infos: list[tarfile.TarInfo] = []
            self.members = tuple(checked(self._found(), allowed, uri))
        except _DAMAGE as error:
            raise damaged(uri, error) from error

    def read(self, member: Member) -> bytes:
        """A member's bytes."""
        try:
            data = b"".join(self._pieces(self._infos[member.position]))
        except _DAMAGE as error:
            raise damaged(self._uri, error) from error
        if len(data) != member.size:
            raise damaged(self._uri, "it ends too early")
        return data

    def close(self) -> None:
        """Close it."""
        self._tar.close()
        self._file.close()

    def _found(self) -> Iterator[Member]:
        named = Named()
        for info in self._tar:
            if info.isdir():
                continue
            name, problem = named(info.name)
            problem = problem or self._problem(info)
            self._infos.append(info)
            size, check = info.size, 0
            if problem is None:
                size, check = check_of(self._pieces(info))
                problem = _cut_short() if size != info.size else None
            yield Member(
                name=name,
                size=max(0, info.size) if info.isreg() else 0,
                modified=stamp(_seconds(info), check),
                position=len(self._infos) - 1,
                problem=problem,
            )
        if (lost := self._lost()) is not None:
            self._infos.append(tarfile.TarInfo())
            yield Member(name=named("(damaged)")[0], size=0, modified=0, position=len(self._infos) - 1, problem=lost)

    def _lost(self) -> Problem | None:
        """What is wrong where the last header stood that could not be read; `tarfile` takes it for the end."""
        self._tar.fileobj.seek(self._tar.offset)
        block = self._tar.fileobj.read(512)
        if not block.strip(b"\x00"):
            return None
        return Problem(
            kind=CorruptSource,
            message=f"the archive is damaged from byte {self._tar.offset:,} on: what follows is not read",
            remedy="fetch or pack the archive again",
        )

    def _problem(self, info: tarfile.TarInfo) -> Problem | None:
        if info.issym() or info.islnk():
            return no_file("a link")
        if not info.isreg():
            return no_file("a device or pipe")
        if info.issparse():
            return no_file("a sparse file")
        return too_large(info.size, self._allowed) if info.size > self._allowed.largest else None

    def _pieces(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        stream = self._tar.extractfile(info)
        while stream is not None and (piece := stream.read(_PIECE)):
            yield piece


class SingleFile:
    """A packed stream that is one file, unpacked. Its member has the stream's name without the last extension."""

    title = "packed file"

    def __init__(self, file: BinaryIO, uri: str, allowed: Allowed, *, name: str, modified: int) -> None:
        self._uri, self._file = uri, file
        size, check = check_of(iter(lambda: file.read(_PIECE), b""))
        shown, problem = Named()(name)
        member = Member(name=shown, size=size, modified=stamp(modified // 10**9, check), position=0, problem=problem)
        self.members = tuple(checked([member], allowed, uri))

    def read(self, member: Member) -> bytes:
        """All of it."""
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Give back its temporary file."""
        self._file.close()


class _Careful:
    """A file for `tarfile`, of which no header is read that would fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """So many bytes."""
        if size < 0 or size > _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there; nowhere before the start."""
        target = offset + (self._file.tell() if whence == SEEK_CUR else self._length if whence == os.SEEK_END else 0)
        if target < 0:
            raise tarfile.ReadError("an offset before the start")
        return self._file.seek(target)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        self._file.close()


def is_tar(head: bytes) -> bool:
    """Whether these first bytes (512 or more) are a tar's header, be it of the old kind without a mark."""
    if head[257:262] == b"ustar":
        return True
    if len(head) < 512 or not head[:1].strip(b"\x00"):
        return False
    try:
        said = int(head[148:156].split(b"\x00")[0].strip() or b"x", 8)
    except ValueError:
        return False
    block = head[:148] + b" " * 8 + head[156:512]
    return said == sum(block)


def _seconds(info: tarfile.TarInfo) -> float:
    return float(info.mtime)


def _cut_short() -> Problem:
    return Problem(kind=CorruptSource, message="the archive ends within it", remedy="fetch or pack the archive again")
