"""The platform's reranker: its limits, its failures, and what they do to a search."""

import logging
import time
from typing import Any

import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults

from docpipe._http.endpoint import Endpoint
from docpipe.embed.hashing import HashingEmbedder
from docpipe.errors import BadReply, OutOfCredit, Refused, Unauthorized, Unavailable
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.build import reranker
from docpipe.pipeline.file.spec import RetrieveOptions
from docpipe.protocols import DocumentRows, Reranker
from docpipe.retrieve.rerank_zai import ZaiReranker
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.testing import chunk
from docpipe.types import EmbeddedChunk, Query

PATH = "/rerank"
QUESTION = "How is the filter changed?"
TEXTS = ["Cats sleep for most of the day.", "The filter is changed from above.", "A filter is sold in packs of ten."]
EMBEDDER = HashingEmbedder(dim=256)


def made(platform: StandIn, **options: Any) -> ZaiReranker:
    return ZaiReranker(service=Endpoint(base_url=platform.base_url), **options)


def retriever(rerank: Reranker | None) -> IndexRetriever:
    index = MemoryIndex()
    index.open(model=EMBEDDER.model, dim=EMBEDDER.dim)
    chunks = [chunk(text, position=position) for position, text in enumerate(TEXTS)]
    vectors = EMBEDDER.embed_passages([one.content for one in chunks])
    rows = [
        EmbeddedChunk(chunk=one, vector=vector, model=EMBEDDER.model)
        for one, vector in zip(chunks, vectors, strict=True)
    ]
    index.replace([DocumentRows(document_id=chunks[0].document_id, chunks=tuple(rows))])
    return IndexRetriever(index, EMBEDDER, rerank=rerank)


def test_scores_come_in_the_order_of_the_texts(platform: StandIn) -> None:
    foreign, answer, related = made(platform).score(QUESTION, TEXTS)
    assert answer > related > foreign
    (call,) = platform.calls(PATH)
    assert call.body["documents"] == TEXTS
    assert call.headers["authorization"] == f"Bearer {platform.key}"


def test_no_texts_are_no_call_and_blank_ones_are_not_sent(platform: StandIn) -> None:
    reader = made(platform)
    assert reader.score(QUESTION, []) == []
    assert platform.calls(PATH) == []
    scores = reader.score(QUESTION, [" \n", TEXTS[1], ""])
    assert scores[1] > scores[0] == scores[2] == 0
    assert platform.calls(PATH)[0].body["documents"] == [TEXTS[1]]


def test_more_texts_than_a_call_takes_are_divided_and_long_ones_cut(platform: StandIn) -> None:
    texts = [f"number {n} " + "x" * (5000 * (n % 2)) for n in range(300)]
    scores = made(platform).score("q" * 5000, texts)
    assert len(scores) == 300
    sent = [call.body["documents"] for call in platform.calls(PATH)]
    assert sorted(map(len, sent)) == [44, 128, 128]
    assert max(len(text) for documents in sent for text in documents) == 4096
    assert {len(call.body["query"]) for call in platform.calls(PATH)} == {4096}


def test_the_reranker_decides_among_the_hits(platform: StandIn) -> None:
    (best, *_) = retriever(made(platform)).search(Query(text=QUESTION, limit=2))
    assert best.chunk.text == TEXTS[1]
    assert "rerank" in best.found_by


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.error("1113"), id="no-money"),
        pytest.param(faults.error("1302"), id="too-many-calls"),
        pytest.param(faults.http_error(502), id="gateway"),
        pytest.param(faults.error("1222"), id="no-such-call"),
        pytest.param(faults.reset(), id="reset"),
        pytest.param(faults.without("results"), id="no-results"),
        pytest.param(faults.error("1301"), id="content-policy"),
    ],
)
def test_a_rerank_that_fails_leaves_the_order_and_warns(
    platform: StandIn, quick_retries: None, caplog: pytest.LogCaptureFixture, fault: faults.Fault
) -> None:
    platform.fault(PATH, fault, times=-1)
    wanted = retriever(None).search(Query(text=QUESTION, limit=3))
    with caplog.at_level(logging.WARNING, logger="docpipe.retrieve"):
        hits = retriever(made(platform)).search(Query(text=QUESTION, limit=3))
    assert hits == wanted
    assert "hits are not read again, their order stands" in caplog.text
    assert platform.key not in caplog.text


