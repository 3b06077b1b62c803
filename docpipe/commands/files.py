"""Commands about one file: a pipeline's, or a document's."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docpipe import output
from docpipe.commands.program import AsJson, Debug, Pipeline, app, writing
from docpipe.errors import ConfigError
from docpipe.pipeline.report import json_forms

if TYPE_CHECKING:
    from docpipe.types import Document


@app.command()
def check(pipeline: Pipeline, as_json: AsJson = False, debug: Debug = False) -> None:
    """Check a pipeline file and its golden questions: every problem at once, with its line."""
    from docpipe import console
    from docpipe.pipeline.file import spec
    from docpipe.pipeline.file.build import build
    from docpipe.pipeline.golden.staging import golden

    with output.quiet(as_json):
        found = spec.load(pipeline, environment=os.environ)
        golden(build(found))
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


def _draw(html: Path, data: bytes, document: "Document", pages: set[int] | None) -> None:
    from docpipe.drawing import document_html

    text = document_html(document, data, pages=pages)
    with writing(html):
        html.write_text(text, encoding="utf-8", errors="backslashreplace")


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
