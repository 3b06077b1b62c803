"""Sources and ledger -> what a run would do, without doing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger, Row
from docpipe.pipeline.ingest.memo import Memo
from docpipe.pipeline.ingest.plan import Action, Step
from docpipe.pipeline.ingest.pricing import expected_cost
from docpipe.pipeline.ingest.run import RunStages
from docpipe.pipeline.ingest.survey import Survey, stamp_of, survey
from docpipe.pipeline.processes.work import Measured, Part, Work, assisting
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.pipeline.report.reports import Plan, PlanItem

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


def plan(stages: RunStages, options: RunOptions, *, full: bool = False, limit: int | None = None) -> Plan:
    """What a run would do. Reads the sources, the ledger and the memo, writes nothing and asks no service.

    Tokens are those that were counted where the file is known, and an estimate by pages or bytes where it is new;
    so is the cost, rather too much than too little: texts that are embedded already are not told apart.

    Raises:
        SourceError: a source cannot be listed at all.
    """
    ledger = Ledger(stages.index)
    known = ledger.known() if stages.index.versions() else {}
    found = survey(stages.loaders, known, stamp_of(stages.parser, stages.chunker, options), full=full)
    work = found.work if limit is None else found.work[:limit]
    rows = ledger.rows([step.uri for step in work if step.row])
    parsed = [step for step in work if step.action is not Action.RECHUNK]
    files = measured(stages, options, parsed) if parsed else {}
    sent = _pages_to_send(stages, files.values())
    unread = sum(len(rows[step.uri].ocr_numbers) for step in parsed if step.uri in rows)
    tokens = sum(_tokens(step, rows.get(step.uri), files.get(step.uri)) for step in work)
    expected = expected_cost(stages.parser, stages.embedder, pages=sent, tokens=tokens)
    return Plan(
        added=_count(work, Action.ADD),
        changed=len(work) - _count(work, Action.ADD),
        unchanged=found.unchanged,
        deleted=len(found.deleted),
        pages=sum(item.pages for item in files.values() if item),
        ocr_pages=sum(sent) if assisting(stages.parser) is not None else unread,
        embed_tokens=tokens,
        cost_usd=expected.usd,
        requests=expected.requests,
        remarks=expected.remarks,
        items=_items(found, work),
    )


def _count(steps: Sequence[Step], action: Action) -> int:
    return sum(step.action is action for step in steps)


def measured(stages: RunStages, options: RunOptions, steps: Sequence[Step]) -> dict[str, Measured | None]:
    """Each file by uri; None for one that cannot be opened: the run will say why."""
    work = Work(loaders=tuple(stages.loaders), parser=stages.parser, chunker=stages.chunker)
    found: dict[str, Measured | None] = {}
    with WorkerPool(work, size=options.processes, limits=options.limits) as pool:
        for step in steps:
            pool.submit(step, "measure", step.loader, step.entry)
        for reply in pool.replies():
            step, value = reply.key, reply.value
            if reply.error is not None:
                found[step.uri] = None
            elif isinstance(value, Part):
                whole = found[step.uri]
                wanted = tuple(one.key for one in value.wanted)
                found[step.uri] = replace(whole, wanted=whole.wanted + wanted) if whole is not None else None
            else:
                found[step.uri] = value
                for start in value.starts:
                    stop = min(start + value.part, value.pages)
                    pool.submit(step, "part", step.loader, step.entry, value.source.digest, start, stop)
    return found


def _pages_to_send(stages: RunStages, files: Iterable[Measured | None]) -> list[int]:
    """How many pages of each file a service has to read: those that no run and no file before had it read."""
    wanted = [item.wanted for item in files if item is not None and item.wanted]
    seen = Memo(stages.index).known_keys() if wanted else set()
    counts = []
    for keys in wanted:
        missing = set(keys) - seen
        seen |= missing
        counts.append(len(missing))
    return counts


def _tokens(step: Step, row: Row | None, measured: Measured | None) -> int:
    if row is not None and row.tokens:
        return row.tokens
    if measured is None:
        return 0
    if measured.pages:
        return measured.pages * _TOKENS_PER_PAGE
    size = measured.source.size
    return round(size / _BYTES_PER_TOKEN.get(measured.source.media_type, _BYTES_PER_TOKEN_OF_TEXT))


def _items(found: Survey, work: Sequence[Step]) -> tuple[PlanItem, ...]:
    steps = (*work, *found.remaining, *found.deleted)
    items = [PlanItem(uri=step.uri, action=_WORDS[step.action], why=step.why) for step in steps]
    for outcome in found.outcomes:
        why = outcome.error.message if outcome.error else ""
        items.append(PlanItem(uri=outcome.uri, action="ignore", why=why))
    return tuple(items)
