"""Lines of phrases -> where running text stands, which no table may take (pure)."""

from collections.abc import Sequence
from itertools import pairwise

from docpipe.parse.content import Box
from docpipe.parse.grid.phrases import Phrase, hull, is_number

_FEWEST_WORDS = 4
"""Stacked phrases of at least so many words are running text, unless a figure stands beside them."""
_LEADING = 1.2
"""The widest gap between lines of a paragraph, in heights of a line."""
_INDENT = 30.0
"""How far paragraphs of one column may be indented against each other, in points."""
_COLUMN_GAP = 90.0
"""The highest gap between paragraphs of one column, in points."""
_LOOK_BACK = 8
"""How many stretches may be open side by side."""
_FLUSH = 3.0
"""Lines end flush when they end this near to the right edge, in points."""
_MOSTLY = 0.7
"""Share of lines that makes a rule."""
_JUSTIFIED = 1.2
"""The widest space between words of justified text, in heights of a line."""
_MARKER = 4
"""Longest sign before a list item or a reference, in characters."""


class _Stretch:
    """Long lines over each other, as they are collected."""

    def __init__(self, part: Phrase, *, beside: bool) -> None:
        self.box = Box(*part[:4])
        self.last = part
        self.rights = [part.right]
        self.beside = int(beside)

    def add(self, part: Phrase, *, beside: bool) -> None:
        self.box = hull((self.box, part))
        self.last = part
        self.rights.append(part.right)
        self.beside += beside

    @property
    def running(self) -> bool:
        """Two lines or more; not a column of long cells, which have another cell beside each and ragged ends."""
        count = len(self.rights)
        flush = sum(right > self.box.right - _FLUSH for right in self.rights)
        return count >= 2 and (self.beside < _MOSTLY * count or flush > (1 - _MOSTLY) * count + 1)


def stretches(lines: Sequence[Sequence[Phrase]]) -> list[Box]:
    """Boxes of running text: long lines over each other, and what stands between them."""
    found: list[_Stretch] = []
    for line in lines:
        for index, part in enumerate(line):
            if not _wordy(line, index):
                continue
            beside = index > 0 and len(line[index - 1].words) < _FEWEST_WORDS
            for stretch in found[: -_LOOK_BACK - 1 : -1]:
                if _stacked(stretch.last, part):
                    stretch.add(part, beside=beside)
                    break
            else:
                found.append(_Stretch(part, beside=beside))
    return _joined([stretch.box for stretch in found if stretch.running], lines)


def within(part: Phrase, boxes: Sequence[Box]) -> bool:
    """Whether the middle of a phrase lies in one of the boxes."""
    x, y = part.middle, (part.top + part.bottom) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def _joined(boxes: Sequence[Box], lines: Sequence[Sequence[Phrase]]) -> list[Box]:
    """Boxes of one column as one, where nothing between them looks like a table: short lines are running text too."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda each: (each.top, each.left)):
        for number, other in enumerate(joined):
            if _same_column(other, box) and _nothing_tabular(other, box, lines):
                joined[number] = hull((other, box))
                break
        else:
            joined.append(box)
    return joined


def _same_column(upper: Box, lower: Box) -> bool:
    width = min(lower.right - lower.left, upper.right - upper.left)
    overlap = min(lower.right, upper.right) - max(lower.left, upper.left)
    return overlap > 0.8 * width and abs(lower.left - upper.left) < _INDENT and lower.top - upper.bottom < _COLUMN_GAP


def _nothing_tabular(upper: Box, lower: Box, lines: Sequence[Sequence[Phrase]]) -> bool:
    """Whether the lines between two boxes keep to their column and have few gaps."""
    left, _, right, _ = hull((upper, lower))
    count = parted = 0
    for line in lines:
        if not upper.bottom < (line[0].top + line[0].bottom) / 2 < lower.top:
            continue
        inside = [part for part in line if part.right > left and part.left < right]
        if any(part.left < left - _INDENT or part.right > right + _INDENT for part in inside):
            return False
        count += bool(inside)
        parted += _parts(inside) > (2 if inside and len(inside[0].text) <= _MARKER else 1)
    return parted <= count // 3


def _parts(line: Sequence[Phrase]) -> int:
    """How many stretches a line has, wide word spaces of justified text not counted as gaps."""
    return bool(line) + sum(
        after.left - before.right > _JUSTIFIED * (after.bottom - after.top) for before, after in pairwise(line)
    )


def _wordy(line: Sequence[Phrase], index: int) -> bool:
    if len(line[index].words) < _FEWEST_WORDS:
        return False
    return index + 1 == len(line) or not is_number(line[index + 1].text)


def _stacked(upper: Phrase, lower: Phrase) -> bool:
    height = upper.bottom - upper.top
    return (
        lower.top >= upper.top
        and lower.top - upper.bottom < _LEADING * height
        and abs(upper.left - lower.left) < 3 * height
        and min(upper.right, lower.right) - max(upper.left, lower.left)
        > 0.6 * (max(upper.right, lower.right) - min(upper.left, lower.left))
    )
