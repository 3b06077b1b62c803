"""Quotes are found again where they stand, however they were printed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.chat.folding import fold
from docpipe.chat.grounding import citation, locate, locate_any_case, readable
from docpipe.types import BlockKind, Chunk, Geometry, Line, Source, Span

SOURCE = Source(uri="tides.pdf", media_type="application/pdf", digest="0" * 64, size=1, modified=1)
PHASES = tables.write(tables.grid([["Code", "Meaning"], ["E23", "Phase <L1> & N missing"], ["E31", "Silent"]])).html


def chunk_of(text: str, *, start: int = 0, lines: tuple[Line, ...] = ()) -> Chunk:
    return Chunk(
        id="c1",
        document_id="d1",
        source=SOURCE,
        span=Span(start, start + len(text)),
        text=text,
        context="",
        headings=("Tides",),
        block_ids=("b1",),
        kind=BlockKind.PARAGRAPH,
        pages=(3, 4),
        boxes=(),
        token_count=1,
        position=0,
        title="On tides",
        geometry=Geometry.of(lines),
    )


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        pytest.param("the tide", "Here the tide turns", "the tide", id="to the letter"),
        pytest.param("electricity a year", "much electrici-\nty a  year.", "electrici-\nty a  year", id="line end"),
        pytest.param("elec-\ntricity", "more electricity", "electricity", id="quote divided"),
        pytest.param("seawater", "sea\u00adwater", "sea\u00adwater", id="soft hyphen"),
        pytest.param("efficient flow", "e\ufb03cient\u00a0\ufb02ow", "e\ufb03cient\u00a0\ufb02ow", id="ligatures"),
        pytest.param("cafe\u0301", "a caf\u00e9.", "caf\u00e9", id="decomposed quote"),
        pytest.param("caf\u00e9", "a cafe\u0301.", "cafe\u0301", id="decomposed text"),
        pytest.param('"don\'t" - he said', "“don’t” — he said", "“don’t” — he said", id="quotes and dashes"),
        pytest.param("漏损率8.7%", "管网漏\n损率８．７％。", "漏\n损率８．７％", id="Chinese line end and width"),
        pytest.param("2025年9月18日", "于2025 年 9 月 18 日投产", "2025 年 9 月 18 日", id="Chinese blanks"),
        pytest.param("E23 | Phase <L1> & N missing", PHASES, "E23</td><td>Phase &lt;L1&gt; &amp; N missing", id="row"),
        pytest.param("low-pressure", "low-\npressure", "low-\npressure", id="a hyphen of its own"),
    ],
)
def test_a_quote_is_found_however_it_was_printed(quote: str, text: str, found: str) -> None:
    span = locate(quote, text)
    assert span is not None
    assert span.of(text) == found


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        pytest.param("", "anything", id="empty"),
        pytest.param(" \n", "any thing", id="blank"),
        pytest.param("\u00ad", "seawater", id="nothing visible"),
        pytest.param("4.1", "31.4", id="other number"),
        pytest.param("THE TIDE", "the tide", id="case counts"),
        pytest.param("not rise", "it does rise", id="a word more"),
        pytest.param("1-2", "12", id="hyphen between digits"),
        pytest.param("9.5 m", "19.5 m", id="the end of a number"),
        pytest.param("4,180", "4,180,000", id="the beginning of a number"),
        pytest.param("1" * 70, "1" * 5000, id="inside one long number"),
    ],
)
def test_what_is_not_there_is_not_found(quote: str, text: str) -> None:
    assert locate(quote, text) is None


def test_case_is_ignored_only_when_asked() -> None:
    assert locate_any_case("THE STRASSE", "die/the Straße") == Span(4, 14)
    assert locate_any_case("THE STRASSE", "die Gasse") is None


@given(text=st.text(), data=st.data())
def test_every_piece_of_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = text[start:end]
    span = locate(quote, text)
    assert span or not quote.strip() or quote.strip()[0].isdecimal() or quote.strip()[-1].isdecimal()
    assert not span or span.of(text) == quote.strip()


def test_a_number_that_stands_alone_is_found_behind_a_longer_one() -> None:
    assert locate("9.5 m", "19.5 m, 9.5 m") == Span(8, 13)


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_folded_letters_point_at_their_originals_in_order(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert list(folded.starts) == sorted(folded.starts)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
    assert not folded.text.startswith(" ")
    assert not folded.text.endswith(" ")


words = st.lists(st.text("abcäé漢字xyz0123456789", min_size=1, max_size=9), min_size=1, max_size=8)


@given(words=words, data=st.data())
def test_printing_a_text_again_does_not_lose_the_quote(words: list[str], data: st.DataObject) -> None:
    """New line ends, wide blanks and full-width digits change nothing."""
    blank = st.sampled_from([" ", "\n", "\u00a0", "  ", "\u3000", "\t"])
    printed = "".join(word + data.draw(blank) for word in words)
    printed = printed.translate({ord("1"): "１", ord("a"): "ａ"})
    before = data.draw(st.text("?!.", max_size=3))
    span = locate(" ".join(words), before + printed)
    assert span is not None
    assert fold(span.of(before + printed)).text == fold(" ".join(words)).text


@given(rows=st.lists(st.lists(st.text("ab&<>1 ", max_size=5), min_size=2, max_size=2), min_size=2, max_size=4))
def test_a_table_as_people_read_it_is_found_in_its_written_form(rows: list[list[str]]) -> None:
    html = tables.write(tables.grid(rows)).html
    for line in tables.without_tags(html).splitlines():
        assert (locate(line, html) is None) == (not line.replace("|", "").strip())


def test_searching_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        begun = time.process_time()
        assert locate("a" * (size // 2) + "ｂ", "a" * size) is None
        return time.process_time() - begun

    seconds(1_000)
    assert seconds(80_000) < 40 * max(seconds(8_000), 0.002)


def lines_of(text: str, start: int) -> tuple[Line, ...]:
    first = text.index("\n")
    return (
        Line(start, start + first, 3, 0.1, 0.1, 0.5, 0.12, (0.1, 0.2, 0.25, 0.5)),
        Line(start + first + 1, start + len(text), 4, 0.1, 0.2, 0.4, 0.22, (0.1, 0.2, 0.3, 0.4)),
    )


def test_a_citation_names_the_pages_and_boxes_of_the_quoted_words() -> None:
    text = "The electrici-\nty fell"
    found = citation("[1]", chunk_of(text, start=500, lines=lines_of(text, 500)), "electricity")
    assert (found.marker, found.uri, found.title) == ("[1]", "tides.pdf", "On tides")
    assert found.quote == "electrici- ty"
    assert found.verified
    assert found.pages == (3, 4)
    assert [(round(box.left, 3), round(box.right, 3)) for box in found.boxes] == [(0.25, 0.5), (0.1, 0.2)]


def test_a_quote_on_one_page_of_a_chunk_names_that_page_only() -> None:
    text = "The electrici-\nty fell"
    assert citation("[1]", chunk_of(text, start=7, lines=lines_of(text, 7)), "fell").pages == (4,)


def test_a_quote_that_the_chunk_does_not_hold_is_not_verified_and_has_no_place() -> None:
    found = citation(
        "[2]", chunk_of("The tide turned."), "The tide stopped.", source_text=lambda _: "The tide stopped."
    )
    assert not found.verified
    assert found.boxes == ()
    assert found.pages == ()


def test_a_source_that_no_longer_says_so_unverifies_the_quote() -> None:
    chunk = chunk_of("The tide turned.")
    assert citation("[1]", chunk, "tide turned", source_text=lambda _: "the\ntide  turned").verified
    assert not citation("[1]", chunk, "tide turned", source_text=lambda _: "the tide stood").verified


def test_a_source_that_cannot_be_read_leaves_the_stored_text_as_witness() -> None:
    assert citation("[1]", chunk_of("The tide turned."), "tide turned", source_text=lambda _: None).verified


def test_a_row_of_a_table_is_quoted_as_people_read_it() -> None:
    chunk = chunk_of(PHASES)
    span = locate("E23 Phase <L1> & N missing E31", PHASES)
    assert span is not None
    assert readable(chunk, span) == "E23 | Phase <L1> & N missing | E31"
    assert citation("[1]", chunk, "E31 | Silent").verified
