"""Boxes on a page -> columns in reading order, each a list of rows (pure)."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

_SNAP = 3.0
"""Left edges that differ by less, in points, are one edge."""
_FEWEST = 3
"""Lines that a column needs on each side of a gutter."""
_PROSE = 9.0
"""Mean width of lines of running text, in units of their height; table cells are narrower."""
_SAME_LINE = 1.2
"""Bottoms that differ by less, in points, may stand on one base line."""
_MARGIN = 0.4
"""A left column that is narrower and holds less text than this, compared with the right one, stands in the margin."""
_MOST_EDGES = 6
"""Left edges that are tried; a page with more that many lines share is a table."""
_DEEPEST = 12


class Item(NamedTuple):
    """A line or a block (table, picture) to be put in order. `number` says which."""

    left: float
    top: float
    right: float
    bottom: float
    number: int
    text: bool = True
    """False for a table or picture, which takes no part in looking for columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch of the page that is read from top to bottom: rows of item numbers, each from left to right."""

    left: float
    right: float
    rows: tuple[tuple[int, ...], ...]
    aside: bool = False
    """It stands in the margin beside the text."""


class _Gutter(NamedTuple):
    score: float
    at: float


def columns(items: Sequence[Item]) -> list[Column]:
    """Order items as a person reads them: down one column, then the next; what runs across parts the page."""
    return list(_divide(sorted(items, key=lambda item: (item.top, item.left)), 0)) if items else []


def _divide(items: list[Item], depth: int) -> list[Column]:
    """Columns of items that are sorted by their top."""
    gutter = _gutter(items) if depth < _DEEPEST else None
    if gutter is None:
        return [_column(items)]
    found: list[Column] = []
    loose: list[Item] = []
    for crossing, left, right in _bands(items, gutter.at):
        loose += crossing
        if not _valid(left, right):
            loose += sorted(left + right, key=lambda item: (item.top, item.left))
            continue
        if loose:
            found += _divide(loose, depth + 1)
            loose = []
        if _aside(left, right):
            found += _divide(right, depth + 1)
            found += [replace(column, aside=True) for column in _divide(left, depth + 1)]
        else:
            found += _divide(left, depth + 1)
            found += _divide(right, depth + 1)
    return found + (_divide(loose, depth + 1) if loose else [])


def _aside(left: list[Item], right: list[Item]) -> bool:
    """Whether the left column is a margin's note beside the text, to be read after it."""
    width = max(item.right for item in left) - min(item.left for item in left)
    other = max(item.right for item in right) - min(item.left for item in right)
    return width < _MARGIN * other and _printed(left) < _MARGIN * _printed(right)


def _printed(side: list[Item]) -> float:
    """Area of the text."""
    return sum((item.right - item.left) * (item.bottom - item.top) for item in side if item.text)


def _gutter(items: list[Item]) -> _Gutter | None:
    """The left edge of the column that parts the most text from other text beside it."""
    if len(items) < 2 * _FEWEST or not _side_by_side(items):
        return None
    best: _Gutter | None = None
    for at in _left_edges(items):
        score = sum(_height(left, right) for _, left, right in _bands(items, at) if _valid(left, right))
        if score and (best is None or score > best.score):
            best = _Gutter(score, at)
    return best


def _side_by_side(items: list[Item]) -> bool:
    beside, bottom = 0, 0.0
    for item in items:
        middle = (item.top + item.bottom) / 2
        if middle < bottom and item.text:
            beside += 1
            if beside >= 2:
                return True
        bottom = max(bottom, item.bottom)
    return False


def _left_edges(items: list[Item]) -> list[float]:
    """Left edges that several lines share, leaving out the leftmost."""
    lefts = sorted([item[0] for item in items if item[5]])
    edges: list[tuple[int, float]] = []
    first, count = lefts[0] if lefts else 0.0, 0
    for left in [*lefts, math.inf]:
        if left - first > _SNAP:
            if count >= _FEWEST and first > lefts[0] + _SNAP:
                edges.append((count, first))
            first, count = left, 0
        count += 1
    return [edge for _, edge in sorted(edges, reverse=True)[:_MOST_EDGES]]


