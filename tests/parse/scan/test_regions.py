"""Regions of pages whose parts are known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from standin import printing

from docpipe.parse.scan import pictures
from docpipe.parse.scan.regions import Region, regions
from docpipe.types import BBox

SENTENCE = (
    "The ferry carried 412,000 passengers in 2024. It was the best year since the pier was built again. "
    "The keeper of the lighthouse counts every vessel. "
)
TABLE = [["Route", "Crossings"], ["North pier", "4,380"], ["Lighthouse", "2,190"]]
ONE_COLUMN: list[Any] = [
    ("header", "Harbour Lights"),
    ("title", "Ferry report"),
    ("heading", "1 Passengers"),
    ("text", SENTENCE * 3),
    ("text", SENTENCE * 2),
    ("table", TABLE),
    ("formula", "E = m c2 + k"),
    ("figure", 120),
    ("text", SENTENCE),
    ("list", ["one thing is here", "another thing", "third"]),
    ("number", "7"),
]
TWO_COLUMNS: list[Any] = [
    ("header", "Harbour"),
    ("heading", "1 Passengers"),
    *(("text", SENTENCE * length) for length in (3, 2, 4)),
    ("heading", "2 Boats"),
    ("text", SENTENCE * 3),
    ("figure", 100),
    ("text", SENTENCE * 4),
    ("table", TABLE),
    ("text", SENTENCE * 3),
    ("number", "7"),
]
THREE_COLUMNS: list[Any] = [("text", SENTENCE * (3 + number % 2)) for number in range(7)]
KINDS = {"table": "table", "image": "figure", "doc_title": "heading", "paragraph_title": "heading"}


def overlap(one: BBox, other: BBox) -> float:
    """Common area in the smaller of the two."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    least = min((box.right - box.left) * (box.bottom - box.top) for box in (one, other))
    return max(0.0, width) * max(0.0, height) / least


def greys(document: Any) -> Any:
    return pictures.grey(document[0], 100.0)


def scanned(sheet: printing.Sheet, dpi: int, quality: int) -> Any:
    import pymupdf

    with pymupdf.open(stream=printing.scan([sheet], dpi=dpi, quality=quality)) as document:
        return greys(document)


def drawn(draw: Callable[[Any], None]) -> Any:
    import pymupdf

    with pymupdf.open() as document:
        draw(document.new_page(width=595, height=842))
        return greys(document)


def prose(page: Any, left: float, top: float, right: float, times: int) -> float:
    """Sentences in a column; gives where they end."""
    room = page.insert_textbox((left, top, right, 842), SENTENCE * times, fontsize=10, lineheight=1.25)
    return 842.0 - float(room)


@pytest.mark.parametrize(("dpi", "quality"), [(90, 50), (110, 60), (200, 80)], ids=["poor", "fair", "good"])
@pytest.mark.parametrize(
    ("parts", "columns"), [(ONE_COLUMN, 1), (TWO_COLUMNS, 2), (THREE_COLUMNS, 3)], ids=["one", "two", "three"]
)
def test_each_part_of_a_printed_page_is_a_region_of_its_kind_in_reading_order(
    parts: list[Any], columns: int, dpi: int, quality: int
) -> None:
    sheet = printing.sheet(parts, columns=columns)
    found = [region for region in regions(scanned(sheet, dpi, quality)) if 0.03 < region.box.top < 0.97]
    truth = [(KINDS.get(e["native_label"], "text"), BBox(*e["box"])) for e in sheet.elements]
    assert [region.kind for region in found] == [kind for kind, _ in truth]
    for region, (_, box) in zip(found, truth, strict=True):
        assert overlap(region.box, box) > 0.85
        assert all(abs(mine - right) < 0.012 for mine, right in zip(region.box, box, strict=True))


def test_a_page_without_ink_has_no_regions() -> None:
    assert regions(drawn(lambda page: None)) == ()
    noise = np.random.default_rng(1).integers(235, 255, (1100, 850)).astype(np.uint8)
    assert regions(noise) == ()
    assert regions(np.zeros((10, 10), np.uint8)) == ()


def test_specks_and_shadows_of_a_scanner_change_nothing() -> None:
    def text(page: Any) -> None:
        prose(page, 60, 60, 535, 6)

    clean = drawn(text)
    dirty = clean.copy()
    dice = np.random.default_rng(2)
    dirty[dice.integers(0, len(dirty), 150), dice.integers(0, dirty.shape[1], 150)] = 0
    dirty[:, :14] = 60
    dirty[:9] = 60
    (one,), (other,) = regions(clean), regions(dirty)
    assert overlap(one.box, other.box) > 0.98
    assert one.kind == other.kind == "text"


@pytest.mark.parametrize("degrees", [0.0, 0.5, -0.5], ids=["straight", "turned", "turned back"])
def test_columns_under_a_heading_are_read_one_after_the_other_even_if_the_scan_is_not_straight(degrees: float) -> None:
    def page(page: Any) -> None:
        page.insert_text((60, 70), "A heading over both columns of the page, and long", fontsize=18)
        prose(page, 60, 90, 290, 8)
        prose(page, 305, 90, 535, 9)
        page.insert_text((296, 800), "12", fontsize=9)

    heading, left, right, number = regions(turned(drawn(page), degrees))
    assert heading.box.bottom < left.box.top < 0.15
    assert left.box.right < right.box.left
    assert right.box.bottom > left.box.bottom
    assert number.box.top > 0.9


