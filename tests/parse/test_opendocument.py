"""parse.opendocument: texts, sheets and slides of LibreOffice."""

import pytest
from office_samples import OPEN_SPACES, blob, found, opendocument, read, texts

from docpipe.errors import CorruptSource, EncryptedSource, SourceTooLarge
from docpipe.parse.opendocument import OpenDocumentParser
from docpipe.tables import Cell
from docpipe.tables import read as read_table
from docpipe.types import HIDDEN, BBox, BlockKind, Document, Link

AUTOMATIC = (
    '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>'
    '<style:style style:name="T9" style:family="text"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>'
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" '
    'style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")" '
    'text:display-levels="2"/></text:list-style>'
)
STYLES = (
    '<style:page-layout style:name="PM1"><style:page-layout-properties fo:page-width="25.4cm" '
    'fo:page-height="10in"/></style:page-layout><style:master-page style:name="M1" style:page-layout-name="PM1">'
    "<style:footer><text:p>Confidential</text:p></style:footer></style:master-page>"
)


def open_file(body: str, **parts: str) -> Document:
    return read(OpenDocumentParser(), opendocument(body, automatic=AUTOMATIC, styles=STYLES, parts=parts))


def written(inner: str) -> Document:
    return open_file(f"<office:text>{inner}</office:text>")


class TestText:
    def test_titles_headings_and_furniture(self) -> None:
        document = written(
            '<text:p text:style-name="P1">Report</text:p><text:h text:outline-level="2">Part</text:h><text:p>a</text:p>'
        )
        assert [(block.kind.value, block.level) for block in document.blocks] == [
            ("title", 1),
            ("heading", 2),
            ("paragraph", 0),
            ("footer", 0),
        ]
        assert document.metadata["title"] == "Report"

    def test_items_are_numbered_as_shown(self) -> None:
        inner = "<text:list><text:list-item><text:p>b</text:p></text:list-item></text:list>"
        document = written(
            f'<text:list text:style-name="L1"><text:list-item><text:p>a</text:p>{inner}</text:list-item>'
            "<text:list-item><text:p>c</text:p></text:list-item></text:list>"
            '<text:p>x</text:p><text:list text:style-name="L1" text:continue-numbering="true">'
            "<text:list-item><text:p>d</text:p></text:list-item></text:list>"
            "<text:list><text:list-item><text:p>e</text:p></text:list-item></text:list>"
        )
        assert texts(document) == ["1. a", "1.a) b", "2. c", "x", "3. d", "e"]
        assert found(document, "1.a) b").level == 2

    def test_blanks_tabs_notes_and_changes(self) -> None:
        note = '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        note += "<text:note-body><text:p>See there.</text:p></text:note-body></text:note>"
        document = written(
            "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
            f'<text:p>a\n   b<text:s text:c="2"/>c<text:tab/>d<text:line-break/>e{note} f'
            "<office:annotation><dc:creator>Li</dc:creator><text:p>remark</text:p></office:annotation>"
            '<text:span text:style-name="T9">secret'
            "</text:span></text:p>"
        )
        assert texts(document, BlockKind.PARAGRAPH) == ["a b c d\ne f"]
        assert texts(document, BlockKind.FOOTNOTE) == ["See there."]
        assert found(document, "secret").native_label == HIDDEN
        assert found(document, "Li: remark").native_label == HIDDEN

    @pytest.mark.parametrize(
        ("about", "expected"),
        [
            ('fo:color="#ffffff"', [HIDDEN]),
            ('fo:font-size="1pt"', [HIDDEN]),
            ('fo:color="#ffffff" fo:background-color="#000080"', [""]),
            ('fo:color="#333333" fo:font-size="9pt"', [""]),
        ],
        ids=["white", "tiny", "white on blue", "usual"],
    )
    def test_letters_that_nobody_sees_are_hidden_text(self, about: str, expected: list[str]) -> None:
        styles = (
            f'<style:style style:name="Up" style:family="text"><style:text-properties {about}/></style:style>'
            '<style:style style:name="T1" style:family="text" style:parent-style-name="Up"/>'
        )
        body = '<office:text><text:p><text:span text:style-name="T1">obey</text:span></text:p></office:text>'
        document = read(OpenDocumentParser(), opendocument(body, automatic=styles))
        assert [block.native_label for block in document.blocks] == expected

    def test_a_hidden_section_is_hidden_text(self) -> None:
        document = written(
            '<text:section text:display="none"><text:p>obey</text:p></text:section><text:p>seen</text:p>'
        )
        assert found(document, "obey").native_label == HIDDEN and texts(document, BlockKind.PARAGRAPH) == ["seen"]

    def test_links_to_elsewhere_are_told(self) -> None:
        document = written('<text:p>See <text:a xlink:href="https://example.org/lake">the lake</text:a>.</text:p>')
        assert texts(document, BlockKind.PARAGRAPH) == ["See the lake."]
        assert document.links == (Link("the lake", "https://example.org/lake", None),)

    def test_frames_follow_their_paragraph(self) -> None:
        box = "<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>"
        assert (
            texts(written(f"<text:p>before{box}</text:p><text:p>after</text:p>"))
            == [
                "before",
                "boxed",
                "after",
                "Confidential",
            ][:3]
        )

    def test_tables_keep_their_spans(self) -> None:
        cell = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>".format
        document = written(
            "<table:table><table:table-header-rows><table:table-row>"
            + cell('table:number-columns-spanned="2"', "A")
            + "<table:covered-table-cell/></table:table-row></table:table-header-rows><table:table-row>"
            + cell("", "1")
            + cell("", "2")
            + "</table:table-row></table:table>"
        )
        (html,) = texts(document, BlockKind.TABLE)
        assert read_table(html).rows == ((Cell("A", header=True, colspan=2),), (Cell("1"), Cell("2")))


