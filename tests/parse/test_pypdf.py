"""PDF through pypdf: paragraphs with page numbers, and a clear error for what it cannot read."""

import pytest
from printed_pages import LOREM, blob, finished, flow, new, put

from docpipe.errors import CorruptSource, EncryptedSource, SourceTooLarge
from docpipe.parse.pypdf import PypdfParser, paragraphs
from docpipe.types import Blob, BlockKind, Document


def parsed(pdf: Blob, **options: object) -> Document:
    (document,) = PypdfParser(**options)(pdf)  # type: ignore[arg-type]
    return document


def two_pages(**options: object) -> Blob:
    pdf = new()
    for number in (1, 2):
        page = pdf.new_page(width=400, height=600)
        put(page, 50, 60, f"Ledger of the harbour, part {number}", size=16)
        flow(page, (50, 100, 350, 300), LOREM)
    return finished(pdf, **options)


def encrypted(user: str) -> Blob:
    import pymupdf

    return two_pages(encryption=pymupdf.PDF_ENCRYPT_RC4_128, user_pw=user, owner_pw="owner")


def test_text_comes_as_paragraphs_with_their_pages() -> None:
    document = parsed(two_pages())
    assert [(page.number, page.width, page.height) for page in document.pages] == [(1, 400, 600), (2, 400, 600)]
    assert {block.page for block in document.blocks} == {1, 2}
    assert all(block.kind is BlockKind.PARAGRAPH and block.bbox is None for block in document.blocks)
    assert "Ledger of the harbour, part 2" in document.text
    assert document.metadata["language"] == "en"


def test_blocks_are_ordered_disjoint_spans_of_the_text() -> None:
    document = parsed(two_pages())
    at = 0
    for block in document.blocks:
        assert at <= block.span.start < block.span.end <= len(document.text)
        assert block.span.of(document.text).strip()
        at = block.span.end


def test_ranges_of_pages_merge_to_the_same_document() -> None:
    pdf, parser = two_pages(), PypdfParser()
    assert parser.page_count(pdf) == 2
    parts = [parser.parse_pages(pdf, 0, 1), parser.parse_pages(pdf, 1, 2)]
    assert parser.merge(pdf.source, parts) == parsed(pdf)


def test_a_turned_page_has_the_size_that_is_shown() -> None:
    pdf = new()
    page = pdf.new_page(width=400, height=600)
    put(page, 50, 60, "Sideways")
    page.set_rotation(90)
    assert (parsed(finished(pdf)).pages[0].width, parsed(two_pages()).pages[0].width) == (600, 400)


def test_a_page_of_one_picture_needs_ocr_and_is_no_error() -> None:
    import pymupdf

    pdf = new()
    page = pdf.new_page(width=400, height=600)
    page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 20, 30), False))
    put(pdf.new_page(width=400, height=600), 50, 60, "A page with words on it")
    document = parsed(finished(pdf))
    assert [page.needs_ocr for page in document.pages] == [True, False]
    assert "unreadable_pages" not in document.metadata


def test_words_broken_at_line_ends_are_mended() -> None:
    assert paragraphs("the har-\nbour office\nis open") == ["the harbour office\nis open"]


def test_a_short_last_line_ends_a_paragraph() -> None:
    text = "a line of usual length in this text\nand its end.\nanother line of the usual length here\nwhich goes on"
    assert len(paragraphs(text)) == 2


def test_an_encrypted_file_says_that_it_needs_a_password() -> None:
    with pytest.raises(EncryptedSource, match="needs a password") as caught:
        parsed(encrypted("secret"))
    assert "set `password` of parse.pypdf" in caught.value.remedy


def test_a_wrong_password_is_told_from_a_missing_one() -> None:
    with pytest.raises(EncryptedSource, match="password given does not open it"):
        parsed(encrypted("secret"), password="guess")


def test_the_right_password_opens_and_an_owner_password_alone_asks_for_none() -> None:
    assert "Ledger" in parsed(encrypted("secret"), password="secret").text
    assert "Ledger" in parsed(encrypted("")).text


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"not a PDF at all" * 40], ids=["empty", "header only", "text"])
def test_what_is_no_pdf_is_named_as_such(data: bytes) -> None:
    with pytest.raises(CorruptSource, match="cannot be read as a PDF") as caught:
        parsed(blob(data))
    assert "parse.pdf" in caught.value.remedy
    assert caught.value.where == "harbour.pdf"


def test_a_truncated_file_ends_in_text_or_a_typed_error() -> None:
    data = two_pages().data
    for share in (0.2, 0.5, 0.8, 0.95):
        try:
            parsed(blob(data[: int(len(data) * share)]))
        except CorruptSource as error:
            assert error.remedy


def test_too_many_pages_are_refused_with_the_option_to_raise() -> None:
    with pytest.raises(SourceTooLarge, match="2 pages, more than max_pages = 1") as caught:
        parsed(two_pages(), max_pages=1)
    assert "raise `max_pages`" in caught.value.remedy


def test_a_page_with_too_much_drawing_is_left_without_text() -> None:
    document = parsed(two_pages(), max_content=10)
    assert document.text == "" and len(document.pages) == 2


@pytest.mark.parametrize("option", ["max_pages", "max_content"])
def test_limits_below_one_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be at least 1, got 0"):
        PypdfParser(**{option: 0})
