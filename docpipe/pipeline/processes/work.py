"""Entry -> parsed and chunked document: what a worker process is asked to do."""

import pickle
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from docpipe import _codec, _ids, _parent
from docpipe.errors import CorruptSource, UnreadableSource
from docpipe.pipeline.processes.coverage import Coverage, coverage
from docpipe.pipeline.processes.grants import Grants, grants
from docpipe.protocols import AssistedParser, Chunker, HoldsFiles, Loader, PagedParser, Parser, Payload, Wanted
from docpipe.repeated import outer_lines
from docpipe.types import Blob, Chunk, Document, Entry, Outcome, Source

if TYPE_CHECKING:
    from docpipe.split.zai_tokens import Platform

PAGES_PER_PART = 48
"""Longer files are parsed in ranges of this many pages, on all workers, unless the parser says how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """The file was touched, but its bytes are those that were indexed."""

    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A file whose bytes were parsed before, under whatever name: what was kept of it is enough."""

    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Long:
    """A file to be parsed in ranges of pages."""

    source: Source
    pages: int
    part: int
    """Pages of a range."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A range of pages, pickled: the parent only hands it on."""

    data: bytes
    wanted: tuple[Wanted, ...] = ()
    """Pages of it that a service has to read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A short file that cannot be finished before a service has read some pages."""

    source: Source
    part: Part
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
    coverage: Coverage = field(default_factory=Coverage)
    """How much of its text the chunks hold."""
    found_pages: int = 0
    """Pages that the file had when it was opened; 0 where they were not counted."""
    outer_lines: str = ""
    """Marks of its first and last lines, by which boilerplate is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a plan wants to know of a file that will be parsed."""

    source: Source
    pages: int
    wanted: tuple[str, ...] = ()
    """Keys of the pages that a service has to read."""
    part: int = 0
    """Pages of a range, where those are still to be looked for in ranges; else 0."""

    @property
    def starts(self) -> range:
        """Where these ranges begin."""
        return range(0, self.pages if self.part else 0, self.part or 1)


