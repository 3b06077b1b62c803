"""Commands that examine an index and mend it."""

from typing import Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Failed, Pipeline, app, opened


@app.command()
def doctor(
    pipeline: Pipeline,
    fix: Annotated[bool, typer.Option("--fix", help="Repair first; the next run does the rest.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check that chunks, ledger, vectors, words, history, lease and disk are sound; each failure says its repair."""
    from docpipe.commands import care_text
    from docpipe.pipeline.report import care_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.doctor(fix=fix)
    output.show(care_forms.examination(found), lambda: care_text.examination_text(found), as_json)
    if not found.ok:
        raise Failed
