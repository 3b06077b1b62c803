"""Boxes in whatever scale land at the same place; labels and order are read with tolerance."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.scan.layout import elements
from docpipe.types import BBox

WIDTH, HEIGHT = 2040, 2640
side = st.floats(0.0, 0.9)
boxes = st.lists(
    st.tuples(side, side, st.floats(0.02, 0.1), st.floats(0.02, 0.1)).map(
        lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
    ),
    min_size=1,
    max_size=12,
)
SCALES: dict[str, tuple[float, float, bool, bool, bool]] = {
    # factors for x and y, whole numbers, element sizes, page size apart
    "fractions": (1, 1, False, False, False),
    "fractions with sizes": (1, 1, False, True, True),
    "pixels with element sizes": (WIDTH, HEIGHT, True, True, False),
    "pixels with a page size": (WIDTH, HEIGHT, True, False, True),
    "thousandths": (1000, 1000, True, False, False),
}


def raw(box: tuple[float, ...], x: float, y: float, *, whole: bool, sized: bool) -> dict[str, Any]:
    quad = [box[0] * x, box[1] * y, box[2] * x, box[3] * y]
    item: dict[str, Any] = {"label": "text", "content": "a", "bbox_2d": [round(v) for v in quad] if whole else quad}
    return item | ({"width": WIDTH, "height": HEIGHT} if sized else {})


def close(one: BBox | None, other: tuple[float, ...]) -> bool:
    return one is not None and all(abs(a - b) <= 1 / 500 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("form", SCALES)
@given(found=boxes)
def test_a_page_lands_the_same_in_every_scale(form: str, found: list[tuple[float, ...]]) -> None:
    x, y, whole, sized, apart = SCALES[form]
    found = [*found, (0.5, 0.9, 0.6, 0.99)]  # a page whose content all stands in its upper left thousandth is no page
    page = [raw(box, x, y, whole=whole, sized=sized) for box in found]
    read = elements(page, (WIDTH, HEIGHT) if apart else None)
    assert all(close(element.box, box) for element, box in zip(read, found, strict=True))


@given(found=boxes, turn=st.sampled_from(["nested", "reversed", "polygon"]))
def test_nested_reversed_and_polygonal_boxes_are_the_same_boxes(found: list[tuple[float, ...]], turn: str) -> None:
    page = [raw(box, WIDTH, HEIGHT, whole=False, sized=True) for box in found]
    for item in page:
        a, b, c, d = item["bbox_2d"]
        item["bbox_2d"] = {
            "nested": [[a, b, c, d]],
            "reversed": [c, d, a, b],
            "polygon": [[a, b], [c, b], [c, d], [a, d]],
        }[turn]
    assert all(close(element.box, box) for element, box in zip(elements(page, None), found, strict=True))


@pytest.mark.parametrize(
    "box",
    [
        None,
        [],
        [1, 2, 3],
        "1,2,3,4",
        [1, 2, "3", 4],
        [float("nan")] * 4,
        [10**400, 0, 1, 1],
        [[1, 2], [3]],
        [5, 5, 5, 9],
        {},
    ],
    ids=str,
)
def test_what_is_no_box_is_dropped_and_the_element_kept(box: Any) -> None:
    (element,) = elements([{"label": "text", "content": "words", "bbox_2d": box, "width": 100, "height": 100}], None)
    assert element.box is None and element.text == "words"


def test_boxes_beyond_the_page_are_cut_at_its_edges() -> None:
    (element,) = elements([{"bbox_2d": [-20, 30, 140, 90], "width": 100, "height": 100}], None)
    assert element.box == (0.0, 0.3, 1.0, 0.9)
    inside, beyond = elements([{"bbox_2d": [0.1, 0.1, 0.5, 0.5]}, {"bbox_2d": [0.2, -0.01, 1.02, 0.4]}], (2040, 2640))
    assert inside.box == (0.1, 0.1, 0.5, 0.5) and beyond.box == (0.2, 0.0, 1.0, 0.4)


def test_pixels_without_any_size_have_no_place() -> None:
    assert elements([{"bbox_2d": [0, 0, 1700, 90], "content": "a"}], None)[0].box is None


def test_a_size_that_only_some_elements_tell_serves_the_others() -> None:
    first, second = elements(
        [{"bbox_2d": [0, 0, 50, 50], "width": 100, "height": 200}, {"bbox_2d": [50, 100, 100, 200]}], None
    )
    assert first.box == (0, 0, 0.5, 0.25) and second.box == (0.5, 0.5, 1.0, 1.0)


def test_the_finest_label_counts_and_unknown_ones_are_kept() -> None:
    page = [
        {"label": "text", "native_label": "Doc_Title"},
        {"label": "sidebar"},
        {"label": 3},
        {"label": "", "native_label": None},
    ]
    assert [element.label for element in elements(page, None)] == ["doc_title", "sidebar", "text", "text"]


def test_elements_come_by_their_index_where_all_have_one() -> None:
    def texts(*indices: Any) -> str:
        return "".join(e.text for e in elements([{"index": i, "content": str(n)} for n, i in enumerate(indices)], None))

    assert texts(2, 0, 1) == "120" and texts(2, None, 1) == "012" and texts(1, 1, 0) == "201"


def test_whatever_is_no_element_is_left_out() -> None:
    assert elements([None, 3, "text", [], {"content": None}], None) == [("text", "", None)]
