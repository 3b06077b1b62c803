"""Lines of text and where they stand on their pages, packed."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.geometry import UNCUT, Geometry, Line

TEXT = "hello wide world second line"


def line(start: int, end: int, top: float, edges: tuple[float, ...] = ()) -> Line:
    return Line(start, end, 1, 0.1, top, 0.7, top + 0.02, edges)


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    offsets = sorted(draw(st.lists(st.integers(0, 5000), min_size=0, max_size=40, unique=True)))
    fraction = st.floats(0, 1)
    made = []
    for start, end in zip(offsets[::2], offsets[1::2], strict=False):
        edges = tuple(draw(st.lists(fraction, max_size=6)))
        made.append(Line(start, end, draw(st.integers(1, 4000)), *(draw(fraction) for _ in range(4)), edges))
    return made


def near(one: Line, other: Line) -> bool:
    same = one[:3] == other[:3] and len(one.edges) == len(other.edges)
    numbers = zip((*one[3:7], *one.edges), (*other[3:7], *other.edges), strict=True)
    return same and all(abs(a - b) < 1e-4 for a, b in numbers)


@given(lines())
def test_packed_lines_come_back_as_they_were(made: list[Line]) -> None:
    geometry = Geometry.of(made)
    assert len(geometry) == len(made)
    assert all(near(a, b) for a, b in zip(geometry, made, strict=True))
    assert pickle.loads(pickle.dumps(geometry)) == geometry


@given(lines(), st.integers(0, 5000), st.integers(0, 5000))
def test_a_slice_holds_the_lines_that_touch_it_and_no_other(made: list[Line], a: int, b: int) -> None:
    start, end = sorted((a, b))
    expected = [line for line in made if line.start < end and line.end > start]
    found = list(Geometry.of(made).slice(start, end)) if start < end else []
    assert len(found) == len(expected) if start < end else True
    assert all(near(x, y) for x, y in zip(found, expected if start < end else [], strict=True))


def test_lines_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of the text"):
        Geometry.of([line(10, 20, 0.1), line(15, 25, 0.2)])


def test_words_are_boxed_at_their_own_edges() -> None:
    geometry = Geometry.of([line(0, 16, 0.1, (0.1, 0.25, 0.3, 0.45, 0.5, 0.7)), line(17, 28, 0.2)])
    (box,) = geometry.boxes(6, 10, TEXT)  # "wide"
    assert (round(box.left, 3), round(box.right, 3), box.page) == (0.3, 0.45, 1)


def test_part_of_a_word_is_boxed_in_proportion() -> None:
    geometry = Geometry.of([line(0, 16, 0.1, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6))])
    (box,) = geometry.boxes(8, 10, TEXT)  # "de" of "wide"
    assert (round(box.left, 3), round(box.right, 3)) == (0.35, 0.4)


def test_a_quote_over_two_lines_has_two_boxes() -> None:
    geometry = Geometry.of([line(0, 16, 0.1, (0.1, 0.25, 0.3, 0.45, 0.5, 0.7)), line(17, 28, 0.2)])
    first, second = geometry.boxes(11, 23, TEXT)
    assert round(first.left, 3) == 0.5
    assert second.top > first.bottom


def test_blanks_between_words_have_no_box() -> None:
    geometry = Geometry.of([line(0, 16, 0.1)])
    assert geometry.boxes(5, 6, TEXT) == ()


def test_a_text_with_an_offset_is_read_at_its_place() -> None:
    geometry = Geometry.of([line(100, 116, 0.1, (0.1, 0.25, 0.3, 0.45, 0.5, 0.7))])
    (box,) = geometry.boxes(106, 110, TEXT, offset=100)
    assert round(box.left, 3) == 0.3


@given(lines(), st.integers(0, 5000), st.integers(0, 5000))
def test_boxes_never_fail_and_lie_on_known_pages(made: list[Line], a: int, b: int) -> None:
    geometry, (start, end) = Geometry.of(made), sorted((a, b))
    pages = {line.page for line in made}
    assert all(box.page in pages for box in geometry.boxes(start, end, "ab cd " * 900))


def test_a_run_whose_words_nobody_placed_is_never_cut() -> None:
    text = "the pilot waits at the outer buoy"
    geometry = Geometry.of([Line(0, len(text), 1, 0.1, 0.2, 0.9, 0.3, (UNCUT,))])
    (box,) = geometry.boxes(4, 9, text)
    assert (round(box.left, 3), round(box.right, 3)) == (0.1, 0.9)
    (kept,) = geometry.slice(4, 9)
    assert kept.edges == (UNCUT,)
