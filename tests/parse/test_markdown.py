"""Markdown: what a reader sees, in blocks."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.parse.markdown import MarkdownParser, front_matter, portions
from docpipe.types import Blob, BlockKind, Source

HEADING, PARAGRAPH, ITEM = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM


def test_headings_and_paragraphs_lose_their_signs(parse: Any, outline: Any) -> None:
    text = "# One *and* `two`\n\nText with [a link](http://x.y 'title'),\n**strong** &amp; ~~gone~~ words\\*.\n"
    text += "\nSub\n---\n"
    assert outline(parse(MarkdownParser(), text)) == [
        (HEADING, 1, "One and two"),
        (PARAGRAPH, 0, "Text with a link, strong & gone words*."),
        (HEADING, 2, "Sub"),
    ]


def test_lists_have_depths_and_numbers(parse: Any, outline: Any) -> None:
    text = "- a\n- b\n\n  more of b\n  1. one\n  2. two\n     - deep\n\n3. three\n4. four\n"
    assert outline(parse(MarkdownParser(), text)) == [
        (ITEM, 1, "a"),
        (ITEM, 1, "b\nmore of b"),
        (ITEM, 2, "1. one"),
        (ITEM, 2, "2. two"),
        (ITEM, 3, "deep"),
        (ITEM, 1, "3. three"),
        (ITEM, 1, "4. four"),
    ]


def test_an_item_goes_on_after_what_stands_in_it(parse: Any, outline: Any) -> None:
    assert outline(parse(MarkdownParser(), "1. a\n\n   ```sh\n   run\n   ```\n\n   b\n2. c\n")) == [
        (ITEM, 1, "1. a"),
        (BlockKind.CODE, 0, "run"),
        (ITEM, 1, "b"),
        (ITEM, 1, "2. c"),
    ]


def test_tables_are_written_in_the_canonical_form(parse: Any) -> None:
    document = parse(MarkdownParser(), "| a | *b* |\n|---|---|\n| 1 | x \\| y |\n")
    assert tables.read(document.text) == tables.grid([["a", "b"], ["1", "x | y"]])


def test_code_keeps_its_lines_and_language(parse: Any) -> None:
    document = parse(MarkdownParser(), "```python title=x\n  def f():\n\n    pass\n```\n\n    indented\n")
    code, indented = document.blocks
    assert code.span.of(document.text) == "  def f():\n\n    pass"
    assert (code.kind, code.native_label) == (BlockKind.CODE, "python")
    assert (indented.kind, indented.native_label) == (BlockKind.CODE, "code")


def test_html_in_markdown_is_read_as_html(parse: Any, outline: Any) -> None:
    text = "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>\n\n<!-- hidden -->\n\nx<br>y <b>z</b>\n"
    document = parse(MarkdownParser(), text)
    assert [kind for kind, _, _ in outline(document)] == [BlockKind.TABLE, PARAGRAPH]
    assert outline(document)[1][2] == "x y z"


def test_quotations_and_pictures(parse: Any) -> None:
    document = parse(MarkdownParser(), "> said\n> so\n\n![A chart of sales](a.png)\n\nSee ![it](b.png) here\n")
    found = [(block.kind, block.native_label, block.span.of(document.text)) for block in document.blocks]
    assert found == [
        (PARAGRAPH, "blockquote", "said so"),
        (BlockKind.FIGURE, "image", "A chart of sales"),
        (PARAGRAPH, "p", "See it here"),
    ]


def test_wrapped_chinese_lines_are_joined_without_a_blank(parse: Any) -> None:
    assert parse(MarkdownParser(), "第一行\n第二行").text == "第一行第二行"


def test_front_matter_is_metadata(parse: Any) -> None:
    text = '---\ntitle: "The title"\nauthors: [A, B]\nlang: de\nnested:\n  key: x\n---\n# Other\n\nText'
    document = parse(MarkdownParser(), text)
    assert document.metadata["title"] == "The title"
    assert document.metadata["authors"] == "A; B"
    assert document.text == "Other\n\nText"


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert front_matter("---\n\ntext") == ({}, "---\n\ntext")


def test_the_title_is_the_first_heading(parse: Any) -> None:
    assert parse(MarkdownParser(), "text\n\n## Sub\n\n# Top\n").metadata["title"] == "Top"
    assert "title" not in parse(MarkdownParser(), "text").metadata


@pytest.mark.parametrize("data", [b"", b"\n\n", b"<!-- -->", b"---\ntitle: x\n---\n"])
def test_a_file_that_shows_nothing_is_an_empty_document(parse: Any, data: bytes) -> None:
    assert parse(MarkdownParser(), data).blocks == ()


def test_invalid_bytes_are_counted(parse: Any) -> None:
    text = "# 标题\n\n这里是正文的内容。\n".encode()
    document = parse(MarkdownParser(), text * 4 + b"\xff\n" + text * 4)
    assert document.metadata["encoding_errors"] == "1"


PARTS = st.sampled_from(
    [
        "# h\n",
        "\ntext at the margin\n",
        "- a\n",
        "  - b\n",
        "```\n",
        "~~~~\n",
        "~~~\n",
        "\n",
        "> q\n",
        "| a |\n|--|\n",
        "    x\n",
    ]
)


def test_link_targets_are_written_where_asked_for(parse: Any) -> None:
    text = "See [the *plan*](http://x.y/a), <http://x.y/b> and [r].\n\n[r]: http://x.y/c\n"
    assert parse(MarkdownParser(), text).text == "See the plan, http://x.y/b and r."
    shown = parse(MarkdownParser(link_targets=True), text).text
    assert shown == "See the plan <http://x.y/a>, http://x.y/b and r <http://x.y/c>."


@given(parts=st.lists(PARTS, max_size=40), size=st.integers(1, 60))
def test_a_text_read_in_portions_is_the_text_read_at_once(parts: list[str], size: int) -> None:
    text = "".join(parts)
    cut = list(portions(text, {}, size=size))
    assert "".join(cut) == text
    assert "".join(map(words, cut)) == words(text)


def words(text: str) -> str:
    data = text.encode()
    source = Source(uri="a", media_type="text/markdown", digest="", size=len(data), modified=0)
    (document,) = MarkdownParser()(Blob(source=source, data=data))
    return "".join(block.kind[:2] + block.span.of(document.text) for block in document.blocks)


def test_a_link_defined_in_another_portion_is_a_link(parse: Any) -> None:
    text = "See [this][far].\n\n" + f"# Part\n\n{'words ' * 1000}\n\n" * 100 + "[far]: http://x.y\n"
    document = parse(MarkdownParser(), text)
    assert document.blocks[0].span.of(document.text) == "See this."


@pytest.mark.parametrize(
    "unit", ["*a ", "[", "![](", "> ", "- ", "`", "<", "|a", "\\", "a\n", "**_", "[a](", "&#", "1. ", "# ", "<b>"]
)
def test_hostile_repetition_ends(parse: Any, unit: str) -> None:
    start = time.process_time()
    parse(MarkdownParser(), unit * (20_000 // len(unit)))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("nest", ["- " * 20, "> " * 45, "- " * 90, "> - " * 60, "> " * 5000, "1. " * 3000])
def test_nothing_nested_too_deeply_is_lost(parse: Any, nest: str) -> None:
    assert "core" in parse(MarkdownParser(), f"before\n\n{nest}core\n\nafter\n").text
