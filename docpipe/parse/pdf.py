"""PDF Blob -> Document, on PyMuPDF."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from docpipe._passwords import spellings
from docpipe.errors import CorruptSource, EncryptedSource
from docpipe.parse.page import account
from docpipe.parse.page.assembly import assemble
from docpipe.parse.page.outline import Entry
from docpipe.parse.page.printed import PrintedPage
from docpipe.parse.page.reader import PageReader, shown_size
from docpipe.parse.page.repair import with_new_page_tree
from docpipe.types import Blob, Document, Link, OutlineEntry, Source

if TYPE_CHECKING:
    import pymupdf


_USUAL_SIZE = (612.0, 792.0)
"""Of a page that does not even tell its size, in points."""


@dataclass(frozen=True, slots=True)
class PdfPart:
    """Some pages of a file; the first part also knows what the file says about itself."""

    pages: tuple[PrintedPage, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    outline: tuple[Entry, ...] = ()
    links: tuple[tuple[Link, ...], ...] = ()
    """Of each page."""


@dataclass(frozen=True, kw_only=True)
class PdfParser:
    """PDF -> blocks in reading order with their places; pages without a text layer are marked, not read."""

    VERSION = 2

    tables: bool = True
    """Look for tables, and write them as rows and cells."""
    password: str = field(default="", compare=False, repr=False)
    """Opens files that ask for one; others do not mind it."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            EncryptedSource: it needs a password, or another one than `password`.
            CorruptSource: not a PDF, empty, or damaged beyond reading.
        """
        yield self.merge(blob.source, [self._part(blob, 0, None)])

    def page_count(self, blob: Blob, /) -> int:
        """Number of pages; raises as `__call__` does."""
        with self.opened(blob) as document:
            return int(document.page_count)

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> PdfPart:
        """Pages `start` (from 0) up to `stop`; one that cannot be read comes back empty, marked as damaged."""
        return self._part(blob, start, stop)

    def merge(self, source: Source, parts: Sequence[PdfPart], /) -> Document:
        """The document: running headers, headings, joined paragraphs are told from all pages together."""
        pages = [page for part in parts for page in part.pages]
        document = assemble(source, pages, outline=parts[0].outline, metadata=parts[0].metadata)
        return replace(
            document,
            outline=tuple(OutlineEntry(*entry[:2], page=max(entry.page, 0) or None) for entry in parts[0].outline),
            links=account.of_all([some for part in parts for some in part.links]),
        )

    def _part(self, blob: Blob, start: int, stop: int | None) -> PdfPart:
        with self.opened(blob) as document:
            numbers = range(start, min(document.page_count, document.page_count if stop is None else stop))
            with _no_collection():
                pages = tuple(_page(document, number, tables=self.tables) for number in numbers)
            links = tuple(_links(document, number) for number in numbers)
            if start:
                return PdfPart(pages, links=links)
            return PdfPart(pages, _metadata(document), _outline(document), links)

    @contextmanager
    def opened(self, blob: Blob) -> "Iterator[pymupdf.Document]":
        """The file as PyMuPDF has it, unlocked and with its page tree mended. Raises as `__call__` does."""
        uri = blob.source.uri
        if not blob.data:
            raise CorruptSource("the file is empty (0 bytes)", source=uri, remedy="copy or download it again")
        with _open(blob.data, uri) as document:
            self._unlock(document, uri)
            if _count(document, uri):
                yield document
                return
            again = with_new_page_tree(document, failures()) if document.is_pdf else b""
        with _open(again, uri) as document:
            if not _count(document, uri):
                raise _corrupt(uri, ValueError("it has no pages"))
            yield document

    def _unlock(self, document: "pymupdf.Document", uri: str) -> None:
        if not document.needs_pass:
            return
        if self.password and any(document.authenticate(spelling) for spelling in spellings(self.password)):
            return
        wrong = "its password is not the one given" if self.password else "it is locked with a password"
        raise EncryptedSource(
            f"the PDF cannot be opened: {wrong}",
            source=uri,
            remedy="put the password into an environment variable and name it in the source: "
            "`load.files: {passwords: [NAME]}`; or set the parser's `password`",
        )


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cyclic garbage meanwhile: pages make many small values and no cycles; it took a seventh."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _open(data: bytes, uri: str) -> "pymupdf.Document":
    if not data:
        raise _corrupt(uri, ValueError("it has no pages"))
    try:
        opened: pymupdf.Document = engine().open(stream=data, filetype="pdf")
        return opened
    except failures() as error:
        raise _corrupt(uri, error) from error


def _count(document: "pymupdf.Document", uri: str) -> int:
    try:
        return int(document.page_count) if document.is_pdf else 0
    except failures() as error:
        raise _corrupt(uri, error) from error


def _corrupt(uri: str, error: Exception) -> CorruptSource:
    return CorruptSource(
        f"not a PDF that can be read: {error}",
        source=uri,
        remedy="copy or download it again; if a viewer opens it, print it to a new PDF",
    )


@cache
def engine() -> Any:
    """PyMuPDF, told to keep its messages to itself."""
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


@cache
def failures() -> tuple[type[Exception], ...]:
    """What PyMuPDF raises for files that it cannot read."""
    return (RuntimeError, ValueError, TypeError, IndexError, KeyError, OverflowError, engine().mupdf.FzErrorBase)


def _metadata(document: "pymupdf.Document") -> dict[str, str]:
    """What the file says about itself, a junk title included."""
    try:
        return account.metadata(document)
    except failures():
        return {}


def _outline(document: "pymupdf.Document") -> tuple[Entry, ...]:
    try:
        return account.outline(document)
    except failures():
        return ()


def _links(document: "pymupdf.Document", index: int) -> tuple[Link, ...]:
    try:
        return account.links(document.load_page(index), index + 1)
    except failures():
        return ()


def _page(document: "pymupdf.Document", index: int, *, tables: bool) -> PrintedPage:
    """One page; if it cannot be read, an empty one that needs OCR."""
    size, flags = _USUAL_SIZE, engine()
    text = flags.TEXT_MEDIABOX_CLIP
    try:
        page = document.load_page(index)
        size = shown_size(page)
        reader = PageReader(page, index + 1, text=text, pictures=text | flags.TEXT_PRESERVE_IMAGES)
        return reader.read(tables=tables)
    except failures():
        return PrintedPage(index + 1, *size, (), needs_ocr=True, damaged=True)
