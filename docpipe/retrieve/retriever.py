"""Questions -> hits: words and vectors asked at once, their findings fused, the best read again where wanted."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from docpipe.errors import IndexMismatch, ServiceError, SnapshotGone
from docpipe.protocols import Embedder, Index, Reranker, Snapshot
from docpipe.repeated import is_boilerplate
from docpipe.retrieve.fusion import (
    Fused,
    Hits,
    fuse,
    raised,
    reread,
    speaks,
    spread,
    text_leg,
    vector_leg,
    vector_share,
)
from docpipe.retrieve.once import Once
from docpipe.retrieve.phrases import shared_phrases
from docpipe.retrieve.table_rows import shared_rows
from docpipe.types import Chunk, Hit, Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

Found = TypeVar("Found")

_log = logging.getLogger("docpipe.retrieve")
_LONGEST_QUESTION = 4_000
"""Characters of a question that are read; the rest would cost time and say nothing more."""
_TEXT_THREADS = 4
_LOOKS = 4
"""How many versions are tried at most: upkeep may clean one away while it is read."""
_DEEPEST = 2_000
"""Candidates of each leg where those that are usually enough hold too few different texts."""
_LEAST_REACH = 40
"""From how many candidates hits are chosen, at least: phrases need some to be compared with."""


@dataclass(frozen=True)
class IndexRetriever:
    """Searches an index by words, by vectors, or by both."""

    index: Index
    embedder: Embedder
    rerank: Reranker | None = field(default=None, kw_only=True)
    """Reads the best hits again, where it knows the question's language."""
    candidates: int = field(default=100, kw_only=True)
    """How many chunks each leg brings to the fusion, at least."""
    latest: bool = field(default=False, kw_only=True)
    """Look at what was written last, though readers are held at an older version."""
    embedder_for: Callable[[Snapshot], Embedder] | None = field(default=None, kw_only=True)
    """Makes the embedder of an index whose vectors are not of `embedder`: one that was moved to another model, or is
    being moved. Without it such an index is refused."""
    common_lines: Callable[[], frozenset[int]] | None = field(default=None, kw_only=True)
    """Says which lines stand in many documents, as `docpipe.repeated` marks them: what is made of them comes last."""
    _made: dict[str, Embedder] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates must be positive, got {self.candidates}")

    def search(self, query: Query, /) -> list[Hit]:
        """The best hits, best first, at most `query.limit`; none for a question without words.

        Raises:
            ConfigError: `query.where` cannot be read.
            IndexMismatch: the index's vectors are another model's, whose embedder nobody makes.
            EmbedError, IndexFailed: the model or the index failed.
        """
        return self.search_many([query])[0]

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        """The same for several questions: embedded in one call, vectors searched in one call per filter."""
        asked = [replace(query, text=_bounded(query.text)) for query in queries]
        live = [number for number, query in enumerate(asked) if query.text and query.limit > 0]
        results: list[list[Hit]] = [[] for _ in queries]
        if not live:
            return results
        some = [asked[number] for number in live]
        embedded: dict[str, dict[str, Any]] = {}
        ranked = self._steady(lambda snapshot: self._look(snapshot, some, embedded))
        self._read_again(some, ranked)
        if self.common_lines is not None:
            common = self.common_lines()
            for one in ranked:
                one.put_last(common)
        for number, one in zip(live, ranked, strict=True):
            results[number] = _hits(one, limit=asked[number].limit)
        return results

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """What stands around a hit in its document, in order, the hit left out."""
        return self._steady(lambda snapshot: snapshot.neighbours(hit.chunk, before=before, after=after))

    def _steady(self, work: Callable[[Snapshot], Found]) -> Found:
        """What `work` finds in one version; in the next one where that was cleaned away meanwhile."""
        for _ in range(_LOOKS - 1):
            try:
                return work(self.index.snapshot(latest=self.latest))
            except SnapshotGone:
                continue
        return work(self.index.snapshot(latest=self.latest))

    def _embedder(self, snapshot: Snapshot) -> Embedder:
        """What made the vectors of this version."""
        model = snapshot.model
        if model in ("", self.embedder.model):
            return self.embedder
        if model not in self._made:
            if self.embedder_for is None:
                raise IndexMismatch(
                    f"the index {self.index.name!r} holds vectors of {model!r}, "
                    f"this pipeline asks with {self.embedder.model!r}",
                    found=model,
                    wanted=self.embedder.model,
                    index=self.index.name,
                    remedy="run the pipeline, which moves the index to its embedder, or set the embedder back",
                )
            self._made[model] = self.embedder_for(snapshot)
        return self._made[model]

    def _look(
        self, snapshot: Snapshot, queries: Sequence[Query], embedded: dict[str, dict[str, Any]]
    ) -> "list[_Ranked]":
        """The ranked candidates of each question, all from one version; of more candidates where most are copies.

        Args:
            embedded: the questions' vectors by model and text; kept, so that looking again costs none anew.
        """
        found = self._candidates(snapshot, queries, embedded)
        shelf = _Shelf(snapshot)
        shelf.fetch(one.id for query, some in zip(queries, found, strict=True) for one in some[: _reach(query)])
        ranked = [self._ranked(query, some, shelf) for query, some in zip(queries, found, strict=True)]
        thin = [
            n
            for n, query in enumerate(queries)
            if len(ranked[n].order) < query.limit and self._depth(query) <= len(found[n])
        ]
        if thin and self.candidates < _DEEPEST:
            deeper = replace(self, candidates=_DEEPEST)
            deeper._made.update(self._made)
            again = deeper._look(snapshot, [queries[n] for n in thin], embedded)
            ranked = [again[thin.index(n)] if n in thin else one for n, one in enumerate(ranked)]
        return ranked

    def _candidates(
        self, snapshot: Snapshot, queries: Sequence[Query], embedded: dict[str, dict[str, Any]]
    ) -> list[list[Fused]]:
        """Both legs at once: the words on threads of their own, the vectors here."""
        by_text = [number for number, query in enumerate(queries) if query.mode != "vector"]
        by_vector = {number: query for number, query in enumerate(queries) if query.mode != "text"}
        with ThreadPoolExecutor(min(_TEXT_THREADS, len(by_text)) or 1, thread_name_prefix="docpipe-text") as pool:
            texts = {number: pool.submit(self._search_text, snapshot, queries[number]) for number in by_text}
            vectors = self._search_vectors(snapshot, by_vector, embedded)
            return [self._fuse(query, texts.get(n), vectors.get(n)) for n, query in enumerate(queries)]

    def _search_text(self, snapshot: Snapshot, query: Query) -> Hits:
        return snapshot.search_text(query.text, limit=self._depth(query), where=query.where)

    def _search_vectors(
        self, snapshot: Snapshot, queries: Mapping[int, Query], embedded: dict[str, dict[str, Any]]
    ) -> dict[int, Hits]:
        if not queries:
            return {}
        embedder = self._embedder(snapshot)
        rows = embedded.get(embedder.model)
        if rows is None:
            distinct = list(dict.fromkeys(query.text for query in queries.values()))
            rows = dict(zip(distinct, embedder.embed_queries(distinct), strict=True))
            embedded[embedder.model] = rows
        groups: dict[tuple[str, int], list[int]] = {}
        for number, query in queries.items():
            groups.setdefault((query.where, self._depth(query)), []).append(number)
        found: dict[int, Hits] = {}
        for (where, depth), numbers in groups.items():
            matrix = _stacked([rows[queries[number].text] for number in numbers])
            found.update(zip(numbers, snapshot.search_vector(matrix, limit=depth, where=where), strict=True))
        return found

    def _depth(self, query: Query) -> int:
        return max(self.candidates, 2 * query.limit)

    def _fuse(self, query: Query, text: "Future[Hits] | None", vector: Hits | None) -> list[Fused]:
        if text is None or vector is None:
            hits, name = (vector or (), "vector") if text is None else (text.result(), "text")
            return [Fused(id=chunk_id, score=score, found_by=(name,)) for chunk_id, score in hits]
        share = vector_share(query.text, languages=self.embedder.languages)
        return fuse(
            [
                vector_leg(vector, weight=share),
                text_leg(text.result(), weight=1 - share, limit=self._depth(query)),
            ]
        )

    def _ranked(self, query: Query, found: Sequence[Fused], shelf: "_Shelf") -> "_Ranked":
        """The candidates in one leg's own order, or in the fused one, spread over documents."""
        once = Once()
        if query.mode != "hybrid":
            return _Ranked(shelf.distinct(found, once, limit=query.limit), once)
        reader = self._reader(query)
        kept = _Ranked(shelf.distinct(found, once, limit=max(_reach(query), reader.depth if reader else 0)), once)
        texts = [chunk.content for chunk in kept.chunks.values()]
        higher = raised(kept.order, shared_phrases(query.text, texts), shared_rows(query.text, texts))
        ordered = spread(higher, {key: chunk.document_id for key, chunk in kept.chunks.items()})
        return _Ranked([(one, kept.chunks[one.id]) for one in ordered], once)

    def _read_again(self, queries: Sequence[Query], ranked: "Sequence[_Ranked]") -> None:
        """Let the reranker order the best of each ranking; where it fails, the order stands."""
        read = [(one, query.text) for one, query in zip(ranked, queries, strict=True) if self._reader(query)]
        if self.rerank is None or not read:
            return
        depth = self.rerank.depth
        asked = [(text, [one.chunks[best.id].content for best in one.order[:depth]]) for one, text in read]
        for (one, _), scores in zip(read, _scores(self.rerank, asked), strict=True):
            if scores:
                one.order = reread(one.order, scores)

    def _reader(self, query: Query) -> Reranker | None:
        hybrid = query.mode == "hybrid" and self.rerank is not None
        return self.rerank if hybrid and self.rerank and speaks(query.text, self.rerank.languages) else None


