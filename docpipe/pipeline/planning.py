"""Sources and ledger -> what a run would do, without doing it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from docpipe.pipeline.ledger import Ledger, Row
from docpipe.pipeline.options import RunOptions
from docpipe.pipeline.plan import Action, Step
from docpipe.pipeline.reports import Plan, PlanItem
from docpipe.pipeline.run import RunStages
from docpipe.pipeline.survey import Survey, stamp_of, survey
from docpipe.pipeline.work import Measured, Work
from docpipe.pipeline.workers import WorkerPool

_WORDS: Mapping[Action, Literal["add", "change", "delete", "keep", "retry", "ignore"]] = {
    Action.ADD: "add",
    Action.CHANGE: "change",
    Action.RECHUNK: "change",
    Action.RETRY: "retry",
    Action.REMAIN_FAILED: "keep",
    Action.REMAIN_IGNORED: "ignore",
    Action.DELETE: "delete",
}
_TOKENS_PER_PAGE = 600
_BYTES_PER_TOKEN = {"text/html": 9.0, "application/xhtml+xml": 9.0}
_BYTES_PER_TOKEN_OF_TEXT = 4.0


def plan(stages: RunStages, options: RunOptions, *, full: bool = False) -> Plan:
    """What a run would do. Reads the sources and the ledger, writes nothing.

    Tokens are those that were counted where the file is known, and an estimate by pages or bytes where it is new.
    Pages that need OCR are known only of files that were parsed before.

    Raises:
        SourceError: a source cannot be listed at all.
    """
    ledger = Ledger(stages.index)
    known = ledger.known() if stages.index.versions() else {}
    found = survey(stages.loaders, known, stamp_of(stages.parser, stages.chunker, options), full=full)
    rows = ledger.rows([step.uri for step in found.work if step.row])
    parsed = [step for step in found.work if step.action is not Action.RECHUNK]
    measured = _measure(stages, options, parsed) if parsed else {}
    ocr_pages = sum(len(rows[step.uri].ocr_numbers) for step in parsed if step.uri in rows)
    return Plan(
        added=_count(found.work, Action.ADD),
        changed=len(found.work) - _count(found.work, Action.ADD),
        unchanged=found.unchanged,
        deleted=len(found.deleted),
        pages=sum(item.pages for item in measured.values() if item),
        ocr_pages=ocr_pages,
        embed_tokens=sum(_tokens(step, rows.get(step.uri), measured.get(step.uri)) for step in found.work),
        items=_items(found),
    )


def _count(steps: Sequence[Step], action: Action) -> int:
    return sum(step.action is action for step in steps)


def _measure(stages: RunStages, options: RunOptions, steps: Sequence[Step]) -> dict[str, Measured | None]:
    """Pages of each file; None for one that cannot be opened: the run will say why."""
    work = Work(loaders=tuple(stages.loaders), parser=stages.parser, chunker=stages.chunker)
    with WorkerPool(work, size=options.processes, limits=options.limits) as pool:
        for step in steps:
            pool.submit(step.uri, "measure", step.loader, step.entry)
        return {reply.key: reply.value if reply.error is None else None for reply in pool.replies()}


def _tokens(step: Step, row: Row | None, measured: Measured | None) -> int:
    if row is not None and row.tokens:
        return row.tokens
    if measured is None:
        return 0
    if measured.pages:
        return measured.pages * _TOKENS_PER_PAGE
    size = measured.source.size
    return round(size / _BYTES_PER_TOKEN.get(measured.source.media_type, _BYTES_PER_TOKEN_OF_TEXT))


def _items(found: Survey) -> tuple[PlanItem, ...]:
    steps = (*found.work, *found.remaining, *found.deleted)
    items = [PlanItem(uri=step.uri, action=_WORDS[step.action], why=step.why) for step in steps]
    for outcome in found.outcomes:
        why = outcome.error.message if outcome.error else ""
        items.append(PlanItem(uri=outcome.uri, action="ignore", why=why))
    return tuple(items)
