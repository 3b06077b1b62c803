"""The lists of a Word document -> the number each item shows (pure but for its counters)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.office.names import W, number, value
from docpipe.parse.office.numerals import numeral

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_PLACE = re.compile(r"%([1-9])")
_BULLETS = frozenset({"bullet", "none"})
_LEVELS = 9


class Level(NamedTuple):
    """How one level of a list counts."""

    form: str = "decimal"
    text: str = ""
    """With `%1` for the number of the first level."""
    start: int = 1
    restarts: int = -1
    """Begins anew after an item of this level (from 1) or above; 0 never; -1 of any level above its own."""
    legal: bool = False
    """Numbers of all levels are shown in digits."""


@dataclass
class Numbering:
    """Counts the items of all lists in the order in which they are met."""

    lists: Mapping[int, tuple[int, Mapping[int, Level]]]
    """List id -> its family, whose lists count on from each other, and its levels."""
    _counts: dict[int, list[int | None]] = field(default_factory=dict)
    _begun: set[int] = field(default_factory=set)

    def marker(self, list_id: int, level: int) -> str | None:
        """The next item's number as shown, `1.2.`; nothing for a bullet; None where there is no such list."""
        if list_id not in self.lists:
            return None
        family, levels = self.lists[list_id]
        counts = self._counts.setdefault(family, [None] * _LEVELS)
        self._begin(list_id, levels, counts)
        own = levels.get(level, Level())
        before = counts[level]
        counts[level] = own.start if before is None else before + 1
        self._restart(levels, counts, level)
        if own.form in _BULLETS and not _PLACE.search(own.text):
            return ""
        return _PLACE.sub(lambda place: self._shown(levels, counts, int(place[1]) - 1, own.legal), own.text).strip()

    def _begin(self, list_id: int, levels: Mapping[int, Level], counts: list[int | None]) -> None:
        """A list that is met for the first time and sets a start begins its levels anew."""
        if list_id not in self._begun:
            self._begun.add(list_id)
            for level in levels:
                if level < _LEVELS and levels[level].restarts == _ANEW:
                    counts[level] = None

    def _restart(self, levels: Mapping[int, Level], counts: list[int | None], level: int) -> None:
        for below in range(level + 1, _LEVELS):
            restarts = levels.get(below, Level()).restarts
            if restarts < 0 or level < restarts:
                counts[below] = None

    def _shown(self, levels: Mapping[int, Level], counts: list[int | None], level: int, legal: bool) -> str:
        own = levels.get(level, Level())
        if counts[level] is None:
            counts[level] = own.start
        return numeral(counts[level] or 0, "decimal" if legal else own.form)


_ANEW = -2
"""`restarts` of a level whose list overrides its start."""


def read_numbering(tree: "Element | None") -> Numbering:
    """All lists of `numbering.xml`."""
    if tree is None:
        return Numbering({})
    families = {number(value(item, W + "abstractNumId"), -1): _levels(item) for item in tree.iter(W + "abstractNum")}
    links = {
        value(item.find(W + "styleLink"), W + "val"): number(value(item, W + "abstractNumId"), -1)
        for item in tree.iter(W + "abstractNum")
        if item.find(W + "styleLink") is not None
    }
    for item in tree.iter(W + "abstractNum"):
        linked = links.get(value(item.find(W + "numStyleLink"), W + "val"))
        if linked is not None:
            families[number(value(item, W + "abstractNumId"), -1)] = families.get(linked, {})
    lists: dict[int, tuple[int, Mapping[int, Level]]] = {}
    for item in tree.iter(W + "num"):
        family = number(value(item.find(W + "abstractNumId"), W + "val"), -1)
        own = {**families.get(family, {}), **_overrides(item, families.get(family, {}))}
        lists[number(value(item, W + "numId"), -1)] = (family, own)
    return Numbering(lists)


def _levels(item: "Element") -> dict[int, Level]:
    return {number(value(level, W + "ilvl"), 0): _level(level) for level in item.iterchildren(W + "lvl")}


def _level(element: "Element") -> Level:
    legal = element.find(W + "isLgl")
    return Level(
        value(element.find(W + "numFmt"), W + "val", "decimal"),
        value(element.find(W + "lvlText"), W + "val"),
        number(value(element.find(W + "start"), W + "val"), 0 if element.find(W + "start") is None else 1),
        number(value(element.find(W + "lvlRestart"), W + "val"), -1),
        legal is not None and value(legal, W + "val", "1") not in ("0", "false"),
    )


def _overrides(item: "Element", levels: Mapping[int, Level]) -> dict[int, Level]:
    found: dict[int, Level] = {}
    for override in item.iterchildren(W + "lvlOverride"):
        place = number(value(override, W + "ilvl"), 0)
        replaced = override.find(W + "lvl")
        level = _level(replaced) if replaced is not None else levels.get(place, Level())
        start = override.find(W + "startOverride")
        if start is not None:
            level = level._replace(start=number(value(start, W + "val"), 1), restarts=_ANEW)
        found[place] = level
    return found
