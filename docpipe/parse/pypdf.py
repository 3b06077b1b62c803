"""PDF bytes -> text by paragraph and page, with permissive parts only (no layout, no boxes)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from docpipe import _ids
from docpipe._language import primary_language
from docpipe.errors import CorruptSource, EncryptedSource, ParseError, SourceTooLarge
from docpipe.parse.draft import clean, folded, known
from docpipe.types import Blob, Block, BlockKind, Document, Page, Source, Span

if TYPE_CHECKING:
    import pypdf

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?=[^\W\d_])")
_LEAST_TEXT = 8
"""A page with fewer letters and an image on it needs OCR."""


@dataclass(frozen=True, kw_only=True)
class PypdfParser:
    """A PDF's text layer as paragraphs with page numbers. For those who cannot use `parse.pdf`'s AGPL engine."""

    VERSION = 1

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
            EncryptedSource: it needs another password.
            CorruptSource: it is no PDF, or too damaged to list its pages.
            SourceTooLarge: it has more than `max_pages` pages.
            ParseError: none of its pages could be read.
        """
        reader = _opened(blob, self.password)
        count = _page_count(reader, blob.source)
        if count > self.max_pages:
            raise SourceTooLarge(
                f"it has {count} pages, more than max_pages = {self.max_pages}",
                source=blob.source.uri,
                remedy="raise `max_pages` of parse.pypdf, or split the file",
            )
        writer = _Writer()
        failed = [number for number in range(count) if not self._read(reader, number, writer)]
        if failed and len(failed) == count:
            raise ParseError(
                "none of its pages could be read",
                stage="parse.pypdf",
                item=blob.source.uri,
                remedy="try `parse.pdf`, or repair the file (`qpdf --object-streams=preserve IN OUT`)",
            )
        metadata = {**_metadata(reader), "unreadable_pages": str(len(failed)) if failed else ""}
        yield writer.document(blob.source, metadata)

    def _read(self, reader: "pypdf.PdfReader", number: int, writer: "_Writer") -> bool:
        """Write a page; whether it could be read."""
        width, height, text, picture = 612.0, 792.0, "", False
        try:
            page = reader.pages[number]
            width, height = _size(page)
            contents = page.get_contents()
            if contents is not None and len(contents.get_data()) <= self.max_content:
                text = page.extract_text()
            picture = _has_image(page)
        except _failures():
            writer.page(width, height, "", needs_ocr=False)
            return False
        letters = sum(character.isalnum() for character in text[:1000])
        writer.page(width, height, text, needs_ocr=picture and letters < _LEAST_TEXT)
        return True


class _Writer:
    """Pages and paragraphs in order, as a document."""

    def __init__(self) -> None:
        self._pages: list[Page] = []
        self._blocks: list[Block] = []
        self._parts: list[str] = []
        self._at = 0

    def page(self, width: float, height: float, text: str, *, needs_ocr: bool) -> None:
        """Append a page and its paragraphs."""
        number = len(self._pages) + 1
        self._pages.append(Page(number=number, width=width, height=height, needs_ocr=needs_ocr))
        for paragraph in paragraphs(text):
            if self._blocks:
                self._parts.append("\n\n")
                self._at += 2
            span = Span(self._at, self._at + len(paragraph))
            block = Block(id=f"b{len(self._blocks)}", kind=BlockKind.PARAGRAPH, span=span, page=number)
            self._blocks.append(block)
            self._parts.append(paragraph)
            self._at = span.end

    def document(self, source: Source, metadata: dict[str, str]) -> Document:
        """All that was written."""
        text = "".join(self._parts)
        return Document(
            id=_ids.document_id(source.uri),
            source=source,
            text=text,
            pages=tuple(self._pages),
            blocks=tuple(self._blocks),
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
    from pypdf.errors import PyPdfError

    return (
        PyPdfError,
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
        raise EncryptedSource(
            "it is encrypted with AES, which pypdf reads only with a cryptography package",
            source=uri,
            remedy="pip install cryptography, or use `parse.pdf`",
        ) from error
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
        return {"title": str(info.title or ""), "author": str(info.author or "")} if info else {}
    except _failures():
        return {}
