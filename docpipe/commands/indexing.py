"""Commands that bring an index in line with its sources, and say how it stands."""

from typing import TYPE_CHECKING, Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, LogForm, LogTo, Pipeline, app, following, opened, tell_by_exit_code
from docpipe.pipeline.report import json_forms

if TYPE_CHECKING:
    pass


@app.command()
def run(
    pipeline: Pipeline,
    question: Annotated[str | None, typer.Option("--ask", help="Ask this afterwards.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Parse everything again.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Work on so many documents at most.")] = None,
    max_cost: Annotated[float | None, typer.Option(metavar="USD", help="Do nothing if it would cost more.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try all failed documents now.")] = False,
    stage: Annotated[
        bool, typer.Option("--stage", help="Let readers see it only if the golden questions hold.")
    ] = False,
    max_delete: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="Of the documents, so many may be deleted: 1 allows all."),
    ] = None,
    saved: Annotated[
        str | None, typer.Option("--plan", metavar="FILE", help="Do exactly this plan, or nothing if the world moved.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="For another run to end.")] = 0.0,
    log: LogTo = "",
    log_form: LogForm = "text",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Bring the index in line with the sources. After SIGTERM or Ctrl-C it finishes what it has in hand."""
    from docpipe import console
    from docpipe.pipeline.schedule.priority import standing_back
    from docpipe.pipeline.schedule.stopping import on_signals

    with opened(pipeline) as pipe, output.quiet(as_json):
        back = standing_back(pipe.stages.run.nice)
        with back, on_signals() as stop, following(log, log_form) as progress:
            report = pipe.run(
                full=full,
                limit=limit,
                max_cost=max_cost,
                max_delete=max_delete,
                plan=saved,
                retry_failed=retry_failed,
                stage=stage,
                stop=stop,
                wait=wait,
                progress=progress,
            )
        answer = pipe.ask(question) if question is not None and not report.stopped else None
    form = json_forms.run(report) | ({"ask": json_forms.ask(answer)} if answer else {})
    output.show(
        form, lambda: console.run_text(report) + ("\n" + console.answer_text(answer) if answer else ""), as_json
    )
    tell_by_exit_code(report)


@app.command()
def retry(
    pipeline: Pipeline,
    uris: Annotated[list[str] | None, typer.Argument(metavar="[URI]...", help="As `failures` lists them.")] = None,
    log: LogTo = "",
    log_form: LogForm = "text",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Try failed documents now, all or those that are named, with whatever else a run finds to do."""
    from docpipe import console
    from docpipe.pipeline.schedule.priority import standing_back
    from docpipe.pipeline.schedule.stopping import on_signals

    with (
        opened(pipeline) as pipe,
        output.quiet(as_json),
        standing_back(pipe.stages.run.nice),
        on_signals() as stop,
        following(log, log_form) as progress,
    ):
        report = pipe.retry(uris or (), stop=stop, progress=progress)
    output.show(json_forms.run(report), lambda: console.run_text(report), as_json)
    tell_by_exit_code(report)


@app.command()
def plan(
    pipeline: Pipeline,
    full: Annotated[bool, typer.Option("--full", help="As if everything were parsed again.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="As if so many documents were worked on at most.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="As if all failed were tried now.")] = False,
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", help="Keep the plan, for `run --plan FILE`.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what `run` would do and why, with its cost; the index stays as it is."""
    from docpipe import console

    with opened(pipeline) as pipe, output.quiet(as_json):
        wanted = pipe.plan(full=full, limit=limit, retry_failed=retry_failed, save=save)
    output.show(json_forms.plan(wanted), lambda: console.plan_text(wanted), as_json)


@app.command()
def status(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what the index holds and what the last run did."""
    from docpipe import console

    with opened(pipeline) as pipe, output.quiet(as_json):
        report = pipe.status()
    output.show(json_forms.status(report), lambda: console.status_text(report), as_json)


@app.command()
def failures(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """List the documents that failed, why, and what to try."""
    from docpipe import console

    with opened(pipeline) as pipe, output.quiet(as_json):
        rows = pipe.failures()
    output.show(json_forms.failures(rows), lambda: console.failures_text(rows), as_json)
