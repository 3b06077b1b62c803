"""Loaders and ledger -> what there is to do: the listing of a run or of a plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from docpipe._ids import chain, fingerprint
from docpipe.errors import SourceError
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Known, Stamp
from docpipe.pipeline.ingest.plan import WORK, Action, Step, decide, vanished
from docpipe.protocols import Loader
from docpipe.types import Entry, Failure, Outcome, Status

_ALWAYS_DELETABLE = 20
"""So many documents may go in one run whatever their share: in a small folder one file is a large share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Everything that was found, sorted by what is to be done with it."""

    work: tuple[Step, ...]
    """To parse or to chunk."""
    remaining: tuple[Step, ...]
    """Failed or left out before, and nothing changed."""
    deleted: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    """What the loaders could not list or left out."""
    unchanged: int


def stamp_of(parser: object, chunker: object, options: RunOptions) -> Stamp:
    """The fingerprints of today's stages."""
    parse = fingerprint(parser)
    chunk = chain(parse, fingerprint(chunker))
    return Stamp(parse=parse, chunk=chunk, tried=chain(chunk, f"{options.timeout:g}", str(options.memory_mb)))


def survey(loaders: Sequence[Loader], known: Mapping[str, Known], by: Stamp, *, full: bool) -> Survey:
    """List all sources and compare them with the ledger.

    Raises:
        SourceError: a source cannot be listed, or none holds anything.
    """
    work: list[Step] = []
    remaining: list[Step] = []
    outcomes: list[Outcome] = []
    seen: set[str] = set()
    unchanged = 0
    for number, found in _listing(loaders):
        if isinstance(found, Outcome):
            outcomes.append(found)
            continue
        if found.uri in seen:
            outcomes.append(_twice(found))
            continue
        seen.add(found.uri)
        row = known.get(found.uri)
        action, why = decide(found, row, by, full=full)
        if action is Action.KEEP:
            unchanged += 1
            continue
        todo = Step(uri=found.uri, action=action, why=why, loader=number, entry=found, row=row)
        (work if action in WORK else remaining).append(todo)
    unread = [outcome.uri for outcome in outcomes if outcome.status == Status.FAILED]
    return Survey(
        work=tuple(work),
        remaining=tuple(remaining),
        deleted=tuple(vanished(known, seen, unread)),
        outcomes=tuple(outcomes),
        unchanged=unchanged,
    )


def check_deletions(found: Survey, known: int, options: RunOptions) -> None:
    """Refuse to empty an index because its source looks empty.

    Raises:
        SourceError: nothing was found, or more is gone than `run.max_delete` allows. Nothing was changed.
    """
    gone = len(found.deleted)
    present = len(found.work) + len(found.remaining) + found.unchanged
    if not present and not found.outcomes and not gone:
        raise SourceError(
            "the source holds no file to index",
            source="source",
            remedy="put documents there, or check `source.path`, `include` and `exclude`",
        )
    too_many = gone > max(_ALWAYS_DELETABLE, options.max_delete * known) or (gone and not present)
    if too_many and options.max_delete < 1:
        raise SourceError(
            f"{gone} of {known} indexed documents are no longer in the source, which looks like a folder that is not "
            "mounted; nothing was changed",
            source="source",
            remedy="if they are meant to go, set `run: {max_delete: 1}` in the pipeline file and run again",
        )


def _listing(loaders: Sequence[Loader]) -> Iterable[tuple[int, Entry | Outcome]]:
    for number, loader in enumerate(loaders):
        for found in loader.entries():
            yield number, found


def _twice(entry: Entry) -> Outcome:
    failure = Failure(
        stage="load",
        type="SourceError",
        message=f"two sources hold a file {entry.uri}; the first one is taken",
        remedy="give one of the sources a `prefix`",
    )
    return Outcome(uri=entry.uri, status=Status.IGNORED, error=failure)
