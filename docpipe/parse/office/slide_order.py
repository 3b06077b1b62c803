"""Boxes on a slide -> the order in which they are read (pure)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

_INSET = 0.1
"""Boxes may overlap by this share of their size at each side and still stand apart."""
_MOST = 400
"""With more boxes than this, their order in the file is kept: it is a drawing."""
_DEEPEST = 24


_LEVEL = 0.05
"""Boxes side by side whose tops differ by more than this share of the slide are read from the higher one."""


class Placed(NamedTuple):
    """A box as fractions of the slide, and the place of its shape in the file."""

    left: float
    top: float
    right: float
    bottom: float
    place: int


def reading_order(boxes: Sequence[Placed]) -> list[int]:
    """Places in reading order: rows from the top down, within a row columns from the left.

    Boxes that no straight gap parts are read by their tops.
    """
    if len(boxes) > _MOST:
        return [box.place for box in boxes]
    return [box.place for box in _cut(list(boxes), _DEEPEST)]


def _cut(boxes: list[Placed], depth: int) -> list[Placed]:
    if len(boxes) < 2:
        return boxes
    for start, end in ((_top, _bottom), (_left, _right)):
        groups = _groups(boxes, start, end)
        if start is _left and len(groups) == len(boxes):
            return _side_by_side(boxes)
        if len(groups) > 1 and depth:
            return [box for group in groups for box in _cut(group, depth - 1)]
    return sorted(boxes, key=lambda box: (box.top, box.left, box.place))


def _side_by_side(boxes: list[Placed]) -> list[Placed]:
    """Single boxes next to each other: those that begin clearly higher first, then from the left."""
    levels: list[list[Placed]] = []
    for box in sorted(boxes, key=lambda box: (box.top, box.place)):
        if levels and box.top - levels[-1][0].top <= _LEVEL:
            levels[-1].append(box)
        else:
            levels.append([box])
    return [box for level in levels for box in sorted(level, key=lambda box: (box.left, box.place))]


def _groups(
    boxes: list[Placed], start: Callable[[Placed], float], end: Callable[[Placed], float]
) -> list[list[Placed]]:
    """Boxes in groups that a gap parts along one direction."""
    groups: list[list[Placed]] = []
    reached = 0.0
    for box in sorted(boxes, key=lambda box: (start(box), box.place)):
        if groups and start(box) < reached:
            groups[-1].append(box)
            reached = max(reached, end(box))
        else:
            groups.append([box])
            reached = end(box)
    return groups


def _top(box: Placed) -> float:
    return box.top + _INSET * (box.bottom - box.top)


def _bottom(box: Placed) -> float:
    return box.bottom - _INSET * (box.bottom - box.top)


def _left(box: Placed) -> float:
    return box.left + _INSET * (box.right - box.left)


def _right(box: Placed) -> float:
    return box.right - _INSET * (box.right - box.left)
