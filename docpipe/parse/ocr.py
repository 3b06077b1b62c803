"""PDFs and images -> Document, with OCR on this machine for the pages that have no text layer to trust."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from docpipe.parse.content import Box
from docpipe.parse.page.printed import Piece, PrintedPage
from docpipe.parse.page.reader import shown_size
from docpipe.parse.pdf import PdfParser, PdfPart, engine, failures
from docpipe.parse.scan import image_pages, local_page
from docpipe.parse.scan.local_figures import unread as unread_pictures
from docpipe.parse.scan.local_figures import with_read
from docpipe.types import HIDDEN, Blob, Document, Source

if TYPE_CHECKING:
    import pymupdf

    from docpipe.parse.scan.local_engine import type_picture

_DPI = (72, 300)
_LONGEST = 2_000
"""Pixels of the longest side of a page that is read."""
_PAPER = 150.0
"""Of 255: darker pictures, on average, are photographs rather than something written on paper."""


@dataclass(frozen=True, kw_only=True)
class OcrParser:
    """PDFs and images (PNG, JPEG, WEBP, TIFF, GIF, BMP), read here by OCR where the file itself holds no sound text.

    English, Chinese, Japanese, and most languages in Latin letters; pages in other scripts stay marked.
    """

    VERSION = 2

    ocr: Literal["auto", "always", "never"] = "auto"
    """`auto`: only pages without a text layer that can be trusted, and large light pictures beside a text layer."""
    dpi: int = 150
    """Resolution at which pages are read, per inch; more costs time and memory, and pays for small letters only."""
    password: str = field(default="", compare=False, repr=False)
    """Opens files that ask for one."""
    pdf: PdfParser = field(default_factory=PdfParser)
    """How pages with a sound text layer are read."""

    pages_per_part = 6
    reads_images = True

    def __post_init__(self) -> None:
        if not _DPI[0] <= self.dpi <= _DPI[1]:
            raise ValueError(f"dpi must be {_DPI[0]} to {_DPI[1]}, got {self.dpi}")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            EncryptedSource, CorruptSource, SourceTooLarge: the file cannot be read.
            MissingWeights, DamagedWeights: a page needs OCR, and the networks that come with the package are not there.
        """
        yield self.merge(blob.source, [self.parse_pages(blob, 0, self.page_count(blob))])

    def page_count(self, blob: Blob, /) -> int:
        """Number of pages, or of images in the file; raises as `__call__` does."""
        if _is_image(blob):
            with image_pages.opened(blob) as images:
                return len(images)
        return self._local.page_count(blob)

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> PdfPart:
        """Pages `start` (from 0) up to `stop`; one that could not be read with confidence stays marked."""
        if _is_image(blob):
            return self._images(blob, start, stop)
        part = self._local.parse_pages(blob, start, stop)
        if not any(self._is_wanted(page) or self._unread(page) for page in part.pages):
            return part
        with self._local.opened(blob) as document:
            pages = tuple(self._again(document, page) for page in part.pages)
        return replace(part, pages=pages)

    def merge(self, source: Source, parts: Sequence[PdfPart], /) -> Document:
        """The document: running headers, headings, joined paragraphs are told from all pages together."""
        return self._local.merge(source, parts)

    @property
    def _local(self) -> PdfParser:
        return replace(self.pdf, password=self.password) if self.password else self.pdf

    def _is_wanted(self, page: PrintedPage) -> bool:
        return self.ocr == "always" or (self.ocr == "auto" and page.needs_ocr)

    def _unread(self, page: PrintedPage) -> list[Piece]:
        return unread_pictures(page) if self.ocr == "auto" and not page.needs_ocr else []

    def _again(self, document: "pymupdf.Document", page: PrintedPage) -> PrintedPage:
        """A page, or its pictures, read by OCR; as it was where there is nothing to read, or it cannot be drawn."""
        if self._is_wanted(page):
            read = self._read(document, page)
            if read is None or (read.needs_ocr and not page.needs_ocr):
                return page
            return _with_hidden(read, page)
        unread = {id(piece) for piece in self._unread(page)}
        pieces = (self._figure(document, page, one) if id(one) in unread else [one] for one in page.pieces)
        return replace(page, pieces=tuple(one for found in pieces for one in found)) if unread else page

    def _figure(self, document: "pymupdf.Document", page: PrintedPage, figure: Piece) -> list[Piece]:
        """What is written on a picture, in its place."""
        shown = figure._replace(box=_on_page(figure.box, page))
        read = self._read(document, page, shown.box)
        return [figure] if read is None else with_read(shown, read)

    def _read(self, document: "pymupdf.Document", page: PrintedPage, box: Box | None = None) -> PrintedPage | None:
        """A page, or what is in a box of it; None where it cannot be drawn, or the box holds a photograph."""
        try:
            picture = _drawn(document.load_page(page.number - 1), self.dpi, box)
        except failures():
            return None
        width, height = (page.width, page.height) if box is None else (box.right - box.left, box.bottom - box.top)
        if box is not None and (not picture.size or picture.mean() < _PAPER):
            return None
        return local_page.page(picture, page.number, width, height, tables=self.pdf.tables)

    def _images(self, blob: Blob, start: int, stop: int) -> PdfPart:
        with image_pages.opened(blob) as images:
            numbers = range(start, min(stop, len(images)))
            return PdfPart(tuple(self._image(images, number) for number in numbers))

    def _image(self, images: image_pages.ImagePages, index: int) -> PrintedPage:
        unread = PrintedPage(index + 1, *images.size(index), (), needs_ocr=True)
        if self.ocr == "never":
            return unread
        try:
            picture = _drawn(images.page(index), images.dpi(index))
        except failures():
            return replace(unread, damaged=True)
        return local_page.page(picture, unread.number, unread.width, unread.height, tables=self.pdf.tables)


def _with_hidden(read: PrintedPage, page: PrintedPage) -> PrintedPage:
    """What OCR reads of a page, and what its text layer holds that OCR cannot see."""
    hidden = [piece for piece in page.pieces if piece.told and piece.told.native == HIDDEN]
    return replace(read, pieces=(*read.pieces, *hidden)) if hidden and read.turn == page.turn else read


def _on_page(box: Box, page: PrintedPage) -> Box:
    return Box(max(0.0, box.left), max(0.0, box.top), min(page.width, box.right), min(page.height, box.bottom))


def _is_image(blob: Blob) -> bool:
    return blob.source.media_type in image_pages.MEDIA_TYPES


def _drawn(page: "pymupdf.Page", dpi: float, box: Box | None = None) -> "type_picture":
    """The page as shown, or what is in a box of it, shape (height, width, 3), blue first."""
    import numpy as np

    scale = min(dpi / 72, _LONGEST / max(shown_size(page)))
    clip = engine().Rect(*box) if box is not None else None
    pixels = page.get_pixmap(matrix=engine().Matrix(scale, scale), clip=clip, alpha=False, colorspace="rgb")
    rows = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.stride)
    picture = rows[:, : 3 * pixels.width].reshape(pixels.height, pixels.width, 3)
    return np.ascontiguousarray(picture[:, :, ::-1])
