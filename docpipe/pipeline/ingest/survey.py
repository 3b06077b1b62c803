"""Loaders and ledger -> what there is to do: the listing of a run or of a plan."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from docpipe._ids import chain, fingerprint
from docpipe.errors import SourceError
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.inside import Insides, Opening
from docpipe.pipeline.ingest.known_columns import KnownColumns
from docpipe.pipeline.ingest.ledger import Known, Ledger, Stamp
from docpipe.pipeline.ingest.plan import WORK, Action, Moves, Step, Terms, Vanished, decide, is_below
from docpipe.protocols import Loader
from docpipe.types import Entry, Failure, Outcome, Status

_ALWAYS_DELETABLE = 20
"""So many documents may go in one run whatever their share: in a small folder one file is a large share."""
_LOOKED = "what is inside it is not known, or not all of it"
_SLICE = 8_192
"""Entries that are compared with the ledger together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What is known of one source, or of all that give uris the same prefix."""

    prefix: str
    label: str
    known: int
    silent: tuple[str, ...]
    """Sources among them that listed nothing at all."""
    loaders: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Everything that was found, sorted by what is to be done with it."""

    work: tuple[Step, ...]
    """To read, parse or chunk; what is only compared comes last."""
    remaining: tuple[Step, ...]
    """Failed or left out before, and nothing changed or their time has not come."""
    deleted: tuple[Step, ...]
    """Gone, by uri; `moves` tells which of them may live on under another name."""
    outcomes: tuple[Outcome, ...]
    """What the loaders could not list or left out."""
    unchanged: int
    listed: int
    """How many sources the loaders named. Law: work, remaining, unchanged and outcomes together."""
    known: int = 0
    """Rows of the ledger."""
    moves: Moves = field(default_factory=Moves)
    shares: tuple[Share, ...] = ()
    """By source, where there are several."""


@dataclass(slots=True)
class _Found:
    """What a listing gave so far."""

    work: list[Step] = field(default_factory=list)
    checks: list[Step] = field(default_factory=list)
    remaining: list[Step] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    """Uris that the ledger does not know."""
    unchanged: int = 0
    listed: int = 0
    by_loader: dict[int, int] = field(default_factory=dict)

    def count(self, number: int, some: Sequence[Entry | Outcome]) -> None:
        """Count what a loader named, and put down what it could not list."""
        self.listed += len(some)
        self.by_loader[number] = self.by_loader.get(number, 0) + len(some)
        self.outcomes += (one for one in some if isinstance(one, Outcome))


def stamp_of(parser: object, chunker: object, options: RunOptions, loaders: Iterable[object] = ()) -> Stamp:
    """The fingerprints of today's stages.

    Args:
        loaders: what they can open decides whether what failed is tried again.
    """
    parse = fingerprint(parser)
    chunk = chain(parse, fingerprint(chunker))
    opens_with = [with_what for loader in loaders if (with_what := str(getattr(loader, "opens_with", "")))]
    tried = chain(chunk, f"{options.timeout:g}", str(options.memory_mb), *opens_with)
    return Stamp(parse=parse, chunk=chunk, tried=tried)


def survey(
    loaders: Sequence[Loader], ledger: Ledger | None, by: Stamp, terms: Terms, opening: Opening | None = None
) -> Survey:
    """List all sources and compare them with the ledger. Only what differs becomes a step.

    Args:
        ledger: None where the index is lost: nothing is known then.
        opening: opens files that hold files; None: none is opened.

    Raises:
        SourceError: a source cannot be listed.
    """
    known = KnownColumns(ledger, by, terms)
    found = _Found()
    insides = Insides(loaders=loaders, known=known, terms=terms, opening=opening)
    for number, loader in enumerate(loaders):
        listing = iter(loader.entries())
        while some := list(islice(listing, _SLICE)):
            _sort(number, some, known, found, insides, by, terms)
    for number, inside in insides.rest():
        _sort(number, inside, known, found, insides, by, terms)
    _mark(found, insides)
    deleted = tuple(_vanished(known, found.outcomes, insides.unread))
    moves, work = _renames(found.work, deleted, known)
    return Survey(
        work=(*work, *found.checks),
        remaining=tuple(found.remaining),
        deleted=deleted,
        outcomes=tuple(found.outcomes),
        unchanged=found.unchanged,
        listed=found.listed,
        known=known.count,
        moves=moves,
        shares=tuple(_shares(loaders, found.by_loader, known)) if len(loaders) > 1 and deleted else (),
    )


