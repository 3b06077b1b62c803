"""Plain text: the file's own words, headings only where they plainly are."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.text import TextParser
from docpipe.types import Blob, BlockKind, Source

HEADING, PARAGRAPH, ITEM = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM
PROSE = "This paragraph is long enough to be prose and not one more heading, as it goes on for a while yet."


def test_paragraphs_are_parted_by_blank_lines_and_keep_their_words(parse: Any, outline: Any) -> None:
    document = parse(TextParser(), "one\ntwo\n \n\n  three \n")
    assert outline(document) == [(PARAGRAPH, 0, "one\ntwo"), (PARAGRAPH, 0, "three")]
    assert document.text == "one\ntwo\n \n\n  three \n"


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        (f"Title\n=====\n{PROSE}\n\nPart\n----\n{PROSE}", [(1, "Title"), (2, "Part")]),
        (f"=====\nTitle\n=====\n\nPart\n=====\n\n{PROSE}", [(1, "Title"), (2, "Part")]),
        (f"1. Introduction\n\n{PROSE}\n\n1.2 Method\n\n{PROSE}", [(1, "1. Introduction"), (2, "1.2 Method")]),
        (f"GENERAL TERMS\n\n{PROSE}", [(1, "GENERAL TERMS")]),
        (f"Chapter 3: The end\n\n{PROSE}", [(1, "Chapter 3: The end")]),
        ("第一章 总则\n第一条内容。\n第二节 范围\n其他内容。", [(1, "第一章 总则"), (2, "第二节 范围")]),
        ("一、总则\n\n" + "这是一段很长的正文，" * 12, [(2, "一、总则")]),
    ],
    ids=["underlined", "overlined", "numbered", "capitals", "named", "chinese chapters", "chinese numbers"],
)
def test_plain_headings_are_known(parse: Any, outline: Any, text: str, headings: list[tuple[int, str]]) -> None:
    found = [(level, words) for kind, level, words in outline(parse(TextParser(), text)) if kind is HEADING]
    assert found == headings


@pytest.mark.parametrize(
    "text",
    [
        f"A short line.\n\n{PROSE}",
        "1. Milk\n\n2. Bread\n\n3. Tea",
        f"NO!\n\n{PROSE}",
        "TO WHOM IT MAY CONCERN\n\nHELLO",
        f"2024 was a year in which much happened, all of it good.\n\n{PROSE}",
        "-----\n-----\n\nx",
        "a | b\n\n----- \n\nx",
        'return\n"""\nThe text after a docstring',
    ],
)
def test_what_may_be_something_else_is_no_heading(parse: Any, outline: Any, text: str) -> None:
    assert all(kind is not HEADING for kind, _, _ in outline(parse(TextParser(), text)))


def test_lists_become_items_with_their_depth(parse: Any, outline: Any) -> None:
    assert outline(parse(TextParser(), "- one\n  goes on\n  - inner\n- two\n\n1) a\n2) b")) == [
        (ITEM, 1, "- one\n  goes on"),
        (ITEM, 2, "- inner"),
        (ITEM, 1, "- two"),
        (ITEM, 1, "1) a"),
        (ITEM, 1, "2) b"),
    ]


def test_headings_can_be_switched_off(parse: Any, outline: Any) -> None:
    document = parse(TextParser(headings=False), f"GENERAL TERMS\n\n{PROSE}")
    assert [kind for kind, _, _ in outline(document)] == [PARAGRAPH, PARAGRAPH]


def test_the_title_is_a_heading_that_comes_first(parse: Any) -> None:
    assert parse(TextParser(), f"Title\n=====\n\n{PROSE}").metadata["title"] == "Title"
    assert "title" not in parse(TextParser(), f"{PROSE}\n\nTitle\n=====\n\n{PROSE}").metadata


def test_invalid_bytes_are_counted_and_the_rest_is_read(parse: Any) -> None:
    document = parse(
        TextParser(), "标题。这里是正文内容。".encode() * 3 + b"\xff\xfe" + "标题。这里是正文内容。".encode() * 3
    )
    assert document.metadata["encoding_errors"] == "2" and document.text.count("\ufffd") == 2


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_words_is_an_empty_document(parse: Any, data: bytes) -> None:
    assert parse(TextParser(), data).blocks == ()


def blob(text: str) -> Blob:
    data = text.encode("utf-8")
    return Blob(source=Source(uri="a", media_type="text/plain", digest="", size=len(data), modified=0), data=data)


@given(text=st.text(st.sampled_from("ab \n\t-=1.第一章、A\r\x00\x85")))
def test_every_letter_of_any_text_is_in_a_block_or_in_a_rule(text: str) -> None:
    (document,) = TextParser()(blob(text))
    inside = "".join(block.span.of(document.text) for block in document.blocks)
    for letter in "ab第章A1":
        assert inside.count(letter) == document.text.count(letter)


def test_a_long_text_without_a_blank_line_is_cut_at_line_ends(parse: Any, outline: Any) -> None:
    text = "\n".join(f"12:00:{n % 60:02} event number {n}" for n in range(5_000))
    blocks = outline(parse(TextParser(), text))
    assert all(len(words) <= 20_000 for _, _, words in blocks)
    assert "\n".join(words for _, _, words in blocks) == text


@pytest.mark.parametrize(
    "unit", ["a", " ", "\n", " \n", "第", "- ", "1.", "=", "word ", "word\n\n", "x\n===\n", "第一章\n"]
)
def test_time_grows_with_length_only(parse: Any, unit: str) -> None:
    text = unit * (300_000 // len(unit))
    start = time.process_time()
    parse(TextParser(), text)
    assert time.process_time() - start < 5
