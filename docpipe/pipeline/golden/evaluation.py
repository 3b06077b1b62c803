"""Golden questions and what a search finds for them -> ranks, measures, and what changed (pure but for asking)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Literal, NamedTuple, Protocol

from docpipe.pipeline.golden.options import EvalOptions, Thresholds
from docpipe.pipeline.golden.questions import Question
from docpipe.types import Hit, Query

SearchMany = Callable[[Sequence[Query]], Sequence[Sequence[Hit]]]
"""Queries -> the hits of each, best first."""
_DIGITS = 6
"""Of measures, as they are kept."""
_EVEN = 10.0**-_DIGITS
"""What a measure may be below a threshold that it reaches: sums of thirds are rounded."""


class Found(NamedTuple):
    """A hit, as it is remembered."""

    uri: str
    pages: tuple[int, ...]
    chunk_id: str

    def __str__(self) -> str:
        return f"{self.uri}#p{self.pages[0]}" if self.pages else self.uri


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question that was asked, and what was found."""

    question: str
    where: str = ""
    expect: tuple[str, ...] = ()
    contains: str = ""
    rank: int
    """Of the first hit that is what must be found, from 1; 0 where there is none."""
    hits: tuple[Found, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: its words and its filter."""
        return self.question, self.where


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """How good a search is, by its questions; each has one thing to find, so that a measure is a mean over ranks."""

    limit: int
    """How many hits of each question were looked at."""
    asked: tuple[Asked, ...]

    @property
    def hit_rate(self) -> float:
        """Share of the questions for which the right thing is among the hits; 0 to 1."""
        return self._mean(lambda rank: 1.0)

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank; 0 to 1."""
        return self._mean(lambda rank: 1 / rank)

    @property
    def ndcg(self) -> float:
        """Normalised discounted cumulative gain with one thing to find: the mean of 1 / log2(1 + rank); 0 to 1.

        Source: Järvelin and Kekäläinen, ACM TOIS 2002.
        """
        return self._mean(lambda rank: 1 / log2(1 + rank))

    def _mean(self, worth: Callable[[int], float]) -> float:
        return sum(worth(one.rank) for one in self.asked if one.rank) / len(self.asked) if self.asked else 0.0


def evaluate(
    search_many: SearchMany,
    questions: Sequence[Question],
    *,
    limit: int,
    mode: Literal["hybrid", "vector", "text"] = "hybrid",
) -> Evaluation:
    """Ask all questions in one call.

    Args:
        limit: how many hits of each are looked at.
    """
    queries = [Query(text=one.question, limit=limit, where=one.where, mode=mode) for one in questions]
    found = search_many(queries)
    return Evaluation(
        limit=limit, asked=tuple(_asked(one, hits[:limit]) for one, hits in zip(questions, found, strict=True))
    )


def _asked(question: Question, hits: Sequence[Hit]) -> Asked:
    ranks = (rank for rank, hit in enumerate(hits, start=1) if question.fits(hit.chunk))
    return Asked(
        question=question.question,
        where=question.where,
        expect=question.expect,
        contains=question.contains,
        rank=next(ranks, 0),
        hits=tuple(Found(hit.chunk.source.uri, hit.chunk.pages, hit.chunk.id) for hit in hits),
    )


class Moved(NamedTuple):
    """A question whose hits are others now."""

    question: str
    where: str
    before: int
    """Rank of what must be found, from 1; 0 where it was not found."""
    after: int
    instead: str
    """The place of the best hit now; nothing where there is none."""

    @property
    def lost(self) -> bool:
        """Whether it was found before, and is not any more."""
        return self.before > 0 and self.after == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a version of an index may take another's place, and why."""

    holds: bool
    before: Evaluation
    after: Evaluation
    worse: tuple[Moved, ...] = ()
    """What must be found is further down or gone; the worst first."""
    better: tuple[Moved, ...] = ()
    moved: tuple[Moved, ...] = ()
    """At the same rank, or never found, and the hits are others."""
    below: tuple[str, ...] = ()
    """Thresholds that are missed, in words."""
    max_worse: int = 0
    """How many questions may be lost."""

    @property
    def lost(self) -> tuple[Moved, ...]:
        """Of the worse: what must be found is not found any more."""
        return tuple(one for one in self.worse if one.lost)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not hold, in words; empty where it does."""
        lost = self.lost if len(self.lost) > self.max_worse else ()
        return (*self.below, *(f"{one.question!r} was found at rank {one.before}, and is no more" for one in lost))


def compare(before: Evaluation, after: Evaluation, options: EvalOptions) -> Verdict:
    """Whether `after` may replace `before`. Questions that only one of the two was asked are not compared."""
    old = {one.key: one for one in before.asked}
    pairs = [(old[one.key], one) for one in after.asked if one.key in old]
    changed = [_moved(was, now) for was, now in pairs if (was.rank, was.hits) != (now.rank, now.hits)]
    worse = sorted((one for one in changed if _gain(one) < 0), key=_gain)
    below = shortfalls(after, options.thresholds)
    return Verdict(
        holds=not below and sum(one.lost for one in worse) <= options.max_worse,
        before=before,
        after=after,
        worse=tuple(worse),
        better=tuple(one for one in changed if _gain(one) > 0),
        moved=tuple(one for one in changed if _gain(one) == 0),
        below=below,
        max_worse=options.max_worse,
    )


def _moved(was: Asked, now: Asked) -> Moved:
    best = str(now.hits[0]) if now.hits else ""
    return Moved(question=now.question, where=now.where, before=was.rank, after=now.rank, instead=best)


def _gain(one: Moved) -> float:
    """How much the reciprocal rank rose, -1 to 1."""
    return (1 / one.after if one.after else 0.0) - (1 / one.before if one.before else 0.0)


class Measured(Protocol):
    """What thresholds are compared with."""

    @property
    def hit_rate(self) -> float:
        """0 to 1."""
        ...

    @property
    def mrr(self) -> float:
        """0 to 1."""
        ...


def shortfalls(found: Measured, thresholds: Thresholds) -> tuple[str, ...]:
    """The thresholds that an evaluation misses, in words."""
    measures = (("hit_rate", found.hit_rate, thresholds.hit_rate), ("mrr", found.mrr, thresholds.mrr))
    return tuple(f"{name} is {got:.3f}, below {least:g}" for name, got, least in measures if got < least - _EVEN)


def form(found: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON, to print and to keep. Law: `read(form(e)) == e`."""
    return {
        "limit": found.limit,
        **{name: round(getattr(found, name), _DIGITS) for name in ("hit_rate", "mrr", "ndcg")},
        "questions": [_asked_form(one) for one in found.asked],
    }


def _asked_form(one: Asked) -> dict[str, Any]:
    hits = [{"uri": hit.uri, "pages": list(hit.pages), "chunk_id": hit.chunk_id} for hit in one.hits]
    named = {"where": one.where, "expect": list(one.expect), "contains": one.contains}
    return {"question": one.question, **named, "rank": one.rank, "hits": hits}


def verdict_form(reached: Verdict) -> dict[str, Any]:
    """For a staged run's report: the evaluation of what it made, and how that differs from what readers see."""
    changes = {"worse": reached.worse, "better": reached.better, "moved": reached.moved}
    return {
        **form(reached.after),
        "ok": reached.holds,
        "below": list(reached.below),
        "reasons": list(reached.reasons),
        **{name: [one._asdict() | {"lost": one.lost} for one in some] for name, some in changes.items()},
    }


def read(form: Mapping[str, Any]) -> Evaluation | None:
    """The evaluation that was kept; None where the JSON holds none (a run without golden questions)."""
    if "questions" not in form:
        return None
    return Evaluation(limit=int(form["limit"]), asked=tuple(_read_asked(one) for one in form["questions"]))


def _read_asked(form: Mapping[str, Any]) -> Asked:
    hits = (Found(hit["uri"], tuple(hit["pages"]), hit["chunk_id"]) for hit in form["hits"])
    return Asked(
        question=form["question"],
        where=form["where"],
        expect=tuple(form["expect"]),
        contains=form["contains"],
        rank=form["rank"],
        hits=tuple(hits),
    )
