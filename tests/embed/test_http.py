"""Vectors from a service, against the stand-in platform and by law."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults

from docpipe._http.endpoint import Endpoint
from docpipe.embed.batches import batches, shortened
from docpipe.embed.http import HttpEmbedder
from docpipe.errors import EmbedError, InvalidOption, OutOfCredit, Unauthorized, Unavailable

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
