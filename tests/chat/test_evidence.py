"""Evidence is bounded, and an answer is made of nothing but quotes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from answering import answered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docpipe.chat.evidence import gather
from docpipe.chat.extractive import ExtractiveChat
from docpipe.chat.judging import judge
from docpipe.types import Hit

words = st.sampled_from(
    [
        "tide",
        "pump",
        "the",
        "2007",
        "Q3",
        "漏损率",
        "下降",
        "E23",
        "is",
        "8.7％",
        "。",
        ".",
        "?",
        "\n\n",
        "！",
        ",",
        "[1]",
    ]
)
texts = st.lists(words, max_size=30).map(" ".join)
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def hits_of(chunks: list[Any]) -> list[Hit]:
    return [Hit(chunk=one, score=1.0, rank=rank, found_by=("text",)) for rank, one in enumerate(chunks, start=1)]


@relaxed
@given(question=texts, said=st.lists(texts, max_size=4))
def test_features_are_small_numbers_whatever_is_asked_of_whatever(
    chunk: Callable[..., Any], question: str, said: list[str]
) -> None:
    found = gather(question, hits_of([chunk(text, uri=str(n)) for n, text in enumerate(said)]))
    for candidate in found:
        shares = candidate.features._asdict()
        assert all(-1 <= shares.pop(name) <= 1 for name in ("kind", "order", "news", "asked", "heading", "label"))
        assert all(0 <= value <= 1.000001 or name in ("length", "terms") for name, value in shares.items())
        assert candidate.features.sentence <= candidate.features.window + 1e-9
        assert candidate.features.sentence <= candidate.features.chunk + 1e-9
    quoted = [candidate.statement.text for candidate in found]
    assert len(set(quoted)) == len(quoted)


@relaxed
@given(question=texts, said=st.lists(texts, max_size=4))
def test_an_answer_holds_nothing_but_quotes_and_markers(
    chunk: Callable[..., Any], library: Callable[..., Any], question: str, said: list[str]
) -> None:
    if not any(letter.isalnum() for letter in question):
        return
    shelf = library(*(chunk(text, uri=str(n)) for n, text in enumerate(said)))
    answer = answered(ExtractiveChat(reader="none", confidence=0.0), question, shelf)
    rest = answer.text
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.marker == f"[{number}]"
        assert citation.verified
        source = said[int(citation.uri)]
        assert citation.quote in " ".join(source.split())
        rest = re.sub(rf"\A\s*{re.escape(citation.quote)} ?{re.escape(citation.marker)}", "", rest)
    assert (answer.origin == "none") == (not answer.citations)
    assert not rest or answer.origin == "none"


def test_the_rarer_of_two_words_weighs_more(chunk: Callable[..., Any]) -> None:
    common = [chunk(f"The pump runs in house {number}.", uri=str(number)) for number in range(6)]
    found = gather("Which pump leaks?", hits_of([*common, chunk("A valve leaks.", uri="v")]))
    by_text = {candidate.statement.text: candidate.features.sentence for candidate in found}
    assert by_text["A valve leaks."] > by_text["The pump runs in house 1."]


def test_a_statement_leans_on_its_heading_and_on_what_was_said_before(chunk: Callable[..., Any]) -> None:
    (candidate,) = [
        one
        for one in gather("x", hits_of([chunk("5.1 Calendar\n\nGrease the bearings. Do it every 500 hours.")]))
        if "500" in one.statement.text
    ]
    assert candidate.window == "5.1 Calendar Grease the bearings. Do it every 500 hours."


def test_nothing_found_is_judged_without_confidence() -> None:
    judgement = judge("x", [], reranker=None)
    assert (judgement.ranked, judgement.confidence) == ((), 0.0)


def test_confidence_grows_with_what_the_passage_holds(chunk: Callable[..., Any]) -> None:
    def confidence(text: str) -> float:
        return judge(
            "Who built the stone bridge?", gather("Who built the stone bridge?", hits_of([chunk(text)])), reranker=None
        ).confidence

    assert confidence("Oda built the stone bridge.") > confidence("Oda crossed the bridge.") > confidence("Oda slept.")


@pytest.mark.parametrize("text", ["", "\n\n", "<table>\n</table>", "<tr><td></td></tr>"], ids=repr)
def test_a_chunk_that_says_nothing_gives_no_evidence(chunk: Callable[..., Any], text: str) -> None:
    assert gather("What?", hits_of([chunk(text)])) == []
