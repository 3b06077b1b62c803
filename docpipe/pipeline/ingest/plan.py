"""Ledger rows and what the sources hold now -> what a run has to do (pure)."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from docpipe.pipeline.ingest.ledger import Known, Stamp
from docpipe.types import Entry, Status

RACY_SECONDS = 2
"""A file that was changed so shortly before it was read may change once more without another time of change."""
_LONGEST_WAIT = 27 * 3600
"""Seconds; no failure waits longer, so that what seems to is due: a clock was wrong."""


class Action(StrEnum):
    """What to do with one source."""

    ADD = "added"
    RENAME = "renamed"
    """Added, and perhaps one that is gone: it has the same size."""
    CHANGE = "changed"
    RECHUNK = "rechunked"
    RETRY = "retried"
    CHECK = "checked"
    """Size and time are the same; its bytes are to be compared."""
    KEEP = "unchanged"
    REMAIN_FAILED = "failed"
    REMAIN_IGNORED = "ignored"
    DELETE = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One source, what to do with it and why."""

    uri: str
    action: Action
    why: str
    loader: int = 0
    """Number of the loader it comes from."""
    entry: Entry | None = None
    row: Known | None = None
    renamed_from: str = ""
    """The source that it perhaps was, judged by size and name."""
    members: str = ""
    """The mark of the files inside it; nothing where its name says that it holds none."""
    problem: BaseException | None = None
    """Why it could not be opened to see what is inside it: it is not read again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """Which failed sources are tried although nothing changed and their time has not come."""

    every: bool = False
    uris: frozenset[str] = field(default_factory=frozenset)

    def wants(self, uri: str, status: str) -> bool:
        """Whether this one is tried: of those that were left out, only what was named."""
        return uri in self.uris or (self.every and status == Status.FAILED)


AS_DUE = Retry()
"""Those whose time has come, and no others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What was asked of a run."""

    now: float
    """When it begins, in seconds since 1970."""
    detect: Literal["stat", "digest"] = "stat"
    full: bool = False
    retry: Retry = AS_DUE


WORK = frozenset({Action.ADD, Action.RENAME, Action.CHANGE, Action.RECHUNK, Action.RETRY, Action.CHECK})
"""Actions that read, parse or chunk."""


def decide(entry: Entry, row: Known | None, by: Stamp, terms: Terms) -> tuple[Action, str]:
    """What to do with a source that is there, and why.

    A file that failed for good is tried again only when the file or the stages change; after a passing failure
    (file locked, disk full, worker lost) it is tried again when its time has come.
    """
    if row is None:
        return Action.ADD, "new"
    if terms.full:
        return Action.CHANGE, "a full run was asked for"
    if not row.status:
        return Action.CHANGE, "unfinished: its rows were being written when a run ended"
    if (row.size, row.modified) != (entry.size, entry.modified):
        what = "size" if row.size != entry.size else "time of change"
        return Action.CHANGE, f"bytes: the file's {what} differs"
    if row.status != Status.INDEXED:
        return _decide_unindexed(entry.uri, row, by, terms)
    if row.parsed_by != by.parse:
        return Action.CHANGE, "parser version: the parser or its options changed"
    if row.chunked_by != by.chunk:
        return Action.RECHUNK, "chunk options: the chunker or its options changed"
    if terms.detect == "digest":
        return Action.CHECK, "bytes are compared: `detect: digest`"
    if is_racy(row.modified, row.last_tried, terms.now):
        return Action.CHECK, "bytes are compared: it was changed about when it was read last"
    return Action.KEEP, "same size and time of change, same stages"


def is_racy(modified: int, read: int, now: float) -> bool:
    """Whether a file may have been changed after it was read, and have the same time of change nevertheless.

    Args:
        modified: when it was changed last, in nanoseconds since 1970.
        read: when it was read last, in seconds since 1970; 0: unknown.
        now: seconds since 1970. What was changed in the future was not changed by this clock.
    """
    return read > 0 and read - RACY_SECONDS <= modified // 10**9 <= int(now)


def _decide_unindexed(uri: str, row: Known, by: Stamp, terms: Terms) -> tuple[Action, str]:
    if row.chunked_by != by.tried:
        return Action.RETRY, "retried: the stages or the limits of a worker changed"
    if terms.retry.wants(uri, row.status):
        return Action.RETRY, "retried: it was asked for"
    if row.retryable and not _waits(row, terms.now):
        return Action.RETRY, "retried: it failed before, and may pass now"
    if row.retryable and row.status == Status.FAILED:
        until = datetime.fromtimestamp(row.next_try, UTC)
        times = f"{row.attempts} {'attempt' if row.attempts == 1 else 'attempts'}"
        return Action.REMAIN_FAILED, f"waits until {until:%Y-%m-%d %H:%M} UTC after {times}"
    if row.status == Status.FAILED:
        return Action.REMAIN_FAILED, "it failed before, and neither file nor stages changed"
    return Action.REMAIN_IGNORED, "it was left out before, and neither file nor stages changed"


def _waits(row: Known, now: float) -> bool:
    """Whether its time has not come; a time too far away was set by a clock that was wrong."""
    return 0 < row.next_try - now <= _LONGEST_WAIT


def is_below(uri: str, folders: Iterable[str]) -> bool:
    """Whether a uri is one of these, or lies in one of them, be it a folder or a file that holds files."""
    return any(
        uri == folder or folder in ("", ".") or uri.startswith((folder.rstrip("/") + "/", folder + "!/"))
        for folder in folders
    )


class Vanished:
    """Steps of sources that are gone, to be taken one by one: first the one whose file name fits."""

    def __init__(self) -> None:
        self._by_name: dict[str, deque[Step]] = {}

    def add(self, step: Step) -> None:
        """Put one more behind the others."""
        self._by_name.setdefault(file_name(step.uri), deque()).append(step)

    def take(self, uri: str) -> Step | None:
        """The first with the file name of `uri`, else the first of all; None where none is left."""
        name = file_name(uri)
        name = name if name in self._by_name else next(iter(self._by_name), "")
        steps = self._by_name.get(name)
        if not steps:
            return None
        taken = steps.popleft()
        if not steps:
            del self._by_name[name]
        return taken


class Moves:
    """Sources that are gone, by what was in them: one that is new may be one of them under another name.

    Args:
        gone: `(digest of its bytes, step)` of deleted sources.
        guessed: uris of those that new files may be, judged by size.
    """

    def __init__(self, gone: Iterable[tuple[str, Step]] = (), *, guessed: Collection[str] = ()) -> None:
        self._gone: dict[str, Vanished] = {}
        for digest, step in gone:
            self._gone.setdefault(digest, Vanished()).add(step)
        self._claimed: set[str] = set()
        self._guessed = frozenset(guessed)

    def claim(self, digest: str, uri: str) -> Step | None:
        """The source that `uri` was before, if one that is gone had these bytes; none is claimed twice."""
        gone = self._gone.get(digest)
        step = gone.take(uri) if gone is not None else None
        if step is not None:
            self._claimed.add(step.uri)
        return step

    def left(self, deleted: Iterable[Step], *, waiting: Iterable[Step] = ()) -> tuple[Step, ...]:
        """Of these deleted sources, those that nobody claimed: they are gone for good.

        Args:
            waiting: steps that were not come to; what they perhaps were is not gone for good yet.
        """
        kept = self._claimed.union(step.renamed_from for step in waiting)
        return tuple(step for step in deleted if step.uri not in kept)

    def surely_gone(self, deleted: Iterable[Step]) -> tuple[Step, ...]:
        """Of these deleted sources, those that no new file can be."""
        return tuple(step for step in deleted if step.uri not in self._guessed)


def file_name(uri: str) -> str:
    """`manuals/2024/a.pdf` -> `a.pdf`."""
    return uri.rpartition("/")[2]
