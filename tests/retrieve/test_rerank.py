"""The packaged cross-encoder: sense, order, limits and errors."""

import numpy as np
import pytest

from docpipe import _onnx
from docpipe._weights import RERANKER_EN_MODEL, RERANKER_EN_TOKENIZER
from docpipe.errors import StageError
from docpipe.protocols import Reranker
from docpipe.retrieve.rerank import LocalReranker, _pair

RERANKER: Reranker = LocalReranker(threads=2)
ANSWER = "Switch the pump off before you change the filter."


def test_the_answering_text_scores_above_the_related_and_the_foreign_one() -> None:
    texts = ["Cats sleep for most of the day.", ANSWER, "Filters are sold in packs of ten."]
    foreign, answer, related = RERANKER.score("What must be done before the filter is changed?", texts)
    assert answer > 0 > related > foreign


def test_a_score_does_not_depend_on_the_other_texts() -> None:
    question = "How is the filter changed?"
    assert RERANKER.score(question, [ANSWER, "x " * 400, ""])[0] == RERANKER.score(question, [ANSWER])[0]
    assert RERANKER.score(question, []) == []


def test_pairs_are_joined_as_the_models_own_tokenizer_joins_them() -> None:
    loaded = _onnx.network(RERANKER_EN_MODEL, RERANKER_EN_TOKENIZER, max_tokens=512)
    question, text = loaded.token_ids(["How is it done?", ANSWER])
    ids, segments = _pair(question, text, limit=256)
    wanted = loaded.tokenizer.encode_pair("How is it done?", ANSWER)
    assert (ids.tolist(), segments.tolist()) == (wanted.ids, wanted.type_ids)


@pytest.mark.parametrize(
    ("question", "text", "asked"), [(300, 400, 64), (300, 10, 247), (10, 400, 10), (3, 3, 3)], ids=str
)
def test_long_pairs_are_cut_to_the_limit_and_keep_their_marks(question: int, text: int, asked: int) -> None:
    ids, segments = _pair(np.arange(question), 1000 + np.arange(text), limit=256)
    assert len(ids) == len(segments) == min(256, question + text - 1)
    assert int((segments == 0).sum()) == asked
    assert ids[asked - 1] == question - 1 and ids[-1] == 1000 + text - 1


@pytest.mark.parametrize(("option", "value"), [("depth", 0), ("max_tokens", 513), ("max_tokens", 4), ("threads", -1)])
def test_wrong_numbers_are_refused_by_name(option: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{option} must .*, got {value}"):
        LocalReranker(**{option: value})


def test_a_failing_model_says_how_to_go_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, ids: object, segments: object) -> None:
        raise _onnx.run_errors()[0]("bad allocation")

    monkeypatch.setattr(_onnx.Network, "first_row", fail)
    with pytest.raises(StageError, match="the reranker failed on 6 tokens: bad allocation") as caught:
        LocalReranker(threads=1).score("why?", ["so"])
    assert "rerank: none" in caught.value.remedy