_at_hand: dict[str, Blob] = {}
"""In a worker: the file whose pages were asked for last, by digest."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """The stages that run in workers."""

    loaders: tuple[Loader, ...]
    parser: Parser
    chunker: Chunker

    def open(
        self, loader: int, entry: Entry, indexed: str, kept: Collection[str] = ()
    ) -> Unchanged | Known | Long | Asking | Parsed:
        """Read a file; parse and chunk it at once unless it is long, needs a service, or is known.

        Args:
            indexed: digest that it has where it was only touched.
            kept: digests of files whose parsed documents are kept.
        """
        blob = self._read(loader, entry)
        if blob.source.digest == indexed:
            return Unchanged(source=blob.source)
        if blob.source.digest in kept:
            return Known(source=blob.source)
        pages, most = self._pages(blob), self._pages_per_part
        if pages > most:
            _keep_at_hand(blob)
            return Long(source=blob.source, pages=pages, part=most)
        if pages and self.assisted is not None:
            part = self._part(blob, 0, pages)
            if part.wanted:
                _keep_at_hand(blob)
                return Asking(source=blob.source, part=part, pages=pages)
            return self.join(blob.source, [part.data], {}, pages)
        return self._chunked(_one(blob.source, self.parser(blob)), blob.source, found_pages=pages)

    def members(self, loader: int, entry: Entry) -> list[Entry | Outcome]:
        """The files directly inside a file."""
        holds = self.loaders[loader]
        return list(holds.members(entry)) if isinstance(holds, HoldsFiles) else []

    def measure(self, loader: int, entry: Entry, kept: Collection[str] = ()) -> Measured:
        """Read a file, count its pages, and see which of them a service would have to read, unless it is long.

        Args:
            kept: digests of files of which no page has to be parsed: none is counted.
        """
        blob = self._read(loader, entry)
        if blob.source.digest in kept:
            return Measured(source=blob.source, pages=0)
        pages, most = self._pages(blob), self._pages_per_part
        if self.assisted is None or not pages:
            return Measured(source=blob.source, pages=pages)
        if pages > most:
            return Measured(source=blob.source, pages=pages, part=most)
        wanted = self.assisted.wanted(self.assisted.parse_pages(blob, 0, pages))
        return Measured(source=blob.source, pages=pages, wanted=tuple(one.key for one in wanted))

    def part(self, loader: int, entry: Entry, digest: str, start: int, stop: int) -> Part:
        """Some pages of a long file."""
        return self._part(self._same(loader, entry, digest), start, stop)

    def payload(self, loader: int, entry: Entry, digest: str, pages: tuple[int, ...], way: str) -> Payload:
        """What a service is sent for some pages."""
        assert self.assisted is not None
        return self.assisted.payload(self._same(loader, entry, digest), pages, way)

    def join(self, source: Source, parts: Sequence[bytes], replies: Mapping[str, bytes], pages: int) -> Parsed:
        """The parts of a file, and what a service read of it, to one document; `pages`: how many the file has."""
        found = [pickle.loads(part) for part in parts]
        if self.assisted is not None:
            return self._chunked(self.assisted.merge_read(source, found, replies), source, found_pages=pages)
        assert isinstance(self.parser, PagedParser)
        return self._chunked(self.parser.merge(source, found), source, found_pages=pages)

    @property
    def grants(self) -> Grants:
        """What its stages need beyond what every worker has."""
        return grants((*self.loaders, self.parser, self.chunker))

    def answer(self, question: str, given: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
        """In the main process: what only it can do for a worker, which has neither network nor keys.

        Args:
            question: `fetch`, a file that the worker's call is about, or `count`, tokens of texts.
            given: what the worker says.
            arguments: of the call that it works on: it gets no other file.

        Raises:
            LookupError: nothing that may be asked.
        """
        if question == "fetch":
            loader, entry = given
            if (loader, entry) == arguments[:2] and fetches(self.loaders[loader]):
                return self.loaders[loader].read(entry)
        if question == "count":
            return self._counter(*given)
        raise LookupError(f"a worker asked for {question!r}, which is not its call's")

    @cached_property
    def _counter(self) -> "Platform":
        """What counts tokens for the workers of a pool: after a failure none of them asks again at once."""
        from docpipe.split.zai_tokens import Platform

        return Platform()

    def _read(self, loader: int, entry: Entry) -> Blob:
        stage = self.loaders[loader]
        if not fetches(stage) or not _parent.is_connected():
            return stage.read(entry)
        blob: Blob = _parent.answer("fetch", loader, entry)
        return blob

    @property
    def assisted(self) -> AssistedParser | None:
        """The parser, where a service reads some pages for it."""
        return assisting(self.parser)

    @property
    def _pages_per_part(self) -> int:
        return int(getattr(self.parser, "pages_per_part", PAGES_PER_PART))

    def _part(self, blob: Blob, start: int, stop: int) -> Part:
        assert isinstance(self.parser, PagedParser)
        part = self.parser.parse_pages(blob, start, stop)
        wanted = tuple(self.assisted.wanted(part)) if self.assisted is not None else ()
        return Part(data=pickle.dumps(part, protocol=5), wanted=wanted)

    def _same(self, loader: int, entry: Entry, digest: str) -> Blob:
        """The file as it was when it was opened; the last one stays at hand, since its pages come one after another."""
        blob = _at_hand.get(digest)
        if blob is None or blob.source.uri != entry.uri:
            _at_hand.clear()
            blob = self._read(loader, entry)
            _keep_at_hand(blob)
        if blob.source.digest != digest:
            raise UnreadableSource(
                f"{entry.uri} changed while it was being read",
                source=entry.uri,
                remedy="run again when nothing writes to it",
            )
        return blob

    def chunk_again(self, stored: bytes, source: Source) -> Parsed:
        """Chunk a stored document anew, under the name that its file has today."""
        document = replace(_codec.decode(stored), id=_ids.document_id(source.uri), source=source)
        return self._chunked(document, source, store=False)

    def _pages(self, blob: Blob) -> int:
        return self.parser.page_count(blob) if isinstance(self.parser, PagedParser) else 0

    def _chunked(self, document: Document, source: Source, *, store: bool = True, found_pages: int = 0) -> Parsed:
        chunks = tuple(self.chunker(document))
        return Parsed(
            source=source,
            document_id=document.id,
            chunks=chunks,
            pages=len(document.pages),
            ocr_pages=tuple(page.number for page in document.pages if page.needs_ocr),
            stored=_codec.encode(document) if store else b"",
            coverage=coverage(
                document, [chunk.span for chunk in chunks], drops=bool(getattr(self.chunker, "drops", False))
            ),
            found_pages=found_pages,
            outer_lines=outer_lines([chunk.text for chunk in chunks]),
        )


def _keep_at_hand(blob: Blob) -> None:
    _at_hand.clear()
    _at_hand[blob.source.digest] = blob


def fetches(loader: Loader) -> bool:
    """Whether it reads over the network: in the main process, for workers have none."""
    return bool(getattr(loader, "fetches", False))


def assisting(parser: Parser) -> AssistedParser | None:
    """A parser for which a service reads some pages; None for another."""
    assists = isinstance(parser, AssistedParser) and getattr(parser, "assists", True)
    return cast(AssistedParser, parser) if assists else None


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
