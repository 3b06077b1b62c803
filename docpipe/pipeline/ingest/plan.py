"""Ledger rows and what the sources hold now -> what a run has to do (pure)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from docpipe.pipeline.ingest.ledger import Known, Stamp
from docpipe.types import Entry, Status


class Action(StrEnum):
    """What to do with one source."""

    ADD = "added"
    CHANGE = "changed"
    RECHUNK = "rechunked"
    RETRY = "retried"
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


WORK = frozenset({Action.ADD, Action.CHANGE, Action.RECHUNK, Action.RETRY})
"""Actions that parse or chunk."""


def decide(entry: Entry, row: Known | None, by: Stamp, *, full: bool = False) -> tuple[Action, str]:
    """What to do with a source that is there, and why.

    A file that failed for good is tried again only when the file or the stages change; a passing failure
    (file locked, disk full, worker lost) on every run.
    """
    if row is None:
        return Action.ADD, "new"
    if full:
        return Action.CHANGE, "a full run was asked for"
    if (row.size, row.modified) != (entry.size, entry.modified):
        what = "size" if row.size != entry.size else "time of change"
        return Action.CHANGE, f"the file's {what} differs"
    if row.status != Status.INDEXED:
        return _decide_unindexed(row, by)
    if row.parsed_by != by.parse:
        return Action.CHANGE, "the parser or its options changed"
    if row.chunked_by != by.chunk:
        return Action.RECHUNK, "the chunker or its options changed"
    return Action.KEEP, "same size and time of change, same stages"


def _decide_unindexed(row: Known, by: Stamp) -> tuple[Action, str]:
    if row.chunked_by != by.tried:
        return Action.RETRY, "the stages or the limits of a worker changed"
    if row.retryable:
        return Action.RETRY, "it failed before, and may pass now"
    if row.status == Status.FAILED:
        return Action.REMAIN_FAILED, "it failed before, and neither file nor stages changed"
    return Action.REMAIN_IGNORED, "it was left out before, and neither file nor stages changed"


def vanished(rows: Mapping[str, Known], seen: Iterable[str], unread: Iterable[str]) -> Iterator[Step]:
    """Sources that are gone.

    Args:
        seen: uris that are there.
        unread: uris of folders or files that could not be listed: what lies below them is not gone.
    """
    present, closed = set(seen), tuple(unread)
    for uri, row in rows.items():
        if uri not in present and not _below(uri, closed):
            yield Step(uri=uri, action=Action.DELETE, why="no longer in the source", row=row)


def _below(uri: str, folders: tuple[str, ...]) -> bool:
    return any(uri == folder or folder in ("", ".") or uri.startswith(folder.rstrip("/") + "/") for folder in folders)
