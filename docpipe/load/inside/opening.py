"""A place inside files -> the container that is there, open; the ones that were asked for last stay at hand."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import BinaryIO

from docpipe.errors import SourceTooLarge, UnreadableSource
from docpipe.load.inside.mailboxes import Mailbox, is_mailbox
from docpipe.load.inside.mails import Mail
from docpipe.load.inside.members import SEPARATOR, Allowed, Member, Opened, damaged
from docpipe.load.inside.outlook import OutlookMessage
from docpipe.load.inside.streams import unpacked
from docpipe.load.inside.tars import SingleFile, TarArchive, is_tar
from docpipe.load.inside.zips import ZipArchive
from docpipe.load.media import HEAD_BYTES, media_type

_MAILS = frozenset({"message/rfc822", "application/vnd.ms-outlook"})
_STREAMS = frozenset({"application/gzip", "application/x-bzip2", "application/x-xz"})
_LARGEST_MAIL = 256 << 20
_EXTENSIONS = frozenset({"zip", "tar", "tgz", "tbz", "tbz2", "txz", "gz", "bz2", "xz", "mbox", "mbx", "eml", "msg"})


def may_hold(uri: str) -> bool:
    """Whether a file of this name may hold files: by its extension, or because it has none, as mails often do."""
    name = uri.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return not dot or not stem or extension.lower() in _EXTENSIONS or ":2," in extension


def kind_of(head: bytes, name: str) -> str:
    """What kind of container a file is: `zip`, `tar`, `stream` (packed), `mailbox`, `mail`, `outlook`, or nothing.

    Args:
        head: its first bytes, up to `HEAD_BYTES`.
    """
    media = media_type(head, name)
    if media in _STREAMS:
        return "stream"
    if media in _MAILS:
        return "outlook" if head.startswith(b"\xd0\xcf\x11\xe0") else "mail"
    if media == "application/zip":
        return "zip"
    if media == "application/x-tar" or is_tar(head):
        return "tar"
    return "mailbox" if is_mailbox(head) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Top:
    """A file on the disk in which others are."""

    uri: str
    state: tuple[object, ...]
    """What tells it, as it is now, from all other files and from what it was before."""
    modified: int
    """Nanoseconds since 1970."""
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class _AtHand:
    """An open container, and as what it was opened."""

    state: tuple[object, ...]
    file: BinaryIO
    opened: Opened | None

    @cached_property
    def by_name(self) -> Mapping[str, Member]:
        return {member.name: member for member in self.opened.members} if self.opened is not None else {}

    def close(self) -> None:
        with contextlib.suppress(Exception):
            if self.opened is not None:
                self.opened.close()
        with contextlib.suppress(Exception):
            self.file.close()


_at_hand: list[_AtHand] = []
"""In this process: each inside the one before it."""


def opened_at(top: Top, parts: Sequence[str], allowed: Allowed, passwords: Sequence[str]) -> Opened | None:
    """The container at a place; None where the file there is none. It stays open until another place is asked for.

    Args:
        parts: names of members, each inside the one before it; none for the file on the disk.

    Raises:
        SourceError: it, or one around it, cannot be opened.
    """
    return _at(top, parts, allowed, passwords).opened


def read_at(top: Top, parts: Sequence[str], allowed: Allowed, passwords: Sequence[str]) -> tuple[Member, bytes]:
    """The file at a place inside another one.

    Raises:
        SourceError: it is not there, or cannot be read.
    """
    around = _at(top, parts[:-1], allowed, passwords)
    member = _member(around, parts[-1], _uri(top, parts))
    return member, _data(around, member, _uri(top, parts))


def _at(top: Top, parts: Sequence[str], allowed: Allowed, passwords: Sequence[str]) -> _AtHand:
    states = [(*top.state, allowed, tuple(passwords), *parts[:depth]) for depth in range(len(parts) + 1)]
    kept = 0
    while kept < min(len(_at_hand), len(states)) and _at_hand[kept].state == states[kept]:
        kept += 1
    while len(_at_hand) > kept:
        _at_hand.pop().close()
    for depth in range(kept, len(states)):
        uri, modified = _uri(top, parts[:depth]), top.modified
        if depth:
            around = _at_hand[-1]
            member = _member(around, parts[depth - 1], uri)
            file: BinaryIO = BytesIO(_data(around, member, uri))
            modified = member.modified
        else:
            file = top.open()
        try:
            opened = _opened(file, uri, modified, allowed, passwords)
        except BaseException:
            file.close()
            raise
        _at_hand.append(_AtHand(states[depth], file, opened))
    return _at_hand[-1]


def _uri(top: Top, parts: Sequence[str]) -> str:
    return SEPARATOR.join([top.uri, *parts])


def _member(around: _AtHand, name: str, uri: str) -> Member:
    member = around.by_name.get(name)
    if member is None:
        raise UnreadableSource(
            "it is no longer in the file that held it", source=uri, remedy="run again when nothing writes to that file"
        )
    return member


def _data(around: _AtHand, member: Member, uri: str) -> bytes:
    assert around.opened is not None
    if member.problem is not None:
        raise member.problem.error(uri)
    return around.opened.read(member)


def _opened(file: BinaryIO, uri: str, modified: int, allowed: Allowed, passwords: Sequence[str]) -> Opened | None:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    kind = kind_of(head, uri)
    if kind == "zip":
        return ZipArchive(file, uri, allowed, passwords)
    if kind == "tar":
        return TarArchive(file, uri, allowed)
    if kind == "stream":
        return _stream(file, media_type(head, uri), uri, modified, allowed)
    if kind == "mailbox":
        return Mailbox(file, uri, allowed)
    return _mail(file, kind, uri, allowed) if kind else None


def _stream(file: BinaryIO, media: str, uri: str, modified: int, allowed: Allowed) -> Opened:
    inner = unpacked(file, media, uri, allowed)
    head = inner.read(HEAD_BYTES)
    inner.seek(0)
    try:
        if is_tar(head):
            return TarArchive(inner, uri, allowed)
        return SingleFile(inner, uri, allowed, name=_without_extension(uri), modified=modified)
    except BaseException:
        inner.close()
        raise


def _without_extension(uri: str) -> str:
    name = uri.rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def _mail(file: BinaryIO, kind: str, uri: str, allowed: Allowed) -> Opened:
    data = file.read(_LARGEST_MAIL + 1)
    if len(data) > _LARGEST_MAIL:
        raise SourceTooLarge(
            f"a mail of more than {_LARGEST_MAIL >> 20} MB is not opened",
            source=uri,
            remedy="save its attached files by themselves, or leave it out with `exclude`",
        )
    try:
        return OutlookMessage(data, uri, allowed) if kind == "outlook" else Mail(data, uri, allowed)
    except RecursionError as error:
        raise damaged(uri, "its parts are nested too deeply") from error


def listing(opened: Opened, name: str, most: int = 2_000) -> str:
    """The text by which an archive is found: its name and those of the files in it."""
    return "\n".join(_lines(opened, name.rpartition("/")[2], most))


def _lines(opened: Opened, name: str, most: int) -> Iterator[str]:
    count, is_mailbox = len(opened.members), opened.title == "mailbox"
    what = "message" if is_mailbox else "file"
    yield f"{name}: {opened.title} of {count:,} {what if count == 1 else what + 's'}"
    if is_mailbox or not count:
        return
    yield ""
    yield from (member.name for member in opened.members[:most])
    if count > most:
        yield f"and {count - most:,} more"
