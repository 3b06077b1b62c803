"""Sources -> an index in line with them: the runner."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import islice

from docpipe import _ids
from docpipe.errors import EmbedError, ServiceError, SourceTooLarge, UnreadableSource, UnsupportedMedia, failure
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest import saved_plan
from docpipe.pipeline.ingest.account import MOST_NAMED, account, report_of
from docpipe.pipeline.ingest.attached import Guard, Keeps, RunStages, Stopping, Unattended, work_of
from docpipe.pipeline.ingest.boilerplate import CommonLines
from docpipe.pipeline.ingest.committing import Committing
from docpipe.pipeline.ingest.in_hand import (
    Commit,
    Ended,
    Item,
    Job,
    Tally,
    as_listed,
    as_read,
    counted,
    written_outcome,
)
from docpipe.pipeline.ingest.inside import Opening
from docpipe.pipeline.ingest.journal import Journal
from docpipe.pipeline.ingest.ledger import Ledger, in_hand, in_hand_row, new_row, parsed_key, parsed_row
from docpipe.pipeline.ingest.migration import move
from docpipe.pipeline.ingest.paid_vectors import PaidVectors
from docpipe.pipeline.ingest.plan import Action, Retry, Step, Terms, is_racy
from docpipe.pipeline.ingest.pricing import Spending
from docpipe.pipeline.ingest.reading import Reading, recognition
from docpipe.pipeline.ingest.recognition import ENDS_THE_RUN, tried_again
from docpipe.pipeline.ingest.saved_plan import SavedPlan
from docpipe.pipeline.ingest.survey import Survey, check_deletions, stamp_of, survey
from docpipe.pipeline.ingest.writing import BatchWriter
from docpipe.pipeline.processes.work import Parsed, Unchanged
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.pipeline.report.reports import Event, Holds, RunReport
from docpipe.protocols import Budget
from docpipe.types import Failure, Outcome, Status

_AHEAD = 4
"""Calls per worker that wait or run at once."""
_FETCHED = 64
"""Steps whose ledger rows and stored documents are fetched together."""
_DELETED = 1024
"""Documents that are deleted in one commit."""
_NOBODY = Unattended()
_AS_DUE = Retry()


class Run:
    """One run over a pipeline's sources. Call it once.

    Args:
        run_id: names the run in its report, and in the ledger's rows of what it wrote.
        guard: asked before every commit whether this process may still write.
        stop: once it has a reason, nothing new is begun; what is in hand is finished.
        history: keeps what is replaced.
        full: parse everything again, whatever the ledger says.
        limit: work on so many documents at most.
        retry: failed documents that are tried although their time has not come.
    """

    def __init__(
        self,
        stages: RunStages,
        options: RunOptions,
        *,
        run_id: str = "",
        guard: Guard = _NOBODY,
        stop: Stopping = _NOBODY,
        history: Keeps = _NOBODY,
        full: bool = False,
        limit: int | None = None,
        retry: Retry = _AS_DUE,
        plan: SavedPlan | None = None,
        progress: Callable[[Event], None] | None = None,
    ) -> None:
        self._stages, self._options, self._run_id = stages, options, run_id
        self._guard, self._stop, self._history = guard, stop, history
        self._full, self._retry, self._plan = full, retry, plan
        self._limit = limit if plan is None else plan.limit
        self._progress = progress or (lambda event: None)
        self._ledger = Ledger(stages.index)
        self._stamp = stamp_of(stages.parser, stages.chunker, options, stages.loaders)
        self._tally = Tally()
        self._begun: set[str] = set()
        """Sources that were begun and have not ended."""
        self._fed = 0
        self._waiting: Sequence[Step] = ()
        """Steps that were not begun."""
        self._done = 0
        self._total = 0
        self._ended: ServiceError | None = None
        """Why nothing more is begun: what no document can change."""

    def __call__(self, name: str) -> RunReport:
        """Bring the index in line with the sources.

        Args:
            name: the pipeline's, for the report.

        Raises:
            SourceError: a source cannot be listed at all, or too much of it is gone.
            PlanOutdated: something is not as it was when the plan was made. Nothing was done.
            IndexMismatch, IndexFailed: the index is not this pipeline's, or cannot be written.
            LeaseLost: another process took the index over.
            Unauthorized, OutOfCredit, ServiceError: a service that every document needs cannot be used. What was
                finished is kept, the rest stays as it was.
        """
        self._started, begun = time.time(), time.monotonic()
        self._spending = Spending()
        found = self._listed()
        self._tally.seconds["list"] = time.monotonic() - begun
        self._count_what_stays(found)
        self._waiting = found.work
        if self._opened() and found.work:
            self._work(found)
        self._delete_vanished(found)
        self._keep_up()
        report = self._report(name, found, seconds=time.monotonic() - begun)
        if self._ended is not None:
            self._ended.add_note(f"{self._done} of {self._total} documents were finished before; run again to go on")
            raise self._ended
        return report

    def _listed(self) -> Survey:
        """What there is to do. Rows of an index that is gone are forgotten, once it is known that it may be written."""
        lost = not self._stages.index.versions()
        if not lost and not self._ledger.table.count():
            self._adopt()
        today = Terms(now=self._started, detect=self._options.detect, full=self._full, retry=self._retry)
        terms = today if self._plan is None else self._plan.terms
        with Opening(work_of(self._stages), self._options) as opening:
            found = survey(self._stages.loaders, None if lost else self._ledger, self._stamp, terms, opening)
        if self._plan is not None:
            of_now = saved_plan.of(self._stages, self._options, self._ledger, found, terms, limit=self._limit)
            self._plan.check(of_now)
        check_deletions(found, self._options)
        self._guard.check()
        self._history.begin(self._started, base=lost)
        if lost:
            self._ledger.remove(self._ledger.uris())
        self._tally.pages.before = self._ledger.pages()
        return found

    def _adopt(self) -> None:
        """Where the ledger's table is lost, every document of the index counts as one that a run had in hand."""
        held = self._stages.index.document_ids()
        self._guard.check()
        self._ledger.put([in_hand_row(shelved.uri, key) for key, shelved in held.items()])

    def _opened(self) -> bool:
        """Whether the index is of this pipeline's embedder, be it by now; else the move to it was stopped."""
        stages, tally = self._stages, self._tally
        moved = move(
            stages.index,
            stages.embedder,
            made_by=stages.made_by,
            guard=self._guard,
            stop=self._stop,
            progress=self._progress,
        )
        tally.embedded += moved.embedded
        tally.seconds["embed"] += moved.seconds
        if moved.complete:
            stages.index.open(model=stages.embedder.model, dim=stages.embedder.dim, made_by=stages.made_by)
        return moved.complete

    def _count_what_stays(self, found: Survey) -> None:
        self._tally.counts[Status.UNCHANGED] += found.unchanged
        for outcome in found.outcomes:
            self._tally.add(outcome)
        rows = self._ledger.rows([step.uri for step in found.remaining])
        for step in found.remaining:
            row = rows.get(step.uri)
            status = Status.FAILED if step.action is Action.REMAIN_FAILED else Status.IGNORED
            self._tally.add(Outcome(uri=step.uri, status=status, error=row.failure if row else None))

    def _work(self, found: Survey) -> None:
        stages, options = self._stages, self._options
        steps = found.work if self._limit is None else found.work[: self._limit]
        self._total, self._moves = len(steps), found.moves
        self._progress(Event(kind="found", total=self._total))
        work = work_of(stages)
        self._parses = Journal(self._ledger.parsed_table, key="key")
        vectors = PaidVectors(stages.index, model=stages.embedder.model)
        writer = BatchWriter(
            index=stages.index,
            embedder=stages.embedder,
            ledger=self._ledger,
            stamp=self._stamp,
            run_id=self._run_id,
            parses=self._parses,
            vectors=vectors,
            history=self._history,
            guard=self._guard,
        )
        try:
            with (
                WorkerPool(work, size=options.processes, limits=options.limits) as pool,
                ThreadPoolExecutor(1, "docpipe-writer") as executor,
                recognition(work, stages.index, self._tally) as service,
            ):
                reading = Reading(
                    pool,
                    ledger=self._ledger,
                    stamp=self._stamp,
                    service=service,
                    ahead=options.processes * _AHEAD,
                    full=self._full,
                    progress=self._progress,
                )
                reading.know({step.entry.size for step in steps if step.entry})
                self._committing = Committing(writer, executor, most=options.batch_chunks, settle=self._settle)
                try:
                    self._drive(pool, reading, self._jobs(steps))
                except BaseException:
                    writer.stop()  # what is being written is given up; what was committed stays
                    raise
        finally:
            try:
                self._parses.close()
            finally:
                vectors.close()
        self._waiting = found.work[self._fed :]
        if not self._waiting and not self._tally.waiting and self._ended is None:
            vectors.forget()

    def _drive(self, pool: WorkerPool, reading: Reading, jobs: Iterator[Job]) -> None:
        self._feed(reading, jobs)
        for reply in pool.replies():
            self._tally.seconds["parse"] += reply.seconds
            ended = reading.take(reply)
            if ended is not None:
                self._receive(ended)
            self._feed(reading, jobs)
            self._committing.turn()
            self._ended = self._ended or self._committing.ended
        self._committing.finish()
        self._ended = self._ended or self._committing.ended

    def _jobs(self, steps: Sequence[Step]) -> Iterator[Job]:
        for start in range(0, len(steps), _FETCHED):
            some = steps[start : start + _FETCHED]
            rows = self._ledger.rows([step.uri for step in some if step.row])
            again = [rows[step.uri] for step in some if step.action is Action.RECHUNK and step.uri in rows]
            keys = {row.uri: parsed_key(row.digest, self._stamp.parse, row.media_type) for row in again}
            documents = self._ledger.parsed(list(keys.values()))
            for step in some:
                row = rows.get(step.uri) or new_row(step.uri, _ids.document_id(step.uri))
                yield Job(step=step, row=row, stored=documents.get(keys.get(step.uri, ""), b""))

    def _feed(self, reading: Reading, jobs: Iterator[Job]) -> None:
        while self._may_begin and reading.has_room and (job := next(jobs, None)) is not None:
            self._fed += 1
            self._begun.add(job.step.uri)
            self._progress(Event(kind="started", uri=job.step.uri, count=self._done, total=self._total))
            reading.begin(replace(job, began=int(time.time())))

    @property
    def _may_begin(self) -> bool:
        return self._ended is None and not self._stop.reason

    def _receive(self, ended: Ended) -> None:
        """A file was read: have it written, or put down why not."""
        job, result = ended.job, ended.result
        if isinstance(result, ENDS_THE_RUN):
            self._ended = result  # the document stays as it was
            self._wait_with(job)
        elif isinstance(result, BaseException):
            self._fail(job, result, ended.seconds)
        elif isinstance(result, Unchanged):
            self._touch(job, result)
        else:
            self._parses.keep([parsed_row(result.source, self._stamp, result.stored)] if result.stored else [])
            self._committing.add(Item(result, self._as_renamed(job, result), ended.seconds))

    def _touch(self, job: Job, result: Unchanged) -> None:
        source, row = as_read(job, result.source), job.row
        is_touched = (row.size, row.modified) != (source.size, source.modified)
        self._tally.touched += is_touched
        if is_touched or is_racy(row.modified, row.last_tried, job.began) or row.members != job.step.members:
            row = replace(row, size=source.size, modified=source.modified, members=job.step.members)
            self._committing.put(replace(row, last_tried=job.began))
        self._finish(Outcome(uri=job.step.uri, status=Status.UNCHANGED))

    def _as_renamed(self, job: Job, parsed: Parsed) -> Job:
        """The job with the source that it was before under another name, if there is one."""
        if job.step.action not in (Action.ADD, Action.RENAME):
            return job
        gone = self._moves.claim(parsed.source.digest, job.step.uri)
        return job if gone is None else replace(job, renamed_from=self._ledger.rows([gone.uri]).get(gone.uri))

    def _fail(self, job: Job, error: BaseException, seconds: float) -> None:
        status = Status.IGNORED if isinstance(error, UnsupportedMedia) else Status.FAILED
        stage = "load" if isinstance(error, (UnreadableSource, SourceTooLarge)) else "parse"
        what = replace(failure(error, stage=stage), stage=stage, retryable=tried_again(error))
        self._record_failure(job, what, status, seconds)

    def _record_failure(self, job: Job, what: Failure, status: Status, seconds: float) -> None:
        row = counted(job.row, self._stages.index).failed(
            what, status=status, source=as_listed(job), by=self._stamp, now=int(time.time())
        )
        row = replace(row, members=job.step.members)
        if status == Status.IGNORED and row.chunks:  # it is another kind of file now: what it was is gone
            self._committing.drop(job.row)
            self._tally.pages.ignored += row.pages
            row = replace(row, chunks=0, tokens=0, pages=0, ocr_pages="", characters=0, covered=0, left_out="")
        self._committing.put(row)
        self._tally.waiting += job.renamed_from is not None  # what it was before stays until the next run
        self._finish(Outcome(uri=job.step.uri, status=status, error=what, seconds=seconds))

    def _wait_with(self, job: Job) -> None:
        """The document stays as it was, for the next run, under its old name if it has a new one."""
        self._begun.discard(job.step.uri)
        self._tally.waiting += len(job.before)

    def _finish(self, outcome: Outcome) -> None:
        self._done += 1
        self._begun.discard(outcome.uri)
        self._tally.add(outcome)
        self._progress(Event(kind="outcome", uri=outcome.uri, count=self._done, total=self._total, outcome=outcome))

    def _settle(self, commit: Commit) -> None:
        """A batch was written, or was not."""
        result = commit.result
        if result is None or isinstance(result, ENDS_THE_RUN):
            for item in commit.items:
                self._wait_with(item.job)
            return
        if isinstance(result, (EmbedError, ServiceError)):
            what = replace(failure(result, stage="embed"), retryable=tried_again(result))
            for item in commit.items:
                self._record_failure(item.job, what, Status.FAILED, item.seconds)
            return
        tally = self._tally
        tally.chunks += result.chunks
        tally.embedded += result.embedded
        tally.reused += result.reused
        tally.seconds["embed"] += result.embed_seconds
        tally.seconds["index"] += result.index_seconds
        self._progress(Event(kind="embedded", count=result.embedded, seconds=result.embed_seconds))
        for item in commit.items:
            outcome = written_outcome(item)
            tally.add_written(item, outcome)
            self._finish(outcome)
        self._progress(Event(kind="committed", count=len(commit.items), seconds=result.index_seconds))

    def _delete_vanished(self, found: Survey) -> None:
        """Delete what is gone and lives on under no other name; what the run did not come to waits."""
        self._tally.waiting += len(self._waiting)
        sure = found.moves.left(found.deleted, waiting=self._waiting)
        check_deletions(found, self._options, deleted=sure)
        self._tally.waiting += len(found.moves.left(found.deleted)) - len(sure)
        steps = iter(sure)
        while not self._stop.reason and (some := list(islice(steps, _DELETED))):
            self._delete(some)
        self._tally.waiting += sum(1 for _ in steps)

    def _delete(self, steps: Sequence[Step]) -> None:
        rows = self._ledger.rows([step.uri for step in steps])
        self._guard.check()
        pairs = [(uri, row.document_id) for uri, row in rows.items()]
        self._history.note(pairs, {uri: asdict(row) for uri, row in rows.items()})
        self._guard.check()
        self._ledger.put([in_hand(row) for row in rows.values()])
        self._guard.check()
        self._stages.index.delete([row.document_id for row in rows.values()])
        self._guard.check()
        self._ledger.remove(list(rows))
        self._tally.pages.deleted += sum(row.pages for row in rows.values())
        for step in steps:
            self._tally.add(Outcome(uri=step.uri, status=Status.DELETED))

    @property
    def _changed(self) -> bool:
        counts = self._tally.counts
        written = counts[Status.INDEXED] or counts[Status.UPDATED] or counts[Status.DELETED]
        return bool(written or self._tally.chunks or self._tally.embedded)

    def _keep_up(self) -> None:
        """Upkeep of the index; where nothing changed, sample rows are asked for all the same: files can be damaged.

        A stopped run has no time for it. No parsed document is kept that nothing refers to.
        """
        if self._stop.reason:
            return
        self._progress(Event(kind="maintenance"))
        begun = time.monotonic()
        if self._changed and not self._tally.waiting:
            self._guard.check()
            self._ledger.forget_parsed(self._stamp, self._history.kept_digests())
            CommonLines(self._stages.index).write(self._ledger)
        options = self._options
        budget = Budget(max_bytes=options.upkeep_mb * 2**20, max_seconds=options.upkeep_seconds)
        upkept = self._stages.index.optimize(budget)
        self._tally.upkeep = (*upkept.done, *upkept.skipped)
        self._tally.seconds["index"] += time.monotonic() - begun

    def _report(self, name: str, found: Survey, *, seconds: float) -> RunReport:
        totals, index = self._ledger.totals(), self._stages.index
        uncovered = self._ledger.rows(totals.gaps[:MOST_NAMED])
        discovered = found.listed + len(found.deleted) - self._tally.renamed
        lost = sorted(self._begun)
        return report_of(
            name,
            self._tally,
            self._spending.so_far(),
            run_id=self._run_id,
            started=self._started,
            ended=time.time(),
            seconds=round(seconds, 3),
            version=index.versions(),
            stale=totals.stale,
            stopped=self._stop.reason,
            account=account(self._tally, totals, discovered=discovered, lost=lost, uncovered=uncovered),
            holds=Holds(documents=totals.indexed + totals.stale, chunks=totals.chunks, bytes=self._bytes()),
        )

    def _bytes(self) -> int:
        """Size of the index; where nothing changed, what the last run said, since to measure it takes its time."""
        last = {} if self._changed else self._history.last_run()
        known = int(last.get("holds", {}).get("bytes", 0))
        return known or self._stages.index.stats().bytes
