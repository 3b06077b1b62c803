"""Sources and ledger -> what a run would do, without doing it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from docpipe.errors import SourceError
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.history.past import Past
from docpipe.pipeline.ingest import saved_plan
from docpipe.pipeline.ingest.attached import RunStages, work_of
from docpipe.pipeline.ingest.duration import Expected, rates, seconds
from docpipe.pipeline.ingest.inside import Opening
from docpipe.pipeline.ingest.ledger import Ledger, Row, Stamp
from docpipe.pipeline.ingest.memo import Memo
from docpipe.pipeline.ingest.plan import AS_DUE, Action, Moves, Retry, Step, Terms
from docpipe.pipeline.ingest.pricing import expected_cost
from docpipe.pipeline.ingest.saved_plan import SavedPlan
from docpipe.pipeline.ingest.survey import Survey, check_deletions, stamp_of, survey
from docpipe.pipeline.processes.work import Measured, Part, assisting
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.pipeline.report.reports import Plan, PlanItem
from docpipe.types import Status

type_word = Literal["add", "change", "rename", "delete", "keep", "retry", "ignore"]

_WORDS: Mapping[Action, type_word] = {
    Action.ADD: "add",
    Action.RENAME: "add",
    Action.CHANGE: "change",
    Action.RECHUNK: "change",
    Action.CHECK: "change",
    Action.RETRY: "retry",
    Action.REMAIN_FAILED: "keep",
    Action.REMAIN_IGNORED: "ignore",
    Action.DELETE: "delete",
}
_TOKENS_PER_PAGE = 600
_BYTES_PER_TOKEN = {"text/html": 9.0, "application/xhtml+xml": 9.0}
_BYTES_PER_TOKEN_OF_TEXT = 4.0
_TOKENS_PER_TEXT = 250
"""Of a chunk, where nothing is indexed yet."""
_RUNS_LOOKED_AT = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A plan to read, and the same to keep and to execute."""

    plan: Plan
    saved: SavedPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """One step after its file was read."""

    step: Step
    word: type_word
    why: str
    pages: int = 0
    tokens: int = 0
    is_settled: bool = False
    """Nothing of it will be parsed or embedded."""


def plan(
    stages: RunStages, options: RunOptions, *, full: bool = False, limit: int | None = None, retry: Retry = AS_DUE
) -> Plan:
    """What a run would do now; see `prepare`."""
    terms = Terms(now=time.time(), detect=options.detect, full=full, retry=retry)
    return prepare(stages, options, terms, limit=limit).plan


def prepare(stages: RunStages, options: RunOptions, terms: Terms, *, limit: int | None = None) -> Prepared:
    """What a run on these terms would do. Reads the sources, the ledger and the memo, writes nothing, asks no service.

    Tokens are those that were counted where the file is known, and an estimate by pages or bytes where it is new;
    so is the cost, rather too much than too little: texts that are embedded already are not told apart.

    Raises:
        SourceError: a source cannot be listed at all.
    """
    ledger = Ledger(stages.index)
    known = ledger if stages.index.versions() else None
    stamp = stamp_of(stages.parser, stages.chunker, options, stages.loaders)
    with Opening(work_of(stages), options) as opening:
        found = survey(stages.loaders, known, stamp, terms, opening)
    saved = saved_plan.of(stages, options, ledger, found, terms, limit=limit)
    work = found.work if limit is None else found.work[:limit]
    rows = ledger.rows([step.uri for step in work if step.row]) if known else {}
    kept = ledger.parsed_sizes(stamp, {step.entry.size for step in work if step.entry}) if known else {}
    files = measured(stages, options, work, _settled(work, rows, kept, stamp, terms))
    judged = _judged(work, rows, files, kept, found.moves, stamp, terms)
    moving = _moving(stages, ledger, judged, found) if known else ()
    made = _summed(stages, options, found, judged, moving, _pages_to_send(stages, files.values()), rows)
    return Prepared(plan=_timed(made, stages, options, ledger, found), saved=saved)


def measured(
    stages: RunStages, options: RunOptions, steps: Sequence[Step], kept: Mapping[str, frozenset[str]]
) -> dict[str, Measured | None]:
    """Each file by uri; None for one that cannot be opened: the run will say why.

    Args:
        kept: by uri, digests of files of which no page has to be parsed.
    """
    if not steps:
        return {}
    found: dict[str, Measured | None] = {step.uri: None for step in steps if step.problem is not None}
    with WorkerPool(work_of(stages), size=options.processes, limits=options.limits) as pool:
        for step in (one for one in steps if one.problem is None):
            pool.submit(step, "measure", step.loader, step.entry, kept.get(step.uri, frozenset()))
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


def _settled(
    work: Sequence[Step],
    rows: Mapping[str, Row],
    kept: Mapping[int, frozenset[str]],
    stamp: Stamp,
    terms: Terms,
) -> dict[str, frozenset[str]]:
    """By uri, the digests with which no page of a file has to be parsed."""
    if terms.full:
        return {}
    settled = {}
    for step in work:
        row = rows.get(step.uri)
        own = frozenset([row.digest]) if row and _is_current(row, stamp) else frozenset()
        settled[step.uri] = own | (kept.get(step.entry.size, frozenset()) if step.entry else frozenset())
    return settled


def _is_current(row: Row, stamp: Stamp) -> bool:
    """Whether the index holds what today's stages make of the bytes that were read last."""
    return row.status == Status.INDEXED and (row.parsed_by, row.chunked_by) == (stamp.parse, stamp.chunk)


