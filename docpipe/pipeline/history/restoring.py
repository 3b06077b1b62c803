"""A version's name -> an index that is again what it was right after that run."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from docpipe.pipeline.golden import evaluation
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.past import require_restorable
from docpipe.pipeline.history.rows import Image, RunRow
from docpipe.pipeline.ingest.ledger import Ledger, Row, in_hand_row
from docpipe.pipeline.report.reports import Holds, RunReport
from docpipe.protocols import Budget, DocumentRows, Index

_AT_ONCE = 1_024
"""Documents that are put back in one commit, at most."""
_BYTES_AT_ONCE = 32 * 2**20
"""And bytes of their rows, about."""
_ROW_FIELDS = {field.name for field in fields(Row)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did: counts of documents, unless their name says otherwise."""

    run: RunRow
    """The restore itself; restoring the run before it undoes it."""
    to: RunRow
    """What the index is now: right after this run."""
    documents: int
    """Put back as they were."""
    removed: int
    """Taken out, because they came later."""
    chunks: int
    """Put back."""
    seconds: float


class Restore:
    """One restore. Call it once, under the lease.

    Readers see the index as it was until all is in; then they see all of it. Killed at any moment, the next run brings
    the index in line with the sources, and the same restore may be asked for again.
    """

    def __init__(
        self,
        index: Index,
        history: History,
        *,
        check: Callable[[], None],
        upkeep: Budget,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare.

        Args:
            check: raises where the lease was lost.
            upkeep: what the upkeep afterwards may cost.
            now: seconds since 1970.
        """
        self._index, self._history, self._check, self._upkeep, self._now = index, history, check, upkeep, now
        self._ledger = Ledger(index)

    def __call__(self, wanted: str, *, pipeline: str) -> Restored:
        """Bring the index back to what it was right after a run.

        Args:
            wanted: a name, or the id of a run.
            pipeline: its name, for the report.

        Raises:
            ConfigError: there is no such version, or it cannot be had back any more.
            IndexFailed: the index cannot be written.
        """
        started, clock = self._now(), time.monotonic()
        target, rows = self._history.find(wanted), self._history.rows()
        require_restorable(target, rows)
        images = self._history.images_after(target.seq)
        self._history.begin(started, base=False)
        self._check()
        self._index.hold()
        counts = [self._put_back(some) for some in _batches(images)]
        documents, chunks = (sum(count[place] for count in counts) for place in (0, 1))
        upkeep = self._index.optimize(self._upkeep) if images else None
        self._check()
        self._index.publish()
        report = self._report(pipeline, started, documents=documents, removed=len(images) - documents)
        said = evaluation.read(self._history.asked(target, rows))
        report = replace(report, chunks=chunks, seconds=time.monotonic() - clock, ended=self._now())
        report = replace(report, staged=evaluation.form(said) if said else {})
        own = self._history.finish(replace(report, upkeep=(*upkeep.done, *upkeep.skipped) if upkeep else ()))
        return Restored(
            run=own,
            to=target,
            documents=documents,
            removed=len(images) - documents,
            chunks=chunks,
            seconds=report.seconds,
        )

    def _put_back(self, images: Sequence[Image]) -> tuple[int, int]:
        """Put some documents back; returns how many have rows again, and how many rows.

        The ledger says of them that they are in hand before their chunks are touched: whatever happens in between, the
        next run looks at each of them, whether its file is still there or not.
        """
        present = self._ledger.rows([image.uri for image in images])
        pairs = [(image.uri, image.document_id) for image in images]
        self._history.note(pairs, {uri: asdict(row) for uri, row in present.items()})
        whole = self._history.whole_images([image.key for image in images])
        rows = [_ledger_row(whole[image.key]) for image in images]
        self._check()
        self._ledger.put([in_hand_row(uri, document_id) for uri, document_id in pairs])
        restored = {image.document_id: whole[image.key]["rows"] for image in images if image.size}
        emptied = [DocumentRows(document_id=key, chunks=()) for _, key in pairs if key not in restored]
        self._check()
        self._index.replace(emptied, restored=restored)
        self._check()
        self._ledger.put([row for row in rows if row is not None])
        self._ledger.remove([image.uri for image, row in zip(images, rows, strict=True) if row is None])
        return len(restored), sum(len(json.loads(whole[image.key]["chunk_ids"])) for image in images)

    def _report(self, pipeline: str, started: float, *, documents: int, removed: int) -> RunReport:
        totals = self._ledger.totals()
        return RunReport(
            pipeline=pipeline,
            run_id=self._history.run_id,
            started=started,
            updated=documents,
            deleted=removed,
            version=self._index.versions(),
            holds=Holds(documents=totals.indexed + totals.stale, chunks=totals.chunks, bytes=self._index.stats().bytes),
        )


def _batches(images: Sequence[Image]) -> Iterator[list[Image]]:
    batch: list[Image] = []
    size = 0
    for image in images:
        if batch and (len(batch) >= _AT_ONCE or size + image.size > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += image.size
    if batch:
        yield batch


def _ledger_row(image: Mapping[str, Any]) -> Row | None:
    """What the ledger said; None where it knew nothing of the document. Columns of another docpipe are left out."""
    facts = json.loads(image["ledger"])
    return Row(**{name: value for name, value in facts.items() if name in _ROW_FIELDS}) if facts else None
