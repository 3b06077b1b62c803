"""A PDF -> digests of its pages, and pieces of it that are sent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from docpipe import _ids
from docpipe.parse.pdf import PdfParser, engine, failures
from docpipe.parse.scan.page_digest import PageDigests, drawn_notes, used
from docpipe.types import Blob

if TYPE_CHECKING:
    import pymupdf
    import pypdf

_LINKS = ("/P", "/Parent", "/Popup", "/A", "/AA", "/Dest", "/StructParent", "/IRT")


class PdfPages:
    """A PDF whose pages are taken out one by one. pypdf does it where it can, else PyMuPDF."""

    def __init__(self, document: "pymupdf.Document", reader: "pypdf.PdfReader | None") -> None:
        self._document, self._reader = document, reader
        self._digests = PageDigests(reader) if reader else None

    def digest(self, index: int) -> str:
        """What is on a page (from 0), wherever it stands: 32 hexadecimal digits; nothing where it cannot be read."""
        if self._digests is not None:
            try:
                return self._digests.of(index)
            except _pypdf_failures():
                pass
        try:
            return _ids.digest(self._copied([index]))[:32]
        except failures():
            return ""

    def piece(self, indices: Sequence[int]) -> bytes:
        """A PDF of these pages (from 0), without a password. Raises `failures()` where no library can make it."""
        if self._reader is not None:
            try:
                return _taken_out(self._reader, indices)
            except _pypdf_failures():
                pass
        return self._copied(indices)

    def page(self, index: int) -> "pymupdf.Page":
        """A page, to be drawn."""
        return self._document.load_page(index)

    def _copied(self, indices: Sequence[int]) -> bytes:
        with engine().open() as copy:
            for index in indices:
                copy.insert_pdf(self._document, from_page=index, to_page=index, links=False)
            return bytes(copy.tobytes(garbage=3, deflate=True, no_new_id=True))


@contextmanager
def opened(blob: Blob, parser: PdfParser) -> Iterator[PdfPages]:
    """The pages of a file.

    Raises:
        EncryptedSource, CorruptSource: as the parser says.
    """
    with parser.opened(blob) as document:
        yield PdfPages(document, _reader(blob.data, document))


def _reader(data: bytes, document: "pymupdf.Document") -> "pypdf.PdfReader | None":
    """pypdf's view of a file; None where it sees other pages than PyMuPDF does."""
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        if document.is_encrypted or (document.metadata or {}).get("encryption"):
            data = document.tobytes(encryption=engine().PDF_ENCRYPT_NONE)
        reader = pypdf.PdfReader(BytesIO(data), strict=False)
        return reader if len(reader.pages) == document.page_count else None
    except (*_pypdf_failures(), *failures()):
        return None


def _taken_out(reader: "pypdf.PdfReader", indices: Sequence[int]) -> bytes:
    """These pages with nothing but what they draw: no common dictionary of pictures, no links to other pages."""
    import pypdf
    from pypdf.generic import ArrayObject, NameObject

    writer = pypdf.PdfWriter()
    for index in indices:
        page = reader.pages[index]
        notes = drawn_notes(page)
        for note in notes:
            for key in _LINKS:
                note.pop(key, None)
        page[NameObject("/Resources")] = used(page)[0]
        for key in ("/Annots", "/B", "/AA", "/StructParents", "/PieceInfo", "/Metadata", "/Thumb"):
            page.pop(key, None)
        if notes:
            page[NameObject("/Annots")] = ArrayObject(notes)
        writer.add_page(page)
    held = BytesIO()
    writer.write(held)
    return held.getvalue()


def _pypdf_failures() -> tuple[type[Exception], ...]:
    """What pypdf raises on damaged files; its own errors are only some of them."""
    from pypdf.errors import DependencyError, PyPdfError

    own: tuple[type[Exception], ...] = (PyPdfError, DependencyError)
    return (*own, *_PLAIN)


_PLAIN: tuple[type[Exception], ...] = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, AssertionError,
    NotImplementedError, OSError,
)  # fmt: skip
