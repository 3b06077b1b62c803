"""Vectors from a service, against the stand-in platform and by law."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults

from docpipe._http.endpoint import Endpoint
from docpipe.embed import http
from docpipe.embed.batches import batches, shortened
from docpipe.embed.http import HttpEmbedder
from docpipe.errors import BadReply, EmbedError, InvalidOption, OutOfCredit, Refused, Unauthorized, Unavailable

PATH = "/embeddings"


@pytest.fixture
def made(platform: StandIn, quick_retries: None) -> Iterator[HttpEmbedder]:
    yield embedder(platform)


def embedder(platform: StandIn, **options: object) -> HttpEmbedder:
    given: dict[str, object] = {"dimensions": 256, **options}
    return HttpEmbedder(service=Endpoint(base_url=platform.base_url), **given)  # type: ignore[arg-type]


@given(
    counts=st.lists(st.integers(0, 400), max_size=60),
    most_texts=st.integers(1, 9),
    most_tokens=st.integers(1, 500),
)
def test_every_text_is_in_one_batch_and_batches_keep_their_limits(
    counts: list[int], most_texts: int, most_tokens: int
) -> None:
    groups = batches(counts, most_texts=most_texts, most_tokens=most_tokens)
    assert sorted(at for group in groups for at in group) == list(range(len(counts)))
    for group in groups:
        assert len(group) <= most_texts
        assert len(group) == 1 or sum(counts[at] for at in group) <= most_tokens


@given(text=st.text(min_size=1, max_size=300), most=st.integers(1, 50))
def test_a_shortened_text_is_a_begin_of_it(text: str, most: int) -> None:
    short = shortened(text, tokens=len(text), most=most)
    assert short
    assert text.startswith(short)
    assert len(text) <= most or len(short) <= most


def test_vectors_have_length_one_and_come_in_the_order_of_the_texts(made: HttpEmbedder) -> None:
    texts = [f"a text about the {word}" for word in ("tide", "pump", "valve", "tide")]
    rows = made.embed_passages(texts)
    assert rows.shape == (4, 256)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.array_equal(rows[0], rows[3])
    alone = made.embed_queries(["a text about the valve"])
    assert np.allclose(alone[0], rows[2], atol=1e-5)


def test_no_request_is_above_the_limits_and_equal_texts_are_sent_once(platform: StandIn, made: HttpEmbedder) -> None:
    made.embed_passages([f"number {n % 150}" for n in range(300)])
    sent = [call.body["input"] for call in platform.calls(PATH)]
    assert max(map(len, sent)) <= 64
    assert sorted(text for texts in sent for text in texts) == sorted(f"number {n}" for n in range(150))


def test_the_identity_names_family_model_and_dimensions() -> None:
    assert HttpEmbedder(dimensions=1024).model == "zai:embedding-3:1024"
    assert HttpEmbedder(model="text-embedding-3-small").model == "openai:text-embedding-3-small:1536"
    own = HttpEmbedder(model="bge-m3:latest", dimensions=1024)
    assert (own.model, own.name, own.dim) == ("own:bge-m3:latest:1024", "bge-m3:latest", 1024)
    assert HttpEmbedder(model=own.model).model == own.model


def test_a_model_that_is_not_known_needs_its_dimensions() -> None:
    with pytest.raises(InvalidOption, match="does not know the model 'bge-m3'"):
        HttpEmbedder(model="bge-m3")
    with pytest.raises(InvalidOption, match="no vectors of 300 numbers"):
        HttpEmbedder(dimensions=300)


def test_a_failed_batch_loses_nothing_that_was_finished(platform: StandIn, quick_retries: None) -> None:
    one_by_one = embedder(platform, batch_texts=1)
    texts = [f"text {n}" for n in range(6)]
    platform.fault(PATH, faults.error("1234"), times=1_000, after=3)
    with pytest.raises(Unavailable):
        one_by_one.embed_passages(texts)
    paid = {call.body["input"][0] for call in platform.calls(PATH) if call.status == 200}
    assert len(paid) == 3
    platform.mend()
    platform.forget()
    assert one_by_one.embed_passages(texts).shape == (6, 256)
    assert {call.body["input"][0] for call in platform.calls(PATH)} == set(texts) - paid


def test_an_account_without_money_is_told_at_once(platform: StandIn, made: HttpEmbedder) -> None:
    platform.fault(PATH, faults.error("1113"), times=100)
    with pytest.raises(OutOfCredit):
        made.embed_passages(["a", "b"])
    assert len(platform.calls(PATH)) == 1


def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    with pytest.raises(Unauthorized, match="ZAI_API_KEY is not set"):
        HttpEmbedder().require_key()


def test_a_text_above_the_models_limit_is_cut(platform: StandIn, made: HttpEmbedder) -> None:
    assert made.embed_passages(["word " * 9_000]).shape == (1, 256)
    ((sent,),) = [call.body["input"] for call in platform.calls(PATH) if call.status == 200]
    assert len(sent) < 5 * 3072


def test_a_text_that_is_refused_does_not_cost_its_neighbours(platform: StandIn, made: HttpEmbedder) -> None:
    platform.fault(PATH, faults.error("1301"), times=2)
    with pytest.raises(EmbedError, match="will not embed a text"):
        made.embed_passages(["good", "bad"])
    platform.mend()
    platform.forget()
    made.embed_passages(["good", "bad"])
    assert len(platform.calls(PATH)) == 1
    assert len(platform.calls(PATH)[0].body["input"]) == 1


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        pytest.param("embedding-3", ["the water of the pump is warm " * 900, "水泵的开关在侧面。" * 900], id="long"),
        pytest.param("embedding-3", [f"{n} " + "pump valve " * 300 for n in range(90)], id="many"),
        pytest.param("embedding-2", [f"{n} " + "pump valve " * 300 for n in range(70)], id="small-requests"),
    ],
)
def test_nothing_is_sent_that_is_refused_for_its_length(platform: StandIn, model: str, texts: list[str]) -> None:
    assert embedder(platform, model=model, dimensions=0).embed_passages(texts).shape[0] == len(texts)
    assert {call.status for call in platform.calls(PATH)} == {200}


def test_texts_that_have_more_tokens_than_any_estimate_are_halved_until_they_pass(
    platform: StandIn, made: HttpEmbedder
) -> None:
    texts = ["straightforward " * 1500, "pump", "valve"]
    assert made.embed_passages(texts).shape == (3, 256)
    assert sum(call.status != 200 for call in platform.calls(PATH)) <= 3
    assert len(platform.calls(PATH)) <= 6


def test_a_blank_text_gets_a_vector_and_no_empty_string_is_sent(platform: StandIn, made: HttpEmbedder) -> None:
    rows = made.embed_passages(["", " \n", "pump"])
    assert np.isfinite(rows).all()
    assert all(text.strip() for call in platform.calls(PATH) for text in call.body["input"])
    assert made.embed_passages([]).shape == (0, 256)


def test_after_an_error_of_the_service_no_batch_is_begun(platform: StandIn, quick_retries: None) -> None:
    platform.fault(PATH, faults.error("1234"), times=-1)
    service = Endpoint(base_url=platform.base_url, attempts=2)
    with pytest.raises(Unavailable):
        HttpEmbedder(dimensions=256, service=service, batch_texts=1).embed_passages([f"text {n}" for n in range(200)])
    assert len(platform.calls(PATH)) <= 6 * 2


@pytest.mark.parametrize(
    "fault", [faults.error("1214"), faults.http_error(400), faults.error("1210")], ids=["field", "bare", "parameters"]
)
def test_a_call_that_is_refused_whatever_the_text_is_not_tried_with_each(
    platform: StandIn, made: HttpEmbedder, fault: faults.Fault
) -> None:
    platform.fault(PATH, fault, times=-1)
    with pytest.raises(Refused):
        made.embed_passages([f"text {n}" for n in range(60)])
    assert len(platform.calls(PATH)) == 2


def test_one_text_that_is_refused_costs_few_calls_and_the_others_are_kept(
    platform: StandIn, made: HttpEmbedder
) -> None:
    texts = [f"text {n}" for n in range(60)] + ["what nobody may say"]
    bad = faults.error("1301")
    platform.fault(PATH, replace(bad, when=lambda body: texts[-1] in body["input"]), times=-1)
    with pytest.raises(EmbedError, match="will not embed a text of 19 characters"):
        made.embed_passages(texts)
    assert len(platform.calls(PATH)) < 16
    platform.mend()
    platform.forget()
    made.embed_passages(texts)
    assert [call.body["input"] for call in platform.calls(PATH)] == [texts[-1:]]


def test_a_question_between_two_tries_does_not_cost_what_was_kept(platform: StandIn, quick_retries: None) -> None:
    one_by_one = embedder(platform, batch_texts=1)
    platform.fault(PATH, faults.error("1234"), times=1_000, after=3)
    with pytest.raises(Unavailable):
        one_by_one.embed_passages([f"text {n}" for n in range(6)])
    platform.mend()
    one_by_one.embed_queries(["where?"])
    platform.forget()
    one_by_one.embed_passages([f"text {n}" for n in range(6)])
    assert len(platform.calls(PATH)) == 3


@pytest.mark.parametrize(
    ("vector", "kind", "message"),
    [
        pytest.param([0.0] * 256, EmbedError, "without a direction", id="zero"),
        pytest.param([float("nan")] * 256, EmbedError, "without a direction", id="nan"),
        pytest.param([1.0] * 255, BadReply, r"got 3 of the lengths \[255, 256\]", id="short"),
        pytest.param([[1.0]] * 256, BadReply, "256 were expected", id="nested"),
        pytest.param(["x"] * 256, BadReply, "256 were expected", id="words"),
    ],
)
def test_vectors_that_are_none_are_told_and_the_others_kept(
    platform: StandIn, quick_retries: None, vector: list[object], kind: type[Exception], message: str
) -> None:
    def spoilt(payload: dict[str, list[dict[str, object]]]) -> object:
        return {
            **payload,
            "data": [{**row, "embedding": vector} if row["index"] == 1 else row for row in payload["data"]],
        }

    one = embedder(platform)
    platform.fault(PATH, faults.Fault(edit=spoilt), times=-1)
    with pytest.raises(kind, match=message):
        one.embed_passages(["a long text", "text", "t"])
    platform.mend()
    platform.forget()
    if kind is EmbedError:
        assert one.embed_passages(["a long text", "text", "t"]).shape == (3, 256)
        assert [len(call.body["input"]) for call in platform.calls(PATH)] == [1]


def test_a_server_of_ones_own_needs_no_key(platform: StandIn) -> None:
    own = HttpEmbedder(model="bge-m3", dimensions=1024, service=Endpoint(base_url=platform.host_url + "/v1", key=""))
    own.require_key()
    assert own.embed_queries(["pump"]).shape == (1, 1024)
    (call,) = platform.calls("/v1/embeddings")
    assert set(call.body) == {"model", "input"}
    assert "authorization" not in call.headers


def test_texts_for_another_platform_are_not_sent_to_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "id.secret")
    with pytest.raises(InvalidOption, match="has no model 'text-embedding-3-small'"):
        HttpEmbedder(model="text-embedding-3-small").embed_queries(["private"])


def test_what_is_kept_of_failed_calls_is_bounded(monkeypatch: pytest.MonkeyPatch, platform: StandIn) -> None:
    monkeypatch.setattr(http, "_KEPT_NUMBERS", 256 * 4)
    one = embedder(platform)
    one._keep({f"text {n}": np.ones(256, np.float32) for n in range(9)})
    assert list(one._finished) == ["text 5", "text 6", "text 7", "text 8"]


def test_batches_are_under_way_at_the_same_time(platform: StandIn) -> None:
    platform.latency(PATH, 0.1)
    started = time.monotonic()
    embedder(platform, batch_texts=2).embed_passages([f"text {n}" for n in range(16)])
    assert 0.2 <= time.monotonic() - started < 0.6
