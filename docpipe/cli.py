"""Arguments -> a pipeline's methods -> results on standard output: `docpipe COMMAND ...`.

With `--json` exactly one JSON object is printed, errors included. Exit codes: 0 done; 1 done, but some item
failed; 2 the command or the pipeline file is wrong; 3 another run holds the lock; 130 interrupted.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from docpipe import output
from docpipe.errors import ConfigError, DocpipeError
from docpipe.pipeline import json_forms

if TYPE_CHECKING:
    from docpipe.pipeline.pipe import Pipe
    from docpipe.types import Answer, Chunk, Document, Hit, Prompt

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


_INTERRUPTED = 130
Web = Annotated[bool, typer.Option("--web/--no-web", help="Whether the web may be asked, if the pipeline has it.")]
Thinking = Annotated[
    bool | None,
    typer.Option("--thinking/--no-thinking", help="Whether the model thinks first, whatever the pipeline says."),
]


class _Failed(Exception):
    """Some item failed; all is printed already."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    flags = given[: given.index("--")] if "--" in given else given
    as_json, debug = "--json" in flags, "--debug" in flags
    output.replace_closed_streams()
    try:
        with _ended_like_ctrl_c():
            code = app(given, prog_name="docpipe", standalone_mode=False)
        code = code if isinstance(code, int) else 0
        if code == _INTERRUPTED:  # newer versions of typer return it, older ones raise Abort
            code = _interrupted(as_json)
    except _Failed:
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        code = _interrupted(as_json)
    except output.OutputLost as lost:
        code = output.tell(lost, False, code=1)
    except Exception as error:  # the rim of the program: nobody above can handle it
        code = output.explain(error, as_json=as_json, debug=debug)
    output.flush()
    return code


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        from docpipe import __version__

        output.write(sys.stdout, f"docpipe {__version__}\n")
        raise typer.Exit


