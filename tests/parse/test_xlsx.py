"""parse.xlsx: the tables on each sheet, as it shows them."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_samples import CHART, SPACES, blob, read, relations, sheet, texts, xlsx

from docpipe.errors import SourceTooLarge, UnsupportedMedia
from docpipe.parse.office.cell_regions import Cells, Range, regions
from docpipe.parse.office.number_formats import BUILT_IN, shown
from docpipe.parse.office.unseen_cells import Hidden, as_seen
from docpipe.parse.xlsx import XlsxParser
from docpipe.tables import Cell
from docpipe.tables import read as read_table
from docpipe.types import HIDDEN, BlockKind, Document, Link

TABLE = {"A1": "Name", "B1": "Count", "A2": "duck", "B2": "3", "A3": "swan", "B3": "4"}


def book(*sheets: str, **about: object) -> Document:
    return read(XlsxParser(), xlsx(*sheets, **about))  # type: ignore[arg-type]


def tables(document: Document) -> list[list[list[str]]]:
    return [[[cell.text for cell in row] for row in read_table(html).rows] for html in texts(document, BlockKind.TABLE)]


def hidden(document: Document) -> list[str]:
    return [block.span.of(document.text) for block in document.blocks if block.native_label == HIDDEN]


class TestSheets:
    def test_a_sheet_is_a_page_under_its_name(self) -> None:
        document = book(sheet(TABLE), sheet({"A1": "x", "A2": "y"}), names=("Birds", "Other"))
        assert texts(document, BlockKind.HEADING) == ["Birds", "Other"]
        assert [block.page for block in document.blocks] == [1, 1, 2, 2]

    def test_the_only_sheet_has_no_heading_unless_it_was_given_a_name(self) -> None:
        assert texts(book(sheet(TABLE)), BlockKind.HEADING) == []
        assert texts(book(sheet(TABLE), names=("Birds",)), BlockKind.HEADING) == ["Birds"]

    def test_a_hidden_sheet_is_hidden_text(self) -> None:
        document = book(sheet({"A1": "seen"}), sheet({"A1": "secret", "A2": "more"}), states=("visible", "hidden"))
        assert [(block.kind, block.native_label) for block in document.blocks][-1] == (BlockKind.OTHER, HIDDEN)
        assert "secret" in texts(document)[-1]

    def test_links_to_elsewhere_are_told_with_the_words_of_their_cell(self) -> None:
        links = '<s:hyperlinks><s:hyperlink ref="A2" r:id="l"/><s:hyperlink ref="B2" location="A1"/></s:hyperlinks>'
        parts = {"xl/worksheets/_rels/sheet1.xml.rels": relations(("l", "hyperlink", "https://example.org/lake"))}
        assert book(sheet(TABLE, links), parts=parts).links == (Link("duck", "https://example.org/lake", 1),)

    def test_comments_are_hidden_text_with_the_place_of_their_cell(self) -> None:
        said = '<s:commentList><s:comment ref="B2"><s:text><s:r><s:t>Counted </s:t></s:r><s:r><s:t>twice</s:t></s:r>'
        parts = {
            "xl/worksheets/_rels/sheet1.xml.rels": relations(("m", "comments", "../comments1.xml")),
            "xl/comments1.xml": f"<s:comments {SPACES}>{said}</s:text></s:comment></s:commentList></s:comments>",
        }
        assert texts(book(sheet(TABLE), parts=parts), BlockKind.OTHER) == ["B2: Counted twice"]

    def test_what_lies_on_a_hidden_sheet_is_hidden_text(self) -> None:
        parts = {
            "xl/worksheets/_rels/sheet2.xml.rels": relations(("d", "drawing", "../drawings/drawing1.xml")),
            "xl/drawings/drawing1.xml": f"<xdr:wsDr {SPACES}><a:p><a:r><a:t>A secret</a:t></a:r></a:p></xdr:wsDr>",
        }
        document = book(sheet({"A1": "x"}), sheet({}), states=("visible", "veryHidden"), parts=parts)
        assert hidden(document) == ["A secret"]

    def test_what_lies_on_a_sheet_follows_it(self) -> None:
        drawing = f'<xdr:wsDr {SPACES}><a:p><a:r><a:t>A note</a:t></a:r></a:p><c:chart r:id="c"/></xdr:wsDr>'
        parts = {
            "xl/worksheets/_rels/sheet1.xml.rels": relations(("d", "drawing", "../drawings/drawing1.xml")),
            "xl/drawings/drawing1.xml": drawing,
            "xl/drawings/_rels/drawing1.xml.rels": relations(("c", "chart", "../charts/chart1.xml")),
            "xl/charts/chart1.xml": CHART,
        }
        document = book(sheet({"A1": "x"}), parts=parts)
        assert texts(document)[:4] == ["x", "A note", "Ducks by year", "Bar chart"]

    def test_a_binary_workbook_is_refused_with_what_to_do(self) -> None:
        links = {"_rels/.rels": relations(("r", "officeDocument", "xl/workbook.bin")), "xl/workbook.bin": "x"}
        with pytest.raises(UnsupportedMedia, match="save it as xlsx"):
            book(sheet({}), parts=links)


class TestTables:
    def test_cells_that_touch_are_a_table_and_its_first_row_names_the_columns(self) -> None:
        (html,) = texts(book(sheet(TABLE)))
        assert read_table(html).rows[0] == (Cell("Name", header=True), Cell("Count", header=True))
        assert read_table(html).rows[2] == (Cell("swan"), Cell("4"))

    def test_tables_that_do_not_touch_are_apart_and_a_lone_cell_is_text(self) -> None:
        cells = {"A1": "Report", **{f"{'DE'[place[0] == 'B']}{place[1:]}": text for place, text in TABLE.items()}}
        cells |= {"A7": "c", "B7": "d", "A8": "1", "B8": "2"}
        document = book(sheet(cells))
        assert texts(document)[0] == "Report"
        assert tables(document) == [[["Name", "Count"], ["duck", "3"], ["swan", "4"]], [["c", "d"], ["1", "2"]]]

    def test_a_table_with_holes_is_one(self) -> None:
        cells = {"A1": "a", "B1": "b", "C1": "c", "A2": "1", "C2": "3", "A3": "4", "B3": "5", "C3": "6"}
        assert tables(book(sheet(cells))) == [[["a", "b", "c"], ["1", "", "3"], ["4", "5", "6"]]]

    def test_merged_cells_span_and_a_title_above_the_columns_belongs_to_the_header(self) -> None:
        merged = '<s:mergeCells><s:mergeCell ref="A1:B1"/></s:mergeCells>'
        cells = {"A1": "Birds", "A2": "Name", "B2": "Count", "A3": "duck", "B3": "3"}
        (html,) = texts(book(sheet(cells, merged)))
        assert read_table(html).header_rows == 2
        assert read_table(html).rows[0] == (Cell("Birds", header=True, colspan=2),)

    def test_shared_rich_and_inline_texts_errors_and_truths(self) -> None:
        strings = "<s:si><s:t>one_x0041_</s:t></s:si><s:si><s:r><s:t>ri</s:t></s:r><s:r><s:t>ch</s:t></s:r></s:si>"
        row = "".join(
            f'<s:c r="{place}" t="{kind}"><s:f>X1</s:f><s:v>{text}</s:v></s:c>'
            for place, kind, text in (
                ("A1", "s", "0"),
                ("B1", "s", "1"),
                ("C1", "s", "9"),
                ("D1", "b", "1"),
                ("E1", "e", "#N/A"),
                ("F1", "str", "t"),
            )
        )
        document = book(f"<s:sheetData><s:row>{row}</s:row></s:sheetData>", strings=strings)
        assert tables(document) == [[["oneA", "rich"]], [["TRUE", "#N/A", "t"]]]

    def test_hidden_rows_and_columns_are_hidden_text_and_the_rest_is_one_table(self) -> None:
        rows = sheet({**TABLE, "C1": "Pay", "C2": "9", "C3": "8"}).replace('<s:row r="2">', '<s:row r="2" hidden="1">')
        document = book('<s:cols><s:col min="3" max="9" hidden="1"/></s:cols>' + rows)
        assert tables(document) == [[["Name", "Count"], ["swan", "4"]]]
        assert hidden(document) == ["Pay\nduck | 3 | 9\n8"]

    def test_a_row_without_height_and_a_column_without_width_are_hidden(self) -> None:
        rows = sheet(TABLE).replace('<s:row r="3">', '<s:row r="3" ht="0">')
        document = book('<s:cols><s:col min="2" max="2" width="0"/></s:cols>' + rows)
        assert texts(document, BlockKind.TABLE) == ["<table>\n<tr><th>Name</th></tr>\n<tr><td>duck</td></tr>\n</table>"]
        assert hidden(document) == ["Count\n3\nswan | 4"]

    def test_a_merged_cell_is_seen_where_a_part_of_it_is(self) -> None:
        merged = '<s:mergeCells><s:mergeCell ref="A1:B2"/></s:mergeCells>'
        rows = sheet({"A1": "Birds", "A3": "duck", "B3": "swan"}, merged)
        document = book(rows.replace('<s:row r="1">', '<s:row r="1" hidden="1">'))
        (html,) = texts(document, BlockKind.TABLE)
        assert read_table(html).rows[0] == (Cell("Birds", colspan=2),)
        assert hidden(document) == []

    @pytest.mark.parametrize(
        ("font", "fill", "expected"),
        [
            ('<s:color rgb="FFFFFFFF"/>', "", ["y"]),
            ('<s:color theme="0"/>', '<s:fgColor rgb="FFFEFEFE"/>', ["y"]),
            ('<s:color theme="0"/>', '<s:fgColor rgb="FF000080"/>', []),
            ('<s:color theme="0" tint="-0.5"/>', "", []),
            ('<s:sz val="1"/>', "", ["y"]),
            ('<s:sz val="11"/><s:color theme="1"/>', "", []),
        ],
        ids=["white on nothing", "white on white", "white on blue", "grey", "tiny", "usual"],
    )
    def test_letters_that_nobody_sees_are_hidden_text(self, font: str, fill: str, expected: list[str]) -> None:
        pattern = f'<s:patternFill patternType="{"solid" if fill else "none"}">{fill}</s:patternFill>'
        styles = (
            f"<s:fonts><s:font/><s:font>{font}</s:font></s:fonts><s:fills><s:fill/><s:fill>{pattern}</s:fill></s:fills>"
            '<s:cellXfs><s:xf/><s:xf fontId="1" fillId="1"/></s:cellXfs>'
        )
        cells = sheet({"A1": "x", "A2": "y"}).replace('<s:c r="A2"', '<s:c r="A2" s="1"')
        assert hidden(book(cells, styles=styles)) == expected

    def test_white_letters_are_seen_where_the_sheet_colours_cells_by_itself(self) -> None:
        styles = (
            '<s:fonts><s:font><s:color rgb="FFFFFFFF"/></s:font></s:fonts><s:cellXfs><s:xf fontId="0"/></s:cellXfs>'
        )
        document = book(sheet(TABLE, "<s:tableParts><s:tablePart/></s:tableParts>"), styles=styles)
        assert tables(document)[0][0] == ["Name", "Count"] and not hidden(document)

    def test_numbers_are_shown_by_the_style_of_their_cell(self) -> None:
        styles = '<s:numFmts><s:numFmt numFmtId="170" formatCode="0.0%"/></s:numFmts>'
        styles += '<s:cellXfs><s:xf numFmtId="0"/><s:xf numFmtId="170"/><s:xf numFmtId="14"/></s:cellXfs>'
        row = "".join(f'<s:c s="{style}"><s:v>{number}</s:v></s:c>' for style, number in ((1, 0.155), (2, 45292)))
        assert tables(book(f"<s:sheetData><s:row>{row}</s:row></s:sheetData>", styles=styles)) == [
            [["15.5%", "2024-01-01"]]
        ]


class TestHostile:
    def test_a_million_rows_that_hold_only_formats_cost_little(self) -> None:
        rows = "".join(f'<s:row r="{n}"><s:c s="1"/></s:row>' for n in range(1, 100_001))
        rows += '<s:row r="1048576"><s:c r="XFD1048576" t="inlineStr"><s:is><s:t>end</s:t></s:is></s:c></s:row>'
        start = time.process_time()
        document = book(f"<s:sheetData>{rows}</s:sheetData>")
        assert document.text == "end"
        assert time.process_time() - start < 10

    def test_cells_far_apart_make_no_giant_table(self) -> None:
        cells = {f"{'ABCDEFGHIJ'[n % 10]}{n * 3 + 1}": f"t{n}" for n in range(900)}
        document = book(sheet(cells))
        assert len(document.text) < 60_000
        assert "t899" in document.text

    def test_merged_boxes_of_the_whole_sheet_cost_nothing(self) -> None:
        merged = "".join(f'<s:mergeCell ref="A{n}:XFD1048576"/>' for n in range(1, 500))
        assert book(sheet(TABLE, f"<s:mergeCells>{merged}</s:mergeCells>")).text.count("<tr>") == 3

    def test_merged_boxes_without_end_cost_little(self) -> None:
        places = [f"{column}{row}" for row in range(1, 100_001, 100) for column in ("A", "CX", "GU")]
        merged = "".join(f'<s:mergeCell ref="{place}:{_far(place)}"/>' for place in places)
        start = time.process_time()
        assert book(sheet(dict.fromkeys(places, "x"), f"<s:mergeCells>{merged}</s:mergeCells>")).text.count("x") == 3000
        assert time.process_time() - start < 10

    def test_a_long_text_that_many_cells_name_is_refused(self) -> None:
        cells = '<s:row><s:c t="s"><s:v>0</s:v></s:c></s:row>' * 2500
        with pytest.raises(SourceTooLarge, match="characters"):
            list(
                XlsxParser()(
                    blob(xlsx(f"<s:sheetData>{cells}</s:sheetData>", strings=f"<s:si><s:t>{'x' * 30_000}</s:t></s:si>"))
                )
            )


def _far(place: str) -> str:
    """The other corner of a box of 100 by 100 cells."""
    column = {"A": "CV", "CX": "GS", "GU": "KP"}[place.rstrip("0123456789")]
    return f"{column}{int(place.lstrip('ACGUX')) + 99}"


@pytest.mark.parametrize(
    ("raw", "code", "expected"),
    [
        ("1234.5", "", "1234.5"),
        ("123456789012345", "", "123456789012345"),
        ("0.1", "", "0.1"),
        ("0.30000000000000004", "General", "0.3"),
        ("1e300", "", "1e+300"),
        ("1234567.891", "#,##0.00", "1,234,567.89"),
        ("-1234.5", "#,##0.0", "-1,234.5"),
        ("-1234.5", "#,##0;(#,##0)", "(1,235)"),
        ("0", '#,##0;-#,##0;"-"', "-"),
        ("0.155", "0.0%", "15.5%"),
        ("0.5", "0%", "50%"),
        ("2.675", "0.00", "2.68"),
        ("5", "000", "005"),
        ("12", '"No. "0', "No. 12"),
        ("12.5", "[$€-407]#,##0.00", "€12.50"),
        ("12.5", "#,##0.00\\ [$kr-41D]", "12.50 kr"),
        ("1500000", '#,##0.0,,"M"', "1.5M"),
        ("12345", "0.00E+00", "1.23E+4"),
        ("3", "[Red]0", "3"),
        ("1.5", "# ?/?", "1.5"),
        ("45292", "yyyy-mm-dd", "2024-01-01"),
        ("45292.75", "d mmm yyyy h:mm AM/PM", "1 Jan 2024 6:00 PM"),
        ("45292", '[$-409]dddd", "mmmm\\ d', "Monday, January 1"),
        ("0.5", "h:mm:ss", "12:00:00"),
        ("1.25", "[h]:mm", "30:00"),
        ("0.0007", "mm:ss", "01:00"),
        ("59", "yyyy-mm-dd", "1900-02-28"),
        ("-5", "yyyy-mm-dd", "-5"),
        ("9e99", "yyyy-mm-dd", "9e+99"),
        ("nan", "0", "nan"),
        ("inf", "0.00", "inf"),
        ("abc", "0.00", "abc"),
        ("12", "@", "12"),
    ],
)
def test_numbers_are_shown_by_their_format(raw: str, code: str, expected: str) -> None:
    assert shown(raw, code) == expected


def test_a_workbook_may_count_from_1904() -> None:
    assert shown("0", "yyyy-mm-dd", from_1904=True) == "1904-01-01"


@given(st.integers(61, 2_000_000))
def test_every_day_is_shown_as_itself(number: int) -> None:
    assert shown(str(number), BUILT_IN[14]) == (date(1899, 12, 30) + timedelta(days=number)).isoformat()


@given(st.floats(), st.text(alphabet='#0,.%E+-;"[]$ymdhs/@\\ AM_*?x€', max_size=20))
def test_any_format_shows_something_of_any_number(number: float, code: str) -> None:
    assert len(shown(repr(number), code)) < 1_000


cells = st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60)


@given(cells)
def test_regions_hold_every_cell_once(filled: set[tuple[int, int]]) -> None:
    rows: dict[int, dict[int, str]] = {}
    for row, column in sorted(filled):
        rows.setdefault(row, {})[column] = "x"
    found = regions(rows, [])
    for row, column in filled:
        assert sum(box.top <= row <= box.bottom and box.left <= column <= box.right for box in found) == 1
    assert found == sorted(found)
    assert all(isinstance(box, Range) for box in found)


places = st.tuples(st.integers(0, 12), st.integers(0, 5))
stretches = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4)


@given(filled=st.sets(places), boxes=st.lists(st.tuples(places, places), max_size=3), rows=stretches, columns=stretches)
def test_every_cell_is_either_seen_or_not(
    filled: set[tuple[int, int]],
    boxes: list[tuple[tuple[int, int], tuple[int, int]]],
    rows: list[tuple[int, int]],
    columns: list[tuple[int, int]],
) -> None:
    held: dict[int, dict[int, str]] = {}
    for row, column in sorted(filled):
        held.setdefault(row, {})[column] = f"{row},{column}"
    merged = [Range(*one, *other) for one, other in boxes if one <= other and one[1] <= other[1]]
    found = as_seen(Cells(held, merged, {}), Hidden(rows), Hidden(columns))
    seen = [text for row in found.rows.values() for text in row.values()]
    unseen = [text for row in found.unseen.values() for text in row.values()]
    assert sorted(seen + unseen) == sorted(text for row in held.values() for text in row.values())
    assert list(found.rows) == sorted(found.rows)
    assert all(box.top <= box.bottom and box.left <= box.right for box in found.merged)


@given(found=stretches)
def test_places_that_are_seen_are_counted_without_gaps(found: list[tuple[int, int]]) -> None:
    hidden_places = {place for first, last in found for place in range(first, last + 1)}
    hidden = Hidden(found)
    assert {place for place in range(20) if place in hidden} == hidden_places
    seen = [place for place in range(20) if place not in hidden_places]
    assert [hidden.seen_place(place) for place in seen] == list(range(len(seen)))
    assert all(
        hidden.next_seen(place) == min(one for one in range(20) if one >= place and one in seen) for place in range(13)
    )
