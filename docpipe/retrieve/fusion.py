"""Ranked lists of the legs -> one ranked list (pure)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docpipe._language import primary_language

VECTOR_SHARE = 0.6
"""The vector leg's vote beside the text leg's 0.4, where the embedder knows the question's language."""
SAME_SCRIPT = 0.3
"""What is left of its vote for another language in letters it knows: names and loan words still help."""
OTHER_SCRIPT = 0.02
"""What is left where it cannot read the question: enough to order what the words did not find."""

_LATIN = frozenset(
    ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "tr", "vi", "id", "da", "no", "fi", "cs", "hu", "ro"]
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
        Every chunk of any leg, by falling score, ties by id.

    Scores are added instead of ranks, because a leg that is sure says so by a first hit far above its others, and
    one that knows nothing by scores all alike: it then decides nothing, whatever order it gives.
    """
    found: dict[str, list[str]] = {}
    for leg in legs:
        for chunk_id in leg.evidence:
            found.setdefault(chunk_id, []).append(leg.name)
    scores = {chunk_id: sum(leg.weight * leg.evidence.get(chunk_id, leg.absent) for leg in legs) for chunk_id in found}
    order = sorted(found, key=lambda chunk_id: (-scores[chunk_id], chunk_id))
    return [Fused(id=chunk_id, score=scores[chunk_id], found_by=tuple(found[chunk_id])) for chunk_id in order]


def vector_share(question: str, *, languages: Sequence[str]) -> float:
    """The vector leg's part of the vote, 0 to 1, for a question.

    Args:
        languages: what the embedder is good at; empty: anything.
    """
    if not languages:
        return VECTOR_SHARE
    language = primary_language(question)
    latin = language in _LATIN or (not language and _is_latin(question))
    reads_script = any((known in _LATIN) == latin for known in languages)
    if language in languages or (not language and reads_script):
        return VECTOR_SHARE
    return SAME_SCRIPT if latin and reads_script else OTHER_SCRIPT


def _is_latin(question: str) -> bool:
    return len(_LATIN_LETTER.findall(question)) >= len(_OTHER_LETTER.findall(question))


def _leg(name: str, hits: Hits, *, average: float, reach: float, weight: float, absent: float) -> Leg:
    scale = 1 / reach if reach > 1e-6 else 0.0
    evidence = {chunk_id: (score - average) * scale for chunk_id, score in hits}
    return Leg(name=name, evidence=evidence, absent=(absent - average) * scale, weight=weight)


def _mean(hits: Hits) -> float:
    return sum(score for _, score in hits) / len(hits) if hits else 0.0


def _last(hits: Hits) -> float:
    return hits[-1][1] if hits else 0.0
