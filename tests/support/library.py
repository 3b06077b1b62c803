"""A small library to ask: chunks from plain texts, and a retriever that counts shared words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from docpipe.chat.terms import terms
from docpipe.types import BlockKind, Chunk, Geometry, Hit, Line, Query, Source, Span


@dataclass
class SharedWords:
    """Hits by the number of shared terms: enough of a retriever to talk to."""

    chunks: Sequence[Chunk]
    asked: list[Query] = field(default_factory=list)

    def search(self, query: Query, /) -> list[Hit]:
        self.asked.append(query)
        wanted = set(terms(query.text))
        scored = [(len(wanted & set(terms(chunk.content))), chunk) for chunk in self.chunks]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])[: query.limit]
        return [
            Hit(chunk=chunk, score=float(score), rank=rank, found_by=("text",))
            for rank, (score, chunk) in enumerate(best, start=1)
        ]

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        return [self.search(query) for query in queries]

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Chunk]:
        return []


def make_chunk(
    text: str, *, uri: str = "tides.md", headings: tuple[str, ...] = (), context: str = "", lines: Sequence[Line] = ()
) -> Chunk:
    """A chunk that is the whole of its document."""
    return Chunk(
        id=f"{uri}:{hash(text)}",
        document_id=uri,
        source=Source(uri=uri, media_type="text/plain", digest="0" * 64, size=len(text), modified=1),
        span=Span(0, len(text)),
        text=text,
        context=context,
        headings=headings,
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(),
        boxes=(),
        token_count=1,
        position=0,
        geometry=Geometry.of(lines),
    )
