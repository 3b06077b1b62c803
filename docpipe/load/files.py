"""A folder -> its files, one after the other, what is inside them, and their bytes."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from docpipe._ids import chain, digest
from docpipe._passwords import names_set, values
from docpipe.errors import SourceError, SourceTooLarge, UnreadableSource
from docpipe.load.inside.members import BETWEEN, SEPARATOR, Allowed, Member, check_sum
from docpipe.load.inside.opening import Top, kind_of, listing, may_hold, opened_at, read_at
from docpipe.load.media import HEAD_BYTES, is_text, media_type
from docpipe.load.names import is_temporary, matcher, uri_name
from docpipe.load.unlocking import unlocked
from docpipe.load.walk import Walk, modified
from docpipe.types import Blob, Entry, Failure, Outcome, Source, Status

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Never follows a link that was put in a file's place, never waits for the other end of a pipe."""


@dataclass(frozen=True, kw_only=True)
class FileLoader:
    """The files below a folder, or one file. Identity is the path below the root: moving the root changes nothing.

    Files inside archives (zip, tar, gz, bz2, xz), mailboxes (mbox) and mails are files of their own:
    `box.zip!/folder/report.pdf`, `mail.eml!/report.pdf`.
    """

    VERSION = 1

    path: str
    """The root: a folder, or a single file."""
    include: tuple[str, ...] = ("**/*",)
    """Globs of what to index, below the root; `*.pdf` fits at any depth."""
    exclude: tuple[str, ...] = ()
    """Globs of what to leave out; a folder that fits is not entered."""
    max_bytes: int = 1_000_000_000
    """Larger files are refused unread."""
    max_text_bytes: int = 64_000_000
    """The same for text, which takes several times its size to work on."""
    prefix: str = ""
    """Put before every uri, to tell several sources of one pipeline apart: `manuals/`."""
    hidden: bool = False
    """Whether files and folders whose names begin with a dot are indexed."""
    unpack: bool = True
    """Whether files inside archives, mailboxes and mails are indexed."""
    max_depth: int = 3
    """How deep they may lie in one another."""
    max_members: int = 10_000
    """Files in one archive, all that is inside it counted; one that holds more is not opened."""
    max_unpacked_bytes: int = 2_000_000_000
    """The same for their bytes."""
    max_ratio: int = 200
    """How many times larger what is above 10 MB may be than it was packed."""
    passwords: tuple[str, ...] = ()
    """Names of environment variables with passwords: each is tried on a locked PDF, file of Office or zip."""
    own: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Paths of docpipe's own, such as the index: never indexed. A pipeline adds its own by itself."""

    def __post_init__(self) -> None:
        for name in ("include", "exclude", "passwords"):
            if isinstance(getattr(self, name), str):
                what = "names of variables" if name == "passwords" else "globs"
                raise ValueError(f"{name} must be a list of {what}, got a text")
        if not all(_VARIABLE.fullmatch(name) for name in self.passwords):
            raise ValueError("passwords must be names of environment variables, such as OFFICE_PASSWORD: not the words")
        if not self.path:
            raise ValueError("path must not be empty: that would be whatever folder the command is called from")
        for name in ("max_bytes", "max_text_bytes", "max_depth", "max_members", "max_unpacked_bytes", "max_ratio"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def entries(self) -> Iterator[Entry | Outcome]:
        """Every file below the root in order of its uri, folder by folder; what is left out comes with its reason.

        A folder that is left out is one Outcome, its uri ending in `/`.

        Raises:
            SourceError: the root is missing, is neither folder nor file, or cannot be listed.
        """
        root = os.path.realpath(os.path.expanduser(self.path))  # noqa: PTH111 - an unknown user's name stays as it is
        try:
            facts = Path(root).stat()
            if stat.S_ISDIR(facts.st_mode):
                os.scandir(root).close()
        except OSError as error:
            raise SourceError(
                f"the source {self.path!r} cannot be read: {error.strerror}",
                source=self.path,
                remedy="set `path` to a folder that exists and may be read; it is relative to the pipeline file",
            ) from error
        if stat.S_ISDIR(facts.st_mode):
            yield from self._walk(root)
        elif stat.S_ISREG(facts.st_mode):
            uri = self.prefix + uri_name(root.rpartition(os.sep)[2])
            yield Entry(uri=uri, location=root, size=facts.st_size, modified=modified(facts))
        else:
            raise SourceError(
                f"the source {self.path!r} is neither a folder nor a file",
                source=self.path,
                remedy="set `path` to a folder",
            )

    def read(self, entry: Entry, /) -> Blob:
        """The bytes of a file that `entries` found.

        Raises:
            SourceTooLarge: above `max_bytes`, or `max_text_bytes` for text; at most its first bytes were read.
            UnreadableSource: it vanished, was replaced, changed while it was read, or may not be read.
            CorruptSource, EncryptedSource: a file inside another one cannot be unpacked.
        """
        if BETWEEN in entry.location:
            return self._read_inside(entry)
        try:
            handle = os.open(entry.location, _OPEN)
            with os.fdopen(handle, "rb") as file:
                before = os.fstat(handle)
                self._admit(entry, before)
                head = file.read(HEAD_BYTES)
                if self._is_listed(head, entry):
                    return self._listing(entry)
                media = media_type(head, entry.uri)
                if is_text(media) and before.st_size > self.max_text_bytes:
                    raise _too_large(entry, before.st_size, "max_text_bytes", self.max_text_bytes)
                data = head + file.read(before.st_size - len(head) + 1) if len(head) == HEAD_BYTES else head
                after = os.fstat(handle)
        except OSError as error:
            raise _unreadable(error, entry.uri) from error
        if (after.st_size, after.st_mtime_ns, len(data)) != (before.st_size, before.st_mtime_ns, before.st_size):
            raise UnreadableSource(
                "it changed while it was being read", source=entry.uri, remedy="run again when nobody writes to it"
            )
        return self._blob(entry, data, modified(after))

    def _blob(self, entry: Entry, data: bytes, time: int) -> Blob:
        """What was read, without its lock; digest and size are those of the file."""
        open_data = unlocked(data, entry.uri, self._passwords)
        media = media_type(open_data[:HEAD_BYTES], entry.uri)
        if is_text(media) and len(data) > self.max_text_bytes:
            raise _too_large(entry, len(data), "max_text_bytes", self.max_text_bytes)
        source = Source(uri=entry.uri, media_type=media, digest=digest(data), size=len(data), modified=time)
        return Blob(source=source, data=open_data)

    @property
    def environment_names(self) -> tuple[str, ...]:
        """The environment variables that `read` looks at."""
        return self.passwords

    @property
    def _passwords(self) -> tuple[str, ...]:
        return values(self.passwords, os.environ)

    @property
    def opens_with(self) -> str:
        """Which of the passwords are there: once another one is, what failed may not fail any more."""
        return ",".join(names_set(self.passwords, os.environ))

    @property
    def holds_by(self) -> str:
        """What decides which files are found inside others, as a fingerprint."""
        limits = (self.max_bytes, self.max_depth, self.max_members, self.max_unpacked_bytes, self.max_ratio)
        return chain("inside 1", *map(str, (self.unpack, self.hidden, *limits)), *self.exclude)

    def may_hold(self, uri: str, /) -> bool:
        """Whether the file may hold files, judged by its name."""
        return may_hold(uri)

    def members(self, entry: Entry, /) -> list[Entry | Outcome]:
        """The files directly inside one that was found before, in their order; none where it holds none.

        Raises:
            SourceError: it cannot be opened, or holds more than is allowed.
        """
        parts = entry.location.split(BETWEEN)[1:]
        if not self.unpack or len(parts) >= self.max_depth:
            return []
        opened = opened_at(self._top(entry), parts, self._allowed, self._passwords)
        excluded = matcher(self.exclude)
        found = opened.members if opened is not None else ()
        return [self._judged(entry, member, excluded(self._path(entry, member))) for member in found]

    def inside(self, entry: Entry, uri: str, size: int, modified: int, /) -> Entry:
        """A file directly inside `entry`, as `members` gave it before."""
        name = uri.removeprefix(entry.uri + SEPARATOR)
        return Entry(uri=uri, location=f"{entry.location}{BETWEEN}{name}", size=size, modified=modified)

    def admit(self, entry: Entry, members: int, unpacked: int, /) -> None:
        """Refuse a file on the disk in which so many files lie, however deep, with so many bytes.

        Raises:
            SourceTooLarge: more than is allowed.
        """
        check_sum(members, unpacked, self._allowed, entry.uri)

    def _path(self, entry: Entry, member: Member) -> str:
        return f"{entry.uri.removeprefix(self.prefix)}{SEPARATOR}{member.name}"

    def _judged(self, entry: Entry, member: Member, is_excluded: bool) -> Entry | Outcome:
        """A member as a source of its own, or why it is left out."""
        uri, parts = f"{entry.uri}{SEPARATOR}{member.name}", member.name.split("/")
        if is_excluded:
            return _left_out(uri, "Excluded", "a glob of `exclude` fits it", "change `exclude` to index it")
        if is_temporary(parts[-1]) or parts[0] == "__MACOSX":
            return _left_out(uri, "TemporaryFile", "an editor or the system left it", "pack the archive without it")
        if not self.hidden and any(part.startswith(".") for part in parts):
            return _left_out(uri, "HiddenFile", "its name begins with a dot", "set `hidden: true` to index it")
        return self.inside(entry, uri, member.size, member.modified)

    def _is_listed(self, head: bytes, entry: Entry) -> bool:
        """Whether it is a container that is no document itself: what is indexed of it are the names of its files."""
        depth = entry.location.count(BETWEEN)
        if not self.unpack or depth >= self.max_depth or not may_hold(entry.uri):
            return False
        return kind_of(head, entry.uri) in ("zip", "tar", "stream", "mailbox")

    def _listing(self, entry: Entry) -> Blob:
        opened = opened_at(self._top(entry), entry.location.split(BETWEEN)[1:], self._allowed, self._passwords)
        assert opened is not None
        data = listing(opened, entry.uri).encode()
        source = Source(
            uri=entry.uri, media_type="text/plain", digest=digest(data), size=entry.size, modified=entry.modified
        )
        return Blob(source=source, data=data)

    def _read_inside(self, entry: Entry) -> Blob:
        parts = entry.location.split(BETWEEN)[1:]
        member, data = read_at(self._top(entry), parts, self._allowed, self._passwords)
        if self._is_listed(data[:HEAD_BYTES], entry):
            return self._listing(entry)
        return self._blob(entry, data, member.modified)

    @property
    def _allowed(self) -> Allowed:
        return Allowed(
            members=self.max_members, bytes=self.max_unpacked_bytes, largest=self.max_bytes, ratio=self.max_ratio
        )

    def _top(self, entry: Entry) -> Top:
        """The file on the disk in which an entry lies, or which it is.

        Raises:
            UnreadableSource: it vanished, or may not be read.
        """
        path, *inside = entry.location.split(BETWEEN)
        uri = SEPARATOR.join(entry.uri.split(SEPARATOR)[: -len(inside)]) if inside else entry.uri
        around = Entry(uri=uri, location=path, size=0, modified=0)

        def open_it() -> BinaryIO:
            try:
                handle = os.open(path, _OPEN)
            except OSError as error:
                raise _unreadable(error, uri) from error
            file = os.fdopen(handle, "rb")
            try:
                self._admit(around, os.fstat(handle))
            except BaseException:
                file.close()
                raise
            return file

        try:
            facts = Path(path).stat(follow_symlinks=False)
        except OSError as error:
            raise _unreadable(error, entry.uri) from error
        state = (path, facts.st_size, facts.st_mtime_ns, facts.st_ino)
        return Top(uri=uri, state=state, modified=modified(facts), open=open_it)

    def _walk(self, root: str) -> Walk:
        return Walk(
            root=root,
            prefix=self.prefix,
            included=matcher(self.include),
            excluded=matcher(self.exclude),
            hidden=self.hidden,
            own=frozenset(os.path.realpath(path) for path in self.own),
        )

    def _admit(self, entry: Entry, facts: os.stat_result) -> None:
        """Refuse what is no longer the file that was listed, and what is too large."""
        if not stat.S_ISREG(facts.st_mode) or os.path.realpath(entry.location) != entry.location:
            raise UnreadableSource(
                "a link or a device took its place after it was listed", source=entry.uri, remedy="run again"
            )
        if facts.st_size > self.max_bytes:
            raise _too_large(entry, facts.st_size, "max_bytes", self.max_bytes)


_REMEDIES = {
    FileNotFoundError: "it vanished after it was listed: run again",
    PermissionError: "give the user that runs docpipe the right to read it",
}


def _unreadable(error: OSError, uri: str) -> UnreadableSource:
    return UnreadableSource(
        f"it cannot be read: {error.strerror}", source=uri, remedy=_REMEDIES.get(type(error), "run again")
    )


def _left_out(uri: str, reason: str, message: str, remedy: str) -> Outcome:
    error = Failure(stage="load.files", type=reason, message=message, remedy=remedy)
    return Outcome(uri=uri, status=Status.IGNORED, error=error)


def _too_large(entry: Entry, size: int, option: str, limit: int) -> SourceTooLarge:
    return SourceTooLarge(
        f"it has {size:,} bytes, more than {option} = {limit:,}",
        source=entry.uri,
        remedy=f"raise `{option}` of load.files, divide the file, or leave it out with `exclude`",
    )
