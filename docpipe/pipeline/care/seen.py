"""An index -> what a doctor looks at, read once. Writes nothing; what cannot be read is remembered with its error."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from docpipe.errors import DocpipeError
from docpipe.pipeline.history.past import Past
from docpipe.pipeline.history.rows import HISTORY, IMAGE_COLUMNS, RunRow
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.paid_vectors import VECTORS
from docpipe.pipeline.schedule.holders import Holder, lives, this_process
from docpipe.pipeline.schedule.lease import COLUMNS as LEASE_COLUMNS
from docpipe.protocols import Embedder, Index, IndexCheck, Shelved

Part = TypeVar("Part")

_KEPT = {"key": "str", "data": "bytes"}


class Entered(NamedTuple):
    """The part of a ledger row that must agree with the chunks."""

    uri: str
    document_id: str
    status: str
    chunks: int
    digest: str
    media_type: str
    parsed_by: str


class Tenant(NamedTuple):
    """Who may write an index."""

    words: str
    """Process, machine and purpose."""
    dead: bool
    """It certainly is no more."""
    since: float
    """Seconds since 1970, by its own clock."""
    expired: bool
    """Its time has run out by this machine's clock."""


class Space(NamedTuple):
    """Room on the disk."""

    folder: str
    free: int
    """Bytes."""
    aside: tuple[str, ...] = ()
    """Tables that could not be opened and were moved aside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """An index as it was found. A part that could not be read is None, and its error is in `unread`."""

    now: float
    """Seconds since 1970."""
    path: str
    """Of the pipeline file, for commands."""
    model: str
    """That the pipeline's embedder makes vectors of."""
    index: IndexCheck | None = None
    recall: float = 1.0
    """recall@10 of the vector index against exact search, when it was built; 1.0 where search is exact."""
    ledger: Mapping[str, Entered] | None = None
    """By document id."""
    shelved: Mapping[str, Shelved] | None = None
    """By document id."""
    gaps: tuple[str, ...] = ()
    """Uris of which characters are lost."""
    parsed: frozenset[str] | None = None
    """Keys of the documents that are kept as they were parsed."""
    waiting: int = 0
    """Vectors that an interrupted run kept for the next one."""
    runs: tuple[RunRow, ...] | None = None
    """Newest first."""
    images: Mapping[str, int] | None = None
    """Of which runs what they replaced is kept: run -> its `seq`."""
    tenant: Tenant | None = None
    space: Space | None = None
    unread: Mapping[str, DocpipeError] = field(default_factory=dict)

    @property
    def last(self) -> RunRow | None:
        """The newest run, finished or not."""
        return self.runs[0] if self.runs else None


class Examined(Protocol):
    """The stages that a doctor needs, as `build` makes them."""

    @property
    def embedder(self) -> Embedder:
        """Texts -> vectors."""
        ...

    @property
    def index(self) -> Index:
        """What is examined."""
        ...

    @property
    def path(self) -> Path:
        """The pipeline file."""
        ...


def look(stages: Examined, *, now: float | None = None) -> Seen:
    """Read everything once."""
    index, unread = stages.index, dict[str, DocpipeError]()

    def tried(part: str, read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except DocpipeError as error:
            unread[part] = error
            return None

    ledger, past = Ledger(index), Past(index)
    entered, shelved = tried("ledger", lambda: _entered(ledger)), tried("chunks", index.document_ids)
    if entered is not None and shelved is not None:
        first = entered, shelved
        entered, shelved = tried("chunks", lambda: _agreed(*first, ledger, index)) or (None, None)
    runs = tried("runs", past.rows)
    totals, stats = tried("ledger", ledger.totals), tried("index", index.stats)
    moment = time.time() if now is None else now
    return Seen(
        now=moment,
        path=str(stages.path),
        model=stages.embedder.model,
        index=tried("index", index.check),
        recall=stats.vector_recall if stats else 1.0,
        ledger=entered,
        shelved=shelved,
        gaps=totals.gaps if totals else (),
        parsed=tried("parsed", lambda: frozenset(ledger.parsed_table.columns("key")["key"])),
        waiting=tried("vectors", lambda: index.table(VECTORS, columns=_KEPT, key="key").count()) or 0,
        runs=None if runs is None else tuple(runs),
        images=tried("history", lambda: _images(index)),
        tenant=tried("lease", lambda: _tenant(index, moment)),
        space=tried("disk", lambda: _space(index)),
        unread=unread,
    )


def read_lease(index: Index) -> Mapping[str, Any] | None:
    """The row of the one who may write; None before the first."""
    return index.table("lease", columns=LEASE_COLUMNS, key="name").get(["writer"]).get("writer")


def _entered(ledger: Ledger) -> dict[str, Entered]:
    columns = ledger.table.columns(*Entered._fields)
    rows = map(Entered._make, zip(*(columns[name] for name in Entered._fields), strict=True))
    return {row.document_id: row for row in rows}


def _agreed(
    before: dict[str, Entered], shelved: dict[str, Shelved], ledger: Ledger, index: Index
) -> tuple[dict[str, Entered], dict[str, Shelved]]:
    """Ledger and chunks, so that a run at work does not look like damage.

    What differs is looked at again, and what changed between two looks is left out: a run writes the one after the
    other.
    """
    after = _entered(ledger)
    if before != after or differing(after, shelved) or shelved.keys() - after.keys():
        before, shelved, after = after, index.document_ids(), _entered(ledger)
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return (
        {key: row for key, row in after.items() if key not in moved},
        {key: rows for key, rows in shelved.items() if key not in moved},
    )


def differing(ledger: Mapping[str, Entered], shelved: Mapping[str, Shelved]) -> list[Entered]:
    """Ledger rows that promise other chunks than there are. Those that a run had in hand promise nothing."""
    return [
        row for key, row in ledger.items() if row.status and row.chunks != (shelved[key].rows if key in shelved else 0)
    ]


def _images(index: Index) -> dict[str, int]:
    columns = index.table(HISTORY, columns=IMAGE_COLUMNS, key="key").columns("run", "seq")
    return dict(zip(columns["run"], columns["seq"], strict=True))


def _tenant(index: Index, now: float) -> Tenant | None:
    row = read_lease(index)
    if row is None or not row["token"]:
        return None
    holder = Holder(**{name: row[name] for name in ("host", "boot", "space", "pid", "started")})
    return Tenant(
        words=f"{holder.words} ({row['purpose']} {row['run']})".replace(" )", ")"),
        dead=this_process().sees(holder) and not lives(holder),
        since=row["since"],
        expired=row["expires"] < now,
    )


def _space(index: Index) -> Space | None:
    uri = str(getattr(index, "uri", ""))
    if not uri or "://" in uri:
        return None
    folder = Path(os.path.expanduser(uri))  # noqa: PTH111 - an unknown user's name stays
    if not folder.is_dir():
        return None
    aside = tuple(sorted(str(path) for path in folder.glob("*.damaged-*")))
    return Space(folder=str(folder), free=shutil.disk_usage(folder).free, aside=aside)
