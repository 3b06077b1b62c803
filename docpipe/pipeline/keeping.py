"""What an owner of an index does with it: runs, plans, versions, checks. The half of `Pipe` that writes."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from docpipe.errors import InvalidOption
from docpipe.pipeline.care.doctor import Mending, examine, unlock
from docpipe.pipeline.care.findings import Examination
from docpipe.pipeline.duplicates import Duplicates, duplicates
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.history.difference import Difference, difference
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.past import NOW
from docpipe.pipeline.history.restoring import Restore, Restored
from docpipe.pipeline.history.rows import RunRow, new_run_id
from docpipe.pipeline.history.tagging import Versions, name_run, unname_run, versions
from docpipe.pipeline.ingest import planning, saved_plan
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.plan import Retry, Terms
from docpipe.pipeline.ingest.planning import Prepared
from docpipe.pipeline.ingest.pricing import check_cost
from docpipe.pipeline.ingest.readiness import require_keys
from docpipe.pipeline.ingest.saved_plan import SavedPlan
from docpipe.pipeline.report.reports import Event, FailureRow, Plan, RunReport, StatusReport
from docpipe.pipeline.report.standing import standing
from docpipe.pipeline.running import Wish, index_folder, run_once
from docpipe.pipeline.schedule.lease import Guard, hold
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.protocols import Budget
from docpipe.types import Status


class Keeping:
    """Brings an index in line with its sources and keeps it so."""

    def __init__(self, stages: Stages) -> None:
        self.stages = stages

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.stages.name

    def run(
        self,
        *,
        full: bool = False,
        limit: int | None = None,
        max_cost: float | None = None,
        max_delete: float | None = None,
        plan: str | Path | None = None,
        retry_failed: bool = False,
        stage: bool = False,
        stop: Stop | None = None,
        wait: float = 0.0,
        progress: Callable[[Event], None] | None = None,
    ) -> RunReport:
        """Bring the index in line with the sources.

        Args:
            full: parse everything again, whatever the ledger says.
            limit: work on so many documents at most; the next run goes on.
            max_cost: what services may cost, in USD; a run that is expected to cost more does nothing.
            max_delete: the share of the indexed documents that may be deleted, instead of `run.max_delete`.
            plan: the file of a plan: exactly that is done, or nothing at all where the world moved since.
            retry_failed: try failed documents although their time has not come and nothing changed.
            stage: readers stay at the version that they see until the golden questions hold on the new one.
            stop: once it is set, nothing new is begun; what is in hand is finished.
            wait: seconds to wait for another process that works on the index.
            progress: is told each step, in this thread.

        Raises:
            InvalidOption: an option makes no sense, or the run would cost more than `max_cost`.
            ConfigError: `stage`, and the pipeline has no golden questions; or `plan` is no plan.
            PlanOutdated: the pipeline, the index or a source is not what it was when the plan was made.
            Unauthorized: the key of a service is not set; the message names the variable.
            RunLocked: another run works on the same index.
            SourceError: a source cannot be listed, or so much of it is gone that it looks like a mistake.
            IndexMismatch, IndexFailed: the index is another model's, or cannot be written.
        """
        retry = Retry(every=retry_failed)
        saved = saved_plan.read(Path(plan)) if plan is not None else None
        wish = Wish(full=full, limit=limit, retry=retry, max_delete=max_delete, stage=stage, wait=wait, plan=saved)

        def require() -> None:
            self._require_keys()
            if max_cost is not None:
                check_cost(self._planned(full, limit, retry, saved).plan, max_cost)

        return run_once(self.stages, wish, require=require, stop=stop or Stop(), progress=progress)

    def retry(
        self,
        uris: Sequence[str] = (),
        *,
        stop: Stop | None = None,
        progress: Callable[[Event], None] | None = None,
    ) -> RunReport:
        """A run that tries failed documents now, whatever their waiting time; all of them, or those that are named.

        Args:
            uris: as `failures` lists them; what was left out as nobody reads it can be named, too.

        Raises:
            InvalidOption: a uri is of no document that failed or was left out.
        """
        rows = Ledger(self.stages.index).rows(uris)
        unknown = [uri for uri in uris if uri not in rows or rows[uri].status == Status.INDEXED]
        if unknown:
            raise InvalidOption(
                f"nothing failed of {', '.join(unknown)}", where="uris", remedy="`docpipe failures` lists what did"
            )
        wish = Wish(retry=Retry(every=not uris, uris=frozenset(uris)))
        return run_once(self.stages, wish, require=self._require_keys, stop=stop or Stop(), progress=progress)

    def _require_keys(self) -> None:
        stages = self.stages
        require_keys(stages.loaders, stages.parser, stages.chunker, stages.embedder)

    def plan(
        self,
        *,
        full: bool = False,
        limit: int | None = None,
        retry_failed: bool = False,
        save: str | Path | None = None,
    ) -> Plan:
        """What `run` would do, why, and what it would cost; writes nothing to the index and asks no service.

        Args:
            save: a file to keep the plan in, for `run(plan=...)`.

        Raises:
            SourceError: a source cannot be listed at all.
            ConfigError: the file cannot be written, or holds something else.
        """
        prepared = self._planned(full, limit, Retry(every=retry_failed))
        if save is not None:
            prepared.saved.write(Path(save))
        return prepared.plan

    def _planned(self, full: bool, limit: int | None, retry: Retry, saved: SavedPlan | None = None) -> Prepared:
        options = self.stages.run
        terms = Terms(now=time.time(), detect=options.detect, full=full, retry=retry)
        if saved is not None:
            terms, limit = saved.terms, saved.limit
        return planning.prepare(self.stages, options, terms, limit=limit)

    def status(self) -> StatusReport:
        """What the index holds, what waits or is stale, who is at work, and what the last runs did."""
        return standing(self.stages.index, name=self.name)

    def failures(self) -> list[FailureRow]:
        """The documents that failed, by uri."""
        return [
            FailureRow(
                uri=row.uri,
                stage=row.stage,
                error=row.failure,
                attempts=row.attempts,
                first=row.first_failed,
                last=row.last_tried,
            )
            for row in Ledger(self.stages.index).failed()
            if row.failure is not None
        ]

    def tags(self) -> Versions:
        """The runs of the index, newest first: what each changed, what it is called, whether it can be restored."""
        return versions(self.stages.index, self.stages.keep)

    def tag(self, name: str, *, run: str = "") -> RunRow:
        """Give a run a name: it can be restored until the name is taken away, whatever `keep` says.

        Args:
            run: its id or another name; unless given, the newest that came to its end.

        Raises:
            ConfigError: the name cannot be one, or names another run; there is no such run, or it did not end.
            RunLocked: another run works on the same index.
        """
        with self._alone(purpose="tag"):
            return name_run(self.stages.index, name, run=run)

    def untag(self, name: str) -> RunRow:
        """Take a name away; what it alone kept goes at the end of the next run. Raises as `tag` does."""
        with self._alone(purpose="tag"):
            return unname_run(self.stages.index, name)

    def restore(self, version: str) -> Restored:
        """Bring the index back to what it was right after a run; the next run follows the sources again.

        Readers see the index as it was until all is in. It is a run of its own, and can be undone by another one.

        Args:
            version: a name, or the id of a run.

        Raises:
            ConfigError: there is no such version, or it can no longer be restored.
            RunLocked: another run works on the same index.
            IndexFailed: the index cannot be written.
        """
        stages, own = self.stages, new_run_id(time.time(), secrets.token_hex(2))
        history = History(stages.index, run_id=own, keep=stages.keep, kind="restore")
        upkeep = Budget(max_bytes=stages.run.upkeep_mb * 2**20, max_seconds=stages.run.upkeep_seconds)
        with self._alone(own, purpose="restore") as guard:
            return Restore(stages.index, history, check=guard.check, upkeep=upkeep)(version, pipeline=self.name)

    def diff(self, before: str, after: str = NOW) -> Difference:
        """In which documents, chunks and golden questions two versions differ.

        Args:
            before: a name, the id of a run, or `now`.
            after: the same.

        Raises:
            ConfigError: there is no such version, or what it held is no longer kept.
        """
        return difference(self.stages.index, before, after)

    def duplicates(self, *, pages: bool = False) -> Duplicates:
        """Documents that are nearly the same, as the index holds them; `pages`: single pages of any documents."""
        return duplicates(self.stages.index, pipeline=self.name, pages=pages)

    def doctor(self, *, fix: bool = False) -> Examination:
        """Check that chunks, ledger, vectors, words, history, lease and disk are sound.

        Args:
            fix: repair first what can be repaired; the next run does again what was damaged.

        Raises:
            RunLocked: (with `fix`) another process writes.
            IndexFailed: (with `fix`) it cannot be written.
        """
        done: tuple[str, ...] = ()
        if fix:
            done = unlock(self.stages.index)
            with self._alone(purpose="doctor --fix") as guard:
                done += (*guard.remarks, *Mending(self.stages, check=guard.check)())
        return Examination(pipeline=self.name, findings=examine(self.stages), done=done)

    def _alone(self, run_id: str = "", *, purpose: str = "run", wait: float = 0.0) -> AbstractContextManager[Guard]:
        """Be the index's only writer, on this machine and any other, while the body runs.

        Raises:
            RunLocked: another process is; says which.
        """
        return hold(self.stages.index, index_folder(self.stages), run_id=run_id, purpose=purpose, wait=wait)
