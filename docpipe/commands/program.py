"""What commands share: the program, its options, and the pipeline that a command is about."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from docpipe import output
from docpipe.errors import ConfigError

if TYPE_CHECKING:
    from docpipe.pipeline.pipe import Pipe
    from docpipe.pipeline.report.reports import Event, RunReport

app = typer.Typer(
    name="docpipe",
    help="Folders of documents in, answers with proof out: the page, the box on the page, the quoted words.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Pipeline = Annotated[Path, typer.Argument(metavar="PIPELINE", help="The pipeline file.", show_default=False)]
Question = Annotated[str, typer.Argument(help="In quotes.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Only chunks that fit, as `language = zh and page <= 3`. Several must all hold."),
]
Web = Annotated[bool, typer.Option("--web/--no-web", help="Whether the web may be asked, if the pipeline has it.")]
Thinking = Annotated[
    bool | None,
    typer.Option("--thinking/--no-thinking", help="Whether the model thinks first, whatever the pipeline says."),
]
LogTo = Annotated[
    str,
    typer.Option("--log", metavar="FILE", help="Write a log to this file, `-` for standard error.", show_default=False),
]
LogForm = Annotated[Literal["text", "json"], typer.Option("--log-format", help="Of each line of the log.")]


class Failed(Exception):
    """Some item failed; all is printed already."""


class Stopped(Exception):
    """Ctrl-C ended the work in good order; all is printed already."""


@contextlib.contextmanager
def opened(pipeline: Path, *, rerank: bool | None = None) -> "Iterator[Pipe]":
    """The pipeline of a file, its reranker switched on or off where a command says so."""
    from docpipe.pipeline import pipe as pipes
    from docpipe.pipeline.file.build import reranker

    with pipes.open(pipeline) as opened:
        if rerank is None or rerank == (opened.stages.retrieve.rerank != "none"):
            yield opened
            return
        options = replace(opened.stages.retrieve, rerank="local" if rerank else "none")
        with pipes.Pipe(replace(opened.stages, retrieve=options, reranker=reranker(options))) as changed:
            yield changed


def tell_by_exit_code(report: "RunReport") -> None:
    """What a run's report, which is printed, means to the exit code: an end by SIGTERM is a good one.

    Raises:
        Stopped: Ctrl-C ended the run.
        Failed: somebody has to look.
    """
    from docpipe.pipeline.schedule.stopping import INTERRUPTED

    if report.stopped == INTERRUPTED:
        raise Stopped
    gap = not report.account.closed
    if report.failed or report.ended_by or gap or (report.failing and not report.stopped):
        raise Failed


def all_of(conditions: list[str] | None) -> str:
    """Several filters as one that asks for all."""
    conditions = [condition for condition in conditions or [] if condition.strip()]
    return conditions[0] if len(conditions) == 1 else " and ".join(f"({condition})" for condition in conditions)


@contextlib.contextmanager
def following(log: str, form: Literal["text", "json"]) -> Iterator[Callable[["Event"], None] | None]:
    """Who shows a run's progress on standard error; nobody where the log goes there. The log is written meanwhile."""
    from docpipe.pipeline.report import logs

    with contextlib.ExitStack() as stack:
        stack.enter_context(logs.written_to(log, form))
        if log == "-":
            yield None
            return
        from docpipe import console

        yield stack.enter_context(console.RunProgress())


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What cannot be written below this path is an error of the command."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror or error}", where=str(path), remedy="choose another place"
        ) from error


def say(text: str) -> None:
    """Print at once."""
    output.write(sys.stdout, text)


def note(text: str) -> None:
    """Print on standard error."""
    output.write(sys.stderr, text)