def check_deletions(found: Survey, options: RunOptions, *, deleted: Sequence[Step] | None = None) -> None:
    """Refuse to empty an index because its source looks empty.

    Args:
        deleted: what is gone for good, once it is known; before, what may have been renamed is not counted.

    Raises:
        SourceError: nothing was found, or more is gone than `run.max_delete` allows, of all or of one source.
            Nothing was deleted.
    """
    gone = found.moves.surely_gone(found.deleted) if deleted is None else deleted
    present = len(found.work) + len(found.remaining) + found.unchanged
    if not present and not found.outcomes and not found.deleted:
        raise SourceError(
            "the source holds no file to index",
            source="source",
            remedy="put documents there, or check `source.path`, `include` and `exclude`",
        )
    if options.max_delete >= 1 or not gone:
        return
    if _too_many(len(gone), found.known, options) or not present:
        raise _refusal("source", len(gone), found.known, "")
    by_prefix = _by_prefix(found.shares, gone)
    for share in found.shares:
        _check_share(share, by_prefix[share.prefix], options)


def _by_prefix(shares: Sequence[Share], steps: Iterable[Step]) -> Counter[str]:
    by_length = sorted((share.prefix for share in shares), key=len, reverse=True)
    owners = (next((prefix for prefix in by_length if step.uri.startswith(prefix)), None) for step in steps)
    return Counter(prefix for prefix in owners if prefix is not None)


def _check_share(share: Share, gone: int, options: RunOptions) -> None:
    silent = len(share.silent) == share.loaders or (share.silent and gone > _ALWAYS_DELETABLE)
    if gone and (silent or _too_many(gone, share.known, options)):
        nothing = f" ({', '.join(share.silent)} shows no file at all)" if share.silent else ""
        raise _refusal(share.label, gone, share.known, f" {share.label}{nothing}")


def _too_many(gone: int, known: int, options: RunOptions) -> bool:
    return gone > max(_ALWAYS_DELETABLE, options.max_delete * known)


def _refusal(source: str, gone: int, known: int, which: str) -> SourceError:
    return SourceError(
        f"{gone:,} of {known:,} indexed documents are no longer in the source{which}, "
        "which looks like a folder that is not mounted; nothing was deleted",
        source=source,
        remedy="mount it and run again; if they are meant to go, `docpipe run PIPELINE --max-delete 1` lets them go "
        "this once, `run: {max_delete: 1}` in the pipeline file always",
    )


def _sort(
    number: int,
    some: Sequence[Entry | Outcome],
    known: KnownColumns,
    found: _Found,
    insides: Insides,
    by: Stamp,
    terms: Terms,
) -> None:
    """Compare a slice of a listing with the ledger."""
    import numpy as np

    found.count(number, some)
    entries = [one for one in some if isinstance(one, Entry)]
    rows, settled, twice = known.compare(entries)
    found.unchanged += int(np.count_nonzero(settled))
    places = np.flatnonzero(~settled)
    numbers = rows[places]
    ledger_rows = iter(known.rows(numbers[numbers >= 0]))
    for place, row_number in zip(places.tolist(), numbers.tolist(), strict=True):
        entry, row = entries[place], next(ledger_rows) if row_number >= 0 else None
        if twice[place] or entry.uri in found.fresh:
            found.outcomes.append(_twice(entry))
            continue
        if row is None:
            found.fresh.add(entry.uri)
        insides.note(number, entry, row, _add(found, entry, number, row, by, terms))
    holding = np.flatnonzero(settled & known.may_hold(rows))
    for place, row in zip(holding.tolist(), known.rows(rows[holding]), strict=True):
        insides.note(number, entries[place], row, Action.KEEP)


def _add(found: _Found, entry: Entry, number: int, row: Known | None, by: Stamp, terms: Terms) -> Action:
    action, why = decide(entry, row, by, terms)
    if action is Action.KEEP:
        found.unchanged += 1
        return action
    step = Step(uri=entry.uri, action=action, why=why, loader=number, entry=entry, row=row)
    steps = found.checks if action is Action.CHECK else found.work if action in WORK else found.remaining
    steps.append(step)
    return action


