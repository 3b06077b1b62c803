"""Rich text: what its marks mean, and what hostile marks do not do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.errors import CorruptSource, SourceError, SourceTooLarge
from docpipe.parse.rich_text import marks
from docpipe.parse.rtf import RtfParser
from docpipe.types import HIDDEN, Blob, BlockKind, Document, Source

HEADING, PARAGRAPH, ITEM = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM
STYLES = (
    r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2\outlinelevel1 Own style;}{\s9 Title;}{\s8 caption;}{\*\cs10 x;}}"
)


def rtf(body: str, head: str = r"\ansi\ansicpg1252") -> bytes:
    return f"{{\\rtf1{head}{STYLES}{body}}}".encode("latin-1")


def texts(document: Document) -> list[str]:
    return [block.span.of(document.text) for block in document.blocks]


def test_headings_titles_and_captions_are_known_by_their_style(parse: Any, outline: Any) -> None:
    body = (
        r"\pard\s9 The title\par\pard\s1 First\par\pard\plain Words.\par\pard\s2 Second\par"
        r"\pard\outlinelevel2 Third\par\pard\s8 Figure 1. A duck\par"
    )
    document = parse(RtfParser(), rtf(body))
    assert outline(document) == [
        (BlockKind.TITLE, 1, "The title"),
        (HEADING, 1, "First"),
        (PARAGRAPH, 0, "Words."),
        (HEADING, 2, "Second"),
        (HEADING, 3, "Third"),
        (BlockKind.CAPTION, 0, "Figure 1. A duck"),
    ]
    assert document.metadata["title"] == "The title"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r"caf\'e9", "café"),
        (r"{\fonttbl{\f0\fcharset204 A;}{\f1\fcharset128 B;}}\f0 \'cf\'f0\'e8\f1 \'93\'fa\'96\'7b", "При日本"),
        (r"\uc1\u8364?5 \u-3913?", "€5 \uf0b7"),
        (r"\uc2\u26085\'93\'fa\u26412??!", "日本!"),
        (r"\u-10187?\u-9138?", "\U0001d44e"),
        (r"a\~b\_c\-d\emdash e\{\}\\", "a b-cd—e{}\\"),
        (r"one\line two", "one\ntwo"),
        (r"\uc0\u233 t\u233", "été"),
        ("split\r\n across", "split across"),
        (r"x{\*\unknown secret}{\pict\wmetafile8 0102ff}{\object{\*\objdata 01}{\result shown}}y", "xy"),
        (r"{\field{\*\fldinst HYPERLINK \"http://x\"}{\fldrslt the link}}", "the link"),
        (r"{\upr{ansi}{\*\ud unicode}}", "ansi"),
        (r"kept {\deleted gone}{\v0 too}", "kept too"),
        (r"\bin4 }}}}x", "x"),
        (
            r"{\*\shppict{\pict 00}}{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt In the box}}{\shprslt twice}}",
            "In the box",
        ),
    ],
)
def test_letters_and_groups(parse: Any, body: str, words: str) -> None:
    assert texts(parse(RtfParser(), rtf(r"\pard " + body + r"\par"))) == [words]


def test_the_files_own_code_page_holds_where_a_font_says_nothing(parse: Any) -> None:
    assert texts(parse(RtfParser(), rtf(r"za\'bf\'f3\'b3\'e6", r"\ansi\ansicpg1250"))) == ["zażółć"]
    assert texts(parse(RtfParser(), rtf(r"\'8e", r"\mac"))) == ["é"]


def test_lists_keep_their_numbers_and_depth(parse: Any, outline: Any) -> None:
    body = (
        r"{\listtext 1.\tab}\pard\ls1 one\par{\listtext a)\tab}\pard\ls1\ilvl1 inner\par"
        r"{\pntext\'b7\tab}\pard bullet\par\pard after\par"
    )
    assert outline(parse(RtfParser(), rtf(body))) == [
        (ITEM, 1, "1. one"), (ITEM, 2, "a) inner"), (ITEM, 1, "bullet"), (PARAGRAPH, 0, "after"),
    ]  # fmt: skip


def test_tables_keep_spans_headers_and_inner_paragraphs(parse: Any) -> None:
    body = (
        r"\trowd\trhdr\clmgf\cellx1\clmrg\cellx2\cellx3\pard\intbl Head\cell\cell Last\cell\row"
        r"\trowd\clvmgf\cellx1\cellx2\cellx3\pard\intbl Tall\cell a\par b\cell 1.10\cell\row"
        r"\trowd\clvmrg\cellx1\cellx2\cellx3\pard\intbl\cell c\cell 2\cell\row\pard after\par"
    )
    document = parse(RtfParser(), rtf(body))
    table = tables.read(texts(document)[0])
    assert [[(cell.text, cell.colspan, cell.rowspan) for cell in row] for row in table.rows] == [
        [("Head", 2, 1), ("Last", 1, 1)], [("Tall", 1, 2), ("a b", 1, 1), ("1.10", 1, 1)], [("c", 1, 1), ("2", 1, 1)],
    ]  # fmt: skip
    assert table.header_rows == 1 and texts(document)[1] == "after"


def test_notes_follow_their_paragraph_and_furniture_stands_last(parse: Any, outline: Any) -> None:
    body = r"{\header Top}{\footerr Bottom}\pard Words{\footnote\pard A note.} here.\par\pard More.\par"
    assert outline(parse(RtfParser(), rtf(body))) == [
        (PARAGRAPH, 0, "Words[1] here."),
        (BlockKind.FOOTNOTE, 0, "[1] A note."),
        (PARAGRAPH, 0, "More."),
        (BlockKind.HEADER, 0, "Top"),
        (BlockKind.FOOTER, 0, "Bottom"),
    ]


@pytest.mark.parametrize(
    "marked",
    [r"{\v unseen}", r"{\cf2 unseen}", r"{\fs2 unseen}", r"{\v{\cf1 unseen}}"],
    ids=["hidden", "white", "tiny", "inside"],
)
def test_what_no_reader_sees_is_hidden(parse: Any, marked: str) -> None:
    colours = r"{\colortbl;\red0\green0\blue0;\red255\green255\blue255;}"
    document = parse(RtfParser(), rtf(rf"{colours}\pard Seen {marked}words\par"))
    assert texts(document) == ["Seen words", "unseen"]
    assert [block.native_label == HIDDEN for block in document.blocks] == [False, True]


def test_white_letters_on_a_ground_are_seen(parse: Any) -> None:
    colours = r"{\colortbl;\red255\green255\blue255;\red0\green0\blue128;}"
    assert texts(parse(RtfParser(), rtf(rf"{colours}\pard{{\cf1\highlight2 On blue}}\par"))) == ["On blue"]


def test_what_the_file_says_of_itself_is_metadata(parse: Any) -> None:
    info = (
        r"{\info{\title A \'e9t\'e9}{\author Li}{\keywords a, b}{\creatim\yr2020\mo5\dy1\hr9\min30}"
        r"{\revtim\yr2021\mo1\dy2}{\company X}}"
    )
    document = parse(RtfParser(), rtf(info + r"\pard Words.\par"))
    known = {key: document.metadata[key] for key in ("title", "authors", "keywords", "created", "modified")}
    assert known == {
        "title": "A été", "authors": "Li", "keywords": "a, b", "created": "2020-05-01T09:30:00",
        "modified": "2021-01-02",
    }  # fmt: skip
    assert document.text == "Words."


def blob(data: bytes) -> Blob:
    return Blob(
        source=Source(uri="a.rtf", media_type="application/rtf", digest="", size=len(data), modified=0), data=data
    )


def test_what_is_no_rtf_is_told() -> None:
    with pytest.raises(CorruptSource, match="it is no RTF"):
        list(RtfParser()(blob(b"plain words")))


HOSTILE = {
    "groups": b"{\\rtf1" + b"{" * 100_000 + b"deep" + b"}" * 100_000,
    "unclosed": b"{\\rtf1 words {\\b words",
    "closed too often": b"{\\rtf1 words}}}}}} more",
    "one line": b"{\\rtf1 " + b"x" * 50_000_000,
    "huge numbers": b"{\\rtf1\\u99999999999999 \\bin999999999 x",
    "negative": b"{\\rtf1\\bin-5 a\\uc-3\\u-1 b\\fs-4 c\\ilvl-7 d\\ls1 e\\par}",
    "cells": b"{\\rtf1\\trowd" + b"\\cellx1" * 100_000 + b"\\intbl" + b"a\\cell" * 100_000 + b"\\row}",
    "joined": b"{\\rtf1" + b"\\trowd\\clvmrg\\cellx1\\clmrg\\cellx2\\intbl a\\cell b\\cell\\row" * 2_000 + b"}",
    "styles": b"{\\rtf1{\\stylesheet" + b"{\\s1 a;}" * 50_000 + b"}words\\par}",
    "notes": b"{\\rtf1" + b"a{\\footnote b}" * 20_000 + b"\\par}",
    "half a letter": b"{\\rtf1\\'9",
    "zero bytes": b"{\\rtf1 a\x00b\\par}",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_marks_cost_little(data: bytes) -> None:
    (document,) = RtfParser()(blob(data))
    document.text.encode("utf-8")
    assert len(document.text) <= 2 * len(data) + 100_000


def test_a_file_of_nothing_but_marks_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "MOST", 1_000)
    with pytest.raises(SourceTooLarge, match="too many marks"):
        list(RtfParser()(blob(b"{\\rtf1" + b"{" * 2_000)))


@given(st.lists(st.sampled_from([
    "{", "}", "\\par", "\\pard", "\\intbl", "\\cell", "\\row", "\\trowd", "\\clvmrg", "\\clmrg", "\\cellx9", "a",
    "\\u8364?", "\\'e9", "{\\footnote ", "{\\*\\x ", "\\*", "{\\header ", "{\\listtext 1.}", "\\v", "\\v0",
    "{\\info{\\title t}}", "\\~", "{\\stylesheet{\\s1 heading 1;}}", "\\s1", "\\nestcell", "\\uc3",
    "{\\fonttbl{\\f1\\fcharset136 x;}}",
    "\\f1", "\\plain",
]), max_size=60))  # fmt: skip
def test_any_order_of_marks_gives_a_document_or_a_typed_error(pieces: list[str]) -> None:
    try:
        (document,) = RtfParser()(blob(("{\\rtf1 " + "".join(pieces)).encode()))
    except SourceError:
        return
    at = 0
    for block in document.blocks:
        assert at <= block.span.start < block.span.end <= len(document.text)
        at = block.span.end


def test_comments_are_hidden_with_the_name_of_their_writer(parse: Any) -> None:
    body = r"\pard Words{\*\atnid LI}{\*\atnauthor Li}{\*\annotation{\*\atnref 1}\pard Is that so?}.\par"
    document = parse(RtfParser(), rtf(body))
    assert texts(document) == ["Words.", "Li: Is that so?"]
    assert document.blocks[1].native_label == HIDDEN
