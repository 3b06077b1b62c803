"""Commands that begin runs by themselves: at the times of a cron expression, or when files change."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, LogForm, LogTo, Pipeline, Stopped, app, note, opened, say
from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from docpipe.pipeline.schedule.stopping import Stop
    from docpipe.pipeline.schedule.watching import Watched

Stage = Annotated[bool, typer.Option("--stage", help="Publish what a run made only if the golden questions hold.")]
MostCost = Annotated[float | None, typer.Option("--max-cost", metavar="USD", help="A run that would cost more waits.")]
_PATIENCE = 900
"""Seconds that a run which a change began waits for another one to end."""


@app.command()
def schedule(
    pipeline: Pipeline,
    cron: Annotated[str, typer.Option(metavar='"0 2 * * *"', help="When to run: five fields.", show_default=False)],
    timezone: Annotated[str, typer.Option(metavar="NAME", help="Of the times, as Europe/Berlin.")] = "",
    jitter: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Begin up to so much later.")] = 0.0,
    once_now: Annotated[bool, typer.Option("--once-now", help="Begin with a run at once.")] = False,
    stage: Stage = False,
    max_cost: MostCost = None,
    log: LogTo = "",
    log_form: LogForm = "text",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run at the times of a cron expression, until SIGTERM or Ctrl-C."""
    from docpipe.commands import timing_text
    from docpipe.pipeline.schedule.cron import Timetable
    from docpipe.pipeline.schedule.loop import Loop

    timetable = Timetable(cron=cron, timezone=timezone)
    with _service(pipeline, stage, max_cost, log, log_form, as_json) as service:

        def waiting(due: datetime) -> None:
            service.tell(timing_text.next_line(due, now=service.moment()))

        Loop(after=timetable.after, run=service.run, waiting=waiting, stop=service.stop, jitter=jitter)(
            at_once=once_now
        )


@app.command()
def watch(
    pipeline: Pipeline,
    poll: Annotated[bool, typer.Option("--poll", help="Look at all files every few seconds: network shares.")] = False,
    stage: Stage = False,
    max_cost: MostCost = None,
    log: LogTo = "",
    log_form: LogForm = "text",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run now, and whenever files of the sources changed and are quiet again, until SIGTERM or Ctrl-C."""
    from docpipe.pipeline.schedule.watching import Watch

    find = _finder(pipeline)
    with _service(pipeline, stage, max_cost, log, log_form, as_json, wait=_PATIENCE) as service:
        for why in Watch(find=find, stop=service.stop, poll=poll):
            service.run(why)


@dataclass(kw_only=True)
class _Service:
    """Runs of one pipeline, one after the other, each in a process of its own."""

    arguments: tuple[str, ...]
    stop: "Stop"
    quiet: bool
    """Whether standard output is kept for the JSON at the end."""
    runs: int = 0
    failed: int = 0
    last: dict[str, object] = field(default_factory=dict)

    def run(self, why: str = "") -> None:
        from docpipe.commands import timing_text
        from docpipe.pipeline.schedule.child import run_apart

        done = run_apart(self.arguments, self.stop)
        self.runs += 1
        self.failed += done.code != 0
        self.last = done.form
        self.tell(timing_text.run_line(done, ended=self.moment(), why=why))

    def tell(self, line: str) -> None:
        """Print; a full disk does not end what may free it."""
        with contextlib.suppress(output.OutputLost):
            note(line) if self.quiet else say(line)

    @staticmethod
    def moment() -> datetime:
        return datetime.now().astimezone()


@contextlib.contextmanager
def _service(
    pipeline: Path,
    stage: bool,
    max_cost: float | None,
    log: str,
    log_form: str,
    as_json: bool,
    *,
    wait: int = 0,
) -> Iterator[_Service]:
    """What runs a pipeline while the body lasts; a signal ends it in good order."""
    from docpipe.commands import timing_text
    from docpipe.pipeline.schedule.stopping import INTERRUPTED, on_signals

    with opened(pipeline):
        pass  # what is wrong with the file is said now, not tonight
    arguments = [str(pipeline), *(["--stage"] if stage else []), *(["--wait", str(wait)] if wait else [])]
    arguments += ["--max-cost", str(max_cost)] if max_cost is not None else []
    arguments += ["--log", log, "--log-format", log_form] if log else []
    with on_signals() as stop:
        service = _Service(arguments=tuple(arguments), stop=stop, quiet=as_json)
        yield service
        line = timing_text.end_line(service.runs, service.failed, reason=stop.reason, now=service.moment())
        form = {"runs": service.runs, "failed": service.failed, "stopped": stop.reason, "last": service.last}
        output.show(form, lambda: line, as_json)
    if stop.reason == INTERRUPTED:
        raise Stopped


def _finder(pipeline: Path) -> "Callable[[], Watched]":
    """Who says what to watch; where the pipeline file has become wrong, what was watched before."""
    from docpipe.pipeline.schedule.watching import watched

    def look() -> "Watched":
        with opened(pipeline) as pipe:
            return watched(pipe.stages.loaders, pipeline=pipeline)

    last = look()

    def find() -> "Watched":
        nonlocal last
        with contextlib.suppress(DocpipeError):  # the run says it
            last = look()
        return last

    return find
