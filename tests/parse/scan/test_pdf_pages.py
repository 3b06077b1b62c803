"""A page's digest is its own content's; pieces hold the pages asked for and nothing else of the file."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from printed_pages import blob

from docpipe.parse.pdf import PdfParser
from docpipe.parse.scan import pdf_pages


@cache
def scanned(number: int) -> bytes:
    """A picture of a page."""
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((50, 100), f"page {number}", fontsize=30)
        return bytes(page.get_pixmap(dpi=40).tobytes("jpeg"))


def scans(numbers: Sequence[int], **options: Any) -> bytes:
    import pymupdf

    with pymupdf.open() as document:
        for number in numbers:
            page = document.new_page()
            page.insert_image(page.rect, stream=scanned(number))
        return bytes(document.tobytes(**options))


def digests(data: bytes, password: str = "") -> list[str]:
    parser = PdfParser(password=password)
    with pdf_pages.opened(blob(data), parser) as pages:
        return [pages.digest(index) for index in range(parser.page_count(blob(data)))]


def rewritten(data: bytes) -> bytes:
    import pypdf

    writer = pypdf.PdfWriter()
    for page in pypdf.PdfReader(BytesIO(data)).pages:
        writer.add_page(page)
    return written(writer)


def written(writer: Any) -> bytes:
    held = BytesIO()
    writer.write(held)
    return held.getvalue()


def with_common_pictures(data: bytes) -> bytes:
    """The same pages with one dictionary of pictures for all, each under a name of its own."""
    import pypdf
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter(clone_from=BytesIO(data))
    pictures = DictionaryObject()
    for number, page in enumerate(writer.pages):
        pictures[NameObject(f"/Scan#{number:x}" if number > 99 else f"/Scan{number}")] = page["/Resources"][
            "/XObject"
        ].raw_get("/fzImg0")  # type: ignore[index]
    common = writer._add_object(DictionaryObject({NameObject("/XObject"): pictures}))
    for number, page in enumerate(writer.pages):
        content = DecodedStreamObject()
        drawn = page.get_contents()
        assert drawn is not None
        content.set_data(drawn.get_data().replace(b"/fzImg0", b"/Scan%d" % number))
        page[NameObject("/Contents")] = writer._add_object(content)
        page[NameObject("/Resources")] = common
    return written(writer)


FIVE = (1, 2, 3, 4, 5)


def test_different_pages_have_different_digests() -> None:
    assert len(set(digests(scans(FIVE)))) == 5


@pytest.mark.parametrize(
    "options",
    [{"garbage": 4}, {"deflate": True}, {"use_objstms": 1}, {"garbage": 4, "deflate": True, "clean": False}],
    ids=str,
)
def test_saving_a_file_otherwise_changes_no_digest(options: dict[str, Any]) -> None:
    assert digests(scans(FIVE, **options)) == digests(scans(FIVE))


def test_writing_it_with_another_program_changes_no_digest() -> None:
    assert digests(rewritten(scans(FIVE))) == digests(scans(FIVE))


def test_a_page_keeps_its_digest_when_others_come_before_it() -> None:
    plain = digests(scans(FIVE))
    assert digests(scans((9, *FIVE)))[1:] == plain
    assert digests(scans((5, 4, 3, 2, 1)))[::-1] == plain
    assert digests(scans((3,))) == plain[2:3]


def test_one_scan_twice_in_a_file_is_one_page() -> None:
    first, second, third = digests(scans((1, 2, 1)))
    assert first == third != second


def test_a_common_dictionary_of_pictures_changes_no_digest() -> None:
    assert digests(with_common_pictures(scans(FIVE))) == digests(scans(FIVE))


def test_encryption_changes_no_digest() -> None:
    import pymupdf

    with pymupdf.open(stream=scans(FIVE), filetype="pdf") as document:
        locked = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw="secret")
    assert digests(locked, password="secret") == digests(scans(FIVE))


@pytest.mark.parametrize("change", ["rotation", "stamp", "crop"])
def test_what_shows_on_the_page_changes_its_digest_only(change: str) -> None:
    import pymupdf

    with pymupdf.open(stream=scans(FIVE), filetype="pdf") as document:
        page = document[2]
        if change == "rotation":
            page.set_rotation(90)
        elif change == "crop":
            page.set_cropbox(pymupdf.Rect(0, 0, 300, 300))
        else:
            page.add_freetext_annot(pymupdf.Rect(50, 200, 300, 240), "APPROVED")
        changed = digests(document.tobytes())
    plain = digests(scans(FIVE))
    assert changed[2] != plain[2] and [*changed[:2], *changed[3:]] == [*plain[:2], *plain[3:]]


def test_links_to_other_pages_change_no_digest_and_bring_no_pages_along() -> None:
    import pymupdf

    with pymupdf.open(stream=scans(FIVE), filetype="pdf") as document:
        link = {"kind": pymupdf.LINK_GOTO, "page": 4, "from": pymupdf.Rect(0, 0, 90, 90), "to": pymupdf.Point(0, 0)}
        document[0].insert_link(link)
        data = document.tobytes()
    assert digests(data) == digests(scans(FIVE))
    with pdf_pages.opened(blob(data), PdfParser()) as pages:
        assert len(pages.piece([0])) < 1.5 * len(scans((1,)))


@pytest.mark.parametrize("make", [scans, lambda numbers: with_common_pictures(scans(numbers))], ids=["own", "common"])
def test_a_piece_shows_the_pages_asked_for_in_order_and_is_small(make: Any) -> None:
    import pymupdf

    numbers = tuple(range(1, 21))
    with pdf_pages.opened(blob(make(numbers)), PdfParser()) as pages:
        piece = pages.piece([7, 2])
        with pymupdf.open(stream=piece, filetype="pdf") as taken:
            shown = [page.get_pixmap(dpi=40).samples for page in taken]
        assert shown == [pages.page(index).get_pixmap(dpi=40).samples for index in (7, 2)]
    assert len(piece) < 1.5 * len(scans((8, 3)))


def test_what_pypdf_cannot_read_pymupdf_takes_out() -> None:
    import pymupdf

    data = scans(FIVE)
    cut = data[: data.rindex(b"xref")]
    with pdf_pages.opened(blob(cut), PdfParser()) as pages:
        pages._reader = pages._digests = None
        assert len({pages.digest(index) for index in range(5)}) == 5
        assert pages.digest(1) == pages.digest(1)
        with pymupdf.open(stream=pages.piece([1, 3]), filetype="pdf") as taken:
            assert taken.page_count == 2


def test_a_file_that_bites_its_tail_has_digests() -> None:
    import pypdf
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter(clone_from=BytesIO(scans((1, 2))))
    loop = DictionaryObject({NameObject("/Type"): NameObject("/ExtGState")})
    reference = writer._add_object(loop)
    loop[NameObject("/SMask")] = ArrayObject([reference])
    for page in writer.pages:
        page["/Resources"][NameObject("/ExtGState")] = DictionaryObject({NameObject("/fzImg0"): reference})  # type: ignore[index]
    assert len(set(digests(written(writer)))) == 2
