"""Elements -> a document: kinds, levels, tables, furniture, and boxes that hold the words."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin import printing

from docpipe.parse.page.assembly import assemble
from docpipe.parse.scan.content import from_markdown
from docpipe.parse.scan.layout import Element, elements
from docpipe.parse.scan.pieces import page
from docpipe.tables import read
from docpipe.types import BBox, BlockKind, Document, Source

SOURCE = Source(uri="scan.pdf", media_type="application/pdf", digest="", size=1, modified=0)


def document(*pages: Sequence[Element]) -> Document:
    return assemble(SOURCE, [page(number, 600, 800, found) for number, found in enumerate(pages, start=1)])


def element(label: str, text: str, top: float = 0.3, bottom: float = 0.4, left: float = 0.1) -> Element:
    return Element(label, text, BBox(left, top, left + 0.4, bottom))


def outline(found: Document) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.span.of(found.text)) for block in found.blocks]


def test_headings_come_with_hashes_a_div_or_only_a_label() -> None:
    found = document(
        [
            element("doc_title", '<div align="center">\n\n# Annual Review\n\n</div>'),
            element("paragraph_title", "## 1 Traffic"),
            element("text", "### 1.1 Summer ###"),
            element("paragraph_title", "Notes"),
            element("text", "#1 is a number, not a heading."),
        ]
    )
    assert outline(found) == [
        ("title", 1, "Annual Review"),
        ("heading", 2, "1 Traffic"),
        ("heading", 3, "1.1 Summer"),
        ("heading", 2, "Notes"),
        ("paragraph", 0, "#1 is a number, not a heading."),
    ]
    assert found.metadata["title"] == "Annual Review"


def test_a_second_title_is_a_heading() -> None:
    found = document([element("doc_title", "# First")], [element("doc_title", "# Second")])
    assert [kind for kind, _, _ in outline(found)] == ["title", "heading"]


def test_tables_keep_their_spans_and_get_the_header_that_the_service_does_not_mark() -> None:
    html = (
        '<table border="1"><tr><td rowspan="2">Quarter</td><td colspan="2">Fuel &amp; oil</td></tr>'
        "<tr><td>2023</td><td>2024</td></tr><tr><td>Q1</td><td>88.4</td><td>$ \\eta $</td></tr></table>"
    )
    found = document([element("table", html)])
    table = read(found.text)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Quarter", "Fuel & oil"],
        ["2023", "2024"],
        ["Q1", "88.4", "$ \\eta $"],
    ]
    assert table.header_rows == 2 and table.rows[0][0].rowspan == 2 and table.rows[0][1].colspan == 2


def test_a_table_of_figures_only_has_no_header() -> None:
    found = document([element("table", "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>")])
    assert read(found.text).header_rows == 0


def test_words_around_a_table_in_one_element_are_not_lost() -> None:
    found = document([element("table", "Crossings:\n\n<table><tr><td>a</td></tr></table>\n\nSource: harbour office.")])
    assert [kind for kind, _, _ in outline(found)] == ["paragraph", "table", "paragraph"]


def test_lists_formulas_code_and_notes_are_named() -> None:
    found = document(
        [
            element("text", "- one\n\n- two\n\n  - deeper"),
            element("display_formula", "$$\n\\eta = 1\n$$"),
            element("algorithm", "```python\ndef f():\n    return 1\n```"),
            element("footnote", "1 See the annex."),
            element("figure_title", "Figure 1: Passengers"),
            element("text", "Table 2: Crossings by route"),
            element("reference_content", "[1] Cormack et al."),
        ]
    )
    assert outline(found) == [
        ("list_item", 1, "• one"),
        ("list_item", 1, "• two"),
        ("list_item", 2, "• deeper"),
        ("formula", 0, "$$\n\\eta = 1\n$$"),
        ("code", 0, "def f():\n    return 1"),
        ("footnote", 0, "1 See the annex."),
        ("caption", 0, "Figure 1: Passengers"),
        ("caption", 0, "Table 2: Crossings by route"),
        ("reference", 0, "[1] Cormack et al."),
    ]


def test_furniture_stands_at_the_end_and_is_named() -> None:
    found = document(
        [
            element("header", "Harbour Lights", 0.02, 0.04),
            element("text", "First page."),
            element("number", "1", 0.96, 0.98),
        ],
        [element("text", "Second page."), element("footer", "Internal", 0.94, 0.96), element("footer_image", "")],
    )
    assert [kind for kind, _, _ in outline(found)] == ["paragraph", "paragraph", "header", "page_number", "footer"]
    assert found.blocks[2].native_label == "header"


def test_pictures_are_figures_and_their_references_are_no_text() -> None:
    found = document(
        [
            element("image", "https://files.example.com/crops/7c1e.png"),
            element("text", "Before ![](page=0,bbox=[1, 2, 3, 4]) after."),
            element("text", "![](https://files.example.com/crops/7c1e.png)"),
        ]
    )
    assert outline(found) == [("figure", 0, ""), ("paragraph", 0, "Before  after.")]


def test_markdown_of_a_page_is_read_where_nothing_better_came() -> None:
    text = (
        '<div align="center">\n\n# Ferry report\n\n</div>\n\n![](page=0,bbox=[1, 2, 3, 4])\n\nFuel &amp; oil.\n\n'
        "<table><tr><td>Item</td><td>a &lt;b&gt; c</td></tr><tr><td>x</td><td>1</td></tr></table>"
    )
    found = document(from_markdown(text))
    assert outline(found)[:2] == [("title", 1, "Ferry report"), ("paragraph", 0, "Fuel & oil.")]
    assert read(found.text.partition("<table>")[2]).rows[0][1].text == "a <b> c"


def test_an_unknown_label_is_a_paragraph_with_its_name() -> None:
    found = document([element("sidebar", "Tide tables")])
    assert found.blocks[0].kind is BlockKind.PARAGRAPH and found.blocks[0].native_label == "sidebar"


def test_a_paragraph_goes_on_over_the_page_and_over_a_hyphen() -> None:
    found = document(
        [
            element("text", "The pilot waits at the outer buoy until the chan-", 0.8, 0.9),
            element("number", "1", 0.96, 0.98),
        ],
        [element("header", "Harbour", 0.02, 0.04), element("text", "nel is deep enough.")],
    )
    assert found.text.startswith("The pilot waits at the outer buoy until the channel is deep enough.")


def test_short_lines_of_an_address_stay_together() -> None:
    found = document([element("text", "Harbour office\n\nPier 4\n\nOld town")])
    assert outline(found) == [("paragraph", 0, "Harbour office\nPier 4\nOld town")]


def test_an_element_without_a_place_stands_for_its_whole_page() -> None:
    found = document([Element("text", "Words without a box.", None)])
    assert [tuple(box) for box in found.geometry.boxes(0, 5, found.text)] == [(1, 0.0, 0.0, 1.0, 1.0)]


WORDS = ["harbour", "vessel", "ledger", "I", "of", "notwithstanding", "the", "internationalisation", "pilot", "channel"]
HAN = "港口办公室记录每一艘进入海湾的船只当潮水低时引水员在外浮标等待"


@pytest.mark.parametrize("seed", range(6))
def test_the_box_of_every_printed_line_holds_it_and_is_far_smaller_than_its_block(seed: int) -> None:
    dice = random.Random(seed)
    said = " ".join(dice.choice(WORDS) for _ in range(dice.randint(20, 160))) + "."
    chinese = "".join(dice.choice(HAN) for _ in range(dice.randint(40, 400)))
    items = [" ".join(dice.choice(WORDS) for _ in range(dice.randint(3, 25))) for _ in range(4)]
    sheet = printing.sheet([("title", f"Report {seed}"), ("text", said), ("text", chinese), ("list", items)])
    raw = [{**each, "bbox_2d": each["box"]} for each in sheet.elements]
    found = assemble(SOURCE, [page(1, sheet.width, sheet.height, elements(raw, None))])
    heights = []
    for each in sheet.elements:
        for text, (left, top, right, bottom) in each["lines"]:
            words = text.removeprefix("- ").strip()
            start = found.text.index(words)
            boxes = found.geometry.boxes(start, start + len(words), found.text)
            slack = 0.004
            assert min(box.left for box in boxes) <= left + slack and max(box.right for box in boxes) >= right - slack
            assert min(box.top for box in boxes) <= top + slack and max(box.bottom for box in boxes) >= bottom - slack
            heights.append((max(box.bottom for box in boxes) - min(box.top for box in boxes)) / (bottom - top))
    assert sum(heights) / len(heights) < 5


texts = st.text(st.sampled_from("ab 中文。.\n#-`$|<>tabledivr/\\![]() 1"), max_size=200)
labels = st.sampled_from(
    ["text", "doc_title", "paragraph_title", "table", "formula", "header", "image", "algorithm", "odd"]
)
sides = st.floats(0, 1)
somewhere = st.none() | st.tuples(sides, sides, sides, sides).map(
    lambda b: BBox(min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


@given(st.lists(st.lists(st.builds(Element, labels, texts, somewhere), max_size=6), min_size=1, max_size=3))
def test_any_elements_make_a_document_that_keeps_its_laws(pages: list[list[Element]]) -> None:
    found = document(*pages)
    at = 0
    for block in found.blocks:
        assert at <= block.span.start <= block.span.end <= len(found.text)
        at = block.span.end
    assert all(line.end <= len(found.text) for line in found.geometry)
    assert len(found.pages) == len(pages)
