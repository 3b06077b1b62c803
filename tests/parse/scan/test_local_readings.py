"""A line's text, the edges of its words, and how much of its ink no letter accounts for."""

import numpy as np
import pytest

from docpipe.parse.scan.local_readings import STEP, Reading, reading

LETTERS = ("", "a", "b", "c", "港", " ")


def line(*boxes: tuple[int, int], width: int = 160) -> np.ndarray:
    """A white line with black boxes from one column to another."""
    shown = np.full((48, width, 3), 255, np.uint8)
    for start, stop in boxes:
        shown[12:36, start:stop] = 0
    return shown


def said(signs: dict[int, str], steps: int = 20, sure: float = 0.96) -> np.ndarray:
    """What the network says: a sign at some steps, nothing at the others."""
    likely = np.full((steps, len(LETTERS)), (1 - sure) / (len(LETTERS) - 1), np.float32)
    for step in range(steps):
        likely[step, LETTERS.index(signs.get(step, ""))] = sure
    return likely


def read(signs: dict[int, str], *boxes: tuple[int, int]) -> Reading:
    return reading(said(signs), LETTERS, line(*boxes))


def test_repeated_steps_are_one_letter_and_a_gap_makes_two() -> None:
    assert read({2: "a", 3: "a", 5: "a", 6: "b"}, (16, 56)).text == "aab"


def test_words_end_where_their_ink_does() -> None:
    found = read({2: "a", 4: "b", 6: " ", 10: "c"}, (12, 40), (76, 92))
    assert found.text == "ab c" and found.score == pytest.approx(0.96, abs=1e-5)
    assert [round(160 * edge) for edge in found.edges] == [12, 40, 76, 92]


def test_words_that_touch_are_parted_in_the_middle() -> None:
    found = read({2: "a", 3: " ", 6: "c"}, (10, 60))
    assert len(found.edges) == 4 and found.edges[1] == found.edges[2]


def test_ink_without_letters_takes_from_the_score() -> None:
    whole, half = read({2: "a", 4: "b"}, (8, 56)), read({2: "a", 4: "b"}, (8, 48), (96, 152))
    assert whole.score == pytest.approx(0.96, abs=1e-5) and half.score < 0.65 * whole.score
    assert half.ink > whole.ink


def test_a_line_of_which_nothing_is_known_has_ink_and_no_text() -> None:
    found = read({}, (8, 60), (72, 150))
    assert found.text == "" and found.score == 0.0 and found.ink >= 15


def test_wide_letters_account_for_their_width() -> None:
    assert read({4: "港"}, (12, 58)).score > read({4: "a"}, (0, 72)).score


def test_dashes_and_leaders_are_no_ink() -> None:
    shown = line((8, 24))
    shown[30:33, 40:150] = 0
    assert reading(said({2: "a"}), LETTERS, shown).score == pytest.approx(0.96, abs=1e-5)


def test_one_sign_over_and_over_is_an_ornament() -> None:
    stars = [(start, start + 10) for start in range(4, 310, 20)]
    found = reading(said({}, 40), LETTERS, line(*stars, width=320))
    assert found.ink == 0 and found.text == ""


def test_a_gap_with_ink_between_letters_is_a_lost_one() -> None:
    signs = {2: "a", 4: "b", 6: "c", 8: "a", 10: "b", 14: "c", 16: "a"}
    assert read(signs, (12, 140)).lost == 1
    assert read(signs, (12, 88), (110, 140)).lost == 0


@pytest.mark.parametrize("width", [STEP, 24, 3000])
def test_blank_lines_of_any_width_are_nothing(width: int) -> None:
    assert reading(said({}, max(1, width // STEP)), LETTERS, line(width=width)) == Reading("", 0.0, ())
