"""What a container says of its files -> members with safe, different names (pure)."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from docpipe._ids import digest
from docpipe.errors import CorruptSource, EncryptedSource, SourceError, SourceTooLarge, UnsupportedMedia
from docpipe.load.names import uri_name

SEPARATOR = "!/"
"""In a uri, between a container and what is inside it."""
BETWEEN = "\x00"
"""The same in a location: no path can have it."""
_LONGEST_PART = 200
_LONGEST_NAME = 1_000
_CONTROL = re.compile("[\x00-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069]")
"""Also what turns the direction of writing over, so that `fdp.exe` is read as `exe.pdf`."""
_DRIVE = re.compile(r"[A-Za-z]:")
_EARLIEST, _LATEST = -(2**33), 2**33
"""Seconds around 1970 that fit into 64 bits as nanoseconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a member cannot be read, whatever is tried."""

    kind: type[SourceError]
    message: str
    remedy: str

    def error(self, uri: str) -> SourceError:
        """The same as an error of this source."""
        return self.kind(self.message, source=uri, remedy=self.remedy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file inside a container."""

    name: str
    """As it stands in a uri: folders with `/`, differs from all others of its container."""
    size: int
    """Bytes, unpacked."""
    modified: int
    """See `stamp`."""
    position: int
    """By which its container finds it."""
    problem: Problem | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """How much of a container is unpacked."""

    members: int
    """Files in it."""
    bytes: int
    """Of all of them together."""
    largest: int
    """Bytes of one."""
    ratio: int
    """Bytes out for a byte in, above `FLAT`."""


FLAT = 10_000_000
"""Bytes; what is smaller may be as dense as it likes."""


def around(uri: str) -> list[str]:
    """The uris of the files in which this one may lie, from the outermost on, and its own."""
    parts = uri.split(SEPARATOR)
    return [SEPARATOR.join(parts[: number + 1]) for number in range(len(parts))]


class Opened(Protocol):
    """A container whose members are known."""

    @property
    def members(self) -> Sequence[Member]:
        """In its own order."""
        ...

    @property
    def title(self) -> str:
        """What to call it, for readers: `archive`, `mailbox`."""
        ...

    def read(self, member: Member) -> bytes:
        """A member's bytes; it has no `problem`.

        Raises:
            SourceError: damaged, locked, larger than it says.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Named:
    """Gives members their names: safe ones, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, raw: str) -> tuple[str, Problem | None]:
        """A member's name in uris, and what is wrong with the one that it has."""
        name = shown(raw)
        stem, dot, extension = name.rpartition(".") if "." in name.rpartition("/")[2] else (name, "", "")
        unique, number = name, 1
        while unique.casefold() in self._taken:
            number += 1
            unique = f"{stem} ({number}){dot}{extension}"
        self._taken.add(unique.casefold())
        return unique, wrong_name(raw)


def shown(raw: str) -> str:
    """A path as it stands in a uri: no part of it leads upwards, nothing in it moves a cursor.

    `\\` counts as `/`, as some programs for Windows write it. A folder whose name ends in `!` has `%21` there.
    """
    parts = [part for part in raw.replace("\\", "/").split("/") if part not in ("", ".")]
    safe = [_part(part) for part in parts]
    safe = [f"{part[:-1]}%21" if part.endswith("!") else part for part in safe[:-1]] + safe[-1:]
    name = "/".join(safe) or "%2F"
    return name if len(name) <= _LONGEST_NAME else f"{digest(raw.encode('utf-8', 'surrogatepass'))[:16]}/{safe[-1]}"


def _part(part: str) -> str:
    if part == "..":
        return "%2E%2E"
    part = _CONTROL.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), uri_name(part))
    part = part.encode("utf-8", "replace").decode()
    if len(part) <= _LONGEST_PART:
        return part
    extension = part.rpartition(".")[2] if "." in part[-12:] else ""
    return f"{part[: _LONGEST_PART - 30]}~{digest(part.encode())[:8]}{'.' if extension else ''}{extension}"