class _Ranked:
    """The candidates of a question, the chunk of each, and where else their texts stand."""

    def __init__(self, chosen: Sequence[tuple[Fused, Chunk]], once: Once) -> None:
        self.once = once
        self.order = [one for one, _ in chosen]
        self.chunks = {one.id: chunk for one, chunk in chosen}
        self.boilerplate: frozenset[str] = frozenset()

    def put_last(self, common: frozenset[int]) -> None:
        """Put what consists of lines that many documents have behind all else."""
        texts = {one.id: self.chunks[one.id].text for one in self.order}
        self.boilerplate = frozenset(key for key, text in texts.items() if is_boilerplate(text, common))
        self.order = sorted(self.order, key=lambda one: one.id in self.boilerplate)


def _hits(ranked: _Ranked, *, limit: int) -> list[Hit]:
    return [
        Hit(
            chunk=ranked.chunks[one.id],
            score=one.score,
            rank=rank,
            found_by=one.found_by,
            also_in=ranked.once.elsewhere(one.id),
            boilerplate=one.id in ranked.boilerplate,
        )
        for rank, one in enumerate(ranked.order[:limit], start=1)
    ]


def _scores(reranker: Reranker, asked: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
    """What a reranker makes of each question's texts, asked at once where it can; none where its service fails."""
    many: Callable[[Any], list[list[float] | ServiceError]] | None = getattr(reranker, "score_many", None)
    found = many(asked) if many else [reranker.score(question, texts) for question, texts in asked]
    failed = [one for one in found if isinstance(one, ServiceError)]
    if failed:
        _log.warning("hits are not read again, their order stands: %s", failed[0])
    return [[] if isinstance(one, ServiceError) else one for one in found]


class _Shelf:
    """Chunks fetched once for all questions of a call."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._chunks: dict[str, Chunk | None] = {}

    def fetch(self, ids: Iterable[str]) -> None:
        """Bring these, in one call; ids that are gone are remembered as gone."""
        missing = [one for one in dict.fromkeys(ids) if one not in self._chunks]
        if missing:
            chunks = self._snapshot.fetch(missing)
            self._chunks.update((one, chunks.get(one)) for one in missing)

    def distinct(self, found: Sequence[Fused], once: Once, *, limit: int) -> list[tuple[Fused, Chunk]]:
        """The first `limit` candidates that are still there, each text once; copies of them are noted in `once`."""
        chosen: list[tuple[Fused, Chunk]] = []
        start, size = 0, limit
        while start < len(found) and len(chosen) < limit:
            window = found[start : start + size]
            start, size = start + size, 4 * size
            self.fetch(one.id for one in window)
            for one in window:
                chunk = self._chunks[one.id]
                if chunk is not None and once.is_new(chunk) and len(chosen) < limit:
                    chosen.append((one, chunk))
        return chosen


def _reach(query: Query) -> int:
    """How many candidates are fetched: one leg's order stands, the fused one is still refined."""
    return max(2 * query.limit, _LEAST_REACH) if query.mode == "hybrid" else query.limit


def _bounded(text: str) -> str:
    """The start of a question on one line; nothing where it has neither letter nor digit."""
    start = " ".join(text[: 4 * _LONGEST_QUESTION].split())[:_LONGEST_QUESTION]
    return start if any(map(str.isalnum, start)) else ""


def _stacked(rows: "Sequence[NDArray[np.float32]]") -> "type_matrix":
    import numpy as np

    return np.stack(rows)
