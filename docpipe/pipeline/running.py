"""What was asked of a run -> the run, from its lease to its report."""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from docpipe.errors import DocpipeError, InvalidOption, failure
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.golden.questions import Question
from docpipe.pipeline.golden.staging import Known, golden, judged, known, required, told
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.rows import new_run_id
from docpipe.pipeline.ingest.attached import Stopping
from docpipe.pipeline.ingest.plan import Retry
from docpipe.pipeline.ingest.pricing import Spending
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.ingest.saved_plan import SavedPlan
from docpipe.pipeline.report.reports import Event, RunReport
from docpipe.pipeline.report.traces import Traces
from docpipe.pipeline.schedule.lease import Guard, LeaseLost, hold
from docpipe.pipeline.schedule.stopping import Stop


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked of a run."""

    full: bool = False
    limit: int | None = None
    retry: Retry = field(default_factory=Retry)
    max_delete: float | None = None
    """Instead of the pipeline's `run.max_delete`."""
    stage: bool = False
    """Readers stay where they are until the golden questions hold."""
    wait: float = 0.0
    """Seconds to wait for another process that works on the index."""
    plan: SavedPlan | None = None
    """What is to be done exactly; it has its own `full`, `limit` and `retry`."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InvalidOption(
                f"limit must be at least 1, got {self.limit}", where="limit", remedy="ask for 1 or more"
            )
        if self.plan is not None and (self.full or self.limit is not None or self.retry != Retry()):
            raise InvalidOption(
                "a plan says by itself what is worked on",
                where="plan",
                remedy="give full, limit and retry_failed when you make the plan",
            )
        if self.max_delete is not None and not 0 <= self.max_delete <= 1:
            raise InvalidOption(
                f"max_delete is a share from 0 to 1, got {self.max_delete:g}", where="max_delete", remedy="1 allows all"
            )


def run_once(
    stages: Stages,
    wish: Wish,
    *,
    require: Callable[[], None],
    stop: Stop,
    progress: Callable[[Event], None] | None,
) -> RunReport:
    """Hold the lease, run, ask the golden questions, let readers see it, and leave reports. Raises as `Keeping.run`.

    Args:
        require: raises where the run must not begin; that is reported, too.
    """
    own = new_run_id(time.time(), secrets.token_hex(2))
    with Traces(stages, run_id=own, progress=progress) as traces:
        require()
        questions = required(stages) if wish.stage else golden(stages)
        with hold(stages.index, index_folder(stages), run_id=own, wait=wish.wait, stop=stop) as guard:
            history = History(stages.index, run_id=own, keep=stages.keep)
            with _remembered(history):
                staged, still = wish.stage and stages.index.versions() > 0, known(stages, questions)
                with _held(stages, guard) if staged else contextlib.nullcontext():
                    version = stages.index.versions()
                    report = _run(stages, wish, own, guard=guard, stop=stop, history=history, progress=traces)
                still = still if stages.index.versions() == version else None
                judge = _judged if staged else _published
                report = judge(stages, report, questions, guard, still)
                report = replace(report, remarks=(*report.remarks, *guard.remarks), ended=time.time())
                guard.check()
                history.finish(report)
        return traces.leave(report)


@contextlib.contextmanager
def _remembered(history: History) -> Iterator[None]:
    """What ends the run before its end stands in the history, with what was spent."""
    spending = Spending()
    try:
        yield
    except LeaseLost:
        raise  # the history is another's to write now
    except Exception as error:
        history.break_off(failure(error, stage="run"), cost_usd=spending.so_far().usd, now=time.time())
        raise


@contextlib.contextmanager
def _held(stages: Stages, guard: Guard) -> Iterator[None]:
    """Readers stay at the present version; they are let go where an error ends the run before anything was written."""
    before = stages.index.held()
    stages.index.hold()
    version = stages.index.versions()
    try:
        yield
    except Exception:
        if not before and stages.index.versions() == version:
            with contextlib.suppress(DocpipeError):
                guard.check()
                stages.index.publish()
        raise


def index_folder(stages: Stages) -> Path | None:
    """Where the index lies on this machine; None for a bucket or memory."""
    uri = str(getattr(stages.index, "uri", "") or "")
    return Path(os.path.expanduser(uri)) if uri and "://" not in uri else None  # noqa: PTH111 - as the index does


def _run(
    stages: Stages,
    wish: Wish,
    run_id: str,
    *,
    guard: Guard,
    stop: Stopping,
    history: History,
    progress: Callable[[Event], None],
) -> RunReport:
    options = stages.run if wish.max_delete is None else replace(stages.run, max_delete=wish.max_delete)
    run = Run(
        stages,
        options,
        run_id=run_id,
        guard=guard,
        stop=stop,
        history=history,
        full=wish.full,
        limit=wish.limit,
        retry=wish.retry,
        plan=wish.plan,
        progress=progress,
    )
    return run(stages.name)


def _published(
    stages: Stages, report: RunReport, questions: tuple[Question, ...], guard: Guard, still: Known | None
) -> RunReport:
    """Readers see what the run made; what the golden questions say of it is only told. A stopped run asks none."""
    if stages.index.held():
        guard.check()
        stages.index.publish()
    said = told(stages, () if report.stopped else questions, known=still)
    version = stages.index.versions()
    return replace(report, version=version, staged=said.staged, remarks=(*report.remarks, *said.remarks))


def _judged(
    stages: Stages, report: RunReport, questions: tuple[Question, ...], guard: Guard, still: Known | None
) -> RunReport:
    """Readers see what the run made if it came to its end and the golden questions hold; else they stay."""
    if report.stopped:
        return replace(report, published=False, remarks=(*report.remarks, "not published: the run was stopped before"))
    found = judged(stages, questions, known=still)
    if found.holds:
        guard.check()
        stages.index.publish()
    return replace(
        report,
        version=stages.index.versions(),
        published=found.holds,
        staged=found.staged,
        remarks=(*report.remarks, *found.remarks),
    )
