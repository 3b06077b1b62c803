"""Commands that say how good an index is, and where a page was lost."""

from pathlib import Path
from typing import Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Failed, Pipeline, Question, Where, all_of, app, opened

Staged = Annotated[
    bool, typer.Option("--staged", help="Look at what the last run made, though readers may not see it yet.")
]


@app.command("eval")
def evaluate(
    pipeline: Pipeline,
    questions: Annotated[
        Path | None, typer.Argument(help="A YAML or JSON lines file; the pipeline's own unless given.")
    ] = None,
    limit: Annotated[int | None, typer.Option("-k", "--limit", min=1, help="How many hits are looked at.")] = None,
    staged: Staged = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Ask the golden questions, and say at which rank their answers are found."""
    from docpipe.commands import quality_text
    from docpipe.pipeline.golden.evaluation import shortfalls
    from docpipe.pipeline.report import quality_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.evaluate(questions, limit=limit, staged=staged)
        below = shortfalls(found, pipe.stages.eval.thresholds)
    form = quality_forms.evaluation(found, below)
    output.show(form, lambda: quality_text.evaluation_text(found, below), as_json)
    if below:
        raise Failed


@app.command()
def why(
    pipeline: Pipeline,
    question: Question,
    expect: Annotated[
        str, typer.Option("--expect", metavar="FILE#pN", help="Where the answer stands: a file, and its page.")
    ],
    limit: Annotated[int | None, typer.Option("-k", "--limit", min=1, help="How many hits a search gives.")] = None,
    where: Where = None,
    staged: Staged = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say at which stage a page was lost that should have answered a question. Asks no model."""
    from docpipe.commands import quality_text
    from docpipe.pipeline.report import quality_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.why(question, expect, where=all_of(where), limit=limit, staged=staged)
    output.show(quality_forms.why(found), lambda: quality_text.why_text(found), as_json)
