"""The retriever over the memory index: modes, batches, both legs at once, and questions nobody meant."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from docpipe.embed.hashing import HashingEmbedder
from docpipe.errors import ConfigError, IndexMismatch, SnapshotGone
from docpipe.index.memory import MemoryIndex, MemorySnapshot
from docpipe.protocols import DocumentRows, Embedder, Retriever, Snapshot
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.testing import chunk
from docpipe.types import Chunk, EmbeddedChunk, Query

TEXTS = [
    "The pump is switched off at the side.",
    "The filter is changed every month.",
    "Filters are sold in packs of ten.",
    "Revenue rose by eight percent.",
    "水泵的开关在侧面。",
]
EMBEDDER = HashingEmbedder(dim=512)


def filled(*chunks: Chunk) -> MemoryIndex:
    index = MemoryIndex()
    index.open(model=EMBEDDER.model, dim=EMBEDDER.dim)
    vectors = EMBEDDER.embed_passages([one.content for one in chunks])
    documents: dict[str, list[EmbeddedChunk]] = {}
    for one, vector in zip(chunks, vectors, strict=True):
        row = EmbeddedChunk(chunk=one, vector=vector, model=EMBEDDER.model)
        documents.setdefault(one.document_id, []).append(row)
    index.replace([DocumentRows(document_id=key, chunks=tuple(rows)) for key, rows in documents.items()])
    return index


@pytest.fixture
def index() -> MemoryIndex:
    return filled(*(chunk(text, position=position) for position, text in enumerate(TEXTS)))


@dataclass(frozen=True, kw_only=True)
class Counting:
    """An embedder that notes what it is asked."""

    inner: Any = EMBEDDER
    languages: tuple[str, ...] = ()
    calls: list[list[str]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def embed_queries(self, texts: Sequence[str], /) -> Any:
        self.calls.append(list(texts))
        return self.inner.embed_queries(texts)


@dataclass(frozen=True, kw_only=True)
class LengthReranker:
    """Prefers short texts, and notes what it read."""

    depth: int = 3
    languages: tuple[str, ...] = ("en",)
    read: list[list[str]] = field(default_factory=list)

    def score(self, question: str, texts: Sequence[str], /) -> list[float]:
        self.read.append(list(texts))
        return [-float(len(text)) for text in texts]


def texts(retriever: Retriever, question: str, **options: Any) -> list[str]:
    return [hit.chunk.text for hit in retriever.search(Query(text=question, **options))]


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_every_mode_finds_the_passage_and_says_which_leg_did(index: MemoryIndex, mode: Any) -> None:
    hits = IndexRetriever(index, EMBEDDER).search(Query(text="When is the pump filter changed?", limit=2, mode=mode))
    assert hits[0].chunk.text == TEXTS[1]
    assert hits[0].found_by == (("vector", "text") if mode == "hybrid" else (mode,))
    assert [hit.rank for hit in hits] == [1, 2] and hits[0].score >= hits[1].score


@pytest.mark.parametrize(
    ("question", "limit"),
    [("", 8), (" \n\t ", 8), ("?!", 8), ("filter", 0)],
    ids=["nothing", "blanks", "signs", "no room"],
)
def test_nothing_asked_or_no_room_for_hits_is_an_empty_answer(index: MemoryIndex, question: str, limit: int) -> None:
    embedder = Counting()
    assert IndexRetriever(index, embedder).search(Query(text=question, limit=limit)) == []
    assert embedder.calls == []


def test_an_index_that_was_never_written_gives_no_hits() -> None:
    assert IndexRetriever(MemoryIndex(), EMBEDDER).search(Query(text="anything")) == []


def test_a_question_of_a_hundred_thousand_characters_is_cut_before_anything_reads_it(index: MemoryIndex) -> None:
    embedder = Counting()
    found = texts(IndexRetriever(index, embedder), "filter  changed\n" * 7_000)
    assert found[0] == TEXTS[1]
    assert len(embedder.calls[0][0]) <= 4_000


def test_many_questions_are_embedded_in_one_call_and_answered_as_if_alone(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [
        Query(text="filter changed", limit=2),
        Query(text=""),
        Query(text="水泵", limit=1, mode="text"),
        Query(text="revenue", where="language = en"),
        Query(text="filter changed", limit=1, mode="vector"),
    ]
    alone = [IndexRetriever(index, EMBEDDER).search(query) for query in queries]
    searched = []
    real = MemorySnapshot.search_vector
    monkeypatch.setattr(
        MemorySnapshot,
        "search_vector",
        lambda self, *args, **named: searched.append(named) or real(self, *args, **named),
    )
    embedder = Counting()
    assert IndexRetriever(index, embedder).search_many(queries) == alone
    assert embedder.calls == [["filter changed", "revenue"]]
    assert [named["where"] for named in searched] == ["", "language = en"]
    assert IndexRetriever(index, embedder).search_many([]) == []


def test_both_legs_run_at_the_same_time(index: MemoryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=5)
    for name in ("search_text", "search_vector"):
        real = getattr(MemorySnapshot, name)

        def waiting(self: MemorySnapshot, *args: Any, real: Any = real, **named: Any) -> Any:
            meeting.wait()
            return real(self, *args, **named)

        monkeypatch.setattr(MemorySnapshot, name, waiting)
    assert texts(IndexRetriever(index, EMBEDDER), "filter changed")[0] == TEXTS[1]


def test_equal_texts_appear_once_and_make_room_for_others() -> None:
    copies = [chunk("The filter is changed every month.", uri=f"{name}.md") for name in "abcdef"]
    other = chunk("The filter is washed.", uri="z.md")
    found = texts(IndexRetriever(filled(*copies, other), EMBEDDER), "filter changed", limit=2)
    assert found == [copies[0].text, other.text]


def test_chunks_that_vanished_between_search_and_fetch_are_left_out(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemorySnapshot.fetch
    monkeypatch.setattr(
        MemorySnapshot,
        "fetch",
        lambda self, ids: {key: one for key, one in real(self, ids).items() if "changed" not in one.text},
    )
    hits = IndexRetriever(index, EMBEDDER).search(Query(text="filter changed", limit=2))
    assert TEXTS[1] not in [hit.chunk.text for hit in hits] and [hit.rank for hit in hits] == [1, 2]


def test_filters_reach_both_legs_and_a_broken_one_is_refused(index: MemoryIndex) -> None:
    chinese = replace(chunk("filter 过滤器", uri="zh.md"), language="zh")
    retriever = IndexRetriever(filled(chinese, chunk("filter changed")), EMBEDDER)
    assert texts(retriever, "filter", where="language = zh") == [chinese.text]
    with pytest.raises(ConfigError):
        retriever.search(Query(text="filter", where="language = = zh"))


def test_a_question_the_embedder_cannot_read_is_answered_in_the_order_of_the_words(index: MemoryIndex) -> None:
    class Misleading(Counting):
        def embed_queries(self, texts: Sequence[str], /) -> Any:
            return np.tile(EMBEDDER.embed_passages([f"Part > {TEXTS[3]}"]), (len(texts), 1))

    foreign = IndexRetriever(index, Misleading(languages=("en",)))
    assert texts(foreign, "水泵的开关在哪里？", limit=1) == [TEXTS[4]]
    assert texts(foreign, "The filter?", limit=1) == [TEXTS[3]]


def test_the_reranker_reads_its_depth_and_only_questions_in_its_language(index: MemoryIndex) -> None:
    reranker = LengthReranker()
    retriever = IndexRetriever(index, EMBEDDER, rerank=reranker)
    hits = retriever.search(Query(text="Where is the filter of the pump?", limit=4))
    assert [len(some) for some in reranker.read] == [3]
    assert ["rerank" in hit.found_by for hit in hits] == [True, True, True, False]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    retriever.search(Query(text="水泵的开关在哪里？"))
    retriever.search(Query(text="Where is the filter of the pump?", mode="text"))
    assert len(reranker.read) == 1


def test_hits_of_one_document_make_room_for_an_equally_good_one_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [chunk(f"The filter {word}.", position=place) for place, word in enumerate(["leaks", "rusts", "drips"])]
    other = chunk("The filter hums.", uri="z.md")
    scores = [(one.id, 10 - place / 100) for place, one in enumerate([*crowd, other])]
    monkeypatch.setattr(MemorySnapshot, "search_text", lambda self, text, **named: scores)
    retriever = IndexRetriever(filled(*crowd, other), Counting(languages=("zh",)))
    fused, by_words = (retriever.search(Query(text="the filter", limit=2, mode=mode)) for mode in ("hybrid", "text"))
    assert [hit.chunk.id for hit in fused] == [crowd[0].id, other.id]
    assert [hit.chunk.id for hit in by_words] == [crowd[0].id, crowd[1].id]


def test_neighbours_of_a_hit_come_from_its_document(index: MemoryIndex) -> None:
    retriever: Retriever = IndexRetriever(index, EMBEDDER)
    hit = retriever.search(Query(text="filter changed", limit=1))[0]
    assert [one.text for one in retriever.neighbours(hit)] == [TEXTS[0], TEXTS[2]]
    assert [one.text for one in retriever.neighbours(hit, before=0, after=2)] == TEXTS[2:4]


def test_it_needs_at_least_one_candidate(index: MemoryIndex) -> None:
    with pytest.raises(ValueError, match="candidates must be positive, got 0"):
        IndexRetriever(index, EMBEDDER, candidates=0)


def test_a_search_looks_again_where_its_version_was_cleaned_away(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = MemorySnapshot.fetch, [SnapshotGone("gone", stage="index", remedy="ask again")] * 3

    def fetch(self: MemorySnapshot, ids: Sequence[str]) -> Any:
        if failures:
            raise failures.pop()
        return real(self, ids)

    monkeypatch.setattr(MemorySnapshot, "fetch", fetch)
    embedder = Counting()
    assert texts(IndexRetriever(index, embedder), "filter changed")[0] == TEXTS[1]
    assert len(embedder.calls) == 1, "a question is embedded once"
    failures += [SnapshotGone("gone", stage="index", remedy="ask again")] * 4
    with pytest.raises(SnapshotGone):
        IndexRetriever(index, embedder).search(Query(text="filter changed"))


def test_a_search_sees_one_version_from_its_first_word_to_its_last(
    index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemorySnapshot.search_vector

    def meanwhile(self: MemorySnapshot, *args: Any, **named: Any) -> Any:
        index.delete([chunk(TEXTS[0]).document_id])
        return real(self, *args, **named)

    monkeypatch.setattr(MemorySnapshot, "search_vector", meanwhile)
    retriever = IndexRetriever(index, EMBEDDER)
    assert texts(retriever, "filter changed")[0] == TEXTS[1]
    assert texts(retriever, "filter changed") == []


def test_readers_are_held_and_who_asks_for_the_latest_is_not(index: MemoryIndex) -> None:
    index.hold()
    index.delete([chunk(TEXTS[0]).document_id])
    assert len(texts(IndexRetriever(index, EMBEDDER), "filter changed")) == 5
    assert texts(IndexRetriever(index, EMBEDDER, latest=True), "filter changed") == []
    index.publish()
    assert texts(IndexRetriever(index, EMBEDDER), "filter changed") == []


def test_a_question_is_asked_with_the_model_that_the_index_has(index: MemoryIndex) -> None:
    other = HashingEmbedder(dim=64)
    made: list[str] = []

    def embedder_for(snapshot: Snapshot) -> Embedder:
        made.append(snapshot.model)
        return EMBEDDER

    refusing, following = IndexRetriever(index, other), IndexRetriever(index, other, embedder_for=embedder_for)
    with pytest.raises(IndexMismatch, match="holds vectors of"):
        refusing.search(Query(text="filter changed"))
    assert texts(refusing, "filter changed", mode="text")[0] == TEXTS[1]
    assert [texts(following, "filter changed")[0] for _ in range(2)] == [TEXTS[1]] * 2
    assert made == [EMBEDDER.model]
    index.migration(model=other.model, dim=64)
    found = dict(index.missing_vectors(other.model, limit=9))
    index.fill_vectors(other.model, list(found), other.embed_passages(list(found.values())))
    assert texts(following, "filter changed")[0] == TEXTS[1]
    index.switch(model=other.model)
    assert texts(refusing, "filter changed")[0] == TEXTS[1]


def test_hundreds_of_copies_leave_room_for_what_is_behind_them() -> None:
    copies = [chunk(TEXTS[1], uri=f"copy {number:03}.md") for number in range(150)]
    retriever = IndexRetriever(filled(*copies, chunk(TEXTS[0], uri="b.md")), EMBEDDER, candidates=20)
    hits = retriever.search(Query(text=f"{TEXTS[1]} {TEXTS[1]} {TEXTS[0][:20]}", limit=2))
    assert {hit.chunk.text: bool(hit.also_in) for hit in hits} == {TEXTS[1]: True, TEXTS[0]: False}
