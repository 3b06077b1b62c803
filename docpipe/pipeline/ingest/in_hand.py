"""What a run has in hand: documents on their way, batches, figures."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from docpipe.errors import EmbedError, ServiceError
from docpipe.pipeline.ingest.ledger import Row
from docpipe.pipeline.ingest.plan import Step
from docpipe.pipeline.processes.work import Parsed, Part, Unchanged
from docpipe.pipeline.report.reports import PagesOf
from docpipe.protocols import Index, Wanted
from docpipe.types import UNPROMPTED, Outcome, Source, Status

_SLOWEST = 10
"""Documents that a report names as the slowest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A step with what the ledger knows of it."""

    step: Step
    row: Row
    began: int = 0
    """When it was begun, in seconds since 1970: what the file holds afterwards was not seen."""
    stored: bytes = b""
    """The parsed document, where only the chunker changed."""
    renamed_from: Row | None = None
    """What the ledger knows of the file under the name that it had before."""

    @property
    def before(self) -> tuple[Row, ...]:
        """The rows of what the index holds of it, under whatever name."""
        return (self.row, self.renamed_from) if self.renamed_from is not None else (self.row,)


@dataclass(slots=True)
class LongJob:
    """A long file whose parts come in one by one."""

    job: Job
    source: Source
    parts: list[Part | None]
    pages: int = 0
    """How many the file has."""
    seconds: float = 0.0
    read: int = 0
    """Pages that the service has read so far, or before."""

    def joined(self) -> list[bytes]:
        """The parts, all of which are there."""
        return [part.data for part in self.parts if part is not None]

    def wanted(self) -> list[Wanted]:
        """The pages that a service has to read."""
        return [one for part in self.parts if part is not None for one in part.wanted]

    def to_read(self) -> int:
        """How many of them differ."""
        return len({one.key for one in self.wanted()})


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the reading of a file."""

    job: Job
    result: Parsed | Unchanged | BaseException
    seconds: float


@dataclass(frozen=True, slots=True)
class Item:
    """A document that is ready to be embedded and written."""

    parsed: Parsed
    job: Job
    seconds: float


@dataclass(frozen=True, slots=True)
class Commit:
    """What became of some documents that were to be written."""

    items: Sequence[Item]
    result: "Written | EmbedError | ServiceError | None"
    """None: nothing was tried, because a service is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What one batch cost."""

    chunks: int
    embedded: int
    """Texts the embedder was given."""
    reused: int
    """Chunks whose vector was there already."""
    embed_seconds: float
    index_seconds: float


@dataclass(slots=True)
class Pages:
    """Pages by what became of them, and how many there should be."""

    before: int = 0
    """In the ledger when the run began."""
    gained: int = 0
    """What the files that were written have, less what they had: may be below 0."""
    indexed: int = 0
    updated: int = 0
    deleted: int = 0
    ignored: int = 0


@dataclass(slots=True)
class Tally:
    """The figures of a run, as it goes."""

    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    parsed_pages: int = 0
    pages: Pages = field(default_factory=Pages)
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    renamed: int = 0
    touched: int = 0
    waiting: int = 0
    failures: list[Outcome] = field(default_factory=list)
    left_out: list[Outcome] = field(default_factory=list)
    needs_ocr: list[PagesOf] = field(default_factory=list)
    slowest: list[Outcome] = field(default_factory=list)
    upkeep: tuple[str, ...] = ()
    recognised: int = 0
    remembered: int = 0
    unprompted: list[str] = field(default_factory=list)
    """Documents with text that no model is given: uri, and characters by label."""
    seconds: dict[str, float] = field(default_factory=lambda: {"list": 0.0, "parse": 0.0, "embed": 0.0, "index": 0.0})

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.counts[outcome.status] += 1
        if outcome.status == Status.FAILED:
            self.failures.append(outcome)
        elif outcome.status == Status.IGNORED:
            self.left_out.append(outcome)
        if outcome.ocr_pages:
            self.needs_ocr.append(PagesOf(uri=outcome.uri, pages=outcome.ocr_pages))
        if outcome.seconds:
            self.slowest = heapq.nlargest(_SLOWEST, [*self.slowest, outcome], key=lambda one: one.seconds)

    def add_written(self, item: "Item", outcome: Outcome) -> None:
        """Count the pages of a document that was written."""
        parsed, pages = item.parsed, self.pages
        self.parsed_pages += parsed.pages if parsed.stored else 0
        self.renamed += item.job.renamed_from is not None
        kept_back = {label: count for label, count in parsed.coverage.left_out.items() if label in UNPROMPTED}
        if kept_back:
            told = ", ".join(f"{label} {count:,}" for label, count in kept_back.items())
            self.unprompted.append(f"{outcome.uri} ({told})")
        pages.gained += (parsed.found_pages or parsed.pages) - sum(row.pages for row in item.job.before)
        if outcome.status == Status.INDEXED:
            pages.indexed += parsed.pages
        else:
            pages.updated += parsed.pages


def written_outcome(item: Item) -> Outcome:
    """What became of a document that was written."""
    parsed, row = item.parsed, item.job.row
    had_rows = bool(row.chunks and (row.status or row.digest))
    known = row.status == Status.INDEXED or had_rows or item.job.renamed_from is not None
    return Outcome(
        uri=row.uri,
        status=Status.UPDATED if known else Status.INDEXED,
        chunks=len(parsed.chunks),
        pages=parsed.pages,
        ocr_pages=parsed.ocr_pages,
        seconds=item.seconds,
    )


def counted(row: Row, index: Index) -> Row:
    """The row with as many chunks as the index holds, which a killed run that had the source in hand could not say."""
    if row.status or not row.chunks:
        return row
    return replace(row, chunks=len(index.chunk_ids([row.document_id]).get(row.document_id, ())))


def as_read(job: Job, source: Source) -> Source:
    """The source that was read; of a file that holds files, as it was when it was seen what is inside it."""
    entry = job.step.entry
    if entry is None or not job.step.members:
        return source
    return replace(source, size=entry.size, modified=entry.modified)


def as_listed(job: Job) -> Source:
    """The source as far as it is known without reading it: what the ledger knows, at today's size and time."""
    entry = job.step.entry
    assert entry is not None
    return Source(
        uri=entry.uri,
        media_type=job.row.media_type,
        digest=job.row.digest,
        size=entry.size,
        modified=entry.modified,
    )
