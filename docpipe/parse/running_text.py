"""Lines of phrases -> where running text stands, which no table may take (pure)."""

from collections.abc import Sequence

from docpipe.parse.content import Box
from docpipe.parse.phrases import Phrase, hull, is_number

_FEWEST_WORDS = 4
"""Stacked phrases of at least so many words are running text, unless a figure stands beside them."""
_LEADING = 1.2
"""The widest gap between lines of a paragraph, in heights of a line."""
_INDENT = 30.0
"""How far paragraphs of one column may be indented against each other, in points."""
_COLUMN_GAP = 90.0
"""The highest gap between paragraphs of one column, in points."""
_LOOK_BACK = 3
"""Lines of another column may come between two lines of a paragraph."""


def stretches(lines: Sequence[Sequence[Phrase]]) -> list[Box]:
    """Boxes of running text: three or more long lines over each other, and what stands between them."""
    open_boxes: list[tuple[Box, Phrase, int]] = []
    closed: list[tuple[Box, int]] = []
    for line in lines:
        for index, part in enumerate(line):
            if not _wordy(line, index):
                continue
            for number in range(len(open_boxes) - 1, max(-1, len(open_boxes) - 1 - _LOOK_BACK * 3), -1):
                box, last, count = open_boxes[number]
                if _stacked(last, part):
                    open_boxes[number] = (hull((box, part)), part, count + 1)
                    break
            else:
                open_boxes.append((Box(*part[:4]), part, 1))
                if len(open_boxes) > 40:
                    box, _, count = open_boxes.pop(0)
                    closed.append((box, count))
    closed += [(box, count) for box, _, count in open_boxes]
    return _joined([box for box, count in closed if count >= 2], lines)


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
        parted += len(inside) > 1
    return parted <= count // 3


def _wordy(line: Sequence[Phrase], index: int) -> bool:
    if len(line[index].words) < _FEWEST_WORDS:
        return False
    return index + 1 == len(line) or not is_number(line[index + 1].text)


def _stacked(upper: Phrase, lower: Phrase) -> bool:
    height = upper.bottom - upper.top
    return (
        0 <= lower.top - upper.top
        and lower.top - upper.bottom < _LEADING * height
        and abs(upper.left - lower.left) < 3 * height
        and min(upper.right, lower.right) - max(upper.left, lower.left)
        > 0.6 * (max(upper.right, lower.right) - min(upper.left, lower.left))
    )
