"""Commands that search and answer."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from docpipe import output
from docpipe.commands.program import (
    AsJson,
    Debug,
    Failed,
    Pipeline,
    Question,
    Thinking,
    Web,
    Where,
    all_of,
    app,
    note,
    opened,
    say,
    writing,
)
from docpipe.errors import ConfigError
from docpipe.pipeline.report import json_forms

if TYPE_CHECKING:
    from docpipe.pipeline.pipe import Pipe
    from docpipe.types import Answer, Chunk, Hit, Prompt


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

    with opened(pipeline, rerank=rerank) as pipe, output.quiet(as_json):
        hits = pipe.search(query, limit=limit, where=all_of(where), mode=mode)
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
    with opened(pipeline) as pipe, output.quiet(as_json):
        if stream:
            pieces = pipe.stream(question, where=all_of(where), web=web, thinking=thinking)
            answer = conversation.tell(pieces, say, note if thinking else None)
        else:
            answer = pipe.ask(question, where=all_of(where), web=web, thinking=thinking)
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

    with opened(pipeline) as pipe:
        typed = sys.stdin.isatty()
        note(conversation.HELP if typed else "")
        record = conversation.converse(
            pipe.session(),
            conversation.questions(sys.stdin),
            where=all_of(where),
            web=web,
            thinking=thinking,
            write=(lambda text: None) if as_json else say,
            note=note,
            patient=typed,
        )
    output.show(record.form(), lambda: console.spent_text(record.answers), as_json)
    if record.failed:
        raise Failed


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
    with opened(pipeline) as pipe, output.quiet(as_json):
        model = str(getattr(pipe.stages.answerer, "model", ""))
        if diff is not None:
            found = pipe.difference(*(_prompt_of(pipe, one, all_of(where)) for one in diff))
        else:
            built = pipe.prompt(question or "", where=all_of(where))
    if diff is not None:
        output.show(asdict(found) | {"model": model}, lambda: console.difference_text(found), as_json)
        return
    form = saved.form(built, question=question or "", model=model)
    if save is not None:
        with writing(save):
            save.write_text(json.dumps(form, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    output.show(form, lambda: console.prompt_text(built), as_json)


def _around(pipe: "Pipe", hits: "Sequence[Hit]", count: int) -> "dict[str, list[Chunk]]":
    return {hit.chunk.id: pipe.neighbours(hit, before=count, after=count) for hit in hits} if count else {}


def _show(pipe: "Pipe", answer: "Answer", folder: Path) -> list[Path]:
    from docpipe.pipeline.proofs import proofs

    with writing(folder):
        from docpipe.drawing import show_answer

        return show_answer(answer, proofs(pipe, answer), folder)


def _prompt_of(pipe: "Pipe", given: str, where: str) -> "Prompt":
    """The prompt that a file holds, or that a question makes."""
    from docpipe.prompt import saved

    file = Path(given)
    if file.suffix == ".json" and file.is_file():
        return saved.read(file.read_text("utf-8", errors="replace"), file=given)
    return pipe.prompt(given, where=where).prompt
