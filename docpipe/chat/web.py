"""A question -> pages of the web -> sources for an answer: chunked and ranked like any document."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from docpipe import _ids
from docpipe._http.endpoint import Endpoint
from docpipe._zai.values import WebPage, WebResult
from docpipe._zai.web_search import MOST_RESULTS, Recency, shortened
from docpipe.chat.terms import terms
from docpipe.chat.web_text import LONGEST, cleaned, one_line
from docpipe.errors import ServiceError, Unavailable
from docpipe.prompt.builder import Excerpt
from docpipe.protocols import Chunker, DocumentRows, Embedder
from docpipe.types import Blob, Chunk, Citation, Document, EmbeddedChunk, Hit, Query, Source

if TYPE_CHECKING:
    from docpipe._zai.reader import Reader
    from docpipe._zai.web_search import WebSearch

__all__ = ["Web", "WebFound", "WebGrounds", "WebOptions", "pages_to_read", "web_query"]

_LONGEST_QUERY = 300
_MOST_OF_A_SITE = 2
"""Pages of one host that are read, while other hosts have some too."""
_MORE_SECONDS = 10.0
"""How much longer than the reader itself waits, all tries are waited for."""
_MOST_CHUNKS = 64
"""Chunks of all pages that are embedded: those that share most words with the question."""
_UNREADABLE = re.compile(
    r"\.(?:zip|gz|7z|rar|tar|exe|dmg|iso|mp[34]|m4[av]|avi|mov|mkv|webm|wav|ogg|png|jpe?g|gif|webp|svg|xlsx?|pptx?)$",
    re.I,
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.I)


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """The `web:` option of a chat stage: how the web is searched where the documents do not say."""

    engine: str = ""
    """Search engine; empty: the platform's usual one (`search-prime`, on the mainland platform `search_std`)."""
    count: int = 10
    """Results asked for, 1 to 50."""
    domain: str = ""
    """Only pages of this site, `example.com`."""
    recency: Recency = "noLimit"
    """Only pages of the last day, week, month, year (`oneDay`, `oneWeek`, `oneMonth`, `oneYear`)."""
    read: int = 3
    """How many of the pages are read as a whole; of the others, what the search says of them is used."""
    limit: int = 6
    """How many passages the model is shown."""
    timeout: int = 20
    """Seconds that the reader waits for a page."""
    service: Endpoint = Endpoint()
    """Where search and reader are."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_RESULTS:
            raise ValueError(f"count must be 1 to {MOST_RESULTS}, got {self.count}")
        if self.read < 0:
            raise ValueError(f"read must not be negative, got {self.read}")
        for name in ("limit", "timeout"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.domain and not _DOMAIN.fullmatch(self.domain):
            raise ValueError(f"domain must be a name such as example.com, got {self.domain!r}")


class Web:
    """Search and reader of the platform. Its calls are coroutines of docpipe's I/O loop."""

    def __init__(self, options: WebOptions) -> None:
        self.options = options

    def require_key(self) -> None:
        """Raises: Unauthorized: there is none."""
        self._search().require_key()

    async def search(self, query: str) -> "list[WebResult]":
        """What is found; nothing is a normal outcome. Raises: ServiceError: the search failed."""
        asked = self.options
        return await self._search().search(
            query, engine=asked.engine, count=asked.count, domain=asked.domain, recency=asked.recency
        )

    async def read(self, urls: Sequence[str]) -> "list[WebPage | ServiceError]":
        """The pages, read at once, in order; in place of one that cannot be read, why."""
        import asyncio

        from docpipe._zai.reader import Reader

        reader = Reader(self.options.service)
        return list(await asyncio.gather(*(self._page(reader, url) for url in urls)))

    async def _page(self, reader: "Reader", url: str) -> "WebPage | ServiceError":
        """A page, or why not; a person waits, so that all tries together have a limit."""
        import asyncio

        seconds = self.options.timeout + _MORE_SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await reader.read(url, timeout=self.options.timeout)
        except ServiceError as error:
            return error
        except TimeoutError:
            message = f"the web reader gave no page within {seconds:g} s"
            return Unavailable(message, service="reader", remedy="raise `web.timeout`, or try later")

    def _search(self) -> "WebSearch":
        from docpipe._zai.web_search import WebSearch

        return WebSearch(self.options.service)


def web_query(question: str) -> str:
    """What a search engine is asked: the question as one line without hidden letters, cut where it is very long."""
    return shortened(one_line(question, longest=4 * _LONGEST_QUERY), _LONGEST_QUERY)


def pages_to_read(results: Sequence[WebResult], options: WebOptions) -> tuple[str, ...]:
    """The addresses worth reading, best first: texts, and not all of one site while others have some."""
    of_site: dict[str, int] = {}
    first: list[str] = []
    later: list[str] = []
    for result in results:
        parts = urlsplit(result.link)
        if _UNREADABLE.search(parts.path):
            continue
        site = (parts.hostname or "").removeprefix("www.")
        of_site[site] = of_site.get(site, 0) + 1
        (first if of_site[site] <= _MOST_OF_A_SITE else later).append(result.link)
    return tuple((first + later)[: options.read])


