"""Laws of fusion: nothing lost, nothing invented, and no vote for a leg that knows nothing."""

from itertools import pairwise
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.retrieve.fusion import (
    OTHER_SCRIPT,
    VECTOR_SHARE,
    Fused,
    fuse,
    reread,
    speaks,
    spread,
    text_leg,
    vector_leg,
    vector_share,
)

Scores = dict[str, float]
tenths = st.integers(0, 10).map(lambda number: number / 10)
scores = st.dictionaries(st.sampled_from(ascii_lowercase), tenths, max_size=12)
shares = st.floats(0, 1)


def best_first(found: Scores, *, scale: float = 1.0) -> list[tuple[str, float]]:
    return sorted(((one, score * scale) for one, score in found.items()), key=lambda pair: (-pair[1], pair[0]))


def fused(vector: Scores, text: Scores, *, share: float = VECTOR_SHARE, limit: int = 100) -> list[Fused]:
    words = text_leg(best_first(text, scale=30.0), weight=1 - share, limit=limit)
    return fuse([vector_leg(best_first(vector), weight=share), words])


@given(vector=scores, text=scores, share=shares)
def test_every_candidate_of_a_leg_comes_out_once_with_the_legs_that_brought_it(
    vector: Scores, text: Scores, share: float
) -> None:
    result = fused(vector, text, share=share)
    assert sorted(one.id for one in result) == sorted({*vector, *text})
    for one in result:
        assert one.found_by == ("vector",) * (one.id in vector) + ("text",) * (one.id in text)
    assert all(before.score >= after.score for before, after in pairwise(result))


@given(vector=scores, text=scores, share=shares)
def test_what_both_legs_place_higher_stays_higher(vector: Scores, text: Scores, share: float) -> None:
    places = {one.id: place for place, one in enumerate(fused(vector, text, share=share))}
    both = sorted(vector.keys() & text.keys())
    for one in both:
        for other in both:
            if vector[one] > vector[other] + 1e-3 and text[one] > text[other] + 1e-3:
                assert places[one] < places[other]


@given(vector=scores, text=scores)
def test_a_leg_without_a_vote_only_orders_what_the_other_leaves_even(vector: Scores, text: Scores) -> None:
    order = [one.id for one in fused(vector, text, share=0.0) if one.id in text]
    assert [text[one] for one in order] == sorted(text.values(), reverse=True)


@given(text=scores)
def test_a_leg_that_scores_all_alike_decides_nothing(text: Scores) -> None:
    flat = dict.fromkeys(text, 0.8)
    order = [text[one.id] for one in fused(flat, text)]
    assert all(before >= after - 1e-9 for before, after in pairwise(order))


def test_a_leg_that_is_sure_outvotes_one_that_is_not() -> None:
    sure = {"a": 0.95, "b": 0.42, "c": 0.41, "d": 0.40}
    unsure = {"b": 0.52, "c": 0.51, "d": 0.50, "a": 0.49}
    assert fused(sure, unsure)[0].id == "a"
    assert fused(unsure, sure)[0].id == "a"


def test_a_short_list_of_words_means_that_nothing_else_holds_them() -> None:
    vector = {"a": 0.80, "b": 0.81, "c": 0.82, "d": 0.80}
    exhausted, cut = (fused(vector, {"a": 0.9, "b": 0.8}, limit=limit) for limit in (100, 2))
    assert {one.id for one in exhausted[:2]} == {"a", "b"}
    assert cut[-1].score > exhausted[-1].score


def test_nothing_found_is_an_empty_list() -> None:
    assert fused({}, {}) == []
    assert [one.id for one in fused({}, {"a": 0.5})] == ["a"]


@given(found=scores)
def test_spreading_keeps_every_candidate_and_each_documents_order(found: Scores) -> None:
    before = fused(found, {})
    documents = {one.id: "left" if one.id < "m" else "right" for one in before}
    after = spread(before, documents)
    assert all(one.score >= other.score for one, other in pairwise(after))
    for document in ("left", "right"):
        orders = [[one.id for one in some if documents[one.id] == document] for some in (before, after)]
        assert orders[0] == orders[1]
    assert {one.id for one in after} == {one.id for one in before}


def test_another_document_gets_in_before_a_third_hit_of_about_the_same_score() -> None:
    scores = {"a": 0.5, "b": 0.499, "c": 0.498, "d": 0.49}
    found = [Fused(id=name, score=score, found_by=("text",)) for name, score in scores.items()]
    assert [one.id for one in spread(found, {"a": "1", "b": "1", "c": "1", "d": "2"})] == ["a", "d", "b", "c"]
    assert [one.id for one in spread(found, dict.fromkeys("abcd", "1"))] == ["a", "b", "c", "d"]


@given(found=scores, read=st.lists(st.floats(-12, 12), max_size=12))
def test_rereading_keeps_every_candidate_and_puts_the_read_ones_first(found: Scores, read: list[float]) -> None:
    before = fused(found, {})
    read = read[: len(before)]
    after = reread(before, read)
    assert {one.id for one in after} == {one.id for one in before}
    assert {one.id for one in after[: len(read)]} == {one.id for one in before[: len(read)]}
    assert [one.id for one in after[len(read) :]] == [one.id for one in before[len(read) :]]
    assert all(one.score >= other.score for one, other in pairwise(after))
    assert [one.found_by[-1] == "rerank" for one in after] == [place < len(read) for place in range(len(after))]


def test_rereading_does_not_depend_on_the_rerankers_scale() -> None:
    before = fused({"a": 0.9, "b": 0.85, "c": 0.5}, {"a": 0.8, "b": 0.75, "c": 0.5})
    small, large = reread(before, [0.1, 0.9, 0.5]), reread(before, [-8.0, 8.0, 0.0])
    assert [one.id for one in small] == [one.id for one in large]
    assert [one.id for one in before] == ["a", "b", "c"] and small[0].id == "b"


@pytest.mark.parametrize(
    ("question", "languages", "share"),
    [
        ("How is the pump switched off?", ("en",), VECTOR_SHARE),
        ("pump pressure", ("en",), VECTOR_SHARE),
        ("怎样关闭水泵？", ("en",), OTHER_SCRIPT),
        ("GLM-OCR API 怎样关闭水泵的电源？", ("en",), OTHER_SCRIPT),
        ("泵", ("en",), OTHER_SCRIPT),
        ("How is the pump switched off?", ("zh",), OTHER_SCRIPT),
        ("Как выключить насос?", ("en",), OTHER_SCRIPT),
        ("怎样关闭水泵？", ("zh", "en"), VECTOR_SHARE),
        ("泵", ("zh",), VECTOR_SHARE),
        ("怎样关闭水泵？", (), VECTOR_SHARE),
    ],
)
def test_the_vector_leg_votes_where_its_model_reads_the_question(
    question: str, languages: tuple[str, ...], share: float
) -> None:
    assert vector_share(question, languages=languages) == share
    assert speaks(question, languages) == (share == VECTOR_SHARE)


def test_a_language_in_known_letters_keeps_the_vote_but_is_not_spoken() -> None:
    question = "Wie wird die Pumpe mit dem Schalter an der Seite ausgeschaltet?"
    assert vector_share(question, languages=("en",)) == VECTOR_SHARE
    assert not speaks(question, ("en",))
