"""A file's outline, and the set of its headings -> their levels (pure)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_NUMBER = re.compile(
    r"^(?i:chapter|section|part|appendix)?\s*((?:\d{1,3}|[A-Z](?=[.):\d]))(?:\.\d{1,3}){0,5})[.):]?\s+\S"
)
_CHINESE = (
    (re.compile(r"^第[一二三四五六七八九十百零\d]{1,5}[编篇部]"), 1),
    (re.compile(r"^第[一二三四五六七八九十百零\d]{1,5}章"), 1),
    (re.compile(r"^第[一二三四五六七八九十百零\d]{1,5}节"), 2),
    (re.compile(r"^[一二三四五六七八九十]{1,3}[、．.]"), 2),
    (re.compile(r"^[（(][一二三四五六七八九十]{1,3}[)）]"), 3),
)
_SIGNS = re.compile(r"[\W_]+")
_LEADING = re.compile(
    r"^(?i:chapter|section|part|appendix)?\s*(?:\d{1,3}|[A-Z](?=[.):\d])|[IVX]{1,5}(?=[.):\s]))(?:\.\d+)*[.):]?\s+"
)


class Entry(NamedTuple):
    """One line of the outline: its level (from 1), its words, and its page (from 1; less where it has none)."""

    level: int
    title: str
    page: int


class Heading(NamedTuple):
    """A heading as printed: its size in points, whether it is bold, and its level in the outline or 0."""

    text: str
    size: float
    bold: bool
    outlined: int = 0


class Outline:
    """Looks printed lines up in an outline."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._levels: dict[tuple[int, str], int] = {}
        for entry in entries:
            for page in (entry.page, entry.page + 1):
                for key in (folded(entry.title), folded(_LEADING.sub("", entry.title))):
                    if key:
                        self._levels.setdefault((page, key), entry.level)

    def __bool__(self) -> bool:
        return bool(self._levels)

    def level(self, text: str, page: int) -> int:
        """Level of the entry with these words on this page, or 0."""
        if len(text) > 300:
            return 0
        return self._levels.get((page, folded(text)), 0) or self._levels.get((page, folded(_LEADING.sub("", text))), 0)


def folded(text: str) -> str:
    """Letters and digits only, in one case: what stays the same however a title is set."""
    return _SIGNS.sub("", text).casefold()


def depth(text: str) -> int:
    """How deep the number before a heading goes (`2.3 Scope`: 2), or 0."""
    for pattern, level in _CHINESE:
        if pattern.match(text):
            return level
    match = _NUMBER.match(text)
    return match.group(1).count(".") + 1 if match else 0


def levels(headings: Sequence[Heading], *, below: int = 0) -> list[int]:
    """Levels of headings, from `below` + 1 to 6: by the outline, by their numbers, else by how they are set.

    Headings that are set alike get one level unless outline or numbers say otherwise.
    """
    shifts = Counter(
        heading.outlined - depth(heading.text) for heading in headings if heading.outlined and depth(heading.text)
    )
    shift = shifts.most_common(1)[0][0] if shifts else 0
    told_levels = [
        heading.outlined or (depth(heading.text) and max(1, depth(heading.text) + shift)) for heading in headings
    ]
    styles = sorted({_style(heading) for heading in headings}, key=lambda style: (-style[0], not style[1]))
    told: dict[tuple[float, bool], Counter[int]] = {style: Counter() for style in styles}
    for heading, known in zip(headings, told_levels, strict=True):
        if known:
            told[_style(heading)][known] += 1
    ranks: dict[tuple[float, bool], int] = {}
    last = 0
    for style in styles:
        common = told[style].most_common(1)
        last = common[0][0] if common else min(last + 1, 6)
        ranks[style] = last
    deepest = 6
    for style in reversed(styles):  # what is set larger than a heading of known level stands no deeper than it
        ranks[style] = ranks[style] if told[style] else min(ranks[style], deepest)
        deepest = min(deepest, ranks[style]) if told[style] else deepest
    return [
        max(1, min(6, below + (known or ranks[_style(heading)])))
        for heading, known in zip(headings, told_levels, strict=True)
    ]


def _style(heading: Heading) -> tuple[float, bool]:
    return round(heading.size * 2) / 2, heading.bold
