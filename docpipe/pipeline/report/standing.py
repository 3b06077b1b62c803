"""An index with its ledger, history and lease -> how it stands."""

from collections.abc import Mapping
from typing import Any

from docpipe.pipeline.history.past import Past
from docpipe.pipeline.history.rows import RunRow
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.report.reports import StatusReport
from docpipe.pipeline.schedule.lease import holder
from docpipe.protocols import Index

_RUNS = 5
_OF_REPORT = (
    "indexed", "updated", "renamed", "unchanged", "deleted", "failed", "ignored", "waiting", "chunks", "embedded",
    "seconds", "cost_usd", "stopped", "failing", "ended_by",
)  # fmt: skip
"""What the status tells of each of the last runs; their reports have the rest."""


def standing(index: Index, *, name: str) -> StatusReport:
    """How an index stands; reads, and waits for nobody.

    Args:
        name: the pipeline's.

    Raises:
        IndexFailed: the index or a table beside it cannot be read.
        IndexMismatch: a table was made by a newer docpipe.
    """
    totals, stats, past = Ledger(index).totals(), index.stats(), Past(index)
    runs = past.runs(_RUNS)
    return StatusReport(
        name=name,
        index=index.name,
        version=stats.version,
        documents=totals.indexed,
        chunks=stats.rows,
        failed=totals.failed,
        stats=stats,
        last_run=past.last_run(),
        stale=totals.stale,
        waiting=totals.waiting,
        next_try=float(totals.next_try),
        pages=totals.pages,
        characters=totals.characters,
        covered=totals.covered,
        left_out=totals.left_out,
        gaps=totals.gaps,
        published=index.held(),
        runs=tuple(_told(run) for run in runs),
        lease=holder(index),
    )


def _told(run: RunRow) -> Mapping[str, Any]:
    """One run as JSON; of one that did not come to its end only when it began."""
    facts = {name: run.report[name] for name in _OF_REPORT if name in run.report}
    about = {"run_id": run.id, "kind": run.kind, "names": list(run.names), "started": run.started, "ended": run.ended}
    return {**about, "finished": run.is_finished, "published": run.published, "version": run.version, **facts}
