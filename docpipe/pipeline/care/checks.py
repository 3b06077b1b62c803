"""What was seen of an index -> findings, and what a repair must do (pure)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from docpipe.errors import IndexDamaged
from docpipe.pipeline.care.findings import Commands, Finding, fine, wrong
from docpipe.pipeline.care.seen import Entered, Seen, differing
from docpipe.pipeline.history.past import floor_of
from docpipe.pipeline.ingest.ledger import parsed_key
from docpipe.types import Status

ROOM = 2.0
"""Upkeep writes a table anew beside the old one: so many times the size of the index should be free."""
MOST_VERSIONS = 1_000
"""Upkeep keeps far fewer."""
LEAST_RECALL = 0.9
"""recall@10 of the vector index; upkeep builds it anew, or does without, long before."""
AHEAD = 3600.0
"""Seconds that a run may lie in the future before somebody's clock is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """What is broken in what is kept of the runs."""

    floor: int
    """Runs before the one with this `seq` cannot be restored; 0: all is well."""
    unknown: tuple[str, ...] = ()
    """Runs of which something is kept, though nothing is known of them."""
    lost: tuple[str, ...] = ()
    """Runs that replaced documents of which nothing is kept, though it should be."""


def findings(seen: Seen) -> tuple[Finding, ...]:
    """All checks, in the order in which they are told."""
    say = Commands(path=seen.path)
    return tuple(finding for check in _CHECKS for finding in check(seen, say))


def again(seen: Seen) -> dict[str, str]:
    """Sources that the next run has to do again: uri -> document id."""
    if seen.ledger is None or seen.shelved is None:
        return {}
    found = {seen.shelved[key].uri: key for key in orphans(seen)}
    found.update((row.uri, row.document_id) for row in differing(seen.ledger, seen.shelved))
    found.update((row.uri, row.document_id) for row in unparsed(seen))
    gaps = set(seen.gaps)
    found.update((row.uri, row.document_id) for row in seen.ledger.values() if row.uri in gaps)
    return found


def orphans(seen: Seen) -> list[str]:
    """Documents with chunks that the ledger knows nothing of."""
    if seen.ledger is None or seen.shelved is None:
        return []
    ledger = seen.ledger
    return sorted(
        key for key in seen.shelved if key not in ledger or not (ledger[key].status == "" or ledger[key].chunks)
    )


def unparsed(seen: Seen) -> list[Entered]:
    """Indexed documents that are not kept as they were parsed."""
    if seen.ledger is None or seen.parsed is None:
        return []
    parsed = seen.parsed
    return [
        row
        for row in seen.ledger.values()
        if row.status == Status.INDEXED and parsed_key(row.digest, row.parsed_by, row.media_type) not in parsed
    ]


def chain(seen: Seen) -> Chain:
    """Whether going back still leads where it should."""
    if seen.runs is None or seen.images is None:
        return Chain(floor=0)
    floor = floor_of(seen.runs)
    known = {row.id for row in seen.runs}
    unknown = sorted(run for run in seen.images if run not in known)
    lost = [
        row
        for row in seen.runs
        if row.is_finished and row.changed and not row.base and row.seq > floor and row.id not in seen.images
    ]
    broken = [*(seen.images[run] for run in unknown), *(row.seq for row in lost)]
    return Chain(floor=max(broken, default=0), unknown=tuple(unknown), lost=tuple(row.id for row in lost))


def pin_is_left(seen: Seen) -> bool:
    """Readers are held at a version, and no run wanted that."""
    last = seen.last
    return bool(seen.index and seen.index.held and last and last.is_finished and last.published)


def _readable(seen: Seen, say: Commands) -> list[Finding]:
    found = []
    for part, error in seen.unread.items():
        damaged = isinstance(error, IndexDamaged)
        repair = say.fix if damaged else error.remedy
        found.append(wrong("readable", f"{part}: {error.message}", repair=repair, fixable=damaged))
    parts = seen.index.unreadable if seen.index else ()
    if parts:
        items = [f"{one.table}: {one.part} ({one.reason})" for one in parts]
        what = f"{len(parts):,} parts of tables cannot be read; their documents are to be done again"
        found.append(wrong("readable", what, items=items, repair=say.fix))
    return found or [fine("readable", "every row can be read")]


