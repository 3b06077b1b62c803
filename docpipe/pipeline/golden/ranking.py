"""A place in a document and a question -> the place's chunks in the index, and their ranks from leg to hit list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe._ids import text_key
from docpipe.index import filters
from docpipe.index.questions import question_words
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.file.made_by import embedder_for
from docpipe.pipeline.golden.questions import Spot
from docpipe.pipeline.golden.staging import retriever
from docpipe.pipeline.golden.tracing import Look, many
from docpipe.protocols import Embedder, Reranker, Snapshot
from docpipe.retrieve.fusion import speaks
from docpipe.types import Chunk, Hit, Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

_DEEP = 1_000
"""How far down the legs are looked at."""
_MOST_ROWS = 10_000
"""Chunks of one place."""
_SAMPLES = 3
"""Chunks of a place that are looked for by their own words."""
_WORDS = 2_000
_DOCTOR = "docpipe doctor --fix"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the index holds of a place."""

    chunks: Mapping[str, Chunk]
    embedded: frozenset[str]
    """Ids of those that a vector search can find."""

    @property
    def texts(self) -> frozenset[str]:
        """Their contents, by `text_key`."""
        return frozenset(text_key(chunk.content) for chunk in self.chunks.values())

    def rank(self, hits: Sequence[Hit]) -> int:
        """Of the first hit that is one of them, from 1; 0 where none is."""
        return next((rank for rank, hit in enumerate(hits, start=1) if hit.chunk.id in self.chunks), 0)

    def twin(self, hits: Sequence[Hit]) -> Hit | None:
        """The first hit with the same words from another place."""
        texts = self.texts
        return next((hit for hit in hits if text_key(hit.chunk.content) in texts), None)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """One question on its way through the index."""

    stages: Stages
    question: str
    place: Spot
    where: str
    limit: int
    """How many hits a search gives."""
    answering: int
    """How many hits who answers looks at; 0 where nobody does."""
    staged: bool
    """Whether what was written last is looked at, in place of what readers see."""

    @cached_property
    def _index(self) -> Snapshot:
        return self.stages.index.snapshot(latest=self.staged)

    @cached_property
    def _embedder(self) -> Embedder:
        own = self.stages.embedder
        return own if self._index.model in ("", own.model) else embedder_for(self.stages)(self._index)

    def held(self, made: Sequence[Chunk]) -> Held:
        """The chunks of the place.

        Args:
            made: what today's chunker makes of it.
        """
        found = self._index.search_vector(self._vector, limit=_MOST_ROWS, where=self._there)[0]
        embedded = frozenset(chunk_id for chunk_id, _ in found)
        chunks = self._index.fetch(sorted(embedded.union(chunk.id for chunk in made)))
        return Held(chunks={key: one for key, one in chunks.items() if self.place.holds(one)}, embedded=embedded)

    @cached_property
    def _vector(self) -> "type_matrix":
        """The question's, shape (1, dim)."""
        return self._embedder.embed_queries([" ".join(self.question.split())])

    @property
    def _there(self) -> str:
        pages = f" and page >= {self.place.first} and page <= {self.place.last}" if self.place.first else ""
        return f"uri = {filters.quoted(self.place.uri)}{pages}"

    def rows(self, held: Held, made: Sequence[Chunk]) -> Iterator[Look]:
        """Whether the index holds the chunks, their vectors and their words, and the filter lets them through."""
        if not held.chunks:
            remedy = f"docpipe run; where that does not help, {_DOCTOR}"
            yield Look(stage="indexed", said="the index holds no chunk of it", lost=True, remedy=remedy)
            return
        strange = made and not any(chunk.id in held.chunks for chunk in made)
        told = "; they were made with other options than today's" if strange else ""
        remedy = "docpipe run" if strange else ""
        yield Look(stage="indexed", said=f"{many(len(held.chunks), 'chunk')}{told}", remedy=remedy)
        yield self._vectors(held)
        yield self._words(held)
        if self.where:
            wanted = filters.parse(self.where)
            passed = sum(filters.matches(wanted, chunk) for chunk in held.chunks.values())
            said = f"{passed:,} of {many(len(held.chunks), 'chunk')} fit `{self.where}`"
            yield Look(stage="filter", said=said, lost=not passed, remedy="" if passed else "ask without it")

    def _vectors(self, held: Held) -> Look:
        embedded = sum(chunk_id in held.embedded for chunk_id in held.chunks)
        said = f"{embedded:,} of {many(len(held.chunks), 'chunk')} with one of {self._embedder.model}"
        lost = not embedded and self.stages.retrieve.mode != "text"
        return Look(stage="vectors", said=said, lost=lost, remedy="" if embedded == len(held.chunks) else _DOCTOR)

    def _words(self, held: Held) -> Look:
        samples = [chunk for chunk in held.chunks.values() if question_words(chunk.content, limit=_WORDS)][:_SAMPLES]
        if not samples:
            return Look(stage="words", said="it has no words to be found by")
        known = sum(self._found_by_words(chunk) for chunk in samples)
        said = f"{known:,} of {many(len(samples), 'chunk')} found by their own words"
        lost = not known and self.stages.retrieve.mode == "text"
        return Look(stage="words", said=said, lost=lost, remedy="" if known == len(samples) else _DOCTOR)

    def _found_by_words(self, chunk: Chunk) -> bool:
        found = self._index.search_text(chunk.content[:_WORDS], limit=_MOST_ROWS, where=self._there)
        return any(chunk_id == chunk.id for chunk_id, _ in found)

    def legs(self, held: Held) -> Iterator[Look]:
        """The place's best rank in each leg that is asked, and whether one of them brings it to the fusion."""
        mode, depth, looks = self.stages.retrieve.mode, max(100, 2 * self.limit), []
        if mode != "text":
            found = self._index.search_vector(self._vector, limit=_DEEP, where=self.where)[0]
            looks.append(_leg("vector leg", found, held, unit="similarity"))
        if mode != "vector":
            found = self._index.search_text(self.question, limit=_DEEP, where=self.where)
            looks.append(_leg("text leg", found, held, unit="score"))
        brought = any(0 < look.rank <= depth for look in looks)
        yield from looks[:-1]
        if brought:
            yield looks[-1]
            return
        remedy = f"each leg brings its first {depth}: ask in words that stand on the page, or with --where"
        yield replace(looks[-1], lost=True, remedy=remedy)

    def order(self, held: Held) -> Iterator[Look]:
        """The place's rank after fusion, after the reranker, and in what the search gives."""
        plain = replace(self.stages, reranker=None)
        fused = self._hits(plain, limit=max(self.limit, self.answering, 50))
        if self.stages.retrieve.mode == "hybrid":
            yield _ordered("fused", held.rank(fused), among=len(fused))
        reader = self.stages.reranker
        if reader is not None and self._reads(reader):
            read = self._hits(self.stages, limit=max(self.limit, reader.depth))
            yield _ordered("reread", held.rank(read), among=len(read))
        yield self._given(held, held.rank(fused))

    def _reads(self, reader: Reranker) -> bool:
        return self.stages.retrieve.mode == "hybrid" and speaks(self.question, reader.languages)

    def _given(self, held: Held, fused: int) -> Look:
        """Whether the place is among the hits that are looked at further on."""
        hits = self._hits(self.stages, limit=max(self.limit, self.answering))
        rank, twin = held.rank(hits), held.twin(hits)
        if rank:
            beyond = f", beyond the {self.limit} that a search gives" if rank > self.limit else ""
            return Look(stage="search", said=f"a hit{beyond}", rank=rank)
        if twin is not None:
            other = str(Spot(twin.chunk.source.uri, *([min(twin.chunk.pages)] * 2 if twin.chunk.pages else ())))
            said = f"the same words stand at {other}, which is given at rank {twin.rank} in its place"
            return Look(stage="search", said=said, lost=True, remedy="expect that place too: equal texts appear once")
        best = f"; the first is {hits[0].chunk.source.uri}" if hits else ""
        remedy = f"ask for more: -k {fused}, or `retrieve.limit`; `rerank: local` orders better" if fused else ""
        remedy = remedy or "ask in words that stand on the page, or with --where; `rerank: local` orders better"
        said = f"not among the {many(len(hits), 'hit')}{best}"
        return Look(stage="search", said=said, lost=True, remedy=remedy)

    def _hits(self, stages: Stages, *, limit: int) -> Sequence[Hit]:
        query = Query(text=self.question, limit=limit, where=self.where, mode=stages.retrieve.mode)
        return retriever(stages, head=self.staged).search(query)


def _leg(stage: str, found: Sequence[tuple[str, float]], held: Held, *, unit: str) -> Look:
    ranks = ((rank, score) for rank, (key, score) in enumerate(found, start=1) if key in held.chunks)
    rank, score = next(ranks, (0, 0.0))
    if not rank:
        which = (
            f"not among the first {_DEEP:,}" if len(found) >= _DEEP else f"not among its {many(len(found), 'finding')}"
        )
        return Look(stage=stage, said=which)
    return Look(stage=stage, said=f"{unit} {score:.3f}, the first has {found[0][1]:.3f}", rank=rank)


def _ordered(stage: str, rank: int, *, among: int) -> Look:
    return Look(stage=stage, said=f"among {among:,}" if rank else f"not among the first {among:,}", rank=rank)