def _judged(
    work: Sequence[Step],
    rows: Mapping[str, Row],
    files: Mapping[str, Measured | None],
    kept: Mapping[int, frozenset[str]],
    moves: Moves,
    stamp: Stamp,
    terms: Terms,
) -> list[_Judged]:
    """Each step with what its file turned out to be."""
    found = []
    for step in work:
        row, file = rows.get(step.uri), files.get(step.uri)
        digest, pages = (file.source.digest, file.pages) if file else ("", 0)
        word, why, tokens = _WORDS[step.action], step.why, _tokens(step, row, file)
        if row and digest == row.digest and _is_current(row, stamp) and not terms.full:
            why = "same bytes" if step.action is Action.CHECK else "touched: same bytes"
            found.append(_Judged(step=step, word="keep", why=why, is_settled=True))
            continue
        gone = moves.claim(digest, step.uri) if step.action in (Action.ADD, Action.RENAME) and digest else None
        if gone is not None:
            word, why, tokens = "rename", f"renamed from {gone.uri}", 0
        elif step.row is None:
            is_kept = file and digest in kept.get(file.source.size, ())
            why = "new: its bytes are known, nothing is parsed again" if is_kept else "new"
        elif row and row.digest and digest and row.digest != digest and not terms.full:
            why = "bytes changed"
        found.append(_Judged(step=step, word=word, why=why, pages=pages, tokens=tokens))
    return found


def _moving(stages: RunStages, ledger: Ledger, judged: Sequence[_Judged], found: Survey) -> tuple[PlanItem, ...]:
    """The documents that get another model's vectors, beside those that are worked on anyway."""
    held = stages.index.snapshot(latest=True).model
    if held in ("", stages.embedder.model):
        return ()
    import pyarrow.compute as pc

    own = {one.step.uri for one in judged if not one.is_settled}.union(step.uri for step in found.deleted)
    table = ledger.table.arrow("uri", "tokens", "chunks")
    some = table.filter(pc.greater(table["chunks"], 0)).sort_by("uri")
    why = f"embedder: vectors of {stages.embedder.model} take the place of those of {held}"
    pairs = zip(some["uri"].to_pylist(), some["tokens"].to_pylist(), strict=True)
    return tuple(PlanItem(uri=uri, action="change", why=why, tokens=tokens) for uri, tokens in pairs if uri not in own)


def _summed(
    stages: RunStages,
    options: RunOptions,
    found: Survey,
    judged: Sequence[_Judged],
    moving: Sequence[PlanItem],
    sent: Sequence[int],
    rows: Mapping[str, Row],
) -> Plan:
    settled = [one for one in judged if one.is_settled]
    at_work = [one for one in judged if not one.is_settled]
    deleted = found.moves.left(found.deleted)
    remaining = {step.uri for step in found.remaining}
    tokens = sum(one.tokens for one in at_work) + sum(item.tokens for item in moving)
    expected = expected_cost(stages.parser, stages.embedder, pages=sent, tokens=tokens)
    unread = sum(len(rows[one.step.uri].ocr_numbers) for one in at_work if one.step.uri in rows)
    counts = {word: sum(one.word == word for one in at_work) for word in ("add", "rename")}
    return Plan(
        added=counts["add"],
        renamed=counts["rename"],
        changed=len(at_work) - counts["add"] - counts["rename"] + len(moving),
        unchanged=found.unchanged + len(settled) - len({item.uri for item in moving} - remaining),
        touched=sum(one.step.action is not Action.CHECK for one in settled),
        waiting=sum(step.action is Action.REMAIN_FAILED for step in found.remaining),
        deleted=len(deleted),
        pages=sum(one.pages for one in at_work),
        ocr_pages=sum(sent) if assisting(stages.parser) is not None else unread,
        embed_tokens=tokens,
        cost_usd=expected.usd,
        requests=expected.requests,
        remarks=(*expected.remarks, *_refusal(found, deleted, options)),
        items=_items(found, judged, moving, deleted),
    )


def _refusal(found: Survey, deleted: Sequence[Step], options: RunOptions) -> tuple[str, ...]:
    """What a run would say instead of doing anything."""
    try:
        check_deletions(found, options, deleted=deleted)
    except SourceError as error:
        return (f"a run would refuse: {error}",)
    return ()


def _timed(made: Plan, stages: RunStages, options: RunOptions, ledger: Ledger, found: Survey) -> Plan:
    """The plan with how long it takes."""
    import pyarrow.compute as pc

    reports = [row.report for row in Past(stages.index).runs(_RUNS_LOOKED_AT)]
    held = ledger.table.arrow("tokens", "chunks")
    tokens, chunks = (pc.sum(held[name]).as_py() or 0 for name in ("tokens", "chunks"))
    expected = Expected(
        sources=found.listed,
        pages=made.pages,
        read_pages=made.ocr_pages if assisting(stages.parser) is not None else 0,
        texts=round(made.embed_tokens / (tokens / chunks if tokens and chunks else _TOKENS_PER_TEXT)),
        processes=options.processes,
    )
    return replace(made, minutes=round(seconds(expected, rates(reports)) / 60, 2))


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


def _items(
    found: Survey, judged: Sequence[_Judged], moving: Sequence[PlanItem], deleted: Sequence[Step]
) -> tuple[PlanItem, ...]:
    told = (one for one in judged if not (one.is_settled and one.step.action is Action.CHECK))
    items = [
        PlanItem(uri=one.step.uri, action=one.word, why=one.why, pages=one.pages, tokens=one.tokens) for one in told
    ]
    items += moving
    steps = (*found.remaining, *deleted)
    items += (PlanItem(uri=step.uri, action=_WORDS[step.action], why=step.why) for step in steps)
    for outcome in found.outcomes:
        why = outcome.error.message if outcome.error else ""
        items.append(PlanItem(uri=outcome.uri, action="ignore", why=why))
    return tuple(items)