@dataclass(frozen=True, kw_only=True, slots=True)
class WebFound:
    """What the web says on a question."""

    hits: tuple[Hit, ...]
    """Passages, best first. A chunk's `source.uri` is the address of its page."""
    published: Mapping[str, str] = field(default_factory=dict)
    """`YYYY-MM-DD` by address, where known."""
    remarks: tuple[str, ...] = ()
    """Pages that could not be read, and why."""

    def excerpts(self) -> tuple[Excerpt, ...]:
        """The hits as sources to be shown to the model."""
        return tuple(
            replace(Excerpt.of(hit.chunk, kind="web"), published=self.published.get(hit.chunk.source.uri, ""))
            for hit in self.hits
        )

    def cited(self, citation: Citation) -> Citation:
        """A citation of one of the hits with its page's address and date."""
        return replace(citation, url=citation.uri, published=self.published.get(citation.uri, ""))


@dataclass(frozen=True, kw_only=True)
class WebGrounds:
    """Results and pages -> passages that speak of the question, found as passages of documents are."""

    chunker: Chunker
    embedder: Embedder

    def find(
        self,
        question: str,
        results: Sequence[WebResult],
        pages: "Mapping[str, WebPage | ServiceError]",
        *,
        options: WebOptions,
    ) -> WebFound:
        """The best passages. Takes tens of milliseconds to seconds: it parses, cuts and embeds.

        Args:
            pages: by the address that was asked for; addresses that are not among the results count too.

        Raises:
            EmbedError, ServiceError: the embedder failed.
        """
        texts = list(_texts(results, pages))
        chunks = _nearest(question, [chunk for text in texts for chunk in self.chunker(_document(text))])
        return WebFound(
            hits=tuple(self._ranked(question, chunks, options.limit)),
            published={text.url: text.published for text in texts if text.published},
            remarks=tuple(_remarks(pages)),
        )

    def _ranked(self, question: str, chunks: Sequence[Chunk], limit: int) -> list[Hit]:
        from docpipe.index.memory import MemoryIndex
        from docpipe.retrieve.retriever import IndexRetriever

        if not chunks:
            return []
        vectors = self.embedder.embed_passages([chunk.content for chunk in chunks])
        rows: dict[str, list[EmbeddedChunk]] = {}
        for chunk, vector in zip(chunks, vectors, strict=True):
            row = EmbeddedChunk(chunk=chunk, vector=vector, model=self.embedder.model)
            rows.setdefault(chunk.document_id, []).append(row)
        index = MemoryIndex(label="web")
        index.replace([DocumentRows(document_id=key, chunks=tuple(some)) for key, some in rows.items()])
        return IndexRetriever(index, self.embedder).search(Query(text=question, limit=limit))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    """What is known of one page."""

    url: str
    title: str
    markdown: str
    published: str


def _texts(results: Sequence[WebResult], pages: "Mapping[str, WebPage | ServiceError]") -> Iterator[_Text]:
    """Each page once: as it was read, or what the search says of it. Addresses are those that were asked for."""
    told = {result.link: result for result in results}
    for url in dict.fromkeys((*told, *pages)):
        result, page = told.get(url), pages.get(url)
        read = page if isinstance(page, WebPage) else None
        content = cleaned(read.content) if read else ""
        if not content and result:
            content = cleaned(result.content)
        if content:
            title = one_line((read.title if read else "") or (result.title if result else ""))
            dates = (read.published if read else "", result.published if result else "")
            yield _Text(url=url, title=title, markdown=content, published=next(filter(None, dates), ""))


def _document(text: _Text) -> Document:
    from docpipe.parse.markdown import MarkdownParser

    data = text.markdown.encode("utf-8")
    source = Source(uri=text.url, media_type="text/markdown", digest=_ids.digest(data), size=len(data), modified=0)
    (document,) = MarkdownParser()(Blob(source=source, data=data))
    known = {"title": text.title} if text.title else {}
    return replace(document, metadata={**document.metadata, **known})


def _nearest(question: str, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Those that share most of the question's words, in order; the first ones where none does."""
    if len(chunks) <= _MOST_CHUNKS:
        return list(chunks)
    wanted = frozenset(terms(question))
    shared = [len(wanted.intersection(terms(chunk.content))) for chunk in chunks]
    best = sorted(range(len(chunks)), key=lambda place: (-shared[place], place))[:_MOST_CHUNKS]
    return [chunks[place] for place in sorted(best)]


def _remarks(pages: "Mapping[str, WebPage | ServiceError]") -> Iterable[str]:
    for url, page in pages.items():
        if isinstance(page, ServiceError):
            yield f"{url} could not be read: {page.message}"
        elif len(page.content) > LONGEST:
            yield f"{url} is long: only its first part was looked at"
