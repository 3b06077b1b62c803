"""An index -> what is wrong with it, and what of that is mended."""

from collections.abc import Callable, Iterator, Mapping

from docpipe.errors import IndexDamaged
from docpipe.pipeline.care import checks
from docpipe.pipeline.care.findings import Finding
from docpipe.pipeline.care.seen import Examined, Seen, look, read_lease
from docpipe.pipeline.history.rows import HISTORY, IMAGE_COLUMNS, RUN_COLUMNS, RUNS, RunRow
from docpipe.pipeline.ingest.ledger import Ledger, in_hand_row
from docpipe.protocols import Budget, Index, Unreadable

_HISTORY_TABLES = {HISTORY, RUNS}
_SOME = 2_000
"""Rows that are removed in one commit."""


def examine(stages: Examined, *, now: float | None = None) -> tuple[Finding, ...]:
    """Check everything, in a fixed order. Reads every row once and writes nothing.

    Args:
        now: seconds since 1970; the machine's clock unless given.
    """
    return checks.findings(look(stages, now=now))


def unlock(index: Index) -> tuple[str, ...]:
    """Take out a lease that cannot be read, and whatever else; returns what was done, one line each.

    Nobody holds it then: who has taken it cannot read it before its next commit either, and ends.
    """
    try:
        read_lease(index)
    except IndexDamaged:
        return tuple(_removed(one) for one in index.remove_unreadable())
    return ()


class Mending:
    """One repair of an index, through what runs use themselves. Call it once, under the lease.

    What a run can do is left to the next run: a document that is damaged is marked as one that a run had in hand. The
    next run does it again, with the vectors that are still there, or removes it where its source is gone.
    """

    def __init__(self, stages: Examined, *, check: Callable[[], None]) -> None:
        """Args:
        check: raises where the lease was lost; called before every commit.
        """
        self._stages, self._check = stages, check
        self._index, self._ledger = stages.index, Ledger(stages.index)

    def __call__(self) -> tuple[str, ...]:
        """Repair what can be repaired; returns what was done, one line each.

        Raises:
            LeaseLost: another process took the index over.
            IndexFailed: it cannot be written.
        """
        return tuple(self._steps())

    def _steps(self) -> Iterator[str]:
        seen = look(self._stages)
        if (seen.index and seen.index.unreadable) or any(isinstance(e, IndexDamaged) for e in seen.unread.values()):
            yield from self._take_out()
            seen = look(self._stages)
        yield from self._remove_rows(seen)
        yield from self._mark(checks.again(seen))
        yield from self._cut_history(seen)
        yield from self._indexes(seen)

    def _take_out(self) -> Iterator[str]:
        """Remove what cannot be read."""
        self._check()
        gone = self._index.remove_unreadable()
        for one in gone:
            yield _removed(one)
        hit = {key for one in gone for key in one.document_ids}
        seen = look(self._stages)
        rows = [row for key, row in (seen.ledger or {}).items() if key in hit]
        yield from self._mark({row.uri: row.document_id for row in rows})
        if seen.last and any(one.table in _HISTORY_TABLES for one in gone):
            yield from self._raise_floor(seen.last, seen.last.seq)

    def _remove_rows(self, seen: Seen) -> Iterator[str]:
        """Remove rows that are there twice or have no usable vector, and have their documents done again."""
        if seen.index is None:
            return
        ids = list(dict.fromkeys((*seen.index.duplicates, *seen.index.bad_vectors, *seen.index.foreign)))
        for start in range(0, len(ids), _SOME):
            some = ids[start : start + _SOME]
            chunks = self._index.fetch(some).values()
            yield from self._mark({chunk.source.uri: chunk.document_id for chunk in chunks})
            self._check()
            self._index.remove_rows(some)
        if ids:
            yield f"removed the rows of {len(ids):,} chunks that stood there twice or had no usable vector"

    def _mark(self, sources: Mapping[str, str]) -> Iterator[str]:
        """Have sources (uri -> document id) done again by the next run."""
        if sources:
            self._check()
            self._ledger.put([in_hand_row(uri, key) for uri, key in sources.items()])
            yield f"marked {len(sources):,} documents to be done again by the next run"

    def _cut_history(self, seen: Seen) -> Iterator[str]:
        broken = checks.chain(seen)
        if not broken.floor:
            return
        if seen.last is not None:
            yield from self._raise_floor(seen.last, broken.floor)
        images = self._index.table(HISTORY, columns=IMAGE_COLUMNS, key="key")
        if broken.unknown:
            self._check()
            images.remove_where("run", broken.unknown)
            yield f"let go of what {len(broken.unknown):,} unknown runs replaced"

    def _raise_floor(self, last: RunRow, floor: int) -> Iterator[str]:
        """Let nothing before this run be restored."""
        runs = self._index.table(RUNS, columns=RUN_COLUMNS, key="id")
        stored = runs.get([last.id])[last.id]
        self._check()
        runs.put([{**stored, "floor": max(floor, last.floor)}])
        yield "versions that cannot be had back any more are not offered any more"

    def _indexes(self, seen: Seen) -> Iterator[str]:
        found = seen.index
        if isinstance(seen.unread.get("index"), IndexDamaged) or (
            found and not (found.found_by_text and found.found_by_vector)
        ):
            self._check()
            self._index.rebuild_indexes()
            yield "built the indexes over words and vectors anew"
        if found is None:
            return
        if found.leftovers or found.versions > checks.MOST_VERSIONS:
            self._check()
            yield from self._index.optimize(Budget(force=True)).done
        if checks.pin_is_left(seen):
            self._check()
            yield f"readers see version {self._index.publish()} now"


def _removed(one: Unreadable) -> str:
    return f"took out what cannot be read of {one.table}: {one.part}"
