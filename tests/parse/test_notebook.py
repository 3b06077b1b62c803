"""Notebooks: cells in their order, what the code printed, and files that are none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.notebook import NotebookParser
from docpipe.types import Blob, BlockKind, Source

MEDIA = "application/x-ipynb+json"


def cell(kind: str, source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, **more}


def notebook(*cells: dict[str, Any], **about: Any) -> str:
    return json.dumps({"nbformat": 4, "metadata": about, "cells": cells})


def test_text_code_and_outputs_stand_in_their_order(parse: Any, outline: Any) -> None:
    outputs = [
        {"output_type": "stream", "text": ["1\n", "2\n"]},
        {"output_type": "execute_result", "data": {"text/plain": "42", "text/html": "<b>42</b>"}},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
        {
            "output_type": "error",
            "ename": "ValueError",
            "evalue": "\x1b[31mbad\x1b[0m",
            "traceback": ["line 1", "line 2"],
        },
    ]
    text = notebook(
        cell("markdown", ["# Title\n", "Some **bold** words.\n", "\n", "- item\n", "\n", "| a |\n|---|\n| 1 |"]),
        cell("code", "print(1)", outputs=outputs),
        cell("raw", "as it is"),
    )
    document = parse(NotebookParser(), text, media=MEDIA)
    assert [entry for entry in outline(document) if entry[0] is not BlockKind.TABLE] == [
        (BlockKind.HEADING, 1, "Title"),
        (BlockKind.PARAGRAPH, 0, "Some bold words."),
        (BlockKind.LIST_ITEM, 1, "item"),
        (BlockKind.CODE, 0, "print(1)"),
        (BlockKind.CODE, 0, "1\n2"),
        (BlockKind.CODE, 0, "42"),
        (BlockKind.CODE, 0, "ValueError: bad"),
        (BlockKind.PARAGRAPH, 0, "as it is"),
    ]
    assert any(block.kind is BlockKind.TABLE for block in document.blocks)
    assert "iVBOR" not in document.text and "line 1" not in document.text


def test_outputs_can_be_left_out(parse: Any) -> None:
    text = notebook(cell("code", "x", outputs=[{"output_type": "stream", "text": "printed"}]))
    assert parse(NotebookParser(outputs=False), text, media=MEDIA).text == "x"


def test_what_the_notebook_says_of_itself_is_metadata(parse: Any) -> None:
    text = notebook(
        cell("code", "x <- 1"), title="A study", authors=[{"name": "Li"}, {"name": "Bo"}], kernelspec={"language": "R"}
    )
    document = parse(NotebookParser(), text, media=MEDIA)
    known = {key: document.metadata[key] for key in ("title", "authors", "code_language")}
    assert known == {"title": "A study", "authors": "Li; Bo", "code_language": "R"}
    assert document.blocks[0].native_label == "R"


def test_version_3_is_read(parse: Any, outline: Any) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Part"},
        {
            "cell_type": "code",
            "input": ["x = 1"],
            "language": "python",
            "outputs": [{"output_type": "pyout", "text": "1"}],
        },
    ]
    text = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]})
    assert outline(parse(NotebookParser(), text, media=MEDIA)) == [
        (BlockKind.HEADING, 2, "Part"), (BlockKind.CODE, 0, "x = 1"), (BlockKind.CODE, 0, "1"),
    ]  # fmt: skip


def test_a_long_output_keeps_its_beginning_and_its_end(parse: Any) -> None:
    printed = "begin " + "x" * 100_000 + " end"
    text = notebook(cell("code", "", outputs=[{"output_type": "stream", "text": printed}]))
    document = parse(NotebookParser(), text, media=MEDIA)
    assert document.text.startswith("begin x") and document.text.endswith("x end")
    assert "[... 80,010 characters ...]" in document.text


@pytest.mark.parametrize(
    "data", ["{", '{"cells": [', "[" * 100_000, "no notebook"], ids=["brace", "cut", "deep", "words"]
)
def test_a_file_that_is_no_json_is_its_text_with_the_reason(parse: Any, data: str) -> None:
    document = parse(NotebookParser(), data, media=MEDIA)
    assert document.text == data and document.metadata["not_valid"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["cells", "metadata", "source", "outputs", "cell_type", "data", "text", "worksheets", "authors"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_without_an_error(value: Any) -> None:
    data = json.dumps(value).encode()
    source = Source(uri="a.ipynb", media_type=MEDIA, digest="", size=len(data), modified=0)
    assert len(list(NotebookParser()(Blob(source=source, data=data)))) == 1
