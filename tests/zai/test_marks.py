"""Marks in content: whole or in pieces, the text and the thought are the same, and no half mark is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._zai.marks import Unmarked, unmarked

PIECES = st.lists(
    st.sampled_from(["<think>", "</think>", "<|begin_of_box|>", "<|end_of_box|>", "<", "</", "<thi", "|>", " ", "\n"])
    | st.text(alphabet="ab<|> /think", max_size=6),
    max_size=12,
)


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        pytest.param("Four. [1]", "Four. [1]", "", id="plain"),
        pytest.param("<think>two and two</think>\n\nFour.", "Four.", "two and two", id="thought"),
        pytest.param(" \n<think>\nno end", "", "no end", id="thought-without-end"),
        pytest.param("<|begin_of_box|>4<|end_of_box|>", "4", "", id="box"),
        pytest.param("a <think>b</think>", "a <think>b</think>", "", id="not-at-the-begin"),
        pytest.param("<think>a</think><think>b</think>", "<think>b</think>", "a", id="one-thought-only"),
        pytest.param("  <thin", "  <thin", "", id="half-a-mark-is-text-at-the-end"),
        pytest.param("a < b <| c", "a < b <| c", "", id="signs"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_text_and_thought_are_told_apart(content: str, text: str, thought: str) -> None:
    assert unmarked(content) == (text, thought)


@given(pieces=PIECES)
def test_pieces_give_what_the_whole_gives(pieces: list[str]) -> None:
    reader = Unmarked()
    found = [*map(reader.feed, pieces), reader.rest()]
    text, thought = "".join(text for text, _ in found), "".join(thought for _, thought in found)
    assert (text, thought.strip()) == unmarked("".join(pieces))


@given(inside=st.text(alphabet="ab ", max_size=5), cut=st.integers(0, 60))
def test_no_half_mark_is_ever_shown(inside: str, cut: int) -> None:
    content = f"<think>{inside}</think>x<|begin_of_box|>{inside}<|end_of_box|>y"
    reader = Unmarked()
    shown, thought = reader.feed(content[:cut])
    assert not {"<", "|", ">", "/"} & {*shown, *thought}


def test_many_marks_take_neither_depth_nor_long() -> None:
    assert unmarked("<think></think>" * 50_000)[1] == ""
    assert unmarked("<" * 100_000)[0] == "<" * 100_000