def _mark(found: _Found, insides: Insides) -> None:
    """Have the steps of files that hold files know what is inside; those that were opened again become steps."""
    opened = {one.entry.uri for one in insides.opened}
    found.remaining = [step for step in found.remaining if step.uri not in opened]
    for one in insides.opened:
        uri, is_kept = one.entry.uri, one.action is Action.KEEP
        found.unchanged -= is_kept
        action = Action.CHECK if is_kept else Action.RETRY
        step = Step(uri=uri, action=action, why=_LOOKED, loader=one.loader, entry=one.entry, row=one.row)
        (found.checks if is_kept else found.work).append(step)
    found.work, found.checks = (
        [_marked_step(one, insides) for one in found.work],
        [_marked_step(one, insides) for one in found.checks],
    )


def _marked_step(step: Step, insides: Insides) -> Step:
    mark = insides.marks.get(step.uri)
    return step if mark is None else replace(step, members=mark, problem=insides.problems.get(step.uri))


def _vanished(known: KnownColumns, outcomes: Iterable[Outcome], unopened: Iterable[str]) -> Iterator[Step]:
    """Sources that are gone; what lies below a folder that could not be listed, or in a file not opened, is not."""
    unread = (*(outcome.uri for outcome in outcomes if outcome.status == Status.FAILED), *unopened)
    for uri, row in known.unseen():
        if not is_below(uri, unread):
            yield Step(uri=uri, action=Action.DELETE, why="no longer in the source", row=row)


def _renames(work: Sequence[Step], deleted: Sequence[Step], known: KnownColumns) -> tuple[Moves, list[Step]]:
    """Which new sources may be some that are gone, judged by their size; the digest decides when they are read."""
    added = {step.entry.size for step in work if _may_be_renamed(step) and step.entry}
    fitting = [(step.row.size, step) for step in deleted if step.row and step.row.size in added]
    digests = known.digests({step.uri for _, step in fitting}, {size for size, _ in fitting})
    by_size: dict[int, Vanished] = {}
    for size, step in fitting:
        if step.uri in digests:
            by_size.setdefault(size, Vanished()).add(step)
    marked = [_marked(step, by_size) for step in work]
    gone = ((digests[step.uri], step) for _, step in fitting if step.uri in digests)
    return Moves(gone, guessed={step.renamed_from for step in marked if step.renamed_from}), marked


def _may_be_renamed(step: Step) -> bool:
    """Whether it is new, or was being written when a run ended."""
    return step.action is Action.ADD or (step.row is not None and not step.row.status)


def _marked(step: Step, by_size: Mapping[int, Vanished]) -> Step:
    """The step as a candidate, with the best guess of what it was; each of those that are gone is guessed once."""
    gone = by_size.get(step.entry.size) if _may_be_renamed(step) and step.entry else None
    guess = gone.take(step.uri) if gone else None
    if guess is None:
        return step
    return replace(step, action=Action.RENAME, why=f"perhaps renamed from {guess.uri}", renamed_from=guess.uri)


def _shares(loaders: Sequence[Loader], listed: Mapping[int, int], known: KnownColumns) -> Iterator[Share]:
    """What each source has, where sources can be told apart by the prefix of their uris."""
    prefixes = [str(getattr(loader, "prefix", "")) for loader in loaders]
    counts = known.count_by(set(prefixes))
    for prefix in dict.fromkeys(prefixes):
        names = {
            number: str(getattr(loaders[number], "path", "")) or prefix
            for number, one in enumerate(prefixes)
            if one == prefix
        }
        yield Share(
            prefix=prefix,
            label=", ".join(names.values()),
            known=counts[prefix],
            silent=tuple(name for number, name in names.items() if not listed.get(number)),
            loaders=len(names),
        )


def _twice(entry: Entry) -> Outcome:
    failure = Failure(
        stage="load",
        type="SourceError",
        message=f"two sources hold a file {entry.uri}; the first one is taken",
        remedy="give one of the sources a `prefix`",
    )
    return Outcome(uri=entry.uri, status=Status.IGNORED, error=failure)
