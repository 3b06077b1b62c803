"""Files that may hold files -> the files inside them: from the ledger where nothing changed, else opened in workers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from docpipe._ids import chain
from docpipe.errors import DocpipeError
from docpipe.load.inside.members import BETWEEN
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.known_columns import KnownColumns
from docpipe.pipeline.ingest.ledger import Known
from docpipe.pipeline.ingest.plan import WORK, Action, Terms
from docpipe.pipeline.processes.work import Work
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.protocols import HoldsFiles, Loader
from docpipe.types import Entry, Outcome

_UNOPENED = "it could not be opened"
_SLICE = 8_192
_AHEAD = 8
"""Files that wait or are opened at once, per worker."""


class Opening:
    """Opens files in worker processes, which are started when the first one is asked for."""

    def __init__(self, work: Work, options: RunOptions) -> None:
        self._work, self._processes, self._limits = work, options.processes, options.limits
        self._pool: WorkerPool | None = None

    def __call__(self, asked: Sequence[tuple[int, Entry]]) -> list[Sequence[Entry | Outcome] | BaseException]:
        """What is inside each of these (number of the loader, file), or why that cannot be seen."""
        if not asked:
            return []
        if self._pool is None:
            self._pool = WorkerPool(self._work, size=min(self._processes, len(asked)), limits=self._limits)
        results: list[Sequence[Entry | Outcome] | BaseException] = [()] * len(asked)
        waiting = iter(enumerate(asked))
        self._submit(waiting, self._processes * _AHEAD)
        for reply in self._pool.replies():
            results[reply.key] = reply.value if reply.error is None else reply.error
            self._submit(waiting, 1)
        return results

    def _submit(self, waiting: Iterator[tuple[int, tuple[int, Entry]]], most: int) -> None:
        assert self._pool is not None
        for _, (number, (loader, entry)) in zip(range(most), waiting, strict=False):
            self._pool.submit(number, "members", loader, entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()


def mark(holds_by: str, members: Iterable[tuple[str, int, int]]) -> str:
    """What a file's row keeps of the files inside it, so that a look at their own rows tells whether all are there.

    Args:
        members: uri, size and time of change of each.
    """
    return chain(holds_by, *sorted(f"{uri}\x1f{size}\x1f{modified}" for uri, size, modified in members))


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A file that may hold files, and what the comparison said of itself."""

    loader: int
    entry: Entry
    row: Known | None
    action: Action


@dataclass(slots=True)
class _Spent:
    """What lies inside one file on the disk, so far."""

    members: int = 0
    bytes: int = 0


@dataclass(kw_only=True)
class Insides:
    """The files of a listing that may hold files; what is inside them comes once they are all noted."""

    loaders: Sequence[Loader]
    known: KnownColumns
    terms: Terms
    opening: Opening | None
    marks: dict[str, str] = field(default_factory=dict)
    """By uri, for the rows of those that are worked on."""
    problems: dict[str, BaseException] = field(default_factory=dict)
    """Those that cannot be opened."""
    unread: list[str] = field(default_factory=list)
    """The same, and those that could not be opened before: what is known inside them stays."""
    opened: list[Holder] = field(default_factory=list)
    """Those that were opened, or tried, although they are as they were."""
    _waiting: list[Holder] = field(default_factory=list)
    _spent: dict[str, _Spent] = field(default_factory=dict)
    _holding: dict[int, HoldsFiles] = field(default_factory=dict)
    _by: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, loader in enumerate(self.loaders):
            if self.opening is not None and isinstance(loader, HoldsFiles):
                self._holding[number], self._by[number] = loader, loader.holds_by

    def note(self, loader: int, entry: Entry, row: Known | None, action: Action) -> None:
        """Look into this file, if its loader says that it may hold files."""
        holds = self._holding.get(loader)
        if holds is not None and holds.may_hold(entry.uri):
            self._waiting.append(Holder(loader=loader, entry=entry, row=row, action=action))

    def rest(self) -> Iterator[tuple[int, Sequence[Entry | Outcome]]]:
        """What is inside the files that were noted, by the loader's number; more may be noted meanwhile."""
        while self._waiting:
            level, self._waiting = self._waiting, []
            to_open = []
            for holder in level:
                known = self._known(holder)
                if known is None:
                    to_open.append(holder)
                else:
                    yield from self._sliced(holder, known)
            yield from self._open(to_open)

    def _open(self, holders: Sequence[Holder]) -> Iterator[tuple[int, Sequence[Entry | Outcome]]]:
        assert self.opening is not None
        found = self.opening([(holder.loader, holder.entry) for holder in holders])
        for holder, inside in zip(holders, found, strict=True):
            if holder.row is not None and holder.action not in WORK:
                self.opened.append(holder)
            if not isinstance(inside, BaseException):
                inside = self._admitted(holder, inside)
            if isinstance(inside, BaseException):
                self._cannot_open(holder, inside)
            else:
                entries = ((one.uri, one.size, one.modified) for one in inside if isinstance(one, Entry))
                self.marks[holder.entry.uri] = self._mark(holder, entries)
                yield from self._sliced(holder, inside)

    def _known(self, holder: Holder) -> list[Entry] | None:
        """What is inside it by the ledger; None where that has to be looked up in the file."""
        row, entry, holds = holder.row, holder.entry, self._holding[holder.loader]
        if row is None or not self._as_it_was(holder, row):
            return None
        if row.members == self._mark(holder, [(_UNOPENED, 0, 0)]):
            if holder.action in WORK:
                return None
            self.unread.append(entry.uri)
            return []
        members = self.known.inside(entry.uri)
        if row.members != self._mark(holder, members):
            return None
        self.marks[entry.uri] = row.members
        inside = [holds.inside(entry, *one) for one in members]
        return inside if not isinstance(self._admitted(holder, inside), BaseException) else None

    def _as_it_was(self, holder: Holder, row: Known) -> bool:
        same = (row.size, row.modified) == (holder.entry.size, holder.entry.modified)
        return bool(same and row.status and holder.action is not Action.CHECK and not self.terms.full)

    def _admitted(self, holder: Holder, inside: Sequence[Entry | Outcome]) -> Sequence[Entry | Outcome] | DocpipeError:
        """The same, unless it is too much together with what else lies in the same file on the disk."""
        spent = self._spent.setdefault(holder.entry.location.partition(BETWEEN)[0], _Spent())
        members, total = (
            spent.members + len(inside),
            spent.bytes + sum(one.size for one in inside if isinstance(one, Entry)),
        )
        try:
            self._holding[holder.loader].admit(holder.entry, members, total)
        except DocpipeError as error:
            return error
        spent.members, spent.bytes = members, total
        return inside

    def _cannot_open(self, holder: Holder, problem: BaseException) -> None:
        uri = holder.entry.uri
        self.problems[uri] = problem
        self.marks[uri] = self._mark(holder, [(_UNOPENED, 0, 0)])
        self.unread.append(uri)

    def _mark(self, holder: Holder, members: Iterable[tuple[str, int, int]]) -> str:
        return mark(self._by[holder.loader], members)

    def _sliced(
        self, holder: Holder, inside: Sequence[Entry | Outcome]
    ) -> Iterator[tuple[int, Sequence[Entry | Outcome]]]:
        for start in range(0, len(inside), _SLICE):
            yield holder.loader, inside[start : start + _SLICE]
