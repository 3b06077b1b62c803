"""Candidates, best first -> each text once, with the other places where it stands (pure)."""

import re
from collections.abc import Sequence
from functools import cached_property

from docpipe._ids import text_key
from docpipe.similar import WIDE, Fingerprint, alike
from docpipe.types import Chunk, Elsewhere

_NUMBER = re.compile(r"\d+")
_FEWEST = 8
"""Words: a shorter text is only the same as one that equals it."""
_PLAINLY = 0.6
"""Share of words that two texts have in common, at least, to be compared closely."""
_MOST_PLACES = 50


class Once:
    """The texts met so far, in the order of their rank."""

    def __init__(self) -> None:
        self._equal: dict[str, str] = {}
        self._groups: dict[tuple[str, ...], list[_Met]] = {}
        self._places: dict[str, list[Elsewhere]] = {}

    def is_new(self, chunk: Chunk) -> bool:
        """Whether no text was met that says the same; else where this one stands is noted with that one."""
        key = text_key(chunk.content)
        kept = self._equal.get(key)
        met = _Met(chunk)
        group = self._groups.setdefault(met.numbers, [])
        if kept is None:
            kept = next((other.id for other in group if met.says_the_same(other)), None)
        if kept is None:
            self._equal[key] = chunk.id
            group.append(met)
            self._places[chunk.id] = [met.place]
            return True
        self._equal[key] = kept
        places = self._places[kept]
        if met.place not in places and len(places) <= _MOST_PLACES:
            places.append(met.place)
        return False

    def elsewhere(self, chunk_id: str) -> tuple[Elsewhere, ...]:
        """Where else the text of a chunk that was new stands, best first."""
        return tuple(self._places[chunk_id][1:])


class _Met:
    """A chunk, as it is compared: without its document's title."""

    def __init__(self, chunk: Chunk) -> None:
        self.id = chunk.id
        self.place = Elsewhere(chunk.source.uri, chunk.pages)
        content = chunk.content
        self._text = content.removeprefix(chunk.title) if chunk.title else content
        self.numbers = tuple(sorted(_NUMBER.findall(self._text)))
        self._fingerprint = Fingerprint(self._text)

    @cached_property
    def _words(self) -> frozenset[str]:
        text = self._text.casefold()
        return frozenset(_pairs(text) if WIDE.search(text) else text.split())

    def says_the_same(self, other: "_Met") -> bool:
        """Whether two texts with the same numbers differ only in what says nothing."""
        shared = len(self._words & other._words)
        if shared < _PLAINLY * max(len(self._words), len(other._words)) or shared < _FEWEST:
            return False
        return alike(self._fingerprint, other._fingerprint)


def _pairs(text: str) -> Sequence[str]:
    letters = "".join(text.split())
    return [letters[at : at + 2] for at in range(len(letters) - 1)]
