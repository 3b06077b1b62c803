"""Pages of a file -> what is sent for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from docpipe.errors import CorruptSource
from docpipe.parse.pdf import failures
from docpipe.parse.scan import image_pages, pdf_pages, pictures
from docpipe.parse.scan.recogniser import IMAGE, LOWER, UPPER, WHOLE
from docpipe.protocols import Payload
from docpipe.types import BBox, Blob

if TYPE_CHECKING:
    import pymupdf

    from docpipe.parse.pdf import PdfParser
    from docpipe.parse.scan.image_pages import ImagePages
    from docpipe.parse.scan.pdf_pages import PdfPages
    from docpipe.parse.scan.pictures import type_grey

type_kind = Literal["text", "heading", "table", "formula", "figure"]

_REGIONS_DPI = 100.0
"""At which regions are looked for, per inch."""
_SHEET, _SHEETS = 842.0, (400.0, 1_300.0)
"""Longest side of a sheet of A4, and of sheets whose size is believed: points."""
_OTHERWISE = 0.7
"""Of the first resolution: at which a picture is sent again."""
_ALL = BBox(0.0, 0.0, 1.0, 1.0)


class Crop(NamedTuple):
    """A region of a page and its picture, a JPEG; nothing of a figure. `box`: None where it is the page."""

    kind: type_kind
    box: BBox | None
    jpeg: bytes


class Sending(NamedTuple):
    """How pages are sent. `limit`: bytes; `drawn`: as images, never as PDF; `regions`: with what is found on them."""

    limit: int
    dpi: int
    drawn: bool
    regions: bool


def of_pdf(blob: Blob, parser: "PdfParser", pages: tuple[int, ...], way: str, sending: Sending) -> Payload:
    """Pages (from 1) of a PDF: a PDF of as many of them as fit, or the first of them as an image.

    Raises:
        CorruptSource: a page of them can neither be taken out nor drawn.
    """
    with pdf_pages.opened(blob, parser) as opened, _told(blob, pages):
        if way == WHOLE and not sending.drawn:
            payload = _piece(opened, pages, sending.limit)
            if payload is not None:
                return payload
        number, dpi = pages[0], float(sending.dpi)
        if sending.drawn and way == IMAGE:
            dpi *= _OTHERWISE
        if sending.regions:
            return _regions(opened.page(number - 1), number, way, dpi)
        return _drawn(opened.page(number - 1), number, way, dpi, sending)


def of_image(blob: Blob, pages: tuple[int, ...], way: str, sending: Sending) -> Payload:
    """The first of these pages (from 1) of an image file: the file itself where the service takes it."""
    with image_pages.opened(blob) as images, _told(blob, pages):
        number = pages[0]
        page = images.page(number - 1)
        if sending.regions:
            return _regions(page, number, way, _resolution(images, number, way))
        if way == WHOLE and images.as_it_is():
            ink = pictures.has_ink(pictures.grey(page))
            return Payload(data=blob.data, media_type=blob.source.media_type, pages=(number,), ink=(ink,))
        return _drawn(page, number, way, _resolution(images, number, way), sending)


@contextmanager
def _told(blob: Blob, pages: tuple[int, ...]) -> Iterator[None]:
    try:
        yield
    except failures() as error:
        raise CorruptSource(
            f"page {pages[0]} cannot be drawn: {error}" if len(pages) == 1 else f"a page cannot be taken out: {error}",
            source=blob.source.uri,
            remedy="print the file to a new PDF",
        ) from error


def _regions(page: "pymupdf.Page", number: int, way: str, dpi: float) -> Payload:
    """The regions of a page, each as a picture; drawn anew, the page is one region."""
    from docpipe.parse.scan.regions import regions

    greys = pictures.grey(page, _look(page))
    found = regions(greys) if way == WHOLE else ()
    crops = [
        Crop(kind, box, b"" if kind == "figure" else pictures.crop(page, box, dpi=dpi)) for kind, box in found
    ] or [Crop("text", None, pictures.crop(page, _ALL, dpi=dpi))]
    ink = pictures.has_ink(greys)
    return Payload(data=b"", media_type="image/jpeg", pages=(number,), ink=(ink,), regions=tuple(crops) if ink else ())


def _look(page: "pymupdf.Page") -> float:
    """At which resolution letters have their usual size: photographs tell no true one, and are taken for a sheet."""
    longest = max(1.0, page.rect.width, page.rect.height)
    return _REGIONS_DPI if _SHEETS[0] <= longest <= _SHEETS[1] else _REGIONS_DPI * _SHEET / longest


def _resolution(images: "ImagePages", number: int, way: str) -> float:
    native = images.dpi(number - 1)
    return native * _OTHERWISE if way == IMAGE else native


def _piece(opened: "PdfPages", pages: tuple[int, ...], limit: int) -> Payload | None:
    """A PDF of the first of these pages that fit; None where not even one does."""
    while pages:
        data = opened.piece([number - 1 for number in pages])
        if len(data) <= limit:
            ink = tuple(pictures.has_ink(pictures.grey(opened.page(number - 1))) for number in pages)
            return Payload(data=data, media_type="application/pdf", pages=pages, ink=ink)
        fitting = int(len(pages) * limit / len(data))
        pages = pages[: max(0, min(len(pages) - 1, fitting or len(pages) // 2))]
    return None


def _drawn(page: "pymupdf.Page", number: int, way: str, dpi: float, sending: Sending) -> Payload:
    greys = pictures.grey(page)
    shown = _shown(greys, way)
    ink = pictures.has_ink(greys, shown.top, shown.bottom)
    data = pictures.picture(page, dpi=dpi, top=shown.top, bottom=shown.bottom)
    regions = () if shown == _ALL else (shown,)
    return Payload(data=data, media_type="image/jpeg", pages=(number,), ink=(ink,), regions=regions)


def _shown(greys: "type_grey", way: str) -> BBox:
    """Which part of the page is sent."""
    if way not in (UPPER, LOWER):
        return _ALL
    cut = pictures.middle(greys)
    return BBox(0.0, 0.0, 1.0, cut) if way == UPPER else BBox(0.0, cut, 1.0, 1.0)
