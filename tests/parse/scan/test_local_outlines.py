"""Boxes around lines are as long, as high and as tilted as the lines, with room around them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.parse.scan.local_outlines import outlines, runs, touching


def _map(*bars: tuple[float, float, float, float, float], size: tuple[int, int] = (200, 300)) -> np.ndarray:
    """Bars of (middle x, middle y, length, height, degrees), certain to be text."""
    y, x = np.mgrid[: size[0], : size[1]]
    shown = np.zeros(size, np.float32)
    for at_x, at_y, length, height, degrees in bars:
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        along = (x - at_x) * cosine + (y - at_y) * sine
        across = (y - at_y) * cosine - (x - at_x) * sine
        shown[(np.abs(along) <= length / 2) & (np.abs(across) <= height / 2)] = 0.9
    return shown


@given(
    x=st.floats(120, 180),
    y=st.floats(80, 120),
    length=st.floats(60, 120),
    height=st.floats(8, 14),
    tilt=st.floats(-25, 25),
)
@settings(max_examples=60, deadline=None)
def test_a_bar_gets_a_box_of_its_tilt_with_room_around_it(
    x: float, y: float, length: float, height: float, tilt: float
) -> None:
    (corners,) = outlines(_map((x, y, length, height, tilt)))
    (left, top), (right, top_end), (_, bottom_end), (_, bottom) = corners
    assert math.degrees(math.atan2(top_end - top, right - left)) == pytest.approx(tilt, abs=3)
    room = 1.6 * length * height / (2 * (length + height))
    assert math.dist(corners[0], corners[1]) == pytest.approx(length + 2 * room, rel=0.15)
    assert math.dist(corners[0], corners[3]) == pytest.approx(height + 2 * room, rel=0.25)
    assert sum(point[0] for point in corners) / 4 == pytest.approx(x, abs=1.5)
    assert (top + bottom_end) / 2 == pytest.approx(y, abs=2) and bottom > top


def test_lines_come_from_top_to_bottom() -> None:
    found = outlines(_map((150, 150, 100, 10, 0), (150, 30, 100, 10, 0), (150, 90, 100, 10, 0)))
    tops = [corners[0][1] for corners in found]
    assert len(found) == 3 and tops == sorted(tops)


def test_a_tall_bar_begins_above() -> None:
    (((x, y), _, _, (below_x, below_y)),) = outlines(_map((100, 100, 10, 80, 0)))
    assert below_y - y > 80 and abs(below_x - x) < 3


@pytest.mark.parametrize("value", [0.0, 0.29])
def test_where_nothing_is_likely_there_is_no_line(value: float) -> None:
    assert outlines(np.full((40, 60), value, np.float32)) == []


def test_specks_are_no_lines() -> None:
    shown = np.zeros((50, 50), np.float32)
    shown[10, 10] = shown[20:22, 30] = 1.0
    assert outlines(shown) == []


def test_noise_ends_soon_and_within_bounds() -> None:
    noise = np.random.default_rng(1).random((320, 320), np.float32)
    assert len(outlines(noise)) <= 1_000


@given(rows=st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=1, max_size=7))
def test_runs_tile_the_mask_and_touching_ones_share_a_number(rows: list[list[bool]]) -> None:
    mask = np.array(rows)
    again = np.zeros_like(mask)
    row, starts, stops = runs(mask)
    for at, start, stop in zip(row, starts, stops, strict=True):
        again[at, start:stop] = True
    assert (again == mask).all()
    owners = touching(row, starts, stops)
    for one in range(len(row)):
        for other in range(one):
            near = row[one] - row[other] == 1 and starts[other] <= stops[one] and starts[one] <= stops[other]
            assert not near or owners[one] == owners[other]
