"""Laws of shared phrases: a share, of what can be told apart, in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.retrieve.fusion import Fused, raised
from docpipe.retrieve.phrases import shared_phrases

words = st.lists(st.sampled_from(["pump", "filter", "is", "off", "泵", "水", "GLM"]), max_size=8).map(" ".join)


@given(question=words, texts=st.lists(words, max_size=5))
def test_each_text_gets_a_share_and_the_whole_question_holds_all_of_it(question: str, texts: list[str]) -> None:
    shares = shared_phrases(question, [*texts, question])
    assert len(shares) == len(texts) + 1
    assert all(-1e-9 <= share <= shares[-1] + 1e-9 <= 1 + 2e-9 for share in shares)


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("how to change the oil filter", "The oil filter is old.", "Filter the old oil."),
        ("Oil filters?", "an oil filter", "oil, or a filter"),
        ("水泵的开关在哪里", "水泵在楼下。", "泵房里有水。"),
        ("GLM-OCR 的价格", "GLM OCR 很快", "OCR 和 GLM"),
    ],
    ids=["words", "plural", "characters", "mixed"],
)
def test_words_side_by_side_count_and_the_same_words_apart_do_not(question: str, near: str, far: str) -> None:
    shares = shared_phrases(question, [far, near])
    assert shares[1] > shares[0] == 0


def test_a_phrase_that_every_text_holds_tells_less_than_a_rare_one() -> None:
    texts = ["the pump runs in reverse mode", "the pump hums", "the pump leaks"]
    shares = shared_phrases("the pump in reverse mode", texts)
    assert shares[0] > 2 * shares[1] > 0


def test_nothing_shared_is_nothing_gained() -> None:
    assert shared_phrases("one two", ["three four", ""]) == [0.0, 0.0]
    assert shared_phrases("", ["three four"]) == [0.0]
    assert shared_phrases("one two", []) == []


def test_a_gain_can_change_the_order_of_close_candidates_only() -> None:
    found = [Fused(id=name, score=score, found_by=("text",)) for name, score in {"a": 0.5, "b": 0.45, "c": 0.1}.items()]
    assert [one.id for one in raised(found, [0.0, 1.0, 1.0], [0.0, 0.0, 0.0])] == ["b", "a", "c"]
