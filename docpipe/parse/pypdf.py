"""PDF bytes -> text by paragraph and page, with permissive parts only (no layout, no boxes)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe import _ids
from docpipe._dates import iso_date
from docpipe._language import primary_language
from docpipe.errors import CorruptSource, EncryptedSource, ParseError, SourceError, SourceTooLarge
from docpipe.parse.draft import clean, folded, known
from docpipe.parse.properties import named, people, words
from docpipe.types import Blob, Block, BlockKind, Document, Page, Source, Span

if TYPE_CHECKING:
    import pypdf

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?=[^\W\d_])")
_BETWEEN = "\n\n"
_LEAST_TEXT = 8
"""A page with fewer letters and an image on it needs OCR."""


@dataclass(frozen=True, kw_only=True)
class PypdfParser:
    """A PDF's text layer as paragraphs with page numbers. For those who cannot use `parse.pdf`'s AGPL engine."""

    VERSION = 2

    password: str = ""
    """Opens encrypted files; files without a user password open without it."""

    max_pages: int = 20_000
    """Files with more pages are refused."""

    max_content: int = 20_000_000
    """Bytes of drawing instructions of one page above which its text is left out: pypdf takes seconds a megabyte."""

    def __post_init__(self) -> None:
        if self.max_pages < 1:
            raise ValueError(f"max_pages must be at least 1, got {self.max_pages}")
        if self.max_content < 1:
            raise ValueError(f"max_content must be at least 1, got {self.max_content}")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; pages that cannot be read are counted in `metadata["unreadable_pages"]`.

        Raises:
            EncryptedSource: it needs another password, or a package that reads its encryption.
            CorruptSource: it is no PDF, or too damaged to list its pages.
            SourceTooLarge: it has more than `max_pages` pages.
            ParseError: none of its pages could be read.
        """
        yield self.merge(blob.source, [self.parse_pages(blob, 0, self.page_count(blob))])

    def page_count(self, blob: Blob, /) -> int:
        """How many pages it has. Raises as `__call__` does."""
        count = _page_count(_opened(blob, self.password), blob.source)
        if count > self.max_pages:
            raise SourceTooLarge(
                f"it has {count} pages, more than max_pages = {self.max_pages}",
                source=blob.source.uri,
                remedy="raise `max_pages` of parse.pypdf, or split the file",
            )
        return count

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> "PrintedPages":
        """Text of the pages `start` (from 0) up to `stop`."""
        reader = _opened(blob, self.password)
        return PrintedPages([self._read(reader, number) for number in range(start, stop)], _metadata(reader))

    def merge(self, source: Source, parts: "Sequence[PrintedPages]", /) -> Document:
        """Pages in order as a document."""
        pages = [page for part in parts for page in part.pages]
        failed = [page.failure for page in pages if page.failure]
        if failed and len(failed) == len(pages):
            raise _unreadable(source.uri, failed[0])
        metadata = {**parts[0].metadata, "unreadable_pages": str(len(failed)) if failed else ""}
        return _document(source, pages, metadata)

    def _read(self, reader: "pypdf.PdfReader", number: int) -> "PrintedPage":
        width, height, text, failure = 612.0, 792.0, "", ""
        picture = False
        try:
            page = reader.pages[number]
            width, height = _size(page)
            contents = page.get_contents()
            picture = _has_image(page)
            if contents is not None and len(contents.get_data()) <= self.max_content:
                text = clean(page.extract_text())
        except _failures() as error:
            failure = f"{type(error).__name__}: {error}"
        letters = sum(character.isalnum() for character in text[:1000])
        return PrintedPage(width, height, text, picture and letters < _LEAST_TEXT, failure)


class PrintedPage(NamedTuple):
    """A page as pypdf reads it: size in points, text with line breaks, the error that stopped it."""

    width: float
    height: float
    text: str
    needs_ocr: bool
    failure: str


class PrintedPages(NamedTuple):
    """Pages that follow each other, and what the file says about itself."""

    pages: list[PrintedPage]
    metadata: dict[str, str]