def turned(greys: Any, degrees: float) -> Any:
    angle = np.deg2rad(degrees)
    height, width = greys.shape
    y, x = np.mgrid[0:height, 0:width]
    y, x = y - height / 2, x - width / 2
    rows = np.clip(np.rint(np.cos(angle) * y + np.sin(angle) * x + height / 2), 0, height - 1).astype(int)
    columns = np.clip(np.rint(np.cos(angle) * x - np.sin(angle) * y + width / 2), 0, width - 1).astype(int)
    return greys[rows, columns]


def cells(page: Any, top: float, rows: list[tuple[str, ...]], step: float) -> None:
    for at, row in enumerate(rows):
        for column, text in enumerate(row):
            page.insert_text((64 + column * step, top + 13 + at * 18), text, fontsize=10)


PORTS = [
    ("Port", "Ships", "Tonnes"),
    ("North", "412", "8,120"),
    ("South harbour", "38", "970"),
    ("East", "120", "3,400"),
]


@pytest.mark.parametrize("rules", [True, False], ids=["with three rules", "without rules"])
def test_a_table_without_a_grid_is_a_table_and_the_text_around_it_is_not(rules: bool) -> None:
    def page(page: Any) -> None:
        top = prose(page, 60, 60, 535, 3) + 20
        cells(page, top, PORTS, 150)
        if rules:
            for down in (0, 18, 76):
                page.draw_line((60, top + down), (535, top + down), width=0.6)
        prose(page, 60, top + 110, 535, 3)

    found = regions(drawn(page))
    assert [region.kind for region in found if region.kind != "text"] == ["table"]
    (table,) = (region.box for region in found if region.kind == "table")
    before = [region.box for region in found if region.box.bottom <= table.top]
    after = [region.box for region in found if region.box.top >= table.bottom]
    assert before and after and len(before) + len(after) + 1 == len(found)
    assert 842 * (table.bottom - table.top) == pytest.approx(4 * 18, abs=12)


def test_names_and_values_side_by_side_are_a_table() -> None:
    rows = [("Invoice number", "4711"), ("Date", "3 May 2026"), ("Customer", "Harbour office"), ("Total", "1,204.50")]
    (found,) = regions(drawn(lambda page: cells(page, 100, rows, 240)))
    assert found.kind == "table"


def test_lists_and_contents_are_text() -> None:
    def page(page: Any) -> None:
        for at in range(6):
            page.insert_text((60, 80 + 14 * at), "•", fontsize=10)
            page.insert_text((80, 80 + 14 * at), f"An item of a list that is about this long {at}", fontsize=10)
        for at in range(8):
            page.insert_text((60, 300 + 16 * at), f"{at + 1} Chapter about boats number {at}", fontsize=10)
            page.insert_text((520, 300 + 16 * at), str(10 * at + 3), fontsize=10)

    assert [region.kind for region in regions(drawn(page))] == ["text", "text"]


def test_text_on_a_tint_or_white_on_blue_is_text() -> None:
    def page(page: Any) -> None:
        page.draw_rect((60, 100, 535, 170), fill=(0.85, 0.9, 0.85), color=None, width=0)
        page.insert_textbox((66, 106, 530, 170), SENTENCE * 2, fontsize=10, lineheight=1.25)
        page.draw_rect((60, 190, 535, 210), fill=(0.1, 0.1, 0.4), color=None, width=0)
        page.insert_text((66, 204), "White on blue heading of a section", fontsize=11, color=(1, 1, 1))

    found = regions(drawn(page))
    assert [region.kind for region in found] == ["text", "text"]
    assert overlap(found[0].box, BBox(66 / 595, 106 / 842, 530 / 595, 165 / 842)) > 0.9


def photo(page: Any, box: tuple[float, float, float, float]) -> None:
    import pymupdf

    tones = np.random.default_rng(3).normal(120, 40, (30, 40)).clip(0, 255).astype(np.uint8)
    large = np.kron(tones, np.ones((8, 8), np.uint8))
    picture = pymupdf.Pixmap(pymupdf.csGRAY, large.shape[1], large.shape[0], large.tobytes(), 0)
    page.insert_image(box, pixmap=picture, keep_proportion=False)


def test_a_photograph_is_a_figure_and_what_stands_beside_it_is_read() -> None:
    def page(page: Any) -> None:
        top = prose(page, 60, 60, 535, 3) + 10
        photo(page, (60, top, 290, top + 170))
        prose(page, 302, top - 4, 535, 4)
        prose(page, 60, top + 190, 535, 4)

    found = regions(drawn(page))
    kinds = [region.kind for region in found]
    assert kinds.count("figure") == 1
    at = kinds.index("figure")
    assert found[at].box.right < found[at + 1].box.left
    assert found[-1].box.top > found[at].box.bottom


def test_a_drawing_of_lines_is_a_figure() -> None:
    def page(page: Any) -> None:
        prose(page, 60, 60, 535, 3)
        page.draw_polyline([(100 + at * 4, 250 + 80 * np.sin(at / 6)) for at in range(90)], width=1.2)
        page.draw_line((95, 150), (95, 350))
        page.draw_line((95, 350), (470, 350))
        page.draw_circle((300, 250), 60)
        prose(page, 60, 400, 535, 3)

    assert [region.kind for region in regions(drawn(page)) if region.kind != "text"] == ["figure"]


def test_any_picture_gives_boxes_within_the_page() -> None:
    dice = np.random.default_rng(5)
    for shape in ((60, 60), (41, 900), (900, 41), (300, 400)):
        for scene in (dice.integers(0, 256, shape), np.full(shape, 7), np.indices(shape).sum(axis=0) % 256):
            for region in regions(scene.astype(np.uint8)):
                assert isinstance(region, Region)
                assert 0 <= region.box.left < region.box.right <= 1
                assert 0 <= region.box.top < region.box.bottom <= 1
