"""Many texts -> small sketches of them -> groups of those that are nearly the same (pure)."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Generic, TypeVar

from docpipe.similar import ALIKE, Fingerprint

__all__ = ["Group", "Sketch", "groups", "similarity", "sketch"]

Key = TypeVar("Key", bound=Hashable)
_SIZE = 200
"""Marks of a sketch: a similarity of 0.8 is told within 0.06 nineteen times of twenty."""
_LOOKED_UP = 8
"""Of them, by which others are found: two texts at 0.8 share none of these less than once in 100,000 times."""
_MOST_COMPARED = 100
"""Others with the same mark that a text is compared with: more of them share a template's words."""
_FEWEST_WORDS = 20
"""Shorter texts are not compared: a title page, a page that is left blank."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """A text, small: what its words are, roughly, and its numbers exactly."""

    marks: tuple[int, ...]
    """The smallest digests of its runs of words, rising."""
    numbers: frozenset[str]
    words: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Group(Generic[Key]):
    """Texts that are nearly the same."""

    members: tuple[Key, ...]
    similarity: float
    """Of the first one and that which differs from it most, 0 to 1."""
    same_numbers: bool
    """Whether all hold the same numbers; copies do, and forms that were filled in do not."""


def sketch(texts: Iterable[str]) -> Sketch | None:
    """The sketch of a text given in parts, whatever their order and however they overlap; None for a short one."""
    marks, numbers, words = set[int](), set[str](), 0
    for text in texts:
        read = Fingerprint(text)
        words += len(read.words)
        numbers.update(word for word in read.words if word[0].isdecimal())
        marks.update(nsmallest(_SIZE, (run * 0x9E3779B97F4A7C15 & 0x1FFFFFFFFFFFFFFF for run in read.runs)))
    if words < _FEWEST_WORDS:
        return None
    return Sketch(marks=tuple(nsmallest(_SIZE, marks)), numbers=frozenset(numbers), words=words)


def similarity(one: Sketch, other: Sketch) -> float:
    """An estimate of how many of all runs of words two texts share, 0 to 1; exact for short ones.

    Source: Broder, On the resemblance and containment of documents, 1997 (the smallest digests of the union).
    """
    union = set(nsmallest(_SIZE, {*one.marks, *other.marks}))
    return len(union.intersection(one.marks, other.marks)) / len(union) if union else 1.0


def groups(sketches: Mapping[Key, Sketch], *, least: float = ALIKE) -> list[Group[Key]]:
    """Groups of at least two, the largest first; the keys' order decides the order within them.

    Laws: no key is in two groups; every text of a group is at least `least` similar to another one of it. The time
    grows with the number of texts, not with its square.
    """
    first: dict[tuple[int, ...], Key] = {}
    above = {key: first.setdefault(one.marks, key) for key, one in sketches.items()}
    for one, other in _pairs({key: sketches[key] for key in first.values()}):
        if _top(above, one) != _top(above, other) and similarity(sketches[one], sketches[other]) >= least:
            above[_top(above, other)] = _top(above, one)
    found: dict[Key, list[Key]] = {}
    for key in sketches:
        found.setdefault(_top(above, key), []).append(key)
    many = [_group(members, sketches) for members in found.values() if len(members) > 1]
    return sorted(many, key=lambda group: -len(group.members))


def _pairs(sketches: Mapping[Key, Sketch]) -> Iterator[tuple[Key, Key]]:
    """Pairs that share one of their smallest marks, each earlier text first."""
    met: dict[int, list[Key]] = {}
    for key, one in sketches.items():
        candidates: dict[Key, None] = {}
        for mark in islice(one.marks, _LOOKED_UP):
            others = met.setdefault(mark, [])
            candidates.update(dict.fromkeys(others[-_MOST_COMPARED:]))
            others.append(key)
        yield from ((other, key) for other in candidates)


def _top(above: dict[Key, Key], key: Key) -> Key:
    while above[key] != key:
        above[key] = above[above[key]]
        key = above[key]
    return key


def _group(members: list[Key], sketches: Mapping[Key, Sketch]) -> Group[Key]:
    first = sketches[members[0]]
    return Group(
        members=tuple(members),
        similarity=min(similarity(first, sketches[key]) for key in members[1:]),
        same_numbers=all(sketches[key].numbers == first.numbers for key in members[1:]),
    )