def _document(source: Source, printed: Sequence[PrintedPage], metadata: dict[str, str]) -> Document:
    pages: list[Page] = []
    blocks: list[Block] = []
    parts: list[str] = []
    at = 0
    for number, page in enumerate(printed, start=1):
        pages.append(Page(number=number, width=page.width, height=page.height, needs_ocr=page.needs_ocr))
        for paragraph in paragraphs(page.text):
            span = Span(at, at + len(paragraph))
            blocks.append(Block(id=f"b{len(blocks)}", kind=BlockKind.PARAGRAPH, span=span, page=number))
            parts.append(paragraph)
            at = span.end + len(_BETWEEN)
    text = _BETWEEN.join(parts)
    return Document(
        id=_ids.document_id(source.uri),
        source=source,
        text=text,
        pages=tuple(pages),
        blocks=tuple(blocks),
        metadata=known({**metadata, "language": primary_language(text)}),
    )


def paragraphs(text: str) -> list[str]:
    """A page's text cut at blank lines and where a short line ends a sentence; words broken at line ends mended."""
    text = _BROKEN_WORD.sub("", clean(text))
    found: list[str] = []
    for stretch in _GAP.split(folded(text)):
        lines = [line for line in stretch.split("\n") if line]
        usual = sorted(map(len, lines))[len(lines) * 3 // 4] if lines else 0
        start = 0
        for number, line in enumerate(lines, start=1):
            if number == len(lines) or (
                line.endswith((".", "!", "?", ":", "。", "！", "？")) and len(line) < 0.8 * usual
            ):
                found.append("\n".join(lines[start:number]))
                start = number
    return found


def _failures() -> tuple[type[Exception], ...]:
    """What pypdf raises on damaged files; its own errors are only some of them."""
    from pypdf.errors import DependencyError, PyPdfError

    return (
        PyPdfError,
        DependencyError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        AssertionError,
        NotImplementedError,
        OSError,
    )


def _opened(blob: Blob, password: str) -> "pypdf.PdfReader":
    import logging

    import pypdf
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    uri = blob.source.uri
    try:
        reader = pypdf.PdfReader(BytesIO(blob.data), strict=False)
        opened = not reader.is_encrypted or bool(reader.decrypt(password))
    except DependencyError as error:
        raise _beyond_pypdf(uri) from error
    except _failures() as error:
        raise _corrupt(uri, error) from error
    if not opened:
        problem = "the password given does not open it" if password else "it is encrypted and needs a password"
        raise EncryptedSource(problem, source=uri, remedy="set `password` of parse.pypdf, or decrypt the file first")
    return reader


def _page_count(reader: "pypdf.PdfReader", source: Source) -> int:
    try:
        count = len(reader.pages)
    except _failures() as error:
        raise _corrupt(source.uri, error) from error
    if not count:
        raise _corrupt(source.uri, ValueError("it has no pages"))
    return count


def _beyond_pypdf(uri: str) -> EncryptedSource:
    return EncryptedSource(
        "it is encrypted with AES, which pypdf reads only with a cryptography package",
        source=uri,
        remedy="pip install cryptography, or use `parse.pdf`",
    )


def _unreadable(uri: str, failure: str) -> SourceError | ParseError:
    if failure.startswith("DependencyError") and "AES" in failure:
        return _beyond_pypdf(uri)
    return ParseError(
        f"none of its pages could be read ({failure})",
        stage="parse.pypdf",
        item=uri,
        remedy="try `parse.pdf`, which repairs more, or open the file in a viewer and save it again",
    )


def _corrupt(uri: str, error: Exception) -> CorruptSource:
    return CorruptSource(
        f"it cannot be read as a PDF: {error or type(error).__name__}",
        source=uri,
        remedy="open it in a viewer and save it again, or try `parse.pdf`, which repairs more",
    )


def _size(page: Any) -> tuple[float, float]:
    """Width and height as shown, in points."""
    box = page.cropbox
    width, height = abs(float(box.width)), abs(float(box.height))
    return (height, width) if page.rotation % 180 else (width, height)


def _has_image(page: Any) -> bool:
    resources = page.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    if objects is None:
        return False
    return any(each.get_object().get("/Subtype") == "/Image" for each in objects.get_object().values())


def _metadata(reader: "pypdf.PdfReader") -> dict[str, str]:
    try:
        info = reader.metadata
        if not info:
            return {}
        return {
            "title": named(str(info.title or "")),
            "authors": people([str(info.author or "")]),
            "created": iso_date(str(info.get("/CreationDate") or "")),
            "modified": iso_date(str(info.get("/ModDate") or "")),
            "keywords": words([str(info.get("/Keywords") or "")]),
        }
    except _failures():
        return {}
