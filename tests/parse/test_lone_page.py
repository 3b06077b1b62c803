"""Running lines of a document of one page, which cannot come back."""

from printed_pages import LOREM, finished, flow, new

from docpipe.parse.pdf import PdfParser
from docpipe.types import BlockKind, Document


def printed(*lines: tuple[float, float, str, float], body: str = LOREM * 4) -> Document:
    """A page of 600 x 800 points with a text in its middle and lines by their left, bottom, words and size."""
    pdf = new()
    page = pdf.new_page(width=600, height=800)
    if body:
        flow(page, (60, 120, 540, 600), body)
    for left, bottom, words, size in lines:
        page.insert_text((left, bottom), words, fontsize=size)
    (document,) = PdfParser()(finished(pdf))
    return document


def furniture(document: Document) -> list[tuple[BlockKind, str]]:
    kinds = (BlockKind.HEADER, BlockKind.FOOTER, BlockKind.PAGE_NUMBER)
    return [(block.kind, block.span.of(document.text)) for block in document.blocks if block.kind in kinds]


def test_a_line_by_itself_in_the_margin_is_a_running_line() -> None:
    document = printed((60, 20, "Harbour office, report 7", 9), (60, 785, "Download date: 28 Dec 2018", 9))
    assert furniture(document) == [
        (BlockKind.HEADER, "Harbour office, report 7"),
        (BlockKind.FOOTER, "Download date: 28 Dec 2018"),
    ]


def test_small_type_far_from_the_text_is_a_running_line() -> None:
    assert furniture(printed((60, 715, "Harbours 2015", 6))) == [(BlockKind.FOOTER, "Harbours 2015")]


def test_short_parts_over_the_width_of_the_page_are_a_running_line() -> None:
    parts = printed((60, 710, "Revision: 2.4", 10), (280, 710, "P/N 119-036", 10), (480, 710, "10 June 2019", 10))
    assert [kind for kind, _ in furniture(parts)] == [BlockKind.FOOTER]


def test_the_number_of_an_account_is_text() -> None:
    assert furniture(printed((60, 785, "Harbour Bank, IBAN DE89 3704 0044 0532 0130 00", 8))) == []


def test_a_signature_above_the_margin_is_text() -> None:
    assert furniture(printed((60, 700, "With kind regards,", 10), (60, 740, "J. Pilot, harbour master", 10))) == []


def test_a_long_line_in_the_margin_is_text() -> None:
    assert furniture(printed((20, 785, LOREM[:150], 7))) == []


def test_a_large_line_at_the_top_is_a_title() -> None:
    document = printed((60, 40, "The ledger of the harbour", 24))
    assert furniture(document) == []


def test_a_page_of_a_few_lines_is_all_text() -> None:
    assert furniture(printed((60, 20, "Admit one", 9), (60, 785, "Row 7", 9), body="")) == []
