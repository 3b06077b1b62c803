"""Commands that say how good an index is, and where a page was lost."""

from pathlib import Path
from typing import Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Failed, Pipeline, app, opened


@app.command("eval")
def evaluate(
    pipeline: Pipeline,
    questions: Annotated[
        Path | None, typer.Argument(help="A YAML or JSON lines file; the pipeline's own unless given.")
    ] = None,
    limit: Annotated[int | None, typer.Option("-k", "--limit", min=1, help="How many hits are looked at.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Ask the golden questions, and say at which rank their answers are found."""
    from docpipe.commands import quality_text
    from docpipe.pipeline.golden.evaluation import shortfalls
    from docpipe.pipeline.report import quality_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.evaluate(questions, limit=limit)
        below = shortfalls(found, pipe.stages.eval.thresholds)
    form = quality_forms.evaluation(found, below)
    output.show(form, lambda: quality_text.evaluation_text(found, below), as_json)
    if below:
        raise Failed
