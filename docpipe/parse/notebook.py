"""Jupyter notebooks (nbformat 3 and 4) -> their Markdown, code and what the code printed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from docpipe._encodings import decode
from docpipe.parse.draft import Draft, clean, known, with_language
from docpipe.parse.markdown import write as write_markdown
from docpipe.parse.text import TextParser
from docpipe.types import Blob, BlockKind, Document

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LONGEST_OUTPUT = 20_000
"""Code points of one output that are kept: its beginning and its end."""


@dataclass(frozen=True, kw_only=True)
class NotebookParser:
    """Cells in their order: text as Markdown, code with its language, outputs as text. Pictures are left out.

    Of an output with several forms the plain text is taken; an error is its name and message, without the trace.
    """

    VERSION = 1

    outputs: bool = True
    """Whether what the code printed is kept."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; a file that is no notebook is read as text, with the reason in `metadata["not_valid"]`."""
        read = decode(blob.data)
        try:
            notebook = json.loads(read.text)
        except (ValueError, RecursionError) as error:
            (plain,) = TextParser(headings=False)(blob)
            yield replace(plain, metadata={**plain.metadata, **known({"not_valid": str(error)[:200]})})
            return
        draft = Draft()
        about = _mapping(_mapping(notebook).get("metadata"))
        language = _language(about)
        for cell in _cells(_mapping(notebook)):
            self._write(cell, language, draft)
        metadata = {
            "title": _text(about.get("title")) or draft.title(),
            "authors": "; ".join(filter(None, (_name(author) for author in _list(about.get("authors"))))),
            "code_language": language,
            "encoding": read.encoding,
        }
        yield draft.document(blob.source, with_language(metadata, draft.text))

    def _write(self, cell: dict[str, Any], language: str, draft: Draft) -> None:
        source = clean(_text(cell.get("source", cell.get("input"))))
        kind = cell.get("cell_type")
        if kind == "code":
            draft.add(BlockKind.CODE, source, label=_text(cell.get("language")) or language or "code")
            if self.outputs:
                for output in _list(cell.get("outputs")):
                    draft.add(BlockKind.CODE, _shortened(_printed(_mapping(output))), label="output")
        elif kind == "heading":
            level = cell.get("level")
            draft.add(BlockKind.HEADING, source, level=level if isinstance(level, int) and 0 < level < 7 else 1)
        elif kind == "raw":
            draft.add(BlockKind.PARAGRAPH, source, label="raw")
        else:
            write_markdown(source, draft)


def _cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells of version 4, or those of each worksheet of version 3."""
    groups = [_list(notebook.get("cells"))]
    groups += [_list(_mapping(sheet).get("cells")) for sheet in _list(notebook.get("worksheets"))]
    for group in groups:
        yield from (_mapping(cell) for cell in group)


def _printed(output: dict[str, Any]) -> str:
    """The text of an output."""
    if output.get("output_type") in ("error", "pyerr"):
        return _COLOUR.sub("", f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}").strip(": ")
    data = _mapping(output.get("data"))
    shown = output.get("text") or data.get("text/plain") or data.get("text/markdown") or data.get("text/latex")
    return _COLOUR.sub("", _text(shown))


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_OUTPUT:
        return text
    half = _LONGEST_OUTPUT // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters ...]\n{text[-half:]}"


def _language(about: dict[str, Any]) -> str:
    named = _mapping(about.get("language_info")).get("name") or _mapping(about.get("kernelspec")).get("language")
    return _text(named)[:40]


def _name(author: Any) -> str:
    return _text(author) or _text(_mapping(author).get("name"))


def _text(value: Any) -> str:
    """A text that may be written as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
