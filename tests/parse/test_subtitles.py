"""Subtitles: what is said, below the time at which it is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.subtitles import Cue, SubtitlesParser, clock, groups
from docpipe.types import BlockKind

HEADING, PARAGRAPH = BlockKind.HEADING, BlockKind.PARAGRAPH
SRT, VTT = "application/x-subrip", "text/vtt"


def test_cues_become_paragraphs_below_their_time(parse: Any, outline: Any) -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:03,500\n<i>Hello</i> there,\n\n2\n00:00:04,000 --> 00:00:06,000\nfriend. "
        "{\\an8}Yes.\n\n"
        "3\n01:01:10,000 --> 01:01:12,000\nFine &amp; well.\n1984\n"
    )
    assert outline(parse(SubtitlesParser(), text, media=SRT)) == [
        (HEADING, 1, "00:00:01 - 00:00:06"),
        (PARAGRAPH, 0, "Hello there, friend. Yes."),
        (HEADING, 1, "01:01:10 - 01:01:12"),
        (PARAGRAPH, 0, "Fine & well.\n1984"),
    ]


def test_notes_styles_and_names_of_cues_are_left_out(parse: Any, outline: Any) -> None:
    text = (
        "WEBVTT\nKind: captions\n\nNOTE\nnot said\n\nSTYLE\n::cue { color: red }\n\nintro\n"
        "00:01.000 --> 00:04.000 align:start\n"
        "<v Roger Bingham>We are in <00:02.000><c.big>New</c> York\n\nNOTE not said\n\n"
        "second\n00:05.000 --> 00:06.000\n- Bye.\n"
    )
    assert outline(parse(SubtitlesParser(), text, media=VTT)) == [
        (HEADING, 1, "00:00:01 - 00:00:06"),
        (PARAGRAPH, 0, "Roger Bingham: We are in New York - Bye."),
    ]


def test_a_line_that_rolls_up_is_kept_once_and_one_that_is_said_again_twice(parse: Any) -> None:
    rolling = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\n00:02.000 --> 00:03.000\none\ntwo\n\n00:03.000 --> 00:04.000\ntwo\n"
    )
    assert parse(SubtitlesParser(), rolling, media=VTT).text.endswith("one two")
    again = "1\n00:00:01,000 --> 00:00:02,000\nNo.\n\n2\n00:00:03,000 --> 00:00:04,000\nNo.\n"
    assert parse(SubtitlesParser(), again, media=SRT).text.endswith("No. No.")


@pytest.mark.parametrize("text", ["no time at all", "1\n00:00:xx --> y\nwords"])
def test_text_without_times_stays_text(parse: Any, text: str) -> None:
    assert parse(SubtitlesParser(), text, media=SRT).text == text


@pytest.mark.parametrize(
    "text",
    [
        "00:00:01,000 --> 00:00:02,000\n" * 20_000,
        "x" * 5_000_000,
        "\n\n" + "a" * 300 + "\n" * 100_000,
        "WEBVTT\n\n" + "<" * 500_000,
        "00:00:01,000 --> 00:00:02,000\n" + "{\\" * 500_000,
    ],
    ids=["times", "line", "breaks", "tags", "braces"],
)
def test_hostile_files_end(parse: Any, text: str) -> None:
    assert len(parse(SubtitlesParser(), text, media=VTT).text) <= len(text)


def test_the_time_of_a_paragraph_must_be_one() -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        SubtitlesParser(seconds=0)


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 9), st.sampled_from(["a", "b.", "c?"])), max_size=30))
def test_groups_tile_the_cues_in_their_order(parts: list[tuple[float, float, str]]) -> None:
    cues = [Cue(start, start + length, text) for start, length, text in parts]
    found = list(groups(iter(cues), seconds=10))
    assert [cue for group in found for cue in group] == cues and all(found)


def test_a_clock_shows_hours_minutes_and_seconds() -> None:
    assert clock(3_725.9) == "01:02:05"
