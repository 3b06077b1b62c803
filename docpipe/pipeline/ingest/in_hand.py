"""What a run has in hand: documents on their way, batches, figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from docpipe.errors import EmbedError, ServiceError
from docpipe.pipeline.ingest.ledger import Row
from docpipe.pipeline.ingest.plan import Step
from docpipe.pipeline.ingest.writing import Written
from docpipe.pipeline.processes.work import Parsed, Part
from docpipe.pipeline.report.reports import PagesOf
from docpipe.protocols import Wanted
from docpipe.types import Outcome, Source, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A step with what the ledger knows of it."""

    step: Step
    row: Row
    stored: bytes = b""
    """The parsed document, where only the chunker changed."""


@dataclass(slots=True)
class LongJob:
    """A long file whose parts come in one by one."""

    job: Job
    source: Source
    parts: list[Part | None]
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
class Commit:
    """What became of some documents that were to be written."""

    items: Sequence[tuple[Parsed, Job, float]]
    result: Written | EmbedError | ServiceError


@dataclass(slots=True)
class Tally:
    """The figures of a run, as it goes."""

    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    pages: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    failures: list[Outcome] = field(default_factory=list)
    left_out: list[Outcome] = field(default_factory=list)
    needs_ocr: list[PagesOf] = field(default_factory=list)
    recognised: int = 0
    remembered: int = 0
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


def written_outcome(parsed: Parsed, job: Job, seconds: float) -> Outcome:
    """What became of a document that was written."""
    known = job.row.status == Status.INDEXED or job.row.chunks > 0
    return Outcome(
        uri=job.step.uri,
        status=Status.UPDATED if known else Status.INDEXED,
        chunks=len(parsed.chunks),
        pages=parsed.pages,
        ocr_pages=parsed.ocr_pages,
        seconds=seconds,
    )


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