class TestSheets:
    def row(self, *cells: str, repeated: int = 1) -> str:
        inner = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in cells)
        empty = '<table:table-cell table:number-columns-repeated="16000"/>'
        return f'<table:table-row table:number-rows-repeated="{repeated}">{inner}{empty}</table:table-row>'

    def test_sheets_are_pages_and_hidden_ones_hidden(self) -> None:
        rest = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
        document = open_file(
            f'<office:spreadsheet><table:table table:name="Birds">{self.row("Name", "N")}{self.row("duck", "3")}{rest}'
            '</table:table><table:table table:name="Other" table:style-name="ta2">'
            f"{self.row('secret', 'more')}</table:table></office:spreadsheet>"
        )
        assert texts(document, BlockKind.HEADING) == ["Birds"]
        (html,) = texts(document, BlockKind.TABLE)
        assert [[cell.text for cell in row] for row in read_table(html).rows] == [["Name", "N"], ["duck", "3"]]
        assert document.blocks[-2].native_label == HIDDEN and len(document.pages) == 2

    def test_hidden_rows_and_columns_are_hidden_text(self) -> None:
        columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
        folded = self.row("secret", "4").replace("<table:table-row", '<table:table-row table:visibility="filter"')
        group = f'<table:table-row-group table:display="false">{self.row("folded", "5")}</table:table-row-group>'
        rows = self.row("Name", "N") + folded + group + self.row("duck", "3")
        document = open_file(f"<office:spreadsheet><table:table>{columns}{rows}</table:table></office:spreadsheet>")
        (html,) = texts(document, BlockKind.TABLE)
        assert [[cell.text for cell in row] for row in read_table(html).rows] == [["Name"], ["duck"]]
        assert document.blocks[-2].native_label == HIDDEN
        assert texts(document)[-1] == "N\nsecret | 4\nfolded | 5\n3"

    def test_rows_that_are_repeated_without_end_are_refused(self) -> None:
        rows = self.row("x", "y", "z", repeated=1_048_576)
        data = opendocument(f"<office:spreadsheet><table:table>{rows}</table:table></office:spreadsheet>")
        with pytest.raises(SourceTooLarge):
            list(OpenDocumentParser()(blob(data)))


def test_slides_are_pages_of_their_size() -> None:
    def frame(text: str, role: str, y: str) -> str:
        place = f'svg:x="2.54cm" svg:y="{y}" svg:width="12.7cm" svg:height="1in"'
        box = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
        return f'<draw:frame presentation:class="{role}" {place}>{box}</draw:frame>'

    shapes = frame("low", "outline", "5in") + frame("high", "outline", "3in") + frame("Plan", "title", "9in")
    notes = f"<presentation:notes>{frame('Smile.', 'notes', '1in')}</presentation:notes>"
    page = f'<draw:page draw:master-page-name="M1"><draw:g>{shapes}</draw:g>{frame("7", "page-number", "1in")}{notes}'
    document = open_file(f"<office:presentation>{page}</draw:page></office:presentation>")
    assert texts(document) == ["Plan", "high", "low", "Smile."]
    assert [(round(one.width), round(one.height)) for one in document.pages] == [(720, 720)]
    box = found(document, "high").bbox
    assert box is not None and [round(side, 2) for side in box] == list(BBox(0.1, 0.3, 0.6, 0.4))
    assert texts(document, BlockKind.PAGE_NUMBER) == ["7"]


def test_a_file_with_a_password_says_so() -> None:
    entry = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    manifest = f"<manifest:manifest {OPEN_SPACES}>{entry}</manifest:manifest>"
    with pytest.raises(EncryptedSource, match="needs a password"):
        open_file("", **{"META-INF/manifest.xml": manifest})


def test_a_file_without_contents_says_so() -> None:
    with pytest.raises(CorruptSource, match="no contents"):
        open_file("", **{"content.xml": "<x/>"})