def _rows(seen: Seen, say: Commands) -> list[Finding]:
    if seen.ledger is None or seen.shelved is None:
        return []
    lost = orphans(seen)
    if lost:
        what = f"{len(lost):,} documents have chunks, and the ledger knows nothing of them"
        return [wrong("rows", what, items=[seen.shelved[key].uri for key in lost], repair=say.fix)]
    count = sum(rows.rows for rows in seen.shelved.values())
    return [fine("rows", f"{count:,} chunks of {len(seen.shelved):,} documents, all known to the ledger")]


def _ledger(seen: Seen, say: Commands) -> list[Finding]:
    if seen.ledger is None or seen.shelved is None:
        return []
    rows = differing(seen.ledger, seen.shelved)
    if rows:
        there = {key: rows.rows for key, rows in seen.shelved.items()}
        items = [f"{row.uri}: {there.get(row.document_id, 0)} of {row.chunks} chunks" for row in rows]
        what = f"{len(rows):,} documents have other chunks than the ledger says"
        return [wrong("ledger", what, items=items, repair=say.fix)]
    unfinished = sum(not row.status for row in seen.ledger.values())
    waiting = f"; {unfinished:,} were in hand when a run ended: the next one does them again" if unfinished else ""
    return [fine("ledger", f"{len(seen.ledger):,} sources, with as many chunks as there are{waiting}")]


def _account(seen: Seen, say: Commands) -> list[Finding]:
    if seen.ledger is None:
        return []
    if seen.gaps:
        what = f"{len(seen.gaps):,} documents have text that is in no chunk and was not left out on purpose"
        return [wrong("account", what, items=seen.gaps, repair=say.fix)]
    return [fine("account", "the text of every document is in its chunks, or was left out on purpose")]


