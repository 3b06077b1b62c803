"""Sources -> an index in line with them: the runner."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from docpipe import _ids
from docpipe.errors import EmbedError, ServiceError, SourceTooLarge, UnreadableSource, UnsupportedMedia, failure
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.in_hand import Commit, Job, LongJob, Tally, as_listed, written_outcome
from docpipe.pipeline.ingest.ledger import Ledger, Row, Stamp, new_row
from docpipe.pipeline.ingest.memo import Memo
from docpipe.pipeline.ingest.plan import Action, Step
from docpipe.pipeline.ingest.pricing import Spending
from docpipe.pipeline.ingest.recognition import ENDS_THE_RUN, MOST_IN_A_ROW, Recognition, tried_again
from docpipe.pipeline.ingest.survey import Survey, check_deletions, stamp_of, survey
from docpipe.pipeline.ingest.writing import BatchWriter, Written
from docpipe.pipeline.processes.work import Asking, Long, Parsed, Unchanged, Work
from docpipe.pipeline.processes.workers import Reply, WorkerPool
from docpipe.pipeline.report.reports import Event, RunReport
from docpipe.protocols import Chunker, Embedder, Index, Loader, Parser, Payload
from docpipe.types import Failure, Outcome, Status

_AHEAD = 4
"""Calls per worker that wait or run at once."""
_MOST_READING = 64
"""Files of which a service reads pages at once, about."""
_FETCHED = 64
"""Steps whose ledger rows and stored documents are fetched together."""
_EARLY_CHUNKS = 512
"""A batch of a slow embedder, so that it works while files are still being parsed."""
_SLOW_SECONDS = 2.0
"""A batch that took longer was slow; quick ones are made large, since each commit has a cost of its own."""
_COMMIT_SECONDS = 20.0
"""A batch is committed after this time even if it is small."""


class RunStages(Protocol):
    """The stages a run needs, as `build` makes them."""

    @property
    def loaders(self) -> Sequence[Loader]:
        """Where documents come from."""
        ...

    @property
    def parser(self) -> Parser:
        """Blob -> Document."""
        ...

    @property
    def chunker(self) -> Chunker:
        """Document -> Chunks."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Texts -> vectors."""
        ...

    @property
    def index(self) -> Index:
        """Where the rows go."""
        ...