def wrong_name(raw: str) -> Problem | None:
    """What no honest archive has in a name."""
    path = raw.replace("\\", "/")
    if ".." in path.split("/"):
        return _bad_name("leads out of the archive")
    if path.startswith("/") or _DRIVE.match(path):
        return _bad_name("is that of a place outside of the archive")
    if _CONTROL.search(raw):
        return _bad_name("holds control characters")
    return None


def _bad_name(what: str) -> Problem:
    return Problem(kind=CorruptSource, message=f"its name {what}", remedy="pack it anew under an ordinary name")


def stamp(seconds: float, content: int) -> int:
    """A member's time of change in nanoseconds since 1970, its part below a second told by what it holds.

    So that it differs when the bytes do, and stays when the same file is packed once more.

    Args:
        seconds: since 1970.
        content: a check sum of its bytes.
    """
    return int(max(_EARLIEST, min(seconds, _LATEST))) * 10**9 + content % 10**9


def checked(members: Iterable[Member], allowed: Allowed, source: str) -> Iterator[Member]:
    """The members, those that are too large with their problem, until there are too many of them.

    Raises:
        SourceTooLarge: of the container.
    """
    total = 0
    for count, member in enumerate(members, start=1):
        if member.size > allowed.largest and member.problem is None:
            member = replace(member, problem=too_large(member.size, allowed))
        total += member.size if member.problem is None else 0
        check_sum(count, total, allowed, source)
        yield member


def check_sum(count: int, total: int, allowed: Allowed, source: str) -> None:
    """Refuse a container that holds more than is allowed."""
    if count > allowed.members:
        raise SourceTooLarge(
            f"it holds more than max_members = {allowed.members:,} files",
            source=source,
            remedy="raise `max_members` of load.files, divide it, or leave it out with `exclude`",
        )
    if total > allowed.bytes:
        raise SourceTooLarge(
            f"unpacked it has more than max_unpacked_bytes = {allowed.bytes:,}",
            source=source,
            remedy="raise `max_unpacked_bytes` of load.files, divide it, or leave it out with `exclude`",
        )


def too_large(size: int, allowed: Allowed) -> Problem:
    """The problem of a member of so many bytes."""
    return Problem(
        kind=SourceTooLarge,
        message=f"it has {size:,} bytes, more than max_bytes = {allowed.largest:,}",
        remedy="raise `max_bytes` of load.files, or leave it out with `exclude`",
    )


def too_dense(size: int, packed: int, allowed: Allowed) -> Problem | None:
    """The problem of what grows beyond reason when it is unpacked."""
    if size <= FLAT or size <= allowed.ratio * max(1, packed):
        return None
    return Problem(
        kind=SourceTooLarge,
        message=f"unpacked it is {size // max(1, packed):,} times larger, more than max_ratio = {allowed.ratio:,}",
        remedy="raise `max_ratio` of load.files if you trust it, or leave it out with `exclude`",
    )


def no_file(what: str) -> Problem:
    """The problem of links, devices and the like."""
    return Problem(kind=UnsupportedMedia, message=f"it is {what}, no file", remedy="pack the file itself")


def locked(uri: str, *, tried: bool) -> EncryptedSource:
    """A password is missing, or none of those that were given fits."""
    which = "none of the given passwords opens it" if tried else "it needs a password"
    return EncryptedSource(
        which,
        source=uri,
        remedy="put the password into an environment variable and name it in the source: "
        "`load.files: {passwords: [NAME]}`; or leave it out with `exclude`",
    )


def needs_extra(uri: str) -> EncryptedSource:
    """A lock that only an optional package opens."""
    return EncryptedSource(
        "what opens files with such a lock is not installed", source=uri, remedy="pip install 'docpipe[passwords]'"
    )


def damaged(uri: str, error: BaseException | str) -> CorruptSource:
    """A container, or a member, that cannot be unpacked."""
    return CorruptSource(
        f"it cannot be unpacked: {error}", source=uri, remedy="fetch or pack it again: it may be cut short"
    )


def check_of(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Bytes in all, and their check sum."""
    size = check = 0
    for piece in pieces:
        size, check = size + len(piece), zlib.crc32(piece, check)
    return size, check


type_namer = Callable[[str], tuple[str, Problem | None]]
