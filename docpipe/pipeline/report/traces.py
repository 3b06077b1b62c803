"""A run, up to its end or its error -> what it leaves behind: log, telemetry, report files, a word to the owner."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from docpipe.errors import RunLocked, failure
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.report import files, logs, telemetry, webhook
from docpipe.pipeline.report.reports import Event, RunReport
from docpipe.protocols import Index

_log = logging.getLogger("docpipe.run")


class Traced(Protocol):
    """What of a pipeline its traces need."""

    @property
    def name(self) -> str:
        """The pipeline's."""
        ...

    @property
    def run(self) -> RunOptions:
        """Where reports go, and who is told."""
        ...

    @property
    def index(self) -> Index:
        """Beside which the reports lie, unless the options say otherwise."""
        ...


def reports_folder(options: RunOptions, index: Index) -> Path | None:
    """Where a pipeline's reports lie; None where there is no folder for them."""
    uri = str(getattr(index, "uri", "") or "")
    if options.reports:
        return Path(options.reports).expanduser()
    return Path(os.path.expanduser(uri)) / "runs" if uri and "://" not in uri else None  # noqa: PTH111 - as the index


class Traces:
    """Around one run, and told its events: use it in a `with` statement and as the run's `progress`.

    An error that passes through has a report and is told, unless nothing was begun since another run is at work.
    """

    def __init__(self, stages: Traced, *, run_id: str, progress: Callable[[Event], None] | None = None) -> None:
        self._stages, self._run_id, self._progress = stages, run_id, progress
        self._closing = ExitStack()
        self._started = 0.0
        self._observer: telemetry.Observer | None = None

    def __enter__(self) -> Self:
        self._started = time.time()
        self._begun = time.monotonic()
        self._closing.enter_context(logs.about_run(self._run_id))
        self._observer = telemetry.observer(self._stages.name, self._run_id)
        _log.info("a run of %s begins", self._stages.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._closing:
            if type(error) is RunLocked:  # a lease that was lost on the way is another thing
                _log.warning("not begun: %s", error)
            elif isinstance(error, Exception):
                self._leave_error(error)

    def __call__(self, event: Event) -> None:
        """Pass one step on to all who follow."""
        logs.tell(event)
        if self._observer is not None:
            self._observer(event)
        if self._progress is not None:
            self._progress(event)

    def leave(self, report: RunReport) -> RunReport:
        """Write, log, count and tell what a run did; returns its report with `page` and remarks on what went wrong."""
        folder = reports_folder(self._stages.run, self._stages.index)
        left = files.write(report, folder) if folder is not None else files.Left("", self._without_folder())
        report = replace(report, page=left.page, remarks=(*report.remarks, *([left.remark] if left.remark else [])))
        if self._observer is not None:
            self._observer.end(report)
        _log_end(report)
        if report.failing and self._stages.run.webhook:
            fault = webhook.tell(self._stages.run.webhook, webhook.message(report))
            report = replace(report, remarks=(*report.remarks, fault)) if fault else report
        return report

    def _without_folder(self) -> str:
        away = "://" in str(getattr(self._stages.index, "uri", "") or "")
        return "no report is written, for the index is no folder of this machine: set `run.reports`" if away else ""

    def _leave_error(self, error: Exception) -> None:
        """The report of a run that an error ended; what cannot be told in the report's place is a note of the error."""
        what = failure(error, stage="run")
        now = time.time()
        report = RunReport(
            pipeline=self._stages.name,
            run_id=self._run_id,
            started=self._started,
            ended=now,
            seconds=round(time.monotonic() - self._begun, 3),
            ended_by=what,
        )
        for remark in self.leave(report).remarks:
            error.add_note(remark)


def _log_end(report: RunReport) -> None:
    names = ("indexed", "updated", "unchanged", "deleted", "failed", "ignored", "waiting", "chunks", "embedded")
    facts = {name: getattr(report, name) for name in (*names, "seconds", "cost_usd", "stopped")}
    if report.ended_by is not None:
        _log.error("ended by %s: %s", report.ended_by.type, report.ended_by.message, extra=facts)
        return
    said = ", ".join(f"{facts[name]} {name}" for name in names if facts[name]) or "nothing to do"
    _log.log(logging.WARNING if report.failing else logging.INFO, "ended: %s", said, extra=facts)
