"""A folder -> its files, one after the other, and their bytes."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docpipe._ids import digest
from docpipe.errors import SourceError, SourceTooLarge, UnreadableSource
from docpipe.load.media import HEAD_BYTES, is_text, media_type
from docpipe.load.names import matcher, uri_name
from docpipe.load.walk import Walk, modified
from docpipe.types import Blob, Entry, Outcome, Source

_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Never follows a link that was put in a file's place, never waits for the other end of a pipe."""


@dataclass(frozen=True, kw_only=True)
class FileLoader:
    """The files below a folder, or one file. Identity is the path below the root: moving the root changes nothing."""

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
    own: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Paths of docpipe's own, such as the index: never indexed. A pipeline adds its own by itself."""

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be a list of globs, got the text {getattr(self, name)!r}")
        if not self.path:
            raise ValueError("path must not be empty: that would be whatever folder the command is called from")
        for name in ("max_bytes", "max_text_bytes"):
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
        """
        try:
            handle = os.open(entry.location, _OPEN)
            with os.fdopen(handle, "rb") as file:
                before = os.fstat(handle)
                self._admit(entry, before)
                head = file.read(HEAD_BYTES)
                media = media_type(head, entry.uri)
                if is_text(media) and before.st_size > self.max_text_bytes:
                    raise _too_large(entry, before.st_size, "max_text_bytes", self.max_text_bytes)
                data = head + file.read(before.st_size - len(head) + 1) if len(head) == HEAD_BYTES else head
                after = os.fstat(handle)
        except OSError as error:
            raise UnreadableSource(
                f"it cannot be read: {error.strerror}", source=entry.uri, remedy=_REMEDIES.get(type(error), "run again")
            ) from error
        if (after.st_size, after.st_mtime_ns, len(data)) != (before.st_size, before.st_mtime_ns, before.st_size):
            raise UnreadableSource(
                "it changed while it was being read", source=entry.uri, remedy="run again when nobody writes to it"
            )
        source = Source(uri=entry.uri, media_type=media, digest=digest(data), size=len(data), modified=modified(after))
        return Blob(source=source, data=data)

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


def _too_large(entry: Entry, size: int, option: str, limit: int) -> SourceTooLarge:
    return SourceTooLarge(
        f"it has {size:,} bytes, more than {option} = {limit:,}",
        source=entry.uri,
        remedy=f"raise `{option}` of load.files, divide the file, or leave it out with `exclude`",
    )
