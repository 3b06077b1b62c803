"""Ink of a line -> how large its letters are, and whether lines belong together (pure, pixels at 100 dpi)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.scan.marks import Area, runs

if TYPE_CHECKING:
    from docpipe.parse.scan.marks import type_mask

_LARGER = 1.2
"""Letters of a heading against those of the page, or of the line before."""
_STRETCH = 120
"""Width of the pieces in which letters are measured, so that neither slant nor lines that touch matter."""
_SMALLEST = 4
_ONE = 1.8
"""Heights of capitals: what is higher are lines that touch."""
_STEP, _WIDEST_STEP = 1.9, 4.0
"""From line to line, in heights of capitals: where a page does not show it, and at most."""
_WIDER = 0.2
"""By which a step is wider before a new paragraph."""
_FEWEST = 4
"""Lines, to show it."""
_MOST_IN_HEADING = 5.8
"""Heights of capitals: three lines of a heading."""


class Line(NamedTuple):
    """A line of text, or some that touch."""

    area: Area
    capitals: float
    """Height of its capital letters; 0 where it has no letters."""
    base: int
    """The row just below its last letters, tails not counted."""

    def step(self, following: "Line") -> float:
        """From the foot of its letters to that of the next line's: tails, which not every line has, play no part."""
        single = following.area.height <= _ONE * following.capitals
        return (following.base if single else following.area.top + following.capitals) - self.base


def line(mask: "type_mask", area: Area) -> Line:
    """Look at the ink in an area."""
    rows = area.of(mask).sum(axis=1)
    return Line(area, middle(capitals(mask, area)), area.top + _base(rows))


def _base(rows: "type_mask") -> int:
    return 1 + int((rows >= 0.5 * rows.max()).nonzero()[0][-1])


def capitals(mask: "type_mask", area: Area) -> list[int]:
    """Height of capital letters in each stretch of each line."""
    found = []
    part = area.of(mask)
    for left in range(0, area.width, _STRETCH):
        strip = part[:, left : left + _STRETCH]
        heights = (_base(strip[start:stop].sum(axis=1)) for start, stop in runs(strip.any(axis=1)))
        found += [height for height in heights if height >= _SMALLEST]
    return found


def middle(values: Sequence[float]) -> float:
    """The upper median; 0 of nothing."""
    return sorted(values)[len(values) // 2] if values else 0.0


def is_larger(capitals: float, than: float) -> bool:
    """Whether letters are of another size than others, by more than drawing and scanning change them."""
    return capitals >= max(_LARGER * than, than + 2)


def is_short(area: Area, capitals: float) -> bool:
    """Whether it has no more lines than a heading."""
    return area.height <= _MOST_IN_HEADING * capitals


def usual_step(lines: Sequence[Line]) -> float:
    """From a line to the next, in heights of capitals."""
    steps = [before.step(after) / before.capitals for before, after in pairwise(lines) if before.capitals]
    return min(middle(steps), _WIDEST_STEP) if len(steps) + 1 >= _FEWEST else _STEP


def parts(lines: Sequence[Line], following: Line, usual: float) -> bool:
    """Whether a line does not go on with the paragraph above: a wider step, or other letters.

    Args:
        usual: `usual_step` of the column.
    """
    capitals = middle([line.capitals for line in lines])
    steps = [before.step(after) for before, after in pairwise(lines)]
    expected = middle(steps) if steps else usual * capitals
    if lines[-1].step(following) > expected + max(3.0, _WIDER * expected):
        return True
    small, large = sorted((capitals, following.capitals))
    return small > 0 and following.area.top - lines[-1].area.bottom > 2 and is_larger(large, small + 1)
