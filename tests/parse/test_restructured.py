"""reStructuredText: as it reads, what Sphinx adds included; nothing is opened or run."""

from pathlib import Path
from typing import Any

import pytest

from docpipe import tables
from docpipe.parse.restructured import RestructuredTextParser
from docpipe.types import BlockKind, Document

HEADING, PARAGRAPH, ITEM = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM
MEDIA = "text/x-rst"


@pytest.fixture
def read(parse: Any) -> Any:
    return lambda text: parse(RestructuredTextParser(), text, media=MEDIA)


def texts(document: Document) -> list[str]:
    return [block.span.of(document.text) for block in document.blocks]


def test_headings_lists_code_and_notes(read: Any, outline: Any) -> None:
    text = (
        "Title\n=====\n\nWords [1]_ with *emphasis*.\n\nPart\n----\n\n- one\n\n  - inner\n- two\n\n3. three\n"
        "4. four\n\n.. code-block:: python\n\n   x = 1\n\n.. math:: a^2\n\n"
        ".. figure:: duck.png\n   :alt: A duck\n\n   The caption\n\n"
        ".. [1] A note.\n"
    )
    assert outline(read(text)) == [
        (HEADING, 1, "Title"),
        (PARAGRAPH, 0, "Words 1 with emphasis."),
        (HEADING, 2, "Part"),
        (ITEM, 1, "one"),
        (ITEM, 2, "inner"),
        (ITEM, 1, "two"),
        (ITEM, 1, "3. three"),
        (ITEM, 1, "4. four"),
        (BlockKind.CODE, 0, "x = 1"),
        (BlockKind.FORMULA, 0, "a^2"),
        (BlockKind.FIGURE, 0, "A duck"),
        (BlockKind.CAPTION, 0, "The caption"),
        (BlockKind.FOOTNOTE, 0, "[1] A note."),
    ]


def test_tables_keep_header_and_spans(read: Any) -> None:
    document = read(".. table:: Ducks\n\n   +---+---+\n   | a | b |\n   +===+===+\n   | c     |\n   +---+---+\n")
    assert texts(document)[0] == "Ducks"
    table = tables.read(texts(document)[1])
    assert table.header_rows == 1 and table.rows[1][0].colspan == 2


def test_the_fields_at_the_top_are_metadata(read: Any) -> None:
    document = read("The title\n=========\n\n:Authors: Li; Bo\n:Date: 31 May 2024\n:Version: 1.2\n\nWords.\n")
    known = {key: document.metadata[key] for key in ("title", "authors", "created", "version")}
    assert known == {"title": "The title", "authors": "Li; Bo", "created": "2024-05-31", "version": "1.2"}
    assert texts(document) == ["The title", "Words."]


def test_other_fields_and_definitions_are_text(read: Any) -> None:
    assert texts(read("Words.\n\n:size: large\n\nterm\n   What it means.\n")) == [
        "Words.", "size: large", "term", "What it means.",
    ]  # fmt: skip


def test_what_sphinx_adds_gives_its_words(read: Any) -> None:
    text = (
        "See :func:`~a.b.run` and :ref:`that part <label>`.\n\n.. versionadded:: 3.2\n   More *words*.\n\n"
        ".. py:function:: run(x)\n   :module: a\n\n   Runs.\n\n   - quickly\n"
    )
    assert texts(read(text)) == [
        "See a.b.run and that part.", "3.2", "More words.", "run(x)", "Runs.", "quickly",
    ]  # fmt: skip


def test_links_are_noted(read: Any) -> None:
    document = read("See `the page <https://example.org/x>`_.\n")
    assert [(link.text, link.url) for link in document.links] == [("the page", "https://example.org/x")]


@pytest.mark.parametrize("directive", ["include", "literalinclude", "csv-table:: x\n   :file", "raw:: html\n   :file"])
def test_no_file_is_opened(read: Any, tmp_path: Path, directive: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the words in it")
    separator = ":: " if "::" not in directive else ": "
    document = read(f"Before.\n\n.. {directive}{separator}{secret}\n\nAfter.\n")
    assert "the words in it" not in document.text
    assert texts(document)[0] == "Before." and texts(document)[-1] == "After."


def test_no_configuration_is_read(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docutils.conf").write_text("[general]\nfile_insertion_enabled: on\nraw_enabled: on\n")
    monkeypatch.chdir(tmp_path)
    assert "<b>" not in read(".. raw:: html\n\n   <b>x</b>\n\nWords.\n").text


def test_what_is_wrong_with_a_text_is_no_part_of_it(read: Any) -> None:
    document = read("Title\n====\n\nUnfinished *emphasis and |nothing|.\n\n.. _x: y\n.. _x: z\n")
    assert texts(document) == ["Title", "Unfinished *emphasis and |nothing|."]


HOSTILE = {
    "lists": "- " * 50_000,
    "line": "(" * 100_000,
    "indents": "\n".join(" " * depth + "- x\n" for depth in range(300)),
    "stars": "*" * 200_000,
    "substitutions": "|a|\n" * 20_000,
    "laughs": "".join(f".. |a{n}| replace:: {f'|a{n + 1}| ' * 3}\n" for n in range(15))
    + ".. |a15| replace:: ha\n\n|a0|\n",
    "long": "word " * 300_000,
    "rules": "+-" * 20_000 + "+\n| x\n",
    "directives": "".join("   " * depth + ".. x::\n\n" for depth in range(40)) + "   " * 40 + "deep\n",
    "wrong": "Words \x00\x01\ufffe.\n\n.. |x| image:: \n.. figure::\n.. table::\n.. list-table::\n   * x\n",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_give_text_within_bounds(read: Any, text: str) -> None:
    assert len(read(text).text) <= 2 * len(text) + 1_000


def test_a_file_that_docutils_would_read_for_minutes_is_read_as_text(read: Any) -> None:
    document = read("|a|\n" * 20_000)
    assert document.text == "|a|\n" * 20_000
    assert document.metadata["not_valid"] == "it has too many signs of marked words"
