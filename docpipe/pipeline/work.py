"""Entry -> parsed and chunked document: what a worker process is asked to do."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docpipe import _codec
from docpipe.errors import CorruptSource, UnreadableSource
from docpipe.protocols import Chunker, Loader, PagedParser, Parser
from docpipe.types import Blob, Chunk, Document, Entry, Source

PAGES_PER_PART = 48
"""Longer files are parsed in ranges of this many pages, on all workers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """The file was touched, but its bytes are those that were indexed."""

    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Long:
    """A file to be parsed in ranges of pages."""

    source: Source
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A document, ready to be embedded and written."""

    source: Source
    document_id: str
    chunks: tuple[Chunk, ...]
    pages: int
    ocr_pages: tuple[int, ...]
    stored: bytes
    """The document itself, as `_codec` writes it; nothing where it came from there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a plan wants to know of a file that will be parsed."""

    source: Source
    pages: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """The stages that run in workers."""

    loaders: tuple[Loader, ...]
    parser: Parser
    chunker: Chunker

    def open(self, loader: int, entry: Entry, known_digest: str) -> Unchanged | Long | Parsed:
        """Read a file; parse and chunk it at once unless it is long, or has the digest that is known."""
        blob = self.loaders[loader].read(entry)
        if blob.source.digest == known_digest:
            return Unchanged(source=blob.source)
        pages = self._pages(blob)
        if pages > PAGES_PER_PART:
            return Long(source=blob.source, pages=pages)
        return self._chunked(_one(blob.source, self.parser(blob)), blob.source)

    def measure(self, loader: int, entry: Entry) -> Measured:
        """Read a file and count its pages."""
        blob = self.loaders[loader].read(entry)
        return Measured(source=blob.source, pages=self._pages(blob))

    def part(self, loader: int, entry: Entry, digest: str, start: int, stop: int) -> bytes:
        """Some pages of a long file, pickled: the parent only hands them on."""
        blob = self.loaders[loader].read(entry)
        if blob.source.digest != digest:
            raise UnreadableSource(
                f"{entry.uri} changed while it was being read",
                source=entry.uri,
                remedy="run again when nothing writes to it",
            )
        assert isinstance(self.parser, PagedParser)
        return pickle.dumps(self.parser.parse_pages(blob, start, stop), protocol=5)

    def join(self, source: Source, parts: Sequence[bytes]) -> Parsed:
        """The parts of a long file to one document."""
        assert isinstance(self.parser, PagedParser)
        return self._chunked(self.parser.merge(source, [pickle.loads(part) for part in parts]), source)

    def chunk_again(self, stored: bytes, source: Source) -> Parsed:
        """Chunk a stored document anew."""
        return self._chunked(replace(_codec.decode(stored), source=source), source, store=False)

    def _pages(self, blob: Blob) -> int:
        return self.parser.page_count(blob) if isinstance(self.parser, PagedParser) else 0

    def _chunked(self, document: Document, source: Source, *, store: bool = True) -> Parsed:
        return Parsed(
            source=source,
            document_id=document.id,
            chunks=tuple(self.chunker(document)),
            pages=len(document.pages),
            ocr_pages=tuple(page.number for page in document.pages if page.needs_ocr),
            stored=_codec.encode(document) if store else b"",
        )


def _one(source: Source, documents: object) -> Document:
    found = list(documents)  # type: ignore[call-overload]
    if len(found) != 1:
        raise CorruptSource(
            f"{source.uri}: the parser made {len(found)} documents of one file",
            source=source.uri,
            remedy="a parser gives one document per file",
        )
    document: Document = found[0]
    return document