def _bands(items: list[Item], at: float) -> list[tuple[list[Item], list[Item], list[Item]]]:
    """The page cut where items cross `at`: what crosses, and what stands left and right of `at` below it."""
    crossing: list[Item] = []
    left: list[Item] = []
    right: list[Item] = []
    bands = [(crossing, left, right)]
    for number, item in enumerate(items):
        if item.left >= at - 0.5:
            right.append(item)
        elif item.right <= at - 1.0:
            if (
                crossing
                and not left
                and not right
                and _last_line(crossing[-1], item, items[number + 1 : number + 4], at)
            ):
                crossing.append(item)
            else:
                left.append(item)
        else:
            if left or right:
                crossing, left, right = [], [], []
                bands.append((crossing, left, right))
            crossing.append(item)
    return bands


def _last_line(before: Item, item: Item, following: list[Item], at: float) -> bool:
    """Whether a short line ends the text that runs across the page above it, rather than opening the left column."""
    height = item.bottom - item.top
    if abs(height - (before.bottom - before.top)) > 0.08 * height or item.top - before.bottom > 0.45 * height:
        return False
    if abs(item.left - before.left) > _SNAP or not before.text:
        return False
    return all(other.left < at - 0.5 or other.top > item.bottom - 0.3 * height for other in following)


def _height(left: list[Item], right: list[Item]) -> float:
    bottom = min(max([item[3] for item in left]), max([item[3] for item in right]))
    return max(0.0, bottom - max(left[0].top, right[0].top))


def _valid(left: list[Item], right: list[Item]) -> bool:
    """Whether these are two columns, not the cells of rows that are read across."""
    if len(left) < _FEWEST or len(right) < _FEWEST:
        return False
    left, right = [item for item in left if item[5]], [item for item in right if item[5]]
    if len(left) < _FEWEST or len(right) < _FEWEST:
        return False
    if _height(left, right) < 1.5 * (left[0].bottom - left[0].top):
        return False
    return (_prose(left) and _prose(right)) or not _aligned(left, right)


def _prose(side: list[Item]) -> bool:
    width = sum([item[2] - item[0] for item in side])
    return width >= _PROSE * sum([item[3] - item[1] for item in side])


def _aligned(left: list[Item], right: list[Item]) -> bool:
    """Whether most lines of the shorter side stand on the same base line as one of the other side."""
    few, many = (left, right) if len(left) <= len(right) else (right, left)
    bottoms = sorted(item.bottom for item in many)
    matched = 0
    for item in few:
        at = bisect_left(bottoms, item.bottom - _SAME_LINE)
        matched += at < len(bottoms) and bottoms[at] <= item.bottom + _SAME_LINE
    return matched * 5 >= len(few) * 3


def _column(items: list[Item]) -> Column:
    return Column(min([item.left for item in items]), max([item.right for item in items]), tuple(_rows(items)))


def _rows(items: list[Item]) -> list[tuple[int, ...]]:
    """Items that stand on one line, from left to right; items are sorted by their top."""
    rows: list[tuple[int, ...]] = []
    row: list[Item] = []
    top = bottom = 0.0
    for item in sorted(items, key=lambda item: item.top + item.bottom):
        if row and _same_row(item, top, bottom) and item.text == row[0].text:
            row.append(item)
            continue
        if row:
            rows.append(_across(row))
        row, top, bottom = [item], item.top, item.bottom
    if row:
        rows.append(_across(row))
    return rows


def _same_row(item: Item, top: float, bottom: float) -> bool:
    overlap = min(bottom, item.bottom) - max(top, item.top)
    return overlap > 0.6 * min(bottom - top, item.bottom - item.top)


def _across(row: list[Item]) -> tuple[int, ...]:
    if len(row) > 1:
        row.sort(key=lambda item: item.left)
    return tuple(item.number for item in row)
