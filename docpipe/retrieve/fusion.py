"""Ranked lists of the legs -> one ranked list (pure)."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe._language import primary_language

VECTOR_SHARE = 0.6
"""The vector leg's vote beside the text leg's 0.4, where the embedder can read the question."""
OTHER_SCRIPT = 0.0
"""What is left where it cannot read the question: it only orders what the words leave even."""

PHRASE_SHARE = 0.1
"""What a candidate gains that holds all the phrases of the question that any candidate holds."""
ROW_SHARE = 0.3
"""What a candidate gains that holds the whole question in one row of a table; in parts much less."""
_ROW_POWER = 4
SPREAD = 0.015
"""What a candidate loses for every better one of its own document: less than a clear difference, more than none."""
RERANK_SHARE = 0.4
"""The reranker's part beside the fused score: alone it loses what the legs knew."""

_LATIN = frozenset(
    ("cs", "da", "de", "en", "es", "fi", "fr", "hu", "id", "it", "nl", "no", "pl", "pt", "ro", "sv", "tr", "vi")
)
_LATIN_LETTER = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z\u00c0-\u024f]")

Hits = Sequence[tuple[str, float]]
"""`(chunk id, score)`, best first, each id once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One leg's findings as evidence that can be added to another's."""

    name: str
    evidence: Mapping[str, float]
    """Chunk id -> how far its score stands above the leg's average candidate; at most 1."""
    absent: float
    """The evidence for a chunk that the leg did not bring."""
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Fused:
    """A candidate after fusion."""

    id: str
    score: float
    found_by: tuple[str, ...]


def vector_leg(hits: Hits, *, weight: float) -> Leg:
    """Evidence of cosine similarities: the part of the way from the average candidate to a perfect match.

    Subtracting the average makes models comparable that put everything at 0.8 and models that put it at 0.2.
    """
    average = _mean(hits)
    return _leg("vector", hits, average=average, reach=1 - average, weight=weight, absent=_last(hits))


def text_leg(hits: Hits, *, weight: float, limit: int) -> Leg:
    """Evidence of BM25 scores, in parts of the best one.

    Args:
        limit: how many hits were asked for; a shorter list means that no other chunk holds any of the words.
    """
    absent = _last(hits) if len(hits) >= limit else 0.0
    return _leg("text", hits, average=_mean(hits), reach=hits[0][1] if hits else 1.0, weight=weight, absent=absent)


def fuse(legs: Sequence[Leg]) -> list[Fused]:
    """Add up the legs' weighted evidence.

    Returns:
        Every chunk of any leg, by falling score, ties by the evidence of all legs whatever their weight, then by id.

    Scores are added instead of ranks, because a leg that is sure says so by a first hit far above its others, and
    one that knows nothing by scores all alike: it then decides nothing, whatever order it gives.
    """
    scores = _sums([(leg.weight, leg) for leg in legs])
    even = _sums([(1.0, leg) for leg in legs])
    order = sorted(scores, key=lambda one: (-scores[one], -even[one], one))
    return [
        Fused(id=one, score=scores[one], found_by=tuple(leg.name for leg in legs if one in leg.evidence))
        for one in order
    ]


def raised(found: Sequence[Fused], phrases: Sequence[float], rows: Sequence[float]) -> list[Fused]:
    """Candidates with the evidence of shared phrases and of rows (one figure each, 0 to 1) added, by falling score."""
    gains = [PHRASE_SHARE * share + ROW_SHARE * row**_ROW_POWER for share, row in zip(phrases, rows, strict=True)]
    higher = [replace(one, score=one.score + gain) for one, gain in zip(found, gains, strict=True)]
    return sorted(higher, key=lambda one: -one.score)


def spread(found: Sequence[Fused], documents: Mapping[str, str]) -> list[Fused]:
    """Let other documents in where the candidates of one are only slightly better.

    Args:
        found: candidates, best first.
        documents: candidate's id -> its document. All of one document keep their order.

    Returns:
        The same candidates by falling score, after what each lost.
    """
    met: Counter[str] = Counter()
    lowered: list[Fused] = []
    for one in found:
        document = documents[one.id]
        lowered.append(replace(one, score=one.score - SPREAD * met[document]))
        met[document] += 1
    return sorted(lowered, key=lambda one: -one.score)


def reread(found: Sequence[Fused], scores: Sequence[float]) -> list[Fused]:
    """Order the first `len(scores)` candidates again by a reranker's scores and the fused ones together.

    Args:
        scores: one per candidate from the first on, on any scale; each side is stretched to 0 .. 1.

    Returns:
        The same candidates: those read by falling score in 0 .. 1, then the others in their order, below 0.
    """
    top, rest = found[: len(scores)], found[len(scores) :]
    fused, read = _stretched([one.score for one in top]), _stretched(scores)
    mixed = [RERANK_SHARE * after + (1 - RERANK_SHARE) * before for before, after in zip(fused, read, strict=True)]
    again = [
        replace(one, score=score, found_by=(*one.found_by, "rerank"))
        for one, score in sorted(zip(top, mixed, strict=True), key=lambda pair: (-pair[1], pair[0].id))
    ]
    first = rest[0].score if rest else 0.0
    return again + [replace(one, score=one.score - first - 1e-9) for one in rest]


def vector_share(question: str, *, languages: Sequence[str]) -> float:
    """The vector leg's part of the vote, 0 to 1, for a question.

    A language in letters that the embedder knows keeps the vote: names and loan words carry far (German and Spanish
    questions over English texts gain by it).

    Args:
        languages: what the embedder is good at; empty: anything.
    """
    known_letters = primary_language(question) in _LATIN and not _LATIN.isdisjoint(languages)
    return VECTOR_SHARE if known_letters or speaks(question, languages) else OTHER_SCRIPT


def speaks(question: str, languages: Sequence[str]) -> bool:
    """Whether a model of these languages (none given: any) reads the question.

    A question too short to tell is judged by its letters.
    """
    if not languages:
        return True
    language = primary_language(question)
    if language:
        return language in languages
    return any((known in _LATIN) == _is_latin(question) for known in languages)


def _is_latin(question: str) -> bool:
    return len(_LATIN_LETTER.findall(question)) >= len(_OTHER_LETTER.findall(question))


def _sums(legs: Sequence[tuple[float, Leg]]) -> dict[str, float]:
    """Weighted evidence of every chunk of any leg."""
    nowhere = sum(weight * leg.absent for weight, leg in legs)
    scores = dict.fromkeys((chunk_id for _, leg in legs for chunk_id in leg.evidence), nowhere)
    for weight, leg in legs:
        for chunk_id, evidence in leg.evidence.items():
            scores[chunk_id] += weight * (evidence - leg.absent)
    return scores


def _leg(name: str, hits: Hits, *, average: float, reach: float, weight: float, absent: float) -> Leg:
    scale = 1 / reach if reach > 1e-6 else 0.0
    evidence = {chunk_id: (score - average) * scale for chunk_id, score in hits}
    return Leg(name=name, evidence=evidence, absent=(absent - average) * scale, weight=weight)


def _mean(hits: Hits) -> float:
    return sum(score for _, score in hits) / len(hits) if hits else 0.0


def _last(hits: Hits) -> float:
    return hits[-1][1] if hits else 0.0


def _stretched(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]