def _duplicates(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    if seen.index.duplicates:
        what = f"{len(seen.index.duplicates):,} chunk ids stand in more than one row"
        return [wrong("duplicates", what, items=seen.index.duplicates, repair=say.fix)]
    return [fine("duplicates", "every chunk id stands in one row")]


def _vectors(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    found = []
    if seen.index.bad_vectors:
        what = f"{len(seen.index.bad_vectors):,} chunks have no vector, or one that is not made of finite numbers"
        found.append(wrong("vectors", what, items=seen.index.bad_vectors, repair=say.fix))
    if seen.index.foreign:
        what = f"{len(seen.index.foreign):,} chunks have vectors of another model"
        found.append(wrong("vectors", what, items=seen.index.foreign, repair=say.fix))
    return found or [fine("vectors", f"all {seen.index.rows:,} have {seen.index.dim} finite numbers")]


def _model(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None or not seen.index.model:
        return []
    if seen.index.model != seen.model:
        what = f"the index is of {seen.index.model!r}, the pipeline's embedder is {seen.model!r}: a run moves it over"
        return [wrong("model", what, repair=say.run, fixable=False)]
    return [fine("model", f"index and pipeline use {seen.model!r}")]


def _text(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    found = seen.index
    if not found.found_by_text:
        what = f"words do not find the chunks that they stand in ({found.text_rows:,} of {found.rows:,} rows indexed)"
        return [wrong("text", what, repair=say.fix)]
    return [fine("text", f"words find their chunks; {found.text_rows:,} of {found.rows:,} rows are indexed")]


def _nearest(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    if not seen.index.found_by_vector:
        return [wrong("nearest", "vectors do not find the chunks that they belong to", repair=say.fix)]
    if seen.recall < LEAST_RECALL:
        what = f"the vector index finds {seen.recall:.0%} of the nearest chunks, less than {LEAST_RECALL:.0%}"
        return [wrong("nearest", what, repair=say.fix)]
    return [fine("nearest", f"vectors find their chunks, and {seen.recall:.0%} of the nearest ones")]


def _parsed(seen: Seen, say: Commands) -> list[Finding]:
    if seen.ledger is None or seen.parsed is None:
        return []
    rows = unparsed(seen)
    if rows:
        what = f"{len(rows):,} documents are not kept as they were parsed: a new chunker would parse them again"
        return [wrong("parsed", what, items=[row.uri for row in rows], repair=say.fix)]
    return [fine("parsed", f"{len(seen.parsed):,} documents are kept as they were parsed")]


def _versions(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    if pin_is_left(seen):
        what = f"readers are held at version {seen.index.held}, though the last run was published"
        return [wrong("versions", what, repair=say.fix)]
    if seen.index.versions > MOST_VERSIONS:
        what = f"{seen.index.versions:,} versions of the chunks are kept: upkeep has not been done for long"
        return [wrong("versions", what, repair=say.fix)]
    held = f"; readers are held at version {seen.index.held} until a run is published" if seen.index.held else ""
    return [fine("versions", f"{seen.index.versions:,} versions are kept{held}")]


def _history(seen: Seen, say: Commands) -> list[Finding]:
    if seen.runs is None or seen.images is None:
        return []
    broken = chain(seen)
    if broken.floor:
        what = (
            f"what {len(broken.lost):,} runs replaced is lost, and of {len(broken.unknown):,} runs nothing but that is "
            "known: no version before them can be had back"
        )
        return [wrong("history", what, items=[*broken.lost, *broken.unknown], repair=say.fix)]
    return [fine("history", f"{len(seen.runs):,} runs are remembered, what {len(seen.images):,} replaced is kept")]


def _leftovers(seen: Seen, say: Commands) -> list[Finding]:
    if seen.index is None:
        return []
    if seen.index.leftovers:
        what = f"{len(seen.index.leftovers):,} files that nothing uses were left by an interrupted run"
        return [wrong("leftovers", what, items=seen.index.leftovers, repair=say.fix)]
    waiting = f"; {seen.waiting:,} paid vectors wait for the next run" if seen.waiting else ""
    aside = seen.space.aside if seen.space else ()
    moved = f"; moved aside, delete them when all is well: {', '.join(aside)}" if aside else ""
    return [fine("leftovers", f"nothing lies about{waiting}{moved}")]


def _lease(seen: Seen, say: Commands) -> list[Finding]:
    tenant = seen.tenant
    if tenant is None:
        return [] if "lease" in seen.unread else [fine("lease", "nobody is writing")]
    if tenant.dead:
        return [wrong("lease", f"held by {tenant.words}, which has died", repair=say.fix)]
    if tenant.expired:
        what = f"held by {tenant.words}, whose time has run out: it is dead, or a clock is wrong"
        return [wrong("lease", what, repair=say.fix)]
    return [fine("lease", f"held by {tenant.words}")]


def _disk(seen: Seen, say: Commands) -> list[Finding]:
    if seen.space is None or seen.index is None:
        return []
    size, free = sum(seen.index.bytes.values()), seen.space.free
    if free < size * ROOM:
        what = f"{_megabytes(free)} are free where the index lies, which takes {_megabytes(size)}: upkeep may fail"
        missing = _megabytes(size * ROOM - free)
        repair = f"free {missing} on the disk of {seen.space.folder}, then {say.run}"
        return [wrong("disk", what, repair=repair, fixable=False)]
    return [fine("disk", f"the index takes {_megabytes(size)}, {_megabytes(free)} are free")]


def _clock(seen: Seen, say: Commands) -> list[Finding]:
    last = seen.last
    latest = max(last.started, last.ended) if last else 0.0
    if latest > seen.now + AHEAD:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(latest))
        what = f"the last run is dated {when} UTC, which is in the future: this clock or that one is wrong"
        return [wrong("clock", what, repair=f"set the clock, then {say.run}", fixable=False)]
    return [fine("clock", "no run lies in the future")]


def _megabytes(count: float) -> str:
    return f"{count / 2**20:,.1f} MB"


_CHECKS: tuple[Callable[[Seen, Commands], list[Finding]], ...] = (
    _readable,
    _rows,
    _ledger,
    _account,
    _duplicates,
    _vectors,
    _model,
    _text,
    _nearest,
    _parsed,
    _versions,
    _history,
    _leftovers,
    _lease,
    _disk,
    _clock,
)
