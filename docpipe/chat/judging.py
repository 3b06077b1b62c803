"""Candidates -> how well each answers, and whether any does (pure, but for the reranker it is given)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from docpipe.chat.evidence import Candidate
from docpipe.protocols import Reranker

__all__ = ["BY_READING", "BY_WORDS", "Doubts", "Judged", "Judgement", "Weights", "judge"]


class Reading(NamedTuple):
    """What a reranker makes of a candidate: log odds that it answers the question."""

    statement: float
    """Read alone."""
    window: float
    """Read with its heading and the statement before it."""


class Doubts(NamedTuple):
    """What tells a question that the hits answer from one that they do not; of the best candidates."""

    best: float
    """The highest log odds that the reranker gave; 0 without one."""
    alone: float
    """The highest that it gave to a statement without its window; 0 without one."""
    several: float
    """The mean of the three best windows' log odds; 0 without a reranker."""
    window: float
    """As in `Features`, of the best candidate; so the rest."""
    chunk: float
    specifics: float
    numbers: float
    rank: float
    length: float
    terms: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate and the log odds that it holds the answer, if there is one."""

    candidate: Candidate
    score: float
    facts: Mapping[str, float]
    """What the score was weighed from."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Candidates, best first, and the probability that they answer the question at all."""

    ranked: tuple[Judged, ...]
    confidence: float
    doubts: Doubts | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a logistic model each: for the order of statements, and for the confidence. The key `""` is the bias."""

    statement: Mapping[str, float]
    confidence: Mapping[str, float]


def judge(
    question: str, candidates: Sequence[Candidate], *, reranker: Reranker | None, weights: Weights | None = None
) -> Judgement:
    """Put candidates in order. With a reranker, its `depth` most promising ones are read and the rest left out.

    Args:
        weights: to judge by; those that were fitted for the case unless given.
    """
    weights = weights or (BY_READING if reranker else BY_WORDS)
    chosen = _promising(candidates, reranker.depth) if reranker else candidates
    if not chosen:
        return Judgement((), 0.0)
    readings = _read(question, chosen, reranker) if reranker else [None] * len(chosen)
    facts = [_facts(candidate, reading) for candidate, reading in zip(chosen, readings, strict=True)]
    judged = [
        Judged(candidate, _weighed(known, weights.statement), known)
        for candidate, known in zip(chosen, facts, strict=True)
    ]
    ranked = tuple(sorted(judged, key=lambda one: -one.score))
    doubts = _doubts(ranked)
    return Judgement(ranked, _sigmoid(_weighed(doubts._asdict(), weights.confidence)), doubts)


def _promising(candidates: Sequence[Candidate], depth: int) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -_weighed(_facts(candidate), BY_WORDS.statement))[:depth]


def _read(question: str, chosen: Sequence[Candidate], reranker: Reranker) -> list[Reading]:
    alone = [candidate.statement.told for candidate in chosen]
    scores = reranker.score(question, alone + [candidate.window for candidate in chosen])
    return [Reading(*pair) for pair in zip(scores[: len(alone)], scores[len(alone) :], strict=True)]


def _facts(candidate: Candidate, reading: Reading | None = None) -> dict[str, float]:
    facts = candidate.features._asdict()
    if reading:
        facts |= {"reading": reading.statement, "window_reading": reading.window}
    return facts


def _doubts(ranked: Sequence[Judged]) -> Doubts:
    best = ranked[0].candidate.features
    windows = sorted((judged.facts.get("window_reading", 0.0) for judged in ranked), reverse=True)[:3]
    alone = max(judged.facts.get("reading", 0.0) for judged in ranked)
    return Doubts(
        best=max(windows[0], alone),
        alone=alone,
        several=sum(windows) / len(windows),
        window=best.window,
        chunk=best.chunk,
        specifics=best.specifics,
        numbers=best.numbers,
        rank=best.rank,
        length=best.length,
        terms=best.terms,
    )


def _weighed(facts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return weights.get("", 0.0) + sum(value * weights.get(name, 0.0) for name, value in facts.items())


def _sigmoid(odds: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


# Fitted by `python benchmarks/answer_quality.py --fit`; how, and on what, is told in docs/decisions/0080. `asked`,
# `heading` and `label` are set by hand, as the sets that were fitted on have no such statements; so is what `numbers`
# counts beside a reranker, from how often a number is missing: for 1.8 % of answerable questions and 6.1 % of others.
BY_READING = Weights(
    statement={
        "sentence": 1.5,
        "window": 0.7,
        "chunk": -0.1,
        "order": -0.3,
        "kind": 0.56,
        "specifics": 0.5,
        "rank": 2.3,
        "length": -0.6,
        "news": 0.25,
        "known": -1.4,
        "terms": 0.9,
        "asked": -1.0,
        "heading": -2.5,
        "label": 2.0,
        "reading": 0.16,
        "window_reading": 0.1,
        "": -4.1,
    },
    confidence={"best": 0.157, "alone": 0.042, "several": 0.084, "numbers": 1.5, "": -2.384},
)
BY_WORDS = Weights(
    statement={
        "sentence": 5.9,
        "window": 1.45,
        "chunk": -1.35,
        "order": -1.0,
        "kind": 0.27,
        "specifics": 0.07,
        "numbers": 0.14,
        "rank": 2.5,
        "length": -0.03,
        "news": 0.2,
        "known": -0.4,
        "terms": 2.4,
        "asked": -1.0,
        "heading": -2.5,
        "label": 2.0,
        "": -6.9,
    },
    confidence={
        "window": 3.0,
        "chunk": 2.0,
        "specifics": 1.2,
        "rank": 0.85,
        "length": -0.3,
        "terms": 2.65,
        "": -5.35,
    },
)
