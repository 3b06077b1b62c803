"""PDFs and images -> Document, with GLM-OCR for the pages that have no text layer to trust."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from docpipe import _ids
from docpipe._http.endpoint import Endpoint
from docpipe._http.meter import OWN
from docpipe.parse.page.printed import PrintedPage
from docpipe.parse.pdf import PdfParser, PdfPart
from docpipe.parse.scan import image_pages, pdf_pages
from docpipe.parse.scan.payloads import Sending, of_image, of_pdf
from docpipe.parse.scan.pieces import page as page_of
from docpipe.parse.scan.recogniser import PageRecogniser
from docpipe.parse.scan.reply import FORMAT, figures, unpacked
from docpipe.protocols import Expected, Payload, Recogniser, Wanted
from docpipe.types import Blob, Document, Source

IMAGES = frozenset(image_pages.MEDIA_TYPES)
"""Media types of images that it reads, beside PDF."""
_MOST_PAGES = 100
"""In one call, says the service."""
_MOST_MB = 30.0
_DPI = (72, 600)
_TOKENS_READ, _TOKENS_WRITTEN = 1_700, 800
"""For one page: a letter-size page at 240 dpi, written on closely."""


@dataclass(frozen=True, slots=True)
class OcrPart:
    """Some pages of a file as the local parser reads them, and which of them the service has to read."""

    local: PdfPart
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, kw_only=True)
class GlmOcrParser:
    """PDFs and images (PNG, JPEG, WEBP, TIFF, GIF, BMP), read by GLM-OCR where the file itself holds no sound text.

    Pages are remembered by what is on them: a page that was read once, in whatever file, is not paid for again.
    """

    VERSION = 1

    ocr: Literal["auto", "always", "never"] = "auto"
    """`auto`: only pages without a text layer that can be trusted; the others are read here, and cost nothing."""
    mode: Literal["cloud", "selfhosted"] = "cloud"
    """`cloud`: the platform's layout parsing; `selfhosted`: GLM-OCR on a server of your own."""
    api: Literal["glmocr", "openai", "ollama"] = "openai"
    """How the server of your own is asked: the glmocr server; or vLLM and SGLang; or Ollama."""
    model: str = "glm-ocr"
    """As the service calls it."""
    service: Endpoint = field(default=Endpoint(), compare=False)
    """Where it is, its key and its limits."""
    piece_pages: int = field(default=8, compare=False)
    """Pages that one call sends at most."""
    piece_mb: float = field(default=20.0, compare=False)
    """Megabytes that one call sends at most."""
    crops: bool = False
    """Ask the platform to cut figures out; `metadata["figures"]` tells their addresses, which do not last for ever."""
    dpi: int = 200
    """Resolution of pages that are sent as images, per inch."""
    password: str = field(default="", compare=False, repr=False)
    """Opens files that ask for one."""
    pdf: PdfParser = field(default_factory=PdfParser)
    """How pages with a sound text layer are read."""

    pages_per_part = 24

    def __post_init__(self) -> None:
        if not 1 <= self.piece_pages <= _MOST_PAGES:
            raise ValueError(f"piece_pages must be 1 to {_MOST_PAGES}, got {self.piece_pages}")
        if not 0 < self.piece_mb <= _MOST_MB:
            raise ValueError(f"piece_mb must be above 0 and at most {_MOST_MB:g}, got {self.piece_mb:g}")
        if not _DPI[0] <= self.dpi <= _DPI[1]:
            raise ValueError(f"dpi must be {_DPI[0]} to {_DPI[1]}, got {self.dpi}")
        if self.crops and self.mode == "selfhosted":
            raise ValueError("crops are made by the platform only: set `mode: cloud`")
        if not self.model:
            raise ValueError("model must not be empty; the platform calls it glm-ocr")

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            EncryptedSource, CorruptSource, SourceTooLarge: the file cannot be read.
            ServiceError: a page needs the service, and it cannot be used.
        """
        from docpipe.parse.scan.alone import recognised

        part = self.parse_pages(blob, 0, self.page_count(blob))
        replies = recognised(self, blob, part.wanted) if part.wanted else {}
        yield self.merge_read(blob.source, [part], replies)

    def page_count(self, blob: Blob, /) -> int:
        """Number of pages, or of images in the file; raises as `__call__` does."""
        if blob.source.media_type in IMAGES:
            with image_pages.opened(blob) as images:
                return len(images)
        return self._local.page_count(blob)

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> OcrPart:
        """Pages `start` (from 0) up to `stop`, read without the service."""
        if blob.source.media_type in IMAGES:
            return self._images(blob, start, stop)
        local = self._local.parse_pages(blob, start, stop)
        numbers = [page.number for page in local.pages if self._is_wanted(page)]
        if not numbers:
            return OcrPart(local, ())
        with pdf_pages.opened(blob, self._local) as pages:
            digests = {number: pages.digest(number - 1) for number in numbers}
        wanted = [Wanted(page=number, key=self._key(digest)) for number, digest in digests.items() if digest]
        return OcrPart(local, tuple(wanted))

    def wanted(self, part: OcrPart, /) -> Sequence[Wanted]:
        """Which pages the service has to read."""
        return part.wanted

    def payload(self, blob: Blob, pages: tuple[int, ...], way: str, /) -> Payload:
        """What is sent for these pages: as many of them, from the first on, as fit into one call."""
        if blob.source.media_type in IMAGES:
            return of_image(blob, pages, way, self._sending)
        return of_pdf(blob, self._local, pages, way, self._sending)

    def recogniser(self) -> Recogniser:
        """What asks the service; made once for a run."""
        from docpipe.parse.scan import services

        if self.mode == "cloud":
            asked = services.cloud(self.service, model=self.model, crops=self.crops)
            return PageRecogniser(reader=asked, piece_pages=self.piece_pages)
        asked = services.selfhosted(self.service, api=self.api, model=self.model)
        return PageRecogniser(reader=asked, piece_pages=1, halves=self.api == "glmocr")

    def merge(self, source: Source, parts: Sequence[OcrPart], /) -> Document:
        """The document without what the service would read."""
        return self.merge_read(source, parts, {})

    def merge_read(self, source: Source, parts: Sequence[OcrPart], replies: Mapping[str, bytes], /) -> Document:
        """The document; a page without a reply stays as it was read here, marked where it needs OCR."""
        read = [_with_replies(part, replies) for part in parts]
        if self.crops:
            found = figures({wanted.page: replies.get(wanted.key, b"") for part in parts for wanted in part.wanted})
            read[0] = replace(read[0], metadata={**read[0].metadata, "figures": found})
        return self._local.merge(source, read)

    def require_key(self) -> None:
        """Raises: Unauthorized: pages may have to go to the platform, and the variable with its key is not set."""
        if self.mode == "cloud" and self.ocr != "never":
            from docpipe._zai.layout_parsing import LayoutParsing

            LayoutParsing(self.service, model=self.model).require_key()

    def expected_of_pages(self, pages: Sequence[int], /) -> Expected:
        """Calls and tokens for so many pages of each file; pages that must be read twice are not counted."""
        size = self.piece_pages if self.mode == "cloud" else 1
        return Expected(
            capability="layout_parsing" if self.mode == "cloud" else OWN,
            model=self.model,
            requests=sum(-(-count // size) for count in pages),
            prompt_tokens=_TOKENS_READ * sum(pages),
            completion_tokens=_TOKENS_WRITTEN * sum(pages),
        )

    @property
    def _local(self) -> PdfParser:
        return replace(self.pdf, password=self.password) if self.password else self.pdf

    @property
    def _sending(self) -> Sending:
        regions = self.mode == "selfhosted" and self.api != "glmocr"
        limit = int(self.piece_mb * 1_000_000)
        return Sending(limit=limit, dpi=self.dpi, drawn=self.mode == "selfhosted", regions=regions)

    def _is_wanted(self, page: PrintedPage) -> bool:
        return self.ocr == "always" or (self.ocr == "auto" and page.needs_ocr)

    def _key(self, digest: str) -> str:
        asked = (self.mode, self.api, str(self.dpi)) if self.mode == "selfhosted" else (self.mode, str(self.crops))
        return _ids.digest("\x1f".join((digest, str(FORMAT), *asked, self.model.lower())).encode())[:32]

    def _images(self, blob: Blob, start: int, stop: int) -> OcrPart:
        with image_pages.opened(blob) as images:
            sizes = [images.size(index) for index in range(start, min(stop, len(images)))]
        pages = tuple(PrintedPage(start + n + 1, *size, (), needs_ocr=True) for n, size in enumerate(sizes))
        keys = [self._key(f"{blob.source.digest}:{page.number}") for page in pages]
        wanted = [Wanted(page=page.number, key=key) for page, key in zip(pages, keys, strict=True)]
        return OcrPart(PdfPart(pages), tuple(wanted) if self.ocr != "never" else ())


def _with_replies(part: OcrPart, replies: Mapping[str, bytes]) -> PdfPart:
    keys = {wanted.page: wanted.key for wanted in part.wanted}
    pages = tuple(_page(page, replies.get(keys.get(page.number, ""))) for page in part.local.pages)
    return replace(part.local, pages=pages)


def _page(local: PrintedPage, reply: bytes | None) -> PrintedPage:
    if reply is None:
        return local
    try:
        elements = unpacked(reply)
    except ValueError:  # what was kept is damaged: as if it had not been read
        return local
    return page_of(local.number, local.width, local.height, elements)
