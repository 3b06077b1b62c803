"""Blob -> Document, by the parser for its media type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docpipe.errors import UnsupportedMedia
from docpipe.parse.delimited import DelimitedParser
from docpipe.parse.html import HtmlParser
from docpipe.parse.markdown import MarkdownParser
from docpipe.parse.pdf import PdfParser
from docpipe.parse.text import TextParser
from docpipe.protocols import PagedParser, Parser
from docpipe.types import Blob, Document, Source

_FIELDS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/csv": "delimited",
    "text/tab-separated-values": "delimited",
    "text/plain": "text",
    "application/json": "text",
    "application/xml": "text",
}
"""Media type -> the field with its parser."""

_ARCHIVES = ("zip", "gzip", "tar", "bzip2", "xz", "zstd", "7z", "rar")


@dataclass(frozen=True, kw_only=True)
class AutoParser:
    """Picks by media type. Options of each parser stand below its name: `parse.auto: {html: {main_content: false}}`."""

    VERSION = 1

    pdf: PdfParser = field(default_factory=PdfParser)
    """PDF files; may be another parser: `pdf: {use: parse.pypdf}`."""
    html: HtmlParser = field(default_factory=HtmlParser)
    """Web pages."""
    markdown: MarkdownParser = field(default_factory=MarkdownParser)
    """Markdown files."""
    delimited: DelimitedParser = field(default_factory=DelimitedParser)
    """CSV and TSV files."""
    text: TextParser = field(default_factory=TextParser)
    """Text of no other kind; JSON and XML as they stand."""

    def __call__(self, blob: Blob, /) -> Iterable[Document]:
        """Parse.

        Raises:
            UnsupportedMedia: no parser reads this type; the remedy says what is read.
            SourceError, ParseError: the parser's own.
        """
        return self._parser(blob.source)(blob)

    def page_count(self, blob: Blob, /) -> int:
        """How many pages it has; 0 where it should be parsed in one piece."""
        parser = self._parser(blob.source)
        return parser.page_count(blob) if isinstance(parser, PagedParser) else 0

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> Any:
        """Some pages of a file whose `page_count` is not 0."""
        return self._paged(blob.source).parse_pages(blob, start, stop)

    def merge(self, source: Source, parts: Sequence[Any], /) -> Document:
        """All parts of such a file to its document."""
        return self._paged(source).merge(source, parts)

    def _parser(self, source: Source) -> Parser:
        name = _FIELDS.get(source.media_type)
        parser: Parser | None = getattr(self, name) if name else None
        if parser is None:
            raise _unsupported(source)
        return parser

    def _paged(self, source: Source) -> PagedParser:
        parser = self._parser(source)
        if not isinstance(parser, PagedParser):
            raise TypeError(f"{type(parser).__name__} does not parse page by page; page_count was 0")
        return parser


def _unsupported(source: Source) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"it holds {source.media_type}, which no parser reads",
        source=source.uri,
        remedy=f"{_advice(source.media_type)}; PDF, HTML, Markdown, CSV, TSV and text are read",
    )


def _advice(media: str) -> str:
    """What a user with a file of this type can do."""
    if media.startswith("image/"):
        return "pictures are not read yet: save it as a PDF with a text layer"
    if media.startswith("message/") or media.endswith("outlook"):
        return "mail is not read yet: save it as text or HTML"
    if any(word in media for word in ("officedocument", "opendocument", "ms-", "msword", "ole", "rtf", "epub")):
        return "Office files and books are not read yet: convert it to PDF or HTML"
    if any(word in media for word in _ARCHIVES):
        return "archives are not opened: unpack it"
    return "leave it out with `exclude`, or convert it to PDF, HTML or text"
