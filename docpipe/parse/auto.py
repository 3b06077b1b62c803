"""Blob -> Document, by the parser for its media type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docpipe._screening import screened
from docpipe.errors import UnsupportedMedia
from docpipe.parse.definitions import LANGUAGES
from docpipe.parse.delimited import DelimitedParser
from docpipe.parse.docx import DocxParser
from docpipe.parse.epub import EpubParser
from docpipe.parse.html import HtmlParser
from docpipe.parse.legacy import LegacyParser
from docpipe.parse.mail import MailParser
from docpipe.parse.markdown import MarkdownParser
from docpipe.parse.mhtml import MhtmlParser
from docpipe.parse.notebook import NotebookParser
from docpipe.parse.opendocument import OpenDocumentParser
from docpipe.parse.pdf import PdfParser
from docpipe.parse.pptx import PptxParser
from docpipe.parse.restructured import RestructuredTextParser
from docpipe.parse.rtf import RtfParser
from docpipe.parse.source_code import SourceCodeParser
from docpipe.parse.structured import StructuredParser
from docpipe.parse.subtitles import SubtitlesParser
from docpipe.parse.text import TextParser
from docpipe.parse.xls import XlsParser
from docpipe.parse.xlsx import XlsxParser
from docpipe.protocols import AssistedParser, PagedParser, Parser, Payload, Recogniser, Wanted
from docpipe.types import Blob, Document, Source

_FIELDS: Mapping[str, str] = {
    "application/pdf": "pdf",
    **dict.fromkeys(("image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif", "image/bmp"), "pdf"),
    "image/heic": "pdf",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/csv": "delimited",
    "text/tab-separated-values": "delimited",
    "text/plain": "text",
    **dict.fromkeys(("application/json", "application/x-ndjson", "application/yaml"), "structured"),
    **dict.fromkeys(("application/toml", "application/xml"), "structured"),
    "application/x-ipynb+json": "notebook",
    **dict.fromkeys(("application/x-subrip", "text/vtt"), "subtitles"),
    **dict.fromkeys(LANGUAGES, "source_code"),
    "multipart/related": "mhtml",
    "text/x-rst": "restructured",
    **dict.fromkeys(LegacyParser.FORMATS, "legacy"),
    "application/rtf": "rtf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.oasis.opendocument.text": "opendocument",
    "application/vnd.oasis.opendocument.spreadsheet": "opendocument",
    "application/vnd.oasis.opendocument.presentation": "opendocument",
    "application/epub+zip": "epub",
    "message/rfc822": "mail",
    "application/vnd.ms-outlook": "mail",
}
"""Media type -> the field with its parser. Images are pages, but only some parsers of PDFs read them."""
_PAGES_PER_PART = 48
"""Of a parser that does not say how many."""

_READ = (
    "PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, mail, HTML, Markdown, reStructuredText, CSV, TSV, JSON, "
    "YAML, TOML, XML, notebooks, programs, subtitles and text"
)
_ARCHIVES = ("zip", "gzip", "tar", "bzip2", "xz", "zstd", "7z", "rar")


@dataclass(frozen=True, kw_only=True)
class AutoParser:
    """Picks by media type. Options of each parser stand below its name: `parse.auto: {html: {main_content: false}}`.

    What no model should be given is labelled, whichever parser read it.
    """

    VERSION = 2

    pdf: PdfParser = field(default_factory=PdfParser)
    """PDF files; may be another parser: `{use: parse.ocr}` and `{use: parse.glm_ocr}` read scans and images too."""
    html: HtmlParser = field(default_factory=HtmlParser)
    """Web pages."""
    markdown: MarkdownParser = field(default_factory=MarkdownParser)
    """Markdown files."""
    delimited: DelimitedParser = field(default_factory=DelimitedParser)
    """CSV and TSV files."""
    text: TextParser = field(default_factory=TextParser)
    """Text of no other kind."""
    structured: StructuredParser = field(default_factory=StructuredParser)
    """JSON, JSON lines, YAML, TOML and XML."""
    notebook: NotebookParser = field(default_factory=NotebookParser)
    """Jupyter notebooks."""
    source_code: SourceCodeParser = field(default_factory=SourceCodeParser)
    """Programs."""
    subtitles: SubtitlesParser = field(default_factory=SubtitlesParser)
    """SubRip and WebVTT."""
    legacy: LegacyParser = field(default_factory=LegacyParser)
    """Word and PowerPoint files of before 2007, through LibreOffice."""
    restructured: RestructuredTextParser = field(default_factory=RestructuredTextParser)
    """reStructuredText."""
    rtf: RtfParser = field(default_factory=RtfParser)
    """Rich text."""
    mhtml: MhtmlParser = field(default_factory=MhtmlParser)
    """Web pages saved with all their parts."""
    docx: DocxParser = field(default_factory=DocxParser)
    """Word documents."""
    pptx: PptxParser = field(default_factory=PptxParser)
    """PowerPoint presentations."""
    xlsx: XlsxParser = field(default_factory=XlsxParser)
    """Excel workbooks."""
    xls: XlsParser = field(default_factory=XlsParser)
    """Excel workbooks of before 2007."""
    opendocument: OpenDocumentParser = field(default_factory=OpenDocumentParser)
    """Texts, sheets and slides of LibreOffice."""
    epub: EpubParser = field(default_factory=EpubParser)
    """Books."""
    mail: MailParser = field(default_factory=MailParser)
    """Mails, as files or saved from Outlook."""
    other: Mapping[str, Parser] = field(default_factory=dict, hash=False)
    """Further parsers, by a file name's extension or by media type: `{dpk: {use: dpk.parser}}`. They come first."""

    def __post_init__(self) -> None:
        for name in self.other:
            if name != name.lower() or name.startswith(".") or not name:
                raise ValueError(
                    f"other: {name!r} names no files: write an extension in small letters, without its dot, as `dpk`, "
                    "or a media type, as `application/x-dpk`"
                )

    def __call__(self, blob: Blob, /) -> Iterable[Document]:
        """Parse.

        Raises:
            UnsupportedMedia: no parser reads this type; the remedy says what is read.
            SourceError, ParseError: the parser's own.
        """
        return map(screened, self._parser(blob.source)(blob))

    def page_count(self, blob: Blob, /) -> int:
        """How many pages it has; 0 where it should be parsed in one piece."""
        parser = self._parser(blob.source)
        return parser.page_count(blob) if isinstance(parser, PagedParser) else 0

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> Any:
        """Some pages of a file whose `page_count` is not 0."""
        return self._paged(blob.source).parse_pages(blob, start, stop)

    def merge(self, source: Source, parts: Sequence[Any], /) -> Document:
        """All parts of such a file to its document."""
        return screened(self._paged(source).merge(source, parts))

    @property
    def environment_names(self) -> tuple[str, ...]:
        """Environment variables that parsers of other packages read."""
        named = (getattr(parser, "environment_names", ()) for parser in self.other.values())
        return tuple(dict.fromkeys(name for names in named for name in names))

    @property
    def STARTS_PROGRAMS(self) -> tuple[str, ...]:  # noqa: N802  workers ask each stage for it by this name
        """What its parsers start in a worker."""
        others = (getattr(parser, "STARTS_PROGRAMS", ()) for parser in self.other.values())
        return tuple(dict.fromkeys([*self.legacy.STARTS_PROGRAMS, *(program for found in others for program in found)]))

    @property
    def assists(self) -> bool:
        """Whether its parser of PDFs has a service read some pages; without one the methods below do nothing."""
        return isinstance(self.pdf, AssistedParser)

    @property
    def pages_per_part(self) -> int:
        """How many pages are looked at in one call."""
        return int(getattr(self.pdf, "pages_per_part", _PAGES_PER_PART))

    def wanted(self, part: Any, /) -> Sequence[Wanted]:
        """Which pages of a part a service has to read."""
        return self.pdf.wanted(part) if isinstance(self.pdf, AssistedParser) else ()

    def payload(self, blob: Blob, pages: tuple[int, ...], way: str, /) -> Payload:
        """What to send for these pages."""
        return self._assisted.payload(blob, pages, way)

    def recogniser(self) -> Recogniser:
        """What asks the service."""
        return self._assisted.recogniser()

    def merge_read(self, source: Source, parts: Sequence[Any], replies: Mapping[str, bytes], /) -> Document:
        """`merge`, with what the service read."""
        parser = self._paged(source)
        if not isinstance(parser, AssistedParser):
            return screened(parser.merge(source, parts))
        return screened(parser.merge_read(source, parts, replies))

    @property
    def _reads_images(self) -> bool:
        return self.assists or bool(getattr(self.pdf, "reads_images", False))

    @property
    def _assisted(self) -> AssistedParser:
        if not isinstance(self.pdf, AssistedParser):
            raise TypeError(f"no service assists {type(self.pdf).__name__}; it wanted no pages")
        return self.pdf

    def _parser(self, source: Source) -> Parser:
        _, dot, extension = source.uri.rpartition("/")[2].partition("?")[0].rpartition(".")
        chosen = self.other.get(extension.lower() if dot else "") or self.other.get(source.media_type)
        if chosen is not None:
            return chosen
        name = _FIELDS.get(source.media_type)
        if name is None or (source.media_type.startswith("image/") and not self._reads_images):
            raise _unsupported(source)
        parser: Parser = getattr(self, name)
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
        remedy=f"{_advice(source.media_type)}; {_READ} are read",
    )


def _advice(media: str) -> str:
    """What a user with a file of this type can do."""
    if media.startswith("image/"):
        reads = "`parse.auto: {pdf: {use: parse.ocr}}` (on this machine) or `{use: parse.glm_ocr}`"
        return f"pictures are read by {reads}, as PNG, JPEG, WEBP, TIFF, GIF, BMP or HEIC"
    if any(word in media for word in ("officedocument", "opendocument", "ms-", "ole", "rtf")):
        return "this Office file is not read: save it as docx, xlsx, pptx or PDF"
    if any(word in media for word in _ARCHIVES):
        return (
            "zip, tar, gz, bz2 and xz are opened where their names say so, as deep as `max_depth` of load.files; "
            "pack others as zip, or unpack them"
        )
    return (
        "leave it out with `exclude`, convert it to PDF, HTML or text, or name a parser in `parse.auto: {other: ...}`"
    )
