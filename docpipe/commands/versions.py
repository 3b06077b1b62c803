"""Commands about the versions of an index: which there are, what they are called, how to go back, what changed."""

from typing import Annotated

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Pipeline, app, opened
from docpipe.errors import ConfigError

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A name, or the id of a run.", show_default=False)]


@app.command()
def tags(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """List the runs, newest first, what each changed, and which of them can be restored."""
    from docpipe.commands import versions_text
    from docpipe.pipeline.report import versions_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.tags()
    output.show(versions_forms.tags(found), lambda: versions_text.tags_text(found), as_json)


@app.command()
def tag(
    pipeline: Pipeline,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `.`, `_`, `-`.", show_default=False)],
    run: Annotated[str, typer.Option("--run", metavar="ID", help="Which run; the newest unless given.")] = "",
    delete: Annotated[bool, typer.Option("--delete", help="Take the name away.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Give a run a name: it can be restored for as long as it has one."""
    from docpipe.commands import versions_text
    from docpipe.pipeline.report import versions_forms

    if run and delete:
        raise ConfigError("--run and --delete contradict each other", where="--delete", remedy="leave one of them out")
    with opened(pipeline) as pipe, output.quiet(as_json):
        named = pipe.untag(name) if delete else pipe.tag(name, run=run)
    output.show(versions_forms.tag(named), lambda: versions_text.tag_text(named), as_json)


@app.command()
def restore(pipeline: Pipeline, version: Version, as_json: AsJson = False, debug: Debug = False) -> None:
    """Bring the index back to what it was right after a run. The next run follows the sources again."""
    from docpipe.commands import versions_text
    from docpipe.pipeline.report import versions_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        done = pipe.restore(version)
    form = versions_forms.restore(done)
    output.show(form, lambda: versions_text.restored_text(done, pipeline=str(pipeline)), as_json)


@app.command()
def diff(
    pipeline: Pipeline,
    before: Annotated[str, typer.Argument(metavar="A", help="A name, the id of a run, or `now`.", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")] = "now",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say which documents, chunks and golden questions differ between two versions."""
    from docpipe.commands import versions_text
    from docpipe.pipeline.report import versions_forms

    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.diff(before, after)
    output.show(versions_forms.diff(found), lambda: versions_text.difference_text(found), as_json)