@app.command()
def run(
    pipeline: Pipeline,
    question: Annotated[str | None, typer.Option("--ask", help="Ask this afterwards.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Parse everything again.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Work on so many documents at most.")] = None,
    max_cost: Annotated[float | None, typer.Option(metavar="USD", help="Do nothing if it would cost more.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Bring the index in line with the sources."""
    from docpipe import console

    with _opened(pipeline) as pipe, output.quiet(as_json):
        with console.RunProgress() as progress:
            report = pipe.run(full=full, limit=limit, max_cost=max_cost, progress=progress)
        answer = pipe.ask(question) if question is not None else None
    form = json_forms.run(report) | ({"ask": json_forms.ask(answer)} if answer else {})
    output.show(
        form, lambda: console.run_text(report) + ("\n" + console.answer_text(answer) if answer else ""), as_json
    )
    if report.failed:
        raise _Failed


@app.command()
def plan(
    pipeline: Pipeline,
    full: Annotated[bool, typer.Option("--full", help="As if everything were parsed again.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what `run` would do, and write nothing."""
    from docpipe import console

    with _opened(pipeline) as pipe, output.quiet(as_json):
        wanted = pipe.plan(full=full)
    output.show(json_forms.plan(wanted), lambda: console.plan_text(wanted), as_json)


@app.command()
def search(
    pipeline: Pipeline,
    query: Question,
    limit: Annotated[int | None, typer.Option("-k", "--limit", min=1, help="How many hits.")] = None,
    mode: Annotated[Literal["hybrid", "vector", "text"] | None, typer.Option(help="Which legs look.")] = None,
    where: Where = None,
    rerank: Annotated[bool | None, typer.Option(help="Let a cross-encoder read the best hits again.")] = None,
    context: Annotated[int, typer.Option(min=0, max=1000, help="So many neighbours before and after each hit.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find passages."""
    from docpipe import console

    with _opened(pipeline, rerank=rerank) as pipe, output.quiet(as_json):
        hits = pipe.search(query, limit=limit, where=_all_of(where), mode=mode)
        around = _around(pipe, hits, context)
    form = json_forms.search(query, hits, around=around if context else None)
    output.show(form, lambda: console.hits_text(hits, around), as_json)


@app.command()
def ask(
    pipeline: Pipeline,
    question: Question,
    show: Annotated[Path | None, typer.Option(help="Write each cited page as a picture into this folder.")] = None,
    where: Where = None,
    web: Web = True,
    thinking: Thinking = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it is written.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Answer a question, with proof."""
    from docpipe import console, conversation

    if stream and as_json:
        raise ConfigError("--json prints one object, not a stream", where="--stream", remedy="leave out one of the two")
    with _opened(pipeline) as pipe, output.quiet(as_json):
        if stream:
            pieces = pipe.stream(question, where=_all_of(where), web=web, thinking=thinking)
            answer = conversation.tell(pieces, _say, _note if thinking else None)
        else:
            answer = pipe.ask(question, where=_all_of(where), web=web, thinking=thinking)
        shown = _show(pipe, answer, show) if show is not None else []
    form = json_forms.ask(answer) | ({"shown": [str(path) for path in shown]} if show is not None else {})
    pages = console.safe(f"\nproof: {shown[0]}\n" if shown else "")
    output.show(form, lambda: pages if stream else console.answer_text(answer) + pages, as_json)


@app.command()
def chat(
    pipeline: Pipeline,
    where: Where = None,
    web: Web = True,
    thinking: Thinking = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Talk: each line of standard input is a question, and may refer to what was said before."""
    from docpipe import console, conversation

    with _opened(pipeline) as pipe:
        typed = sys.stdin.isatty()
        _note(conversation.HELP if typed else "")
        record = conversation.converse(
            pipe.session(),
            conversation.questions(sys.stdin),
            where=_all_of(where),
            web=web,
            thinking=thinking,
            write=(lambda text: None) if as_json else _say,
            note=_note,
            patient=typed,
        )
    output.show(record.form(), lambda: console.spent_text(record.answers), as_json)
    if record.failed:
        raise _Failed


@app.command()
def prompt(
    pipeline: Pipeline,
    question: Annotated[str | None, typer.Argument(help="In quotes.", show_default=False)] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Compare two prompts: questions, or .json files that --save made."),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Keep the prompt in this file.")] = None,
    where: Where = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show what the model would be told, and what of it a cache can hold. Asks no model."""
    from docpipe import console
    from docpipe.prompt import saved

    if (question is None) == (diff is None):
        remedy = "docpipe prompt PIPELINE --help shows both"
        raise ConfigError("it takes either a question or --diff with two", where="docpipe prompt", remedy=remedy)
    with _opened(pipeline) as pipe, output.quiet(as_json):
        model = str(getattr(pipe.stages.answerer, "model", ""))
        if diff is not None:
            found = pipe.difference(*(_prompt_of(pipe, one, _all_of(where)) for one in diff))
        else:
            built = pipe.prompt(question or "", where=_all_of(where))
    if diff is not None:
        output.show(asdict(found) | {"model": model}, lambda: console.difference_text(found), as_json)
        return
    form = saved.form(built, question=question or "", model=model)
    if save is not None:
        with _writing(save):
            save.write_text(json.dumps(form, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    output.show(form, lambda: console.prompt_text(built), as_json)


@app.command()
def status(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what the index holds and what the last run did."""
    from docpipe import console

    with _opened(pipeline) as pipe, output.quiet(as_json):
        report = pipe.status()
    output.show(json_forms.status(report), lambda: console.status_text(report), as_json)


@app.command()
def failures(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """List the documents that failed, why, and what to try."""
    from docpipe import console

    with _opened(pipeline) as pipe, output.quiet(as_json):
        rows = pipe.failures()
    output.show(json_forms.failures(rows), lambda: console.failures_text(rows), as_json)


@app.command()
def check(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """Check a pipeline file: every problem at once, with its line."""
    from docpipe import console
    from docpipe.pipeline import spec
    from docpipe.pipeline.build import build

    with output.quiet(as_json):
        found = spec.load(pipeline, environment=os.environ)
        build(found)
    sections = {"source": found.sources, "stages": found.stages, "index": (found.index,), "chat": (found.chat,)}
    members = {name: [(stage.name, stage.shown) for stage in stages] for name, stages in sections.items()}
    form = {
        "pipeline": found.name,
        "path": str(found.path),
        "ok": True,
        **{name: [{"use": use, "options": dict(options)} for use, options in rows] for name, rows in members.items()},
    }
    output.show(form, lambda: console.stages_text(members) + f"{found.name}: the pipeline file is right\n", as_json)


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file that docpipe reads.", show_default=False)],
    html: Annotated[Path | None, typer.Option(help="Draw the pages with their blocks into this file.")] = None,
    pages: Annotated[str, typer.Option(help="Only these pages, as `1-3,7`.")] = "",
    pipeline: Annotated[Path | None, typer.Option(help="Parse as this pipeline does.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show one file's blocks: Markdown, JSON, or drawn."""
    from docpipe import console
    from docpipe.markdown import to_markdown
    from docpipe.pipeline.single import parse_file

    chosen = _page_numbers(pages)
    if html is not None and html.exists() and file.exists() and html.samefile(file):
        raise ConfigError("the drawing would replace the document", where=str(html), remedy="choose another place")
    with output.quiet(as_json):
        blob, document = parse_file(file, pipeline=pipeline, environment=os.environ)
        if html is not None:
            _draw(html, blob.data, document, chosen)
    form = _pages_only(json_forms.document(document), chosen) | ({"html": str(html)} if html is not None else {})
    output.show(
        form, lambda: console.safe(f"{html}\n" if html is not None else to_markdown(document, pages=chosen)), as_json
    )


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A service manager's SIGTERM ends a command as Ctrl-C does: workers are stopped, the lock is given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> None:
    from docpipe.conversation import Ended

    raise Ended


@contextlib.contextmanager
def _opened(pipeline: Path, *, rerank: bool | None = None) -> "Iterator[Pipe]":
    """The pipeline of a file, its reranker switched on or off where a command says so."""
    from docpipe.pipeline import pipe as pipes
    from docpipe.pipeline.build import reranker

    with pipes.open(pipeline) as opened:
        if rerank is None or rerank == (opened.stages.retrieve.rerank != "none"):
            yield opened
            return
        options = replace(opened.stages.retrieve, rerank="local" if rerank else "none")
        with pipes.Pipe(replace(opened.stages, retrieve=options, reranker=reranker(options))) as changed:
            yield changed


def _around(pipe: "Pipe", hits: "Sequence[Hit]", count: int) -> "dict[str, list[Chunk]]":
    return {hit.chunk.id: pipe.neighbours(hit, before=count, after=count) for hit in hits} if count else {}


def _all_of(conditions: list[str] | None) -> str:
    """Several filters as one that asks for all."""
    conditions = [condition for condition in conditions or [] if condition.strip()]
    return conditions[0] if len(conditions) == 1 else " and ".join(f"({condition})" for condition in conditions)


def _show(pipe: "Pipe", answer: "Answer", folder: Path) -> list[Path]:
    from docpipe.pipeline.proofs import proofs

    with _writing(folder):
        from docpipe.drawing import show_answer

        return show_answer(answer, proofs(pipe, answer), folder)


def _prompt_of(pipe: "Pipe", given: str, where: str) -> "Prompt":
    """The prompt that a file holds, or that a question makes."""
    from docpipe.prompt import saved

    file = Path(given)
    if file.suffix == ".json" and file.is_file():
        return saved.read(file.read_text("utf-8", errors="replace"), file=given)
    return pipe.prompt(given, where=where).prompt


def _say(text: str) -> None:
    output.write(sys.stdout, text)


def _note(text: str) -> None:
    output.write(sys.stderr, text)


def _draw(html: Path, data: bytes, document: "Document", pages: set[int] | None) -> None:
    from docpipe.drawing import document_html

    text = document_html(document, data, pages=pages)
    with _writing(html):
        html.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror or error}", where=str(path), remedy="choose another place"
        ) from error


def _page_numbers(text: str) -> set[int] | None:
    """`1-3,7` -> {1, 2, 3, 7}; None for all pages."""
    if not text.strip():
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.strip().isdecimal() and (last or first).strip().isdecimal()):
            raise ConfigError(f"{text!r} names no pages", where="--pages", remedy="write them as 1-3,7")
        start, stop = int(first), int(last or first)
        if not 1 <= start <= stop <= 1_000_000:
            raise ConfigError(f"{part.strip()!r} names no pages", where="--pages", remedy="count from 1 upwards")
        found.update(range(start, stop + 1))
    return found


def _pages_only(form: dict[str, Any], pages: set[int] | None) -> dict[str, Any]:
    if pages is None:
        return form
    blocks = [block for block in form["blocks"] if block["page"] is None or block["page"] in pages]
    return form | {"pages": [page for page in form["pages"] if page["number"] in pages], "blocks": blocks}


def _interrupted(as_json: bool) -> int:
    error = DocpipeError("interrupted", remedy="run the same command again: it goes on")
    return output.tell(error, as_json, code=_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
