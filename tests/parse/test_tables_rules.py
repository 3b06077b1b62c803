"""Lines drawn on a page, in points as the page is shown."""

from typing import Any

import pytest
from printed_pages import new

from docpipe.parse.content import Rule
from docpipe.parse.grid.rules import page_rules


@pytest.fixture
def page() -> Any:
    return new().new_page(width=400, height=600)


def rounded(rules: tuple[Rule, ...]) -> set[tuple[int, ...]]:
    return {tuple(round(value) for value in rule) for rule in rules}


def test_strokes_thin_boxes_and_sides_of_boxes_are_rules(page: Any) -> None:
    page.draw_line((50, 100), (350, 100))
    page.draw_rect((50, 200, 350, 201), fill=(0, 0, 0), width=0, color=None)
    page.draw_rect((50, 300, 350, 400))
    assert rounded(page_rules(page)) >= {
        (50, 100, 350, 100),
        (50, 200, 350, 201),
        (50, 300, 350, 300),
        (50, 400, 350, 400),
        (50, 300, 50, 400),
        (350, 300, 350, 400),
    }


def test_slanting_lines_curves_and_shaded_boxes_are_none(page: Any) -> None:
    page.draw_line((50, 100), (350, 180))
    page.draw_circle((200, 300), 50)
    page.draw_rect((50, 400, 350, 450), fill=(0.9, 0.9, 0.9), color=None)
    assert page_rules(page) == ()


def test_a_turned_page_gives_rules_as_it_is_shown(page: Any) -> None:
    page.draw_line((50, 100), (350, 100))
    page.set_rotation(90)
    assert rounded(page_rules(page)) == {(500, 50, 500, 350)}


def test_a_page_without_drawings_has_no_rules(page: Any) -> None:
    page.insert_text((50, 100), "Only words")
    assert page_rules(page) == ()


def test_a_page_full_of_strokes_is_a_drawing_and_given_up(page: Any) -> None:
    shape = page.new_shape()
    for number in range(6_100):
        shape.draw_line((number % 300, number % 500), (number % 300 + 20, number % 500))
    shape.finish()
    shape.commit()
    assert page_rules(page) == ()
