"""Jobs -> what workers, and a service where one reads pages, make of their files."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future

from docpipe.pipeline.ingest.in_hand import Ended, Job, LongJob, Tally, as_listed
from docpipe.pipeline.ingest.ledger import Ledger, Stamp, parsed_key
from docpipe.pipeline.ingest.memo import Memo
from docpipe.pipeline.ingest.recognition import ENDS_THE_RUN, Recognition
from docpipe.pipeline.processes.work import Asking, Known, Long, Work
from docpipe.pipeline.processes.workers import Reply, WorkerPool
from docpipe.pipeline.report.reports import Event
from docpipe.protocols import Index, Payload
from docpipe.types import Status

_MOST_READING = 64
"""Files of which a service reads pages at once, about."""


class Reading:
    """The files that are being read. A job is begun, replies are taken; each job ends exactly once.

    Args:
        service: what asks a service for pages; None where no stage wants that.
        ahead: calls that wait or run at once.
        full: files are parsed again whatever is known of them.
    """

    def __init__(
        self,
        pool: WorkerPool,
        *,
        ledger: Ledger,
        stamp: Stamp,
        service: Recognition | None,
        ahead: int,
        full: bool,
        progress: Callable[[Event], None],
    ) -> None:
        self._pool, self._ledger, self._stamp, self._service = pool, ledger, stamp, service
        self._ahead, self._full, self._progress = ahead, full, progress
        self._kept: Mapping[int, Collection[str]] = {}
        self._long: dict[str, LongJob] = {}
        self._reading = 0

    @property
    def has_room(self) -> bool:
        """Whether another job may be begun."""
        return self._pool.pending - self._reading < self._ahead and self._reading < _MOST_READING

    def know(self, sizes: Collection[int]) -> None:
        """Look up what is kept of files of these sizes: bytes that were parsed once are not parsed again."""
        self._kept = {} if self._full else self._ledger.parsed_sizes(self._stamp, sizes)

    def begin(self, job: Job) -> None:
        """Have a file read."""
        step = job.step
        assert step.entry is not None
        if step.problem is not None:
            self._pool.expect()
            self._pool.deliver(Reply(key=("open", job), error=step.problem))
            return
        if job.stored:
            self._pool.submit(("open", job), "chunk_again", job.stored, as_listed(job))
            return
        kept = self._kept.get(step.entry.size, ())
        self._pool.submit(("open", job), "open", step.loader, step.entry, self._indexed_digest(job), kept)

    def take(self, reply: Reply) -> Ended | None:
        """What became of a job; None while it goes on."""
        kind, job = reply.key[0], reply.key[1]
        if kind == "told":
            self._tell(job, reply.value)
            return None
        if kind == "read":
            self._reading -= 1
        if reply.error is not None:
            return self._failed(kind, job, reply)
        if kind == "part":
            self._take_part(job, reply)
        elif kind == "read":
            self._join(self._long[job.step.uri], reply.value)
        elif isinstance(reply.value, Asking):
            one = reply.value
            long = LongJob(job=job, source=one.source, parts=[one.part], pages=one.pages, seconds=reply.seconds)
            self._long[job.step.uri] = long
            self._have_read(long)
        elif isinstance(reply.value, Long):
            self._divide(job, reply.value, reply.seconds)
        elif isinstance(reply.value, Known):
            self._use_kept(job, reply.value)
        else:
            spent = reply.seconds + (self._long.pop(job.step.uri).seconds if kind == "join" else 0.0)
            return Ended(job, reply.value, spent)
        return None

    def _indexed_digest(self, job: Job) -> str:
        """The digest that means "only touched", or nothing where the file must be parsed whatever it holds."""
        row = job.row
        same_stages = row.status == Status.INDEXED and row.chunked_by == self._stamp.chunk
        return row.digest if same_stages and not self._full else ""

    def _failed(self, kind: str, job: Job, reply: Reply) -> Ended | None:
        assert reply.error is not None
        was_long = self._long.pop(job.step.uri, None) is not None
        if kind == "part" and not was_long and not isinstance(reply.error, ENDS_THE_RUN):
            return None  # another part of the same file has failed before
        return Ended(job, reply.error, reply.seconds)

    def _use_kept(self, job: Job, known: Known) -> None:
        """Chunk what is kept of these bytes; where it was parsed under a name of another kind, parse it after all."""
        source = known.source
        key = parsed_key(source.digest, self._stamp.parse, source.media_type)
        stored = self._ledger.parsed([key]).get(key)
        if stored is not None:
            self._pool.submit(("open", job), "chunk_again", stored, source)
        else:
            self._pool.submit(("open", job), "open", job.step.loader, job.step.entry, "", ())

    def _divide(self, job: Job, long: Long, seconds: float) -> None:
        starts = range(0, long.pages, long.part)
        parts = [None] * len(starts)
        self._long[job.step.uri] = LongJob(
            job=job, source=long.source, parts=list(parts), pages=long.pages, seconds=seconds
        )
        for number, start in enumerate(starts):
            stop = min(start + long.part, long.pages)
            arguments = (job.step.loader, job.step.entry, long.source.digest, start, stop)
            self._pool.submit(("part", job, number), "part", *arguments)

    def _take_part(self, job: Job, reply: Reply) -> None:
        long = self._long.get(job.step.uri)
        if long is None:
            return  # another part of it has failed
        long.parts[reply.key[2]] = reply.value
        long.seconds += reply.seconds
        if any(part is None for part in long.parts):
            return
        if long.wanted():
            self._have_read(long)
        else:
            self._join(long, {})

    def _join(self, long: LongJob, replies: Mapping[str, bytes]) -> None:
        """Have its parts made into a document; they are not held here any longer."""
        self._pool.submit(("join", long.job), "join", long.source, long.joined(), replies, long.pages)
        long.parts = []

    def _have_read(self, long: LongJob) -> None:
        """Ask the service for the pages that it has to read; the reply comes like a worker's."""
        assert self._service is not None
        pool, step, digest = self._pool, long.job.step, long.source.digest
        self._reading += 1
        pool.expect()

        def make(pages: tuple[int, ...], way: str) -> Future[Payload]:
            return pool.ask("payload", step.loader, step.entry, digest, pages, way)

        def told(count: int) -> None:
            pool.deliver(Reply(key=("told", long.job), value=count, last=False))

        def done(replies: Mapping[str, bytes], error: BaseException | None) -> None:
            pool.deliver(Reply(key=("read", long.job), value=replies, error=error))

        self._progress(Event(kind="reading", uri=step.uri, total=long.to_read()))
        self._service.begin(long.wanted(), make=make, told=told, done=done)

    def _tell(self, job: Job, count: int) -> None:
        long = self._long[job.step.uri]
        long.read += count
        self._progress(Event(kind="reading", uri=job.step.uri, count=long.read, total=long.to_read()))


@contextlib.contextmanager
def recognition(work: Work, index: Index, tally: Tally) -> Iterator[Recognition | None]:
    """What asks a service for pages while the body runs, counted at its end; None where the parser wants none."""
    parser = work.assisted
    if parser is None:
        yield None
        return
    memo = Memo(index)
    service = Recognition(parser.recogniser(), memo)
    try:
        yield service
    finally:
        service.close()
        memo.close()
        tally.recognised, tally.remembered = service.recognised, service.remembered
