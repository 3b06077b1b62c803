"""Tables that go on over the ends of pages: joined with their header, each row on its page; others stay apart."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import printed_pages as draw
import printed_tables as tables
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_tables import HEADER, goods

from docpipe.parse.page.assembly import assemble
from docpipe.parse.pdf import PdfParser
from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.pieces import page as service_page
from docpipe.tables import Table, read
from docpipe.types import BBox, Blob, Block, BlockKind, Document, Source

Page = Callable[[object], None]


def parsed(*pages: Page) -> Document:
    """What the parser makes of these pages."""
    (document,) = PdfParser()(drawn(*pages))
    return document


def drawn(*pages: Page) -> Blob:
    pdf = draw.new()
    for fill in pages:
        fill(pdf.new_page())
    return draw.finished(pdf)


def blocks(document: Document) -> list[Block]:
    return [block for block in document.blocks if block.kind is BlockKind.TABLE]


def tables_of(document: Document) -> list[Table]:
    return [read(block.span.of(document.text)) for block in blocks(document)]


def texts(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for row in table.rows]


def price_list(*counts: int, header: Sequence[bool], caption: Sequence[str] = ()) -> list[Page]:
    """Pages of one price list, so many rows on each, with or without its header."""
    made: list[Page] = []
    first = 1000
    for number, count in enumerate(counts):
        rows = [HEADER] * header[number] + goods(first, count)
        words = caption[number] if caption else ""

        def fill(page: object, rows: Sequence[Sequence[str]] = rows, words: str = words) -> None:
            if words:
                draw.put(page, 60, 90, words)
            tables.ruled(page, rows)

        made.append(fill)
        first += count
    return made


ALL = [HEADER, *goods(1000, 70)]


@pytest.mark.parametrize(
    "header", [(True, True, True), (True, False, False)], ids=["header-repeated", "header-on-the-first-page-only"]
)
def test_a_table_over_three_pages_is_one_with_one_header(header: tuple[bool, ...]) -> None:
    document = parsed(*price_list(32, 31, 7, header=header))
    (table,) = tables_of(document)
    assert texts(table) == ALL
    assert table.header_rows == 1
    assert not any(cell.header for row in table.rows[1:] for cell in row)


def test_each_row_of_a_joined_table_keeps_its_page_and_box() -> None:
    document = parsed(*price_list(32, 31, 7, header=(True, True, True)))
    for number, page, line in ((1000, 1, 1), (1031, 1, 32), (1032, 2, 1), (1062, 2, 31), (1063, 3, 1), (1069, 3, 7)):
        start = document.text.index(f"<td>{number}</td>") + len("<td>")
        (box,) = document.geometry.boxes(start, start + 4, document.text)
        assert box.page == page
        top = (tables.TOP + tables.PITCH * line) / 842
        assert top <= box.top < box.bottom <= top + tables.PITCH / 842 + 0.001


def test_a_table_is_joined_however_its_pages_were_divided() -> None:
    blob, parser = drawn(*price_list(32, 31, 7, header=(True, False, True))), PdfParser()
    whole = parser.merge(blob.source, [parser.parse_pages(blob, 0, 3)])
    assert len(blocks(whole)) == 1
    for cuts in ([0, 1, 3], [0, 2, 3], [0, 1, 2, 3]):
        parts = [parser.parse_pages(blob, start, stop) for start, stop in pairwise(cuts)]
        assert parser.merge(blob.source, parts) == whole


@pytest.mark.parametrize(
    "again",
    [
        "Table 4 (continued)",
        "Table 4. Prices (cont'd)",
        "Table 4: Prices of parts",
        "(continued)",
        "Continued from previous page",
        "Prices of parts, continued",
    ],
)
def test_a_caption_that_says_that_it_goes_on_is_set_aside(again: str) -> None:
    caption = ("Table 4: Prices of parts", again)
    if again.startswith("Prices"):
        caption = ("Prices of parts", again)
    document = parsed(*price_list(12, 7, header=(True, True), caption=caption))
    (table,) = tables_of(document)
    assert texts(table) == ALL[:20]
    (block,) = [block for block in document.blocks if block.native_label == "continued"]
    assert block.kind is BlockKind.HEADER
    assert again.split()[0] in block.span.of(document.text)


def test_a_chinese_table_goes_on_under_its_mark() -> None:
    def first(page: object) -> None:
        draw.put(page, 60, 90, "表 3 物资清单", font="china-s")
        tables.ruled(page, [("编号", "名称", "数量", "单价"), *goods(1, 20)], font="china-s")

    def second(page: object) -> None:
        draw.put(page, 60, 90, "续表 3", font="china-s")
        tables.ruled(page, [("编号", "名称", "数量", "单价"), *goods(21, 5)], font="china-s")

    (table,) = tables_of(parsed(first, second))
    assert [row[0] for row in texts(table)] == ["编号", *map(str, range(1, 26))]


def test_running_lines_and_footnotes_between_do_not_part_a_table() -> None:
    def dressed(number: int, fill: Page) -> Page:
        def page_of(page: object) -> None:
            draw.put(page, 60, 40, "Harbour board, stores")
            fill(page)
            draw.put(page, 60, 790, f"* counted in the year before, sheet {number}", size=7)
            draw.put(page, 300, 825, str(number))

        return page_of

    pages = price_list(32, 31, 7, header=(True, True, True))
    document = parsed(*(dressed(number, fill) for number, fill in enumerate(pages, start=1)))
    (table,) = tables_of(document)
    assert texts(table) == ALL


def test_a_table_without_lines_is_joined_too() -> None:
    def page_of(first: int, count: int) -> Page:
        return lambda page: tables.unruled(page, [HEADER, *goods(first, count)]) and None

    (table,) = tables_of(parsed(page_of(1000, 44), page_of(1044, 26)))
    assert texts(table) == ALL


def test_margins_may_differ_between_left_and_right_pages() -> None:
    def page_of(first: int, shift: float) -> Page:
        lefts = [left + shift for left in tables.LEFTS]
        rows = [HEADER, *goods(first, 10)]
        return lambda page: tables.ruled(page, rows, lefts=lefts, right=tables.RIGHT + shift) and None

    (table,) = tables_of(parsed(page_of(1000, 0), page_of(1010, 30)))
    assert len(table.rows) == 21


def test_two_header_rows_with_spans_are_dropped_together() -> None:
    def page_of(first: int, count: int) -> Page:
        def fill(page: object) -> None:
            lefts = (60.0, 150.0, 290.0, 410.0, 530.0)
            for left, right, top, bottom, text in (
                (60, 150, 0, 2, "Item"),
                (150, 290, 0, 2, "Part"),
                (290, 530, 0, 1, "Revenue"),
                (290, 410, 1, 2, "2023"),
                (410, 530, 1, 2, "2024"),
            ):
                page.draw_rect((left, 100 + 20 * top, right, 100 + 20 * bottom), width=0.5)  # type: ignore[attr-defined]
                draw.put(page, left + 4, 114 + 20 * top, text, size=9)
            tables.ruled(page, goods(first, count), top=140, lefts=lefts[:4], right=lefts[4])

        return fill

    (table,) = tables_of(parsed(page_of(1000, 30), page_of(1030, 5)))
    assert len(table.rows) == 2 + 35
    assert table.header_rows == 2
    assert texts(table)[:3] == [("Item", "Part", "Revenue"), ("2023", "2024"), goods(1000, 1)[0]]
    assert texts(table)[32] == goods(1030, 1)[0]


def test_a_column_that_is_empty_on_a_further_page_stays_where_it_is() -> None:
    lefts, right = (60.0, 130.0, 280.0, 360.0, 440.0), 530.0
    header = (*HEADER[:2], "Note", *HEADER[2:])
    noted = [
        (row[0], row[1], "rusty" if number % 5 == 1 else "", *row[2:]) for number, row in enumerate(goods(1000, 33))
    ]
    plain = [(row[0], row[1], "", *row[2:]) for row in goods(1033, 9)]
    (table,) = tables_of(
        parsed(
            lambda page: tables.ruled(page, [header, *noted], lefts=lefts, right=right) and None,
            lambda page: tables.ruled(page, plain, lefts=lefts, right=right) and None,
        )
    )
    assert texts(table) == [header, *noted, *plain]


@pytest.mark.parametrize("between", ["heading", "paragraph", "other-caption", "other-columns", "other-header", "ends"])
def test_a_table_of_its_own_is_not_joined(between: str) -> None:
    def first(page: object) -> None:
        draw.put(page, 60, 90, "Table 1: Parts")
        tables.ruled(page, [HEADER, *goods(1000, 4 if between == "ends" else 32)])

    def second(page: object) -> None:
        header, lefts = HEADER, tables.LEFTS
        if between == "heading":
            draw.put(page, 60, 80, "The second store", size=16)
        elif between == "paragraph":
            draw.flow(page, (60, 50, 530, 95), "In the second store the parts are kept by the warden, who counts them.")
        elif between == "other-caption":
            draw.put(page, 60, 90, "Table 2: Parts of the second store")
        elif between == "other-columns":
            lefts = (60.0, 230.0, 400.0)
            header = HEADER[:3]
        elif between == "other-header":
            header = ("Berth", "Ship", "Crew", "Fee")
        rows = goods(2000, 6)
        tables.ruled(page, [header, *rows] if between != "ends" else rows, lefts=lefts)

    assert len(blocks(parsed(first, second))) == 2


@pytest.mark.parametrize(
    ("title", "count"),
    [
        ("Sales in the quarter {} of 2024", 3),
        ("Sales of the year 202{}", 3),
        ("Stores, page {} of 3", 1),
        ("Stores", 1),
    ],
)
def test_tables_under_running_titles_with_other_figures_stay_apart(title: str, count: int) -> None:
    def page_of(number: int) -> Page:
        def fill(page: object) -> None:
            draw.put(page, 60, 60, "Harbour board")
            draw.put(page, 60, 85, title.format(number))
            tables.ruled(page, [HEADER, *goods(100 * number, 32)])

        return fill

    document = parsed(*(page_of(number) for number in (1, 2, 3)))
    assert len(blocks(document)) == count
    if count == 3:
        assert not any(title[:5] in text for text in draw.of(document, BlockKind.HEADER))


def scanned(*pages: list[tuple[str, str, float, float]]) -> Document:
    """What is made of pages that a service read: label, text, top and bottom of each thing on them."""
    read_pages = [
        service_page(
            number, 600, 800, [Element(label, text, BBox(0.1, top, 0.9, bottom)) for label, text, top, bottom in page]
        )
        for number, page in enumerate(pages, start=1)
    ]
    source = Source(uri="scan.pdf", media_type="application/pdf", digest="", size=1, modified=0)
    return assemble(source, read_pages)


def told(rows: Sequence[Sequence[str]]) -> str:
    return "<table>" + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows) + "</table>"


def test_tables_that_a_service_read_are_joined_and_rows_keep_their_pages() -> None:
    document = scanned(
        [("text", "Stores of the harbour.", 0.1, 0.14), ("table", told([HEADER, *goods(1000, 20)]), 0.2, 0.95)],
        [("table", told([HEADER, *goods(1020, 20)]), 0.05, 0.9)],
        [("table", told(goods(1040, 8)), 0.05, 0.4), ("text", "The warden signs below.", 0.5, 0.54)],
    )
    (table,) = tables_of(document)
    assert texts(table) == [HEADER, *goods(1000, 48)]
    for number, page in ((1000, 1), (1019, 1), (1020, 2), (1039, 2), (1040, 3)):
        start = document.text.index(f"<td>{number}</td>") + len("<td>")
        assert [box.page for box in document.geometry.boxes(start, start + 4, document.text)] == [page]


def test_tables_of_two_widths_that_a_service_read_stay_apart() -> None:
    rows = [row[:3] for row in goods(1020, 20)]
    document = scanned(
        [("table", told([HEADER, *goods(1000, 20)]), 0.2, 0.95)], [("table", told([HEADER[:3], *rows]), 0.05, 0.9)]
    )
    assert len(blocks(document)) == 2


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)


@settings(max_examples=8, deadline=None)
@given(
    counts=st.lists(st.integers(2, 30), min_size=1, max_size=4),
    again=st.booleans(),
    values=st.lists(st.integers(0, 10**9), min_size=120, max_size=120, unique=True),
)
def test_each_number_of_a_table_stands_in_its_text_digit_for_digit_once(
    counts: list[int], again: bool, values: list[int]
) -> None:
    """Whatever is joined, and whether or not it is: numbers of cells are neither lost, changed nor said twice."""
    supply, pages, wanted = iter(values), list[Page](), list[str]()
    for number, count in enumerate(counts):
        rows = [(f"part {'abcdefgh'[n % 8]}", str(next(supply, 7)), f"{n}.{n:02}", "x") for n in range(count)]
        wanted += [token for row in rows for cell in row for token in numbers(cell)]
        header = [HEADER] if again or not number else []
        pages.append(lambda page, shown=(*header, *rows): tables.ruled(page, shown) and None)  # type: ignore[misc]
    document = parsed(*pages)
    found = [
        number for table in tables_of(document) for row in table.rows for cell in row for number in numbers(cell.text)
    ]
    assert Counter(found) == Counter(wanted)


def test_a_line_right_above_a_table_is_its_title_and_a_sentence_is_none() -> None:
    def fill(page: object) -> None:
        draw.put(page, 60, 90, "Stores of the northern quay")
        end = tables.ruled(page, [HEADER, *goods(1000, 5)])
        draw.put(page, 60, end + 60, "The southern quay has stores of its own.")
        tables.ruled(page, [HEADER, *goods(2000, 5)], top=end + 70)

    assert draw.of(parsed(fill), BlockKind.CAPTION) == ["Stores of the northern quay"]
