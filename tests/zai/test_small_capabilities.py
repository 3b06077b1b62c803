"""Tokenizer and embeddings: what is sent and what replies may look like. Rerank is tested with its stage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin import StandIn

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._zai import embeddings, tokens
from docpipe._zai.embeddings import Embeddings
from docpipe._zai.tokens import TokenCounter
from docpipe.errors import BadReply, Refused

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When does it leave?"}]


@pytest.mark.parametrize(
    ("model", "counted"), [("glm-4.5", "glm-4.5"), ("glm-5", "glm-4.6"), ("glm-4.7", "glm-4.6"), ("own", "glm-4.6")]
)
def test_a_model_that_the_tokenizer_does_not_know_is_counted_as_the_nearest(
    platform: StandIn, model: str, counted: str
) -> None:
    counter = TokenCounter(Endpoint(base_url=platform.base_url))
    assert loop.wait(counter.count(ASKED, model=model)) > 8
    assert platform.calls("/tokenizer")[0].body["model"] == counted


def test_a_conversation_without_a_user_cannot_be_counted(platform: StandIn) -> None:
    counter = TokenCounter(Endpoint(base_url=platform.base_url))
    with pytest.raises(Refused, match="more than system"):
        loop.wait(counter.count(ASKED[:1]))


@pytest.mark.parametrize(
    ("usage", "count"),
    [({"prompt_tokens": 14, "image_tokens": 3, "total_tokens": 17}, 14), ({"total_tokens": 9}, 9)],
    ids=["prompt", "total-only"],
)
def test_the_prompt_is_what_counts(usage: dict[str, Any], count: int) -> None:
    assert tokens.counted({"usage": usage}) == count


@pytest.mark.parametrize("usage", [None, {}, [1], {"prompt_tokens": 0}, {"prompt_tokens": True}, {"total_tokens": "9"}])
def test_a_reply_without_a_count_is_told(usage: Any) -> None:
    with pytest.raises(BadReply, match="holds no count"):
        tokens.counted({"usage": usage})


def test_vectors_are_in_the_order_of_the_texts_and_as_long_as_asked(platform: StandIn) -> None:
    service = Embeddings(Endpoint(base_url=platform.base_url))
    texts = ["one pump", "two valves", "one pump"]
    vectors, used = loop.wait(service.embed(texts, model="embedding-3", dimensions=256))
    assert vectors[0] == vectors[2] != vectors[1]
    assert {len(vector) for vector in vectors} == {256}
    assert used.prompt > 0
    assert set(platform.calls("/embeddings")[0].body) == {"model", "input", "dimensions"}


@given(order=st.permutations(range(5)))
def test_rows_are_sorted_by_their_index(order: list[int]) -> None:
    rows = [{"index": index, "embedding": [float(index), 1.0]} for index in order]
    assert embeddings.vectors({"data": rows}, count=5) == [[float(index), 1.0] for index in range(5)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{"index": 0, "embedding": [1.0]}], id="one-missing"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}], id="one-twice"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}], id="two-lengths"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": None}], id="null"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AAAA"}], id="base64"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 7, "embedding": [1.0]}], id="no-such-text"),
        pytest.param([{"index": "0", "embedding": [1.0]}, 7], id="odd"),
        pytest.param(None, id="none"),
    ],
)
def test_not_one_vector_for_each_text_is_told(rows: Any) -> None:
    with pytest.raises(BadReply, match="asked for 2 vectors"):
        embeddings.vectors({"data": rows}, count=2)


def test_rows_without_an_index_are_taken_as_they_stand() -> None:
    assert embeddings.vectors({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}, count=2) == [[1.0], [2.0]]
