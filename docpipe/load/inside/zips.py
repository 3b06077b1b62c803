"""A zip file -> its members."""

import calendar
import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import SEEK_END
from typing import BinaryIO

from docpipe.errors import CorruptSource, SourceTooLarge
from docpipe.load.inside.members import (
    Allowed,
    Member,
    Named,
    Problem,
    checked,
    damaged,
    locked,
    needs_extra,
    no_file,
    stamp,
    too_dense,
)
from docpipe.load.inside.zip_names import names

_END = struct.Struct("<4s4H2LH")
_WIDE_END = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_MOST_PER_MEMBER = 1_200
"""Bytes of the directory for a member, its name and extra fields included, where there are many."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OverflowError, struct.error, OSError, ValueError, KeyError)
_LOCKED = 0x1
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_AES = 99
_LINK, _KIND = 0o120000, 0o170000
_PIECE = 1 << 20


class ZipArchive:
    """A zip file, open. Nothing is read but what its directory names, and no two members from the same bytes.

    Args:
        uri: for errors.
        passwords: tried in turn where a member is locked.
    """

    title = "archive"

    def __init__(self, file: BinaryIO, uri: str, allowed: Allowed, passwords: Sequence[str] = ()) -> None:
        self._uri, self._allowed, self._passwords, self._file = uri, allowed, passwords, file
        self._aes: zipfile.ZipFile | None = None
        _check_directory(file, allowed, uri)
        try:
            self._zip = zipfile.ZipFile(file)
        except (*_DAMAGE, NotImplementedError, RuntimeError) as error:
            raise damaged(uri, error) from error
        self._infos = self._zip.infolist()
        self.members = tuple(checked(self._found(), allowed, uri))

    def read(self, member: Member) -> bytes:
        """A member's bytes."""
        info = self._infos[member.position]
        if not info.flag_bits & _LOCKED:
            return self._unpacked(self._zip, info, None)
        if not self._passwords:
            raise locked(self._uri, tried=False)
        archive = self._zip if info.compress_type != _AES else self._with_aes()
        for password in self._passwords:
            with contextlib.suppress(RuntimeError, CorruptSource):  # a wrong one may seem right until the end
                return self._unpacked(archive, archive.infolist()[member.position], password.encode())
        raise locked(self._uri, tried=True)

    def _with_aes(self) -> zipfile.ZipFile:
        """The same file, read by what knows the lock of WinZip and 7-Zip."""
        try:
            from pyzipper import AESZipFile
        except ImportError as error:
            raise needs_extra(self._uri) from error
        if self._aes is None:
            self._aes = AESZipFile(self._file)
        return self._aes

    def close(self) -> None:
        """Close it."""
        self._zip.close()

    def _unpacked(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, password: bytes | None) -> bytes:
        pieces: list[bytes] = []
        try:
            with archive.open(info, pwd=password) as stream:
                while piece := stream.read(_PIECE):
                    pieces.append(piece)
        except (*_DAMAGE, NotImplementedError) as error:
            raise damaged(self._uri, error) from error
        data = b"".join(pieces)
        if len(data) != info.file_size:
            raise damaged(self._uri, f"it has {len(data):,} bytes where {info.file_size:,} were announced")
        return data

    def _found(self) -> Iterator[Member]:
        named, raw_names = Named(), names(self._infos)
        taken = _overlapping(self._infos)
        for position, (info, raw) in enumerate(zip(self._infos, raw_names, strict=True)):
            if raw.endswith(("/", "\\")) and not info.file_size:
                continue
            name, problem = named(raw)
            yield Member(
                name=name,
                size=info.file_size,
                modified=stamp(_seconds(info), (info.CRC or info.compress_size) ^ info.file_size),
                position=position,
                problem=problem or self._problem(info, position in taken),
            )

    def _problem(self, info: zipfile.ZipInfo, overlaps: bool) -> Problem | None:
        if (info.external_attr >> 16) & _KIND == _LINK:
            return no_file("a link")
        if overlaps:
            return Problem(
                kind=CorruptSource, message="it lies over another file of the archive", remedy="pack it anew"
            )
        method = info.compress_type
        if method not in (0, 8, 12, 14, _AES):
            return Problem(
                kind=CorruptSource,
                message=f"it is packed by a method that is not read here ({_METHODS.get(method, method)})",
                remedy="pack it anew with the usual method (Deflate)",
            )
        return too_dense(info.file_size, info.compress_size, self._allowed)


def _check_directory(file: BinaryIO, allowed: Allowed, uri: str) -> None:
    """Refuse a directory that would take too much memory to read."""
    size = _directory_size(file)
    if size > 1_000_000 and size > allowed.members * _MOST_PER_MEMBER:
        raise SourceTooLarge(
            f"its directory has {size:,} bytes, far more than max_members = {allowed.members:,} files need",
            source=uri,
            remedy="raise `max_members` of load.files, or leave it out with `exclude`",
        )


def _directory_size(file: BinaryIO) -> int:
    """Bytes of the directory as the end of the file says; 0 where nothing is said."""
    length = file.seek(0, SEEK_END)
    tail_start = max(0, length - 65_557 - _LOCATOR.size)
    file.seek(tail_start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        return 0
    size: int = _END.unpack_from(tail, at)[5]
    locator_at = at - _LOCATOR.size
    if locator_at >= 0 and tail[locator_at : locator_at + 4] == b"PK\x06\x07":
        where = tail_start + at - _LOCATOR.size - _WIDE_END.size
        file.seek(max(0, where))
        wide = file.read(_WIDE_END.size)
        file.seek(0)
        if len(wide) == _WIDE_END.size and wide[:4] == b"PK\x06\x06":
            size = max(size if size != 0xFFFFFFFF else 0, _WIDE_END.unpack(wide)[8])
    return size


def _overlapping(infos: Sequence[zipfile.ZipInfo]) -> set[int]:
    """Members that begin before the one before them ends: the same bytes would be unpacked twice."""
    order = sorted(range(len(infos)), key=lambda number: infos[number].header_offset)
    found, end = set(), 0
    for number in order:
        info = infos[number]
        if info.header_offset < end:
            found.add(number)
        end = max(end, info.header_offset + 30 + info.compress_size)
    return found


def _seconds(info: zipfile.ZipInfo) -> float:
    """Since 1970, as if the packer's clock showed UTC: archives do not say where they were made."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except (ValueError, OverflowError):
        return 0.0
