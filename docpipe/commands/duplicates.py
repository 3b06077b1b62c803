"""The command that looks for what an index holds more than once."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Pipeline, app, opened
from docpipe.console import pages_of, safe

if TYPE_CHECKING:
    from docpipe.pipeline.duplicates import Duplicates
    from docpipe.types import Elsewhere


@app.command()
def duplicates(
    pipeline: Pipeline,
    pages: Annotated[bool, typer.Option("--pages", help="Compare single pages instead of documents.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List documents that are nearly the same: `search` shows their text once and tells where else it stands."""
    with opened(pipeline) as pipe, output.quiet(as_json):
        found = pipe.duplicates(pages=pages)
    output.show(_json(found), lambda: _text(found), as_json)


def _json(found: "Duplicates") -> dict[str, Any]:
    """What `docpipe duplicates --json` prints."""
    return {
        "pipeline": found.pipeline,
        "compared": found.compared,
        "groups": [
            {
                "similarity": round(group.similarity, 3),
                "same_numbers": group.same_numbers,
                "places": [{"uri": one.uri, "pages": list(one.pages)} for one in group.members],
            }
            for group in found.groups
        ],
    }


def _text(found: "Duplicates") -> str:
    if not found.groups:
        return f"{safe(found.pipeline)}: {found.compared:,} compared, none is nearly the same as another\n"
    parts = []
    for group in found.groups:
        numbers = "" if group.same_numbers else ", with other numbers"
        parts.append(f"{group.similarity:.0%} the same{numbers}\n")
        parts += [f"  {safe(one.uri)}{_page(one)}\n" for one in group.members]
    extra = sum(len(group.members) - 1 for group in found.groups)
    total = f"{found.compared:,} compared, {extra:,} are nearly the same as another"
    return f"{''.join(parts)}{safe(found.pipeline)}: {total}\n"


def _page(place: "Elsewhere") -> str:
    return f" p. {pages_of(place.pages)}" if place.pages else ""
