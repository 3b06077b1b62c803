"""Drawn rules -> the grids they make (pure)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from docpipe.parse.content import Box, Rule, Word
from docpipe.parse.grid.cells import Area, Grid

_SNAP = 2.0
"""Lines this near to each other are one line, in points."""
_REACH = 3.0
"""How far a line may stop short of the one that it meets, or a dash of the next, in points."""
_SHORTEST = 7.0
"""Shorter lines, after dashes are joined, divide nothing, in points."""
_MOST_CROSSINGS = 60_000
"""Pairs of lines that are looked at; a page with more is a drawing."""
_OVERHANG = 12.0
"""A line that goes on this far beyond the last line across it has an open cell there, in points."""

_FLUSH = 8.0
"""How far the ends of lines of one table may differ, in points."""
_FRAME = 60.0
"""How high a header above a grid may be, in points."""


class Segment(NamedTuple):
    """A straight line: `at` is its y (or x, if it is vertical); it goes from `start` to `end`."""

    at: float
    start: float
    end: float


class Lines(NamedTuple):
    """The lines of a page or of one table."""

    across: tuple[Segment, ...]
    down: tuple[Segment, ...]


def lines(rules: Iterable[Rule]) -> Lines:
    """Rules joined to lines: dashes and the sides of neighbouring cells become one, sorted by position."""
    across, down = [], []
    for left, top, right, bottom in rules:
        if right - left >= bottom - top:
            across.append(((top + bottom) / 2, left, right))
        else:
            down.append(((left + right) / 2, top, bottom))
    return Lines(tuple(_joined(across)), tuple(_joined(down)))


def _joined(pieces: list[tuple[float, float, float]]) -> list[Segment]:
    joined: list[Segment] = []
    for level in _levels(sorted(set(pieces))):
        at = sum(piece[0] for piece in level) / len(level)
        run: list[float] = []
        for start, end in sorted((piece[1], piece[2]) for piece in level):
            if run and start <= run[1] + _REACH:
                run[1] = max(run[1], end)
                continue
            if run and run[1] - run[0] >= _SHORTEST:
                joined.append(Segment(at, *run))
            run = [start, end]
        if run and run[1] - run[0] >= _SHORTEST:
            joined.append(Segment(at, *run))
    return joined


def _levels(pieces: Sequence[tuple[float, float, float]]) -> list[list[tuple[float, float, float]]]:
    """Sorted pieces in groups of (nearly) the same position."""
    levels: list[list[tuple[float, float, float]]] = []
    for piece in pieces:
        if levels and piece[0] - levels[-1][0][0] <= _SNAP:
            levels[-1].append(piece)
        else:
            levels.append([piece])
    return levels


def networks(page: Lines) -> list[Lines]:
    """Lines that meet each other, as groups from top to bottom; a line that meets none is in no group."""
    if len(page.across) * len(page.down) > _MOST_CROSSINGS:
        return []
    owner = list(range(len(page.across) + len(page.down)))

    def root(number: int) -> int:
        while owner[number] != number:
            owner[number] = owner[owner[number]]
            number = owner[number]
        return number

    base = len(page.across)
    for i, (y, left, right) in enumerate(page.across):
        for j, (x, top, bottom) in enumerate(page.down):
            if left - _REACH <= x <= right + _REACH and top - _REACH <= y <= bottom + _REACH:
                owner[root(base + j)] = root(i)
    groups: dict[int, tuple[list[Segment], list[Segment]]] = {}
    for i, segment in enumerate(page.across):
        groups.setdefault(root(i), ([], []))[0].append(segment)
    for j, segment in enumerate(page.down):
        groups.setdefault(root(base + j), ([], []))[1].append(segment)
    return [Lines(tuple(across), tuple(down)) for across, down in groups.values() if across and down]


def joined(groups: Sequence[Lines], words: Iterable[Word]) -> list[Lines]:
    """Groups side by side with the same rows, between which words stand, as one: the lines between were not drawn."""
    merged: list[Lines] = []
    for group in sorted(groups, key=lambda each: min(line.start for line in each.across)):
        for number, other in enumerate(merged):
            if _same_rows(other, group) and _words_between(other, group, words):
                merged[number] = Lines(other.across + group.across, other.down + group.down)
                break
        else:
            merged.append(group)
    return merged


def _same_rows(left: Lines, right: Lines) -> bool:
    ys, others = ({round(line.at / _REACH) for line in group.across} for group in (left, right))
    return len(ys) > 2 and len(ys & others) >= 0.7 * len(ys | others)


def _words_between(left: Lines, right: Lines, words: Iterable[Word]) -> bool:
    low, high = max(line.end for line in left.across), min(line.start for line in right.across)
    top, bottom = min(line.at for line in left.across), max(line.at for line in left.across)
    return low < high and sum(low < w[0] and w[2] < high and top < w[1] and w[3] < bottom for w in words) >= 2


def grid(network: Lines) -> Grid | None:
    """The grid of lines that meet; open outer sides are closed. None where it has no two cells."""
    xs, ys = _positions(network.down), _positions(network.across)
    xs = _closed(xs, [(s.start, s.end) for s in network.across])
    ys = _closed(ys, [(s.start, s.end) for s in network.down])
    if len(xs) < 2 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) < 2:
        return None
    return Grid(tuple(xs), tuple(ys), tuple(_areas(xs, ys, network)))


def _positions(segments: Sequence[Segment]) -> list[float]:
    positions: list[float] = []
    for at in sorted(segment.at for segment in segments):
        if not positions or at - positions[-1] > _REACH:
            positions.append(at)
    return positions


def _closed(positions: list[float], extents: Sequence[tuple[float, float]]) -> list[float]:
    """Positions with an outer side added where most lines across go on beyond the last."""
    if not positions or not extents:
        return positions
    starts, ends = sorted(a for a, _ in extents), sorted(b for _, b in extents)
    left, right = starts[len(starts) // 4], ends[-1 - len(ends) // 4]
    if left < positions[0] - _OVERHANG:
        positions = [left, *positions]
    if right > positions[-1] + _OVERHANG:
        positions = [*positions, right]
    return positions


def _areas(xs: Sequence[float], ys: Sequence[float], network: Lines) -> Iterable[Area]:
    """Cells, joined over the borders that are not drawn, as the largest rectangles in reading order."""
    right = _borders(xs, ys, network.down)
    below = _borders(ys, xs, network.across)
    taken: set[tuple[int, int]] = set()
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            if (row, column) in taken:
                continue
            width = 1
            while (
                column + width < len(xs) - 1
                and (column + width, row) not in right
                and (row, column + width) not in taken
            ):
                width += 1
            height = 1
            span = range(column, column + width)
            while (
                row + height < len(ys) - 1
                and not any((row + height, c) in below for c in span)
                and not any((c, row + height) in right for c in span[1:])
            ):
                height += 1
            taken.update((r, c) for r in range(row, row + height) for c in span)
            yield Area(row, column, height, width)


def _borders(positions: Sequence[float], bands: Sequence[float], segments: Sequence[Segment]) -> set[tuple[int, int]]:
    """(number of a position, number of a band) where a line at the position runs along the band."""
    drawn = set()
    for segment in segments:
        number = min(range(len(positions)), key=lambda n: abs(positions[n] - segment.at))
        for band in range(len(bands) - 1):
            low, high = bands[band], bands[band + 1]
            if min(high, segment.end) - max(low, segment.start) > 0.5 * (high - low):
                drawn.add((number, band))
    return drawn


def framed(box: Box, across: Sequence[Segment]) -> Box:
    """A box with the horizontal lines of its own width near above and below it: the header and foot of a table."""
    own = [line.at for line in across if abs(line.start - box.left) < _FLUSH and abs(line.end - box.right) < _FLUSH]
    top, bottom = box.top, box.bottom
    for at in sorted(own, reverse=True):
        if top - _FRAME <= at < top:
            top = at
    for at in sorted(own):
        if bottom < at <= bottom + _FRAME:
            bottom = at
    return Box(box.left, top, box.right, bottom)
