"""Ranks, measures, and whether one version of an index may take another's place."""

import json
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library import SharedWords, make_chunk

from docpipe.pipeline.golden.evaluation import Asked, Evaluation, Found, compare, evaluate, form, read, shortfalls
from docpipe.pipeline.golden.options import EvalOptions, Thresholds
from docpipe.pipeline.golden.questions import Question

ASKED = st.builds(
    Asked,
    question=st.text(min_size=1),
    where=st.sampled_from(["", "language = zh"]),
    expect=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    contains=st.text(),
    rank=st.integers(0, 8),
    hits=st.lists(
        st.builds(Found, st.text(min_size=1), st.lists(st.integers(1, 99), max_size=2).map(tuple), st.text()),
        max_size=8,
    ).map(tuple),
)
EVALUATIONS = st.builds(
    Evaluation,
    limit=st.integers(1, 20),
    asked=st.lists(ASKED, max_size=6, unique_by=lambda one: one.key).map(tuple),
)


def ranked(**ranks: int) -> Evaluation:
    """An evaluation whose questions have these ranks."""
    asked = (
        Asked(question=name, rank=rank, hits=(Found("a.md", (rank,), f"{name}{rank}"),)) for name, rank in ranks.items()
    )
    return Evaluation(limit=8, asked=tuple(asked))


@given(EVALUATIONS)
def test_an_evaluation_is_read_back_from_its_json(evaluation: Evaluation) -> None:
    assert read(json.loads(json.dumps(form(evaluation)))) == evaluation


def test_the_json_of_a_run_without_questions_holds_no_evaluation() -> None:
    assert read({}) is None


@given(EVALUATIONS)
def test_measures_are_shares_and_ordered(evaluation: Evaluation) -> None:
    slack = 1e-9
    assert 0 <= evaluation.mrr <= evaluation.ndcg + slack <= evaluation.hit_rate + 2 * slack <= 1 + 3 * slack


def test_measures_of_three_questions() -> None:
    evaluation = ranked(first=1, third=3, never=0)
    assert evaluation.hit_rate == pytest.approx(2 / 3)
    assert evaluation.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert evaluation.ndcg == pytest.approx((1 + 1 / log2(4)) / 3)
    assert ranked().hit_rate == 0


def test_questions_are_asked_in_one_call_with_their_filters_and_the_limit() -> None:
    library = SharedWords([make_chunk("the pump stops", uri="a.md"), make_chunk("the pump runs", uri="b.md")])
    calls: list[int] = []

    def search_many(queries: list[object]) -> list[list[object]]:
        calls.append(len(queries))
        return library.search_many(queries)  # type: ignore[arg-type,return-value]

    questions = (
        Question(question="the pump runs", expect=("b.md",)),
        Question(question="pump stops", expect=("b.md",), where="page = 1"),
        Question(question="lighthouse", expect=("c.md",)),
    )
    evaluation = evaluate(search_many, questions, limit=2, mode="text")  # type: ignore[arg-type]
    assert calls == [3]
    assert [one.rank for one in evaluation.asked] == [1, 2, 0]
    assert [(query.where, query.limit, query.mode) for query in library.asked] == [
        ("", 2, "text"),
        ("page = 1", 2, "text"),
        ("", 2, "text"),
    ]


@given(EVALUATIONS)
def test_a_version_may_always_take_its_own_place(evaluation: Evaluation) -> None:
    verdict = compare(evaluation, evaluation, EvalOptions())
    assert verdict.holds
    assert not (verdict.worse or verdict.better or verdict.moved or verdict.reasons)


@given(EVALUATIONS, EVALUATIONS)
def test_worse_one_way_is_better_the_other_way(one: Evaluation, other: Evaluation) -> None:
    there, back = compare(one, other, EvalOptions()), compare(other, one, EvalOptions())
    assert {(it.question, it.where) for it in there.worse} == {(it.question, it.where) for it in back.better}
    assert {(it.question, it.where) for it in there.moved} == {(it.question, it.where) for it in back.moved}
    assert there.holds == (not there.reasons)


def test_a_lost_question_keeps_a_version_back_and_is_named() -> None:
    verdict = compare(ranked(a=1, b=2, c=3), ranked(a=1, b=0, c=1), EvalOptions())
    assert not verdict.holds
    assert [(one.question, one.before, one.after) for one in verdict.worse] == [("b", 2, 0)]
    assert [one.question for one in verdict.better] == ["c"]
    assert verdict.reasons == ("'b' was found at rank 2, and is no more",)


def test_a_question_that_fell_is_told_and_loses_nothing() -> None:
    verdict = compare(ranked(a=1, b=1), ranked(a=3, b=1), EvalOptions())
    assert verdict.holds
    assert [one.question for one in verdict.worse] == ["a"]
    assert verdict.lost == ()


def test_so_many_questions_may_be_lost_as_the_pipeline_says() -> None:
    assert compare(ranked(a=1, b=1), ranked(a=0, b=1), EvalOptions(max_worse=1)).holds
    assert not compare(ranked(a=1, b=1), ranked(a=0, b=0), EvalOptions(max_worse=1)).holds


def test_questions_that_only_one_side_was_asked_are_not_compared() -> None:
    verdict = compare(ranked(a=1, old=1), ranked(a=1, new=0), EvalOptions())
    assert verdict.holds
    assert not verdict.worse


def test_a_missed_threshold_keeps_a_version_back_even_where_nothing_got_worse() -> None:
    options = EvalOptions(thresholds=Thresholds(hit_rate=0.75, mrr=0.3))
    verdict = compare(ranked(a=1, b=0), ranked(a=1, b=0), options)
    assert not verdict.holds
    assert verdict.below == ("hit_rate is 0.500, below 0.75",)
    assert verdict.reasons == verdict.below


def test_a_threshold_is_reached_by_its_own_value() -> None:
    thirds = ranked(a=1, b=1, c=0)
    assert shortfalls(thirds, Thresholds(hit_rate=2 / 3)) == ()
