"""A map that says of each pixel whether text stands there -> tilted boxes around the lines of text (numpy only).

Source: the post-processing of DB (Liao, Wan, Yao, Chen and Bai, AAAI 2020), with the figures of PP-OCR.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_map = NDArray[np.float32]
    type_points = NDArray[np.float64]

type_corner = tuple[float, float]
type_corners = tuple[type_corner, type_corner, type_corner, type_corner]
"""Of a line: where it begins above, ends above, ends below, begins below, as it is read."""

_TEXT = 0.3
"""Of 1: pixels with more are text."""
_SURE = 0.5
"""Boxes with less on average are none."""
_ROOM = 1.6
"""The map shows the core of a line; it grows on all sides by its area times this, divided by its outline."""
_THINNEST = 3.0
"""Pixels of the map."""
_MOST = 1_000
"""Of one picture, the largest first."""


class Tilted(NamedTuple):
    """A box that may be tilted: its middle, its half sides, and the direction (cosine, sine) of the first one."""

    x: float
    y: float
    along: float
    across: float
    cosine: float
    sine: float

    def grown(self) -> "Tilted":
        """With room around it, as much as the map leaves out."""
        area, outline = 4 * self.along * self.across, 4 * (self.along + self.across)
        more = _ROOM * area / outline if outline else 0.0
        return self._replace(along=self.along + more, across=self.across + more)

    def corners(self) -> type_corners:
        """Read from left to right, or from the top where it is more upright than level."""
        a, b = (self.along * self.cosine, self.along * self.sine), (-self.across * self.sine, self.across * self.cosine)
        points = sorted((self.x + p * a[0] + q * b[0], self.y + p * a[1] + q * b[1]) for p in (1, -1) for q in (1, -1))
        (above, below), (above_end, below_end) = (
            sorted(pair, key=lambda point: point[1]) for pair in (points[:2], points[2:])
        )
        return above, above_end, below_end, below


def outlines(shown: "type_map") -> list[type_corners]:
    """Boxes around lines, from top to bottom, in pixels of the map.

    Args:
        shown: from 0 to 1, shape (height, width).
    """
    found = []
    for points in _patches(_spread(shown > _TEXT)):
        box = _around(points)
        if 2 * min(box.along, box.across) < _THINNEST or _mean_in(shown, box) < _SURE:
            continue
        found.append(box.grown())
    return [box.corners() for box in sorted(found, key=lambda box: (box.y, box.x))]


def _spread(mask: Any) -> Any:
    """The mask, a pixel wider to the right and below: strokes that almost touch are one."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    high = wide.copy()
    high[1:] |= wide[:-1]
    return high


def _patches(mask: Any) -> "list[type_points]":
    """The ends of all rows of each patch of pixels that touch, shape (n, 2), x first; the largest patches first."""
    import numpy as np

    rows, starts, stops = runs(mask)
    owners = touching(rows, starts, stops)
    order = np.argsort(owners, kind="stable")
    cuts = np.flatnonzero(np.diff(owners[order])) + 1
    patches = [part for part in np.split(order, cuts) if len(part)]
    patches.sort(key=lambda part: -int((stops[part] - starts[part]).sum()))
    return [
        np.concatenate([np.stack([starts[part], rows[part]], 1), np.stack([stops[part] - 1, rows[part]], 1)]).astype(
            float
        )
        for part in patches[:_MOST]
    ]


def runs(mask: Any) -> tuple[Any, Any, Any]:
    """The stretches of set pixels of each row: row, first column, column behind the last; row by row."""
    import numpy as np

    framed = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    framed[:, 1:-1] = mask
    steps = np.diff(framed, axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def touching(rows: Any, starts: Any, stops: Any) -> Any:
    """For each run the number of its patch; runs of neighbouring rows that touch, at corners too, are of one patch."""
    import numpy as np

    parents = list(range(len(rows)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    row, first, end = rows.tolist(), starts.tolist(), stops.tolist()
    above = 0
    for here in range(len(row)):
        while above < here and (
            row[above] < row[here] - 1 or (row[above] == row[here] - 1 and end[above] < first[here])
        ):
            above += 1
        other = above
        while other < here and row[other] == row[here] - 1 and first[other] <= end[here]:
            parents[root(other)] = root(here)
            other += 1
    return np.array([root(at) for at in range(len(row))], np.int64)


def _around(points: "type_points") -> Tilted:
    """The smallest box around points; one of its sides lies along an edge of their hull."""
    import numpy as np

    hull = np.array(_hull(points.tolist()))
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    edges, lengths = edges[lengths > 0], lengths[lengths > 0]
    if not len(edges):
        return Tilted(float(hull[0, 0]), float(hull[0, 1]), 0.0, 0.0, 1.0, 0.0)
    along = edges / lengths[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    far, high = hull @ along.T, hull @ across.T
    best = int(np.argmin(np.ptp(far, axis=0) * np.ptp(high, axis=0)))
    (left, right), (top, bottom) = ((side[:, best].min(), side[:, best].max()) for side in (far, high))
    middle = (left + right) / 2 * along[best] + (top + bottom) / 2 * across[best]
    cosine, sine = along[best]
    return Tilted(*map(float, (*middle, (right - left) / 2, (bottom - top) / 2, cosine, sine)))


def _hull(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """The corners of the convex hull, in turn."""
    ordered = sorted({(x, y) for x, y in points})

    def half(some: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in some:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], (x, y)) <= 0:
                kept.pop()
            kept.append((x, y))
        return kept

    if len(ordered) < 3:
        return ordered
    return half(ordered)[:-1] + half(ordered[::-1])[:-1]


def _turn(first: tuple[float, float], second: tuple[float, float], third: tuple[float, float]) -> float:
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])


def _mean_in(shown: "type_map", box: Tilted) -> float:
    """What the map says on average within a box."""
    import numpy as np

    wide = abs(box.along * box.cosine) + abs(box.across * box.sine)
    high = abs(box.along * box.sine) + abs(box.across * box.cosine)
    top, left = max(0, math.floor(box.y - high)), max(0, math.floor(box.x - wide))
    part = shown[top : math.ceil(box.y + high) + 1, left : math.ceil(box.x + wide) + 1]
    x = np.arange(left, left + part.shape[1])[None, :] - box.x
    y = np.arange(top, top + part.shape[0])[:, None] - box.y
    inside = (np.abs(x * box.cosine + y * box.sine) <= box.along + 0.5) & (
        np.abs(y * box.cosine - x * box.sine) <= box.across + 0.5
    )
    return float(part[inside].mean()) if inside.any() else 0.0
