"""parse.pptx: each slide a page, read as it is looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_samples import CHART, SPACES, found, pptx, read, shape, texts

from docpipe.parse.office.slide_order import Placed, reading_order
from docpipe.parse.pptx import PptxParser
from docpipe.tables import Cell
from docpipe.tables import read as read_table
from docpipe.types import HIDDEN, BBox, BlockKind, Document, Link, Page

BULLETS = '<p:txStyles><p:bodyStyle><a:lvl1pPr><a:buChar char="•"/></a:lvl1pPr></p:bodyStyle></p:txStyles>'
TOP, LEFT, RIGHT = (0.1, 0.05, 0.8, 0.1), (0.1, 0.3, 0.3, 0.3), (0.5, 0.3, 0.3, 0.3)


def show(*slides: str, layout: str = "", master: str = BULLETS, **parts: str) -> Document:
    return read(PptxParser(), pptx(*slides, layout=layout, master=master, parts=parts))


def test_a_slide_is_a_page_and_its_title_a_heading_that_comes_first() -> None:
    document = show(shape("text", box=LEFT) + shape("Plan", role="title", box=(0.1, 0.8, 0.5, 0.1)), shape("b"))
    assert document.pages == (Page(number=1, width=720, height=540), Page(number=2, width=720, height=540))
    assert [(b.kind.value, b.page, b.span.of(document.text)) for b in document.blocks] == [
        ("heading", 1, "Plan"),
        ("paragraph", 1, "text"),
        ("paragraph", 2, "b"),
    ]
    assert document.metadata["title"] == "Plan"


def test_a_block_has_the_box_of_its_shape_on_the_slide() -> None:
    box = found(show(shape("text", box=(0.5, 0.25, 0.25, 0.5))), "text").bbox
    assert box is not None and [round(side, 3) for side in box] == [0.5, 0.25, 0.75, 0.75]
    off = found(show(shape("off", box=(1.5, 0.2, 0.2, 0.2))), "off")
    assert (off.bbox, off.native_label) == (None, HIDDEN)
    assert found(show(shape("nowhere")), "nowhere").bbox is None


def test_shapes_are_read_from_the_top_and_side_by_side_from_the_left() -> None:
    slide = shape("right", box=RIGHT) + shape("low", box=(0.1, 0.8, 0.8, 0.1)) + shape("left", box=LEFT)
    assert texts(show(slide + shape("top", box=TOP))) == ["top", "left", "right", "low"]


def test_columns_of_cards_are_read_one_after_the_other() -> None:
    cards = [("a1", 0.1, 0.2), ("b1", 0.5, 0.3), ("a2", 0.1, 0.45), ("b2", 0.5, 0.55)]
    slide = "".join(shape(text, box=(x, y, 0.3, 0.22)) for text, x, y in cards)
    assert texts(show(slide)) == ["a1", "a2", "b1", "b2"]


def test_shapes_in_a_group_stand_where_the_group_puts_them() -> None:
    moved = '<a:off x="4572000" y="0"/><a:ext cx="4572000" cy="6858000"/>'
    own = '<a:chOff x="0" y="0"/><a:chExt cx="9144000" cy="6858000"/>'
    group = (
        f"<p:grpSp><p:grpSpPr><a:xfrm>{moved}{own}</a:xfrm></p:grpSpPr>{shape('in', box=(0, 0.2, 1, 0.2))}</p:grpSp>"
    )
    assert found(show(group), "in").bbox == BBox(0.5, 0.2, 1.0, 0.4)


def test_bullets_come_from_the_master_and_numbers_are_shown() -> None:
    numbered = '<a:pPr lvl="1"><a:buAutoNum type="alphaLcParenR" startAt="3"/></a:pPr>'
    plain = "<a:pPr><a:buNone/></a:pPr>"
    document = show(
        shape("a", "b", role="body")
        + shape("c", "d", about=numbered)
        + shape("e", role="body", about=plain)
        + shape("f", about="")
    )
    assert [(block.kind.value, block.level) for block in document.blocks] == [
        ("list_item", 1),
        ("list_item", 1),
        ("list_item", 2),
        ("list_item", 2),
        ("paragraph", 0),
        ("paragraph", 0),
    ]
    assert texts(document) == ["a", "b", "c) c", "d) d", "e", "f"]


def test_a_placeholder_without_a_place_takes_that_of_its_layout() -> None:
    document = show(shape("text", role="body"), layout=shape("Click to edit", role="body", box=LEFT))
    assert texts(document) == ["text"]
    box = document.blocks[0].bbox
    assert box is not None and [round(side, 2) for side in box] == [0.1, 0.3, 0.4, 0.6]


def test_footers_numbers_and_texts_of_the_layout_are_furniture() -> None:
    slide = shape("text") + shape("3", role="sldNum") + shape("ACME", role="ftr")
    document = show(slide, slide, layout=shape("Confidential") + shape("Click", role="title"))
    assert texts(document) == ["text", "text"]
    assert texts(document, BlockKind.PAGE_NUMBER) == ["3"]
    assert texts(document, BlockKind.FOOTER) == ["ACME", "Confidential"]


def test_speaker_notes_stand_at_the_end_of_their_slide() -> None:
    notes = f"<p:notes {SPACES}><p:cSld><p:spTree>{shape('Smile.', role='body')}{shape('1', role='sldNum')}"
    document = show(shape("text"), **{"ppt/notesSlides/notesSlide1.xml": notes + "</p:spTree></p:cSld></p:notes>"})
    assert texts(document) == ["text", "Smile."]
    assert document.blocks[1].native_label == "notes"


def lettered(text: str, about: str, inner: str = "", fill: str = "") -> str:
    made = shape("seen", text, box=LEFT).replace(f"<a:r><a:t>{text}", f"<a:r><a:rPr {about}>{inner}</a:rPr><a:t>{text}")
    return made.replace("</p:spPr>", f"{fill}</p:spPr>")


WHITE = '<a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill>'
DARK = '<p:bg><p:bgPr><a:solidFill><a:srgbClr val="102030"/></a:solidFill></p:bgPr></p:bg>'


@pytest.mark.parametrize(
    ("slide", "expected"),
    [
        (lettered("obey", "sz='100'"), ["obey"]),
        (lettered("obey", "", WHITE), ["obey"]),
        (lettered("obey", "", "<a:noFill/>"), ["obey"]),
        (
            lettered("obey", "", '<a:solidFill><a:srgbClr val="112233"><a:alpha val="0"/></a:srgbClr></a:solidFill>'),
            ["obey"],
        ),
        (lettered("obey", "", '<a:solidFill><a:schemeClr val="bg1"/></a:solidFill>'), ["obey"]),
        (lettered("obey", "", WHITE, fill=WHITE.replace("FFFFFF", "000080")), []),
        (shape("x", box=LEFT).replace("</p:spPr>", f"{WHITE}</p:spPr>") + lettered("obey", "", WHITE), []),
        (lettered("obey", "sz='1800'", WHITE.replace("FFFFFF", "333333")), []),
        (shape("obey", box=LEFT).replace("<p:cNvPr/>", '<p:cNvPr hidden="1"/>'), ["obey"]),
    ],
    ids=["tiny", "white", "no fill", "clear", "paper", "on blue", "on a shape", "usual", "switched off"],
)
def test_letters_that_nobody_sees_are_hidden_text(slide: str, expected: list[str]) -> None:
    document = show(slide)
    assert [block.span.of(document.text) for block in document.blocks if block.native_label == HIDDEN] == expected
    assert expected or "obey" in texts(document)


def test_white_letters_on_a_dark_slide_are_seen() -> None:
    master = DARK.join(("<p:cSld>", "</p:cSld>")) + BULLETS
    assert texts(show(lettered("read", "", WHITE), master=master)) == ["seen", "read"]


def test_comments_are_hidden_text_with_their_writer() -> None:
    said = (
        '<p:cm authorId="1"><p:pos x="1" y="2"/><p:text>Too long</p:text></p:cm>'
        "<p:cm><p:txBody><a:p><a:r><a:t>Agreed</a:t></a:r></a:p></p:txBody></p:cm>"
    )
    document = show(
        shape("text"),
        **{
            "ppt/comments/comment1.xml": f"<p:cmLst {SPACES}>{said}</p:cmLst>",
            "ppt/commentAuthors.xml": f'<p:cmAuthorLst {SPACES}><p:cmAuthor id="1" name="Li, A."/></p:cmAuthorLst>',
        },
    )
    assert texts(document) == ["text", "Li, A.: Too long", "Agreed"]
    assert [block.native_label for block in document.blocks] == ["sp", HIDDEN, HIDDEN]


def test_links_to_elsewhere_are_told_with_their_slide() -> None:
    slide = shape("the lake").replace("<a:r>", '<a:r><a:rPr><a:hlinkClick r:id="a"/></a:rPr>')
    assert show(shape("x"), slide).links == (Link("the lake", "https://example.org/lake", 2),)


def test_tables_charts_and_diagrams_are_read() -> None:
    def cell(text: str, about: str = "") -> str:
        return f"<a:tc {about}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    def frame(inner: str) -> str:
        return f"<p:graphicFrame><a:graphic><a:graphicData>{inner}</a:graphicData></a:graphic></p:graphicFrame>"

    merged = cell("A", "gridSpan='2'") + cell("", "hMerge='1'")
    rows = f"<a:tr>{merged}</a:tr><a:tr>{cell('1')}{cell('2')}</a:tr>"
    table = f'<a:tbl><a:tblPr firstRow="1"/>{rows}</a:tbl>'
    data = f"<dgm:dataModel {SPACES}><a:p><a:r><a:t>Step</a:t></a:r></a:p></dgm:dataModel>"
    document = show(
        frame(table) + frame('<c:chart r:id="c"/>') + frame('<dgm:relIds r:dm="d"/>'),
        **{"ppt/charts/chart1.xml": CHART, "ppt/diagrams/data1.xml": data},
    )
    first, caption, kind, chart, node = texts(document)
    assert read_table(first).rows == (
        (Cell("A", header=True, colspan=2),),
        (Cell("1"), Cell("2")),
    )
    assert (caption, kind, node) == ("Ducks by year", "Bar chart", "Step")
    assert read_table(chart).rows[1] == (Cell("2019"), Cell("120"))


def test_words_for_a_picture_are_kept_and_names_of_files_are_not() -> None:
    picture = '<p:pic><p:nvPicPr><p:cNvPr descr="{}"/></p:nvPicPr></p:pic>'.format
    document = show(picture("A heron stands in the shallow water.") + picture("image1.png"))
    assert texts(document, BlockKind.FIGURE) == ["A heron stands in the shallow water."]


boxes = st.lists(st.tuples(*(st.floats(0, 1) for _ in range(4))), max_size=40)


@given(boxes)
def test_the_reading_order_names_every_box_once(found: list[tuple[float, float, float, float]]) -> None:
    placed = [Placed(min(a, c), min(b, d), max(a, c), max(b, d), place) for place, (a, b, c, d) in enumerate(found)]
    assert sorted(reading_order(placed)) == list(range(len(found)))


def test_very_many_boxes_keep_their_order() -> None:
    assert reading_order([Placed(0, 1 - n / 1000, 1, 1, n) for n in range(1000)]) == list(range(1000))