class Run:
    """One run over a pipeline's sources. Call it once."""

    def __init__(
        self,
        stages: RunStages,
        options: RunOptions,
        *,
        full: bool = False,
        limit: int | None = None,
        progress: Callable[[Event], None] | None = None,
    ) -> None:
        self._stages = stages
        self._options = options
        self._full = full
        self._limit = limit
        self._progress = progress or (lambda event: None)
        self._tally = Tally()
        self._long: dict[str, LongJob] = {}
        self._batch: list[tuple[Parsed, Job, float]] = []
        self._batch_chunks = 0
        self._batch_since = time.monotonic()
        self._wanted = min(_EARLY_CHUNKS, options.batch_chunks)
        self._writing: Future[list[Commit]] | None = None
        self._touched: list[Row] = []
        self._done = 0
        self._total = 0
        self._reading = 0
        self._ended: ServiceError | None = None
        """Why nothing more is begun: what no document can change."""
        self._silent = 0
        """Batches in a row that a service failed to embed."""
        self._no_vectors = False
        """It is not asked again: documents that are not written stay as they were."""

    def __call__(self, name: str) -> RunReport:
        """Bring the index in line with the sources.

        Args:
            name: the pipeline's, for the report.

        Raises:
            SourceError: a source cannot be listed at all, or too much of it is gone.
            IndexMismatch, IndexFailed: the index is not this pipeline's, or cannot be written.
            Unauthorized, OutOfCredit, ServiceError: a service that every document needs cannot be used. What was
                finished is kept, the rest stays as it was.
        """
        started = time.monotonic()
        self._spending = Spending()
        stages = self._stages
        lost = not stages.index.versions()
        stages.index.open(model=stages.embedder.model, dim=stages.embedder.dim)
        self._ledger = Ledger(stages.index)
        if lost:  # whatever the ledger says of chunks, they are gone
            self._ledger.remove({uri: row.document_id for uri, row in self._ledger.known().items()})
        self._stamp: Stamp = stamp_of(stages.parser, stages.chunker, self._options)
        known = self._ledger.known()
        found = survey(stages.loaders, known, self._stamp, full=self._full)
        check_deletions(found, len(known), self._options)
        self._tally.seconds["list"] = time.monotonic() - started
        self._count_what_stays(found)
        if found.work:
            self._work(found.work if self._limit is None else found.work[: self._limit])
        self._delete(found.deleted)
        if self._tally.chunks or found.deleted:
            self._progress(Event(kind="maintenance"))
            begun = time.monotonic()
            stages.index.optimize()
            self._tally.seconds["index"] += time.monotonic() - begun
        report = self._report(name, time.monotonic() - started)
        if self._ended is not None:
            self._ended.add_note(f"{self._done} of {self._total} documents were finished before; run again to go on")
            raise self._ended
        return report

    def _count_what_stays(self, found: Survey) -> None:
        self._tally.counts[Status.UNCHANGED] += found.unchanged
        for outcome in found.outcomes:
            self._tally.add(outcome)
        rows = self._ledger.rows([step.uri for step in found.remaining])
        for step in found.remaining:
            row = rows.get(step.uri)
            status = Status.FAILED if step.action is Action.REMAIN_FAILED else Status.IGNORED
            self._tally.add(Outcome(uri=step.uri, status=status, error=row.failure if row else None))

    def _work(self, steps: Sequence[Step]) -> None:
        stages, options = self._stages, self._options
        self._total = len(steps)
        self._progress(Event(kind="found", total=self._total))
        work = Work(loaders=tuple(stages.loaders), parser=stages.parser, chunker=stages.chunker)
        size = options.processes
        self._writer = BatchWriter(index=stages.index, embedder=stages.embedder, ledger=self._ledger, stamp=self._stamp)
        with (
            WorkerPool(work, size=size, limits=options.limits) as pool,
            ThreadPoolExecutor(1, "docpipe-writer") as executor,
            self._recognition(work),
        ):
            try:
                self._drive(pool, executor, self._jobs(steps), size * _AHEAD)
            except BaseException:
                self._writer.stop()  # what is being written is given up; what was committed stays
                raise

    @contextlib.contextmanager
    def _recognition(self, work: Work) -> Iterator[None]:
        """What asks a service for pages, where the parser wants that."""
        parser = work.assisted
        if parser is None:
            yield
            return
        memo = Memo(self._stages.index)
        self._service = Recognition(parser.recogniser(), memo)
        try:
            yield
        finally:
            self._service.close()
            memo.close()
            self._tally.recognised, self._tally.remembered = self._service.recognised, self._service.remembered

    def _drive(self, pool: WorkerPool, executor: ThreadPoolExecutor, jobs: Iterator[Job], ahead: int) -> None:
        self._feed(pool, jobs, ahead)
        for reply in pool.replies():
            self._receive(pool, reply)
            self._feed(pool, jobs, ahead)
            if self._writing is not None and self._writing.done():
                self._await_writing()
            if self._batch_is_full():
                self._flush(executor)
        self._flush(executor)
        self._await_writing()

    def _jobs(self, steps: Sequence[Step]) -> Iterator[Job]:
        for start in range(0, len(steps), _FETCHED):
            some = steps[start : start + _FETCHED]
            rows = self._ledger.rows([step.uri for step in some if step.row])
            ids = [rows[step.uri].document_id for step in some if step.action is Action.RECHUNK and step.uri in rows]
            documents = self._ledger.documents(ids) if ids else {}
            for step in some:
                row = rows.get(step.uri) or new_row(step.uri, _ids.document_id(step.uri))
                kept = documents.get(row.document_id)
                sound = kept and (kept["digest"], kept["parsed_by"]) == (row.digest, self._stamp.parse)
                yield Job(step=step, row=row, stored=kept["data"] if kept and sound else b"")

    def _feed(self, pool: WorkerPool, jobs: Iterator[Job], ahead: int) -> None:
        while self._ended is None and self._has_room(pool, ahead) and (job := next(jobs, None)) is not None:
            assert job.step.entry is not None
            self._progress(Event(kind="started", uri=job.step.uri, count=self._done, total=self._total))
            if job.stored:
                source = as_listed(job)
                pool.submit(("open", job), "chunk_again", job.stored, source)
            else:
                pool.submit(("open", job), "open", job.step.loader, job.step.entry, self._expected_digest(job))

    def _has_room(self, pool: WorkerPool, ahead: int) -> bool:
        return pool.pending - self._reading < ahead and self._reading < _MOST_READING

    def _expected_digest(self, job: Job) -> str:
        """The digest that means "only touched", or nothing where the file must be parsed whatever it holds."""
        row = job.row
        same_stages = row.status == Status.INDEXED and row.chunked_by == self._stamp.chunk
        return row.digest if same_stages and not self._full else ""

    def _receive(self, pool: WorkerPool, reply: Reply) -> None:
        kind, job = reply.key[0], reply.key[1]
        self._tally.seconds["parse"] += reply.seconds
        if kind == "told":
            self._tell(job, reply.value)
            return
        if kind == "read":
            self._reading -= 1
        if isinstance(reply.error, ENDS_THE_RUN):
            self._ended = reply.error  # the document stays as it was
            self._long.pop(job.step.uri, None)
        elif reply.error is not None:
            if kind == "part" and self._long.pop(job.step.uri, None) is None:
                return  # another part of the same file has failed before
            self._fail(job, reply.error, reply.seconds)
        elif kind == "part":
            self._receive_part(pool, job, reply)
        elif kind == "read":
            self._join(pool, self._long[job.step.uri], reply.value)
        elif isinstance(reply.value, Asking):
            asking = reply.value
            long = LongJob(job=job, source=asking.source, parts=[asking.part], seconds=reply.seconds)
            self._long[job.step.uri] = long
            self._have_read(pool, long)
        elif isinstance(reply.value, Long):
            self._divide(pool, job, reply.value, reply.seconds)
        elif isinstance(reply.value, Unchanged):
            source = reply.value.source
            self._touched.append(replace(job.row, size=source.size, modified=source.modified))
            self._finish(Outcome(uri=job.step.uri, status=Status.UNCHANGED))
        else:
            spent = reply.seconds + (self._long.pop(job.step.uri).seconds if kind == "join" else 0.0)
            self._batch.append((reply.value, job, spent))
            self._batch_chunks += len(reply.value.chunks)

    def _divide(self, pool: WorkerPool, job: Job, long: Long, seconds: float) -> None:
        starts = range(0, long.pages, long.part)
        self._long[job.step.uri] = LongJob(job=job, source=long.source, parts=[None] * len(starts), seconds=seconds)
        for number, start in enumerate(starts):
            stop = min(start + long.part, long.pages)
            pool.submit(("part", job, number), "part", job.step.loader, job.step.entry, long.source.digest, start, stop)

    def _receive_part(self, pool: WorkerPool, job: Job, reply: Reply) -> None:
        long = self._long.get(job.step.uri)
        if long is None:
            return  # another part of it has failed
        long.parts[reply.key[2]] = reply.value
        long.seconds += reply.seconds
        if any(part is None for part in long.parts):
            return
        if long.wanted():
            self._have_read(pool, long)
        else:
            self._join(pool, long, {})

    def _join(self, pool: WorkerPool, long: LongJob, replies: Mapping[str, bytes]) -> None:
        """Have its parts made into a document; they are not held here any longer."""
        pool.submit(("join", long.job), "join", long.source, long.joined(), replies)
        long.parts = []

    def _have_read(self, pool: WorkerPool, long: LongJob) -> None:
        """Ask the service for the pages that it has to read; the reply comes like a worker's."""
        step, digest = long.job.step, long.source.digest
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

    def _fail(self, job: Job, error: BaseException, seconds: float) -> None:
        self._long.pop(job.step.uri, None)
        status = Status.IGNORED if isinstance(error, UnsupportedMedia) else Status.FAILED
        stage = "load" if isinstance(error, (UnreadableSource, SourceTooLarge)) else "parse"
        what = replace(failure(error, stage=stage), stage=stage, retryable=tried_again(error))
        self._record_failure(job, what, status, seconds)

    def _record_failure(self, job: Job, what: Failure, status: Status, seconds: float) -> None:
        row = job.row.failed(what, status=status, source=as_listed(job), by=self._stamp, now=int(time.time()))
        if status == Status.IGNORED and row.chunks:  # it is another kind of file now: what it was is gone
            self._stages.index.delete([row.document_id])
            row = replace(row, chunks=0, tokens=0, pages=0, ocr_pages="")
        self._touched.append(row)
        self._finish(Outcome(uri=job.step.uri, status=status, error=what, seconds=seconds))

    def _finish(self, outcome: Outcome) -> None:
        self._done += 1
        self._tally.add(outcome)
        self._progress(Event(kind="outcome", uri=outcome.uri, count=self._done, total=self._total, outcome=outcome))

    def _batch_is_full(self) -> bool:
        if not self._batch:
            return False
        if self._batch_chunks >= self._options.batch_chunks:
            return True
        waited = time.monotonic() - self._batch_since > _COMMIT_SECONDS
        return self._writing is None and (self._batch_chunks >= self._wanted or waited)

    def _flush(self, executor: ThreadPoolExecutor) -> None:
        """Write the batch while the workers go on; one batch is written at a time."""
        self._await_writing()
        batch, self._batch, self._batch_chunks = self._batch, [], 0
        if batch and not self._no_vectors:
            self._writing = executor.submit(self._write, batch)
        self._batch_since = time.monotonic()

    def _await_writing(self) -> None:
        """Account for the batch that was being written, and put down what else the ledger should know."""
        if self._writing is not None:
            commits, self._writing = self._writing.result(), None
            for commit in commits:
                self._account(commit)
        touched, self._touched = self._touched, []
        self._ledger.put(touched)

    def _write(self, batch: Sequence[tuple[Parsed, Job, float]]) -> list[Commit]:
        """In the writer's thread: touches nothing of this run but the index."""
        try:
            return [Commit(batch, self._write_some(batch))]
        except (EmbedError, ServiceError) as error:
            if len(batch) == 1 or isinstance(error, ServiceError):
                return [Commit(batch, error)]
            # One text that cannot be embedded must not cost its neighbours.
            return [commit for item in batch for commit in self._write([item])]

    def _write_some(self, batch: Sequence[tuple[Parsed, Job, float]]) -> Written:
        return self._writer.write([(parsed, job.row) for parsed, job, _ in batch], now=int(time.time()))

    def _account(self, commit: Commit) -> None:
        if isinstance(commit.result, ServiceError):
            self._silent += 1
            if isinstance(commit.result, ENDS_THE_RUN) or self._silent >= MOST_IN_A_ROW:
                self._ended, self._no_vectors = commit.result, True
            if isinstance(commit.result, ENDS_THE_RUN):
                return
        if isinstance(commit.result, (EmbedError, ServiceError)):
            what = replace(failure(commit.result, stage="embed"), retryable=tried_again(commit.result))
            for _, job, seconds in commit.items:
                self._record_failure(job, what, Status.FAILED, seconds)
            return
        self._silent = 0
        tally, written = self._tally, commit.result
        tally.chunks += written.chunks
        tally.embedded += written.embedded
        tally.reused += written.reused
        tally.seconds["embed"] += written.embed_seconds
        tally.seconds["index"] += written.index_seconds
        slow = written.embed_seconds + written.index_seconds > _SLOW_SECONDS
        self._wanted = min(_EARLY_CHUNKS if slow else self._options.batch_chunks, self._options.batch_chunks)
        self._progress(Event(kind="embedded", count=written.embedded))
        for parsed, job, seconds in commit.items:
            tally.pages += parsed.pages if parsed.stored else 0
            self._finish(written_outcome(parsed, job, seconds))
        self._progress(Event(kind="committed", count=len(commit.items)))

    def _delete(self, steps: Sequence[Step]) -> None:
        if not steps:
            return
        ids = {step.uri: step.row.document_id for step in steps if step.row}
        self._stages.index.delete(list(ids.values()))
        self._ledger.remove(ids)
        for step in steps:
            self._tally.add(Outcome(uri=step.uri, status=Status.DELETED))

    def _report(self, name: str, seconds: float) -> RunReport:
        tally, spent = self._tally, self._spending.so_far()
        counts: Mapping[str, Any] = {status.value: count for status, count in tally.counts.items()}
        report = RunReport(
            pipeline=name,
            **counts,
            pages=tally.pages,
            ocr_pages=sum(len(item.pages) for item in tally.needs_ocr),
            chunks=tally.chunks,
            embedded=tally.embedded,
            reused=tally.reused,
            seconds=round(seconds, 3),
            version=self._stages.index.versions(),
            failures=tuple(tally.failures),
            left_out=tuple(tally.left_out),
            needs_ocr=tuple(tally.needs_ocr),
            recognised=tally.recognised,
            remembered=tally.remembered,
            cost_usd=spent.usd,
            requests=spent.requests,
            tokens=spent.tokens,
            remarks=spent.remarks,
            stage_seconds={stage: round(spent, 3) for stage, spent in tally.seconds.items()},
        )
        if self._done or tally.counts[Status.DELETED] or spent.requests:
            self._ledger.keep_run(report)
        return report