def test_a_missing_key_leaves_the_order_too_and_is_told_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    reader = ZaiReranker()
    assert len(retriever(reader).search(Query(text=QUESTION, limit=3))) == 3
    with pytest.raises(Unauthorized, match="ZAI_API_KEY is not set: rerank needs a key"):
        reader.require_key()


def test_a_service_that_hangs_costs_one_search_its_patience_and_the_next_nothing(platform: StandIn) -> None:
    platform.fault(PATH, faults.hang(), times=-1)
    reader = made(platform, seconds=0.2)
    with pytest.raises(Unavailable, match=r"no scores within 0\.2 seconds"):
        reader.score(QUESTION, TEXTS)
    sent, started = len(platform.calls(PATH)), time.monotonic()
    assert isinstance(reader.score_many([(QUESTION, TEXTS)] * 50)[49], Unavailable)
    assert time.monotonic() - started < 0.1
    assert len(platform.calls(PATH)) == sent


def test_a_refused_text_does_not_make_the_reranker_rest(platform: StandIn, quick_retries: None) -> None:
    platform.fault(PATH, faults.error("1301"), times=1)
    reader = made(platform)
    with pytest.raises(Refused):
        reader.score(QUESTION, TEXTS)
    assert len(reader.score(QUESTION, TEXTS)) == 3


def test_questions_of_one_search_are_read_at_once(platform: StandIn) -> None:
    platform.allow(PATH, 8)
    platform.latency(PATH, 0.1)
    reader = ZaiReranker(service=Endpoint(base_url=platform.base_url, concurrency=8))
    started = time.monotonic()
    found = retriever(reader).search_many([Query(text=f"{QUESTION} {n}", limit=2) for n in range(8)])
    assert time.monotonic() - started < 0.6
    assert all("rerank" in hits[0].found_by for hits in found)
    assert len(platform.calls(PATH)) == 8


@pytest.mark.parametrize(
    "results",
    [
        pytest.param(lambda rows: rows[:-1], id="one-missing"),
        pytest.param(lambda rows: [*rows, rows[0] | {"index": 9}], id="one-too-many"),
        pytest.param(lambda rows: [row | {"relevance_score": "0.5"} for row in rows], id="text-for-score"),
        pytest.param(lambda rows: "none", id="no-list"),
    ],
)
def test_replies_without_a_score_for_each_text_are_refused(results: Any) -> None:
    from docpipe._zai import rerank

    rows = [{"index": index, "relevance_score": 0.1 * index} for index in (2, 0, 1)]
    assert rerank.scores({"results": rows}, count=3) == pytest.approx([0.0, 0.1, 0.2])
    with pytest.raises(BadReply, match="asked for 3 scores"):
        rerank.scores({"results": results(rows)}, count=3)


def test_the_section_of_a_pipeline_file_makes_it() -> None:
    options = RetrieveOptions(rerank="zai", depth=50, service=Endpoint(base_url="https://example.org"))
    found = reranker(options)
    assert isinstance(found, ZaiReranker)
    assert (found.depth, found.service.base_url, found.languages) == (50, "https://example.org", ())


@pytest.mark.parametrize(("option", "value"), [("depth", 0), ("seconds", 0.0)])
def test_wrong_numbers_are_refused_by_name(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{option} must be"):
        ZaiReranker(**{option: value})  # type: ignore[arg-type]


def test_errors_of_an_account_are_raised_as_they_are(platform: StandIn) -> None:
    platform.fault(PATH, faults.error("1113"), times=1)
    with pytest.raises(OutOfCredit):
        made(platform).score(QUESTION, TEXTS)
