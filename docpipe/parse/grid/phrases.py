"""Words of a page -> printed lines -> phrases, the stretches of words that stand together (pure)."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from docpipe.parse.content import Box, Word

_NUMBER = re.compile(
    r"[(\[<>≤≥~±+\-–−$€£¥]*\d[\d.,:/ %‰\-–−()\]*†‡]*[a-zA-Z%*]{0,3}\)?|[-–−—.*]+|n\.?/?a\.?|†|‡|[x✓✗]", re.I
)
_THOUSANDS = re.compile(r"\d{3}(?!\d)")
_WORD_SPACE = 0.45
"""A wider gap parts phrases, in heights of a word's box."""
_WIDEST_SPACE = 0.75
"""The same where all words stand wide apart."""
_FIGURE_SPACE = 0.25
"""The same between two figures."""


class Phrase(NamedTuple):
    """Words of one line with no wide gap between them."""

    left: float
    top: float
    right: float
    bottom: float
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words, one blank between them."""
        return " ".join(word.text for word in self.words)

    @property
    def middle(self) -> float:
        """x of its middle."""
        return (self.left + self.right) / 2


def is_number(text: str) -> bool:
    """Whether a text is a figure, or what stands for one: `1,234.5%`, `(12)`, `–`, `n/a`."""
    return _NUMBER.fullmatch(text) is not None


def text_lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words as printed lines, top to bottom, each from left to right. The input's order does not matter."""
    lines: list[list[Word]] = []
    middle = reach = 0.0
    for at, height, word in sorted(((word[1] + word[3]) / 2, word[3] - word[1], word) for word in words):
        if lines and at - middle <= 0.5 * min(height, reach):
            lines[-1].append(word)
            middle += (at - middle) / len(lines[-1])
            reach = max(reach, height)
        else:
            lines.append([word])
            middle, reach = at, height
    for line in lines:
        line.sort()
    return lines


def word_space(lines: Iterable[Sequence[Word]]) -> float:
    """The widest gap within a phrase, in heights of a word: wider where words stand wide apart (typewriter fonts)."""
    gaps = sorted(
        (after[0] - before[2]) / max(1.0, after[3] - after[1]) for line in lines for before, after in pairwise(line)
    )
    narrow = gaps[: bisect_left(gaps, 1.0)]
    usual = narrow[len(narrow) // 2] if narrow else 0.0
    return min(max(_WORD_SPACE, 1.25 * usual), _WIDEST_SPACE)


def phrases(line: Sequence[Word], space: float = _WORD_SPACE) -> list[Phrase]:
    """A line, cut at its gaps wider than `space` (in heights of a word)."""
    parts: list[list[Word]] = []
    reach = 0.0
    narrow = min(space, _FIGURE_SPACE)
    for word in line:
        if parts:
            last, gap = parts[-1][-1], word[0] - reach
            height = min(last[3] - last[1], word[3] - word[1])
            if gap <= narrow * height or gap <= _allowed(last, word, space):
                parts[-1].append(word)
                reach = max(reach, word[2])
                continue
        parts.append([word])
        reach = word[2]
    return [phrase(part) for part in parts]


def phrase(words: Sequence[Word]) -> Phrase:
    """Words of one line as a phrase."""
    return Phrase(*hull(words), tuple(words))


def hull(boxes: "Iterable[Word | Phrase | Box]") -> Box:
    """The box around some boxes, of which there must be one."""
    some = list(boxes)
    return Box(
        min([box[0] for box in some]),
        min([box[1] for box in some]),
        max([box[2] for box in some]),
        max([box[3] for box in some]),
    )


def _allowed(before: Word, after: Word, space: float) -> float:
    """The widest gap between two words of one phrase, in points."""
    height = min(before[3] - before[1], after[3] - after[1])
    if before[4][-1:].isdigit() and after[4][:1].isdigit() and not _THOUSANDS.match(after[4]):
        return _FIGURE_SPACE * height
    return space * height
