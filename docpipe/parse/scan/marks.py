"""A page in greys -> its ink, and what on it is no text: ruled tables and filled areas (pure, arrays of numpy).

Sizes are in pixels of a page drawn at 100 dpi.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_mask = NDArray[np.bool_]

_DARKER = 40
"""Of 256 greys: what differs from its ground by more is ink."""
_TINT = 20
"""What differs from the paper by more may be a filled area."""
_SOLID = 12
"""Side of the smallest filled square; strokes of letters are thinner, up to 60 points."""
_LEAST_FILL = 40
"""Side of a filled area that counts."""
_RULE = 40
"""Length of the shortest ruling line."""
_THICKEST_RULE = 6
_APART = 24
"""Filled areas that are no further apart belong to one figure."""
_CELL = 4
"""Areas are put together on a grid of this step."""


class Area(NamedTuple):
    """A rectangle of pixels; `bottom` and `right` stand just behind it."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    def of(self, mask: Any) -> Any:
        """This part of an array."""
        return mask[self.top : self.bottom, self.left : self.right]

    def around(self, other: "Area") -> "Area":
        """The smallest one that holds both."""
        return Area(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def holds(self, other: "Area", *, slack: int = 0) -> bool:
        """Whether the other lies within, or reaches out by no more than `slack`."""
        return (
            self.top - slack <= other.top
            and self.bottom + slack >= other.bottom
            and self.left - slack <= other.left
            and self.right + slack >= other.right
        )


class Marks(NamedTuple):
    """What is on a page."""

    ink: "type_mask"
    """Letters and drawings, without ruling lines, tables and figures."""
    tables: list[Area]
    figures: list[Area]


def marks(greys: "NDArray[np.uint8]") -> Marks:
    """Look at a page, shape (height, width)."""
    import numpy as np

    paper = int(np.median(greys))
    local, figures = _grounds(greys, paper)
    ink: type_mask = np.abs(greys.astype(np.int16) - local) > _DARKER
    _clear_edges(ink)
    for figure in figures:
        figure.of(ink)[:] = False
    across, down = _rules(ink, 1), _rules(ink, 0)
    tables = [area for area in components(widened(across | down, 2)) if _is_grid(area, across, down)]
    tables = [table for table in tables if not any(o is not table and o.holds(table) for o in tables)]
    for table in tables:
        table.of(ink)[:] = False
    ink &= ~widened(across | down, 1)
    return Marks(_without_specks(ink), tables, [figure for figure in figures if not _within(figure, tables)])


def _within(area: Area, others: list[Area]) -> bool:
    return any(other.holds(area, slack=_CELL) for other in others)


def _grounds(greys: "NDArray[np.uint8]", paper: int) -> tuple[Any, list[Area]]:
    """The grey on which each pixel stands, and the filled areas that are pictures rather than grounds of text."""
    import numpy as np

    local = np.full(greys.shape, paper, np.int16)
    tinted = np.abs(greys.astype(np.int16) - paper) > _TINT
    solid = opened(opened(tinted, _SOLID, 0), _SOLID, 1)
    pictured = np.zeros_like(solid)
    for area in components(widened(solid, 2)):
        trimmed = trim(solid, area)
        if trimmed is None:
            continue
        ground = _ground(trimmed.of(greys))
        if ground is None:
            trimmed.of(pictured)[:] = True
        else:
            trimmed.of(local)[:] = ground
    groups = (trim(pictured, area) for area in components(widened(pictured, _APART // 2)))
    large = [area for area in groups if area and min(area.height, area.width) >= _LEAST_FILL]
    return local, [area for area in large if area.height * area.width < 0.9 * greys.size]


def _ground(greys: "NDArray[np.uint8]") -> int | None:
    """The one grey on which something is written; None where it is a picture."""
    import numpy as np

    counts = np.bincount(greys.ravel(), minlength=256)
    near = np.convolve(counts, np.ones(17, np.int64), mode="same")
    usual = int(near.argmax())
    if near[usual] < 0.6 * greys.size:
        return None
    written = np.abs(greys.astype(np.int16) - usual) > _DARKER
    strokes = written & ~opened(opened(written, _SOLID, 0), _SOLID, 1)
    if strokes.mean() < 0.01 or strokes.sum() < 0.7 * written.sum():
        return None
    return usual


def _clear_edges(ink: "type_mask") -> None:
    """Shadows that a scanner leaves along the edges."""
    for side in (ink, ink[::-1], ink.T, ink.T[::-1]):
        for row in side[: max(1, len(side) // 25)]:
            if row.mean() < 0.4:
                break
            row[:] = False


def _rules(ink: "type_mask", axis: int) -> "type_mask":
    """Pixels of straight thin lines along an axis, a little slant allowed."""
    thick = widened(ink, 1, axis=1 - axis)
    long = opened(thick, _RULE, axis) & ink
    found: type_mask = long & ~opened(ink, _THICKEST_RULE + 1, 1 - axis)
    return found


def _is_grid(area: Area, across: "type_mask", down: "type_mask") -> bool:
    """Whether the lines within enclose cells, more than one."""
    rows = _lines(area.of(across), 1, area.width)
    columns = _lines(area.of(down), 0, area.height)
    return rows >= 2 and columns >= 2 and rows + columns >= 5 and min(area.height, area.width) > 20


def _lines(found: "type_mask", axis: int, length: int) -> int:
    """How many different lines reach over a third of the length at least."""
    filled = widened(found, 1, axis=1 - axis).sum(axis=axis) >= length / 3
    return len(runs(filled))


def _without_specks(ink: "type_mask") -> "type_mask":
    """Without pixels that have fewer than two neighbours."""
    import numpy as np

    padded = np.pad(ink, 1).astype(np.uint8)
    height, width = ink.shape
    around = sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3))
    kept: type_mask = ink & (around >= 3)
    return kept


def opened(mask: "type_mask", length: int, axis: int) -> "type_mask":
    """What is part of a run of at least `length` along an axis."""
    import numpy as np

    turned = mask if axis == 1 else mask.T
    count = turned.shape[1]
    if count < length:
        return np.zeros_like(mask)
    sums = np.cumsum(np.pad(turned, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    full = (sums[:, length:] - sums[:, :-length]) == length
    spread = np.cumsum(np.pad(full, ((0, 0), (length, length))), axis=1, dtype=np.int32)
    result = (spread[:, length:] - spread[:, :-length])[:, :count] > 0
    return result if axis == 1 else result.T


def widened(mask: "type_mask", by: int, *, axis: int | None = None) -> "type_mask":
    """Grown by so many pixels to each side, along one axis or both."""
    import numpy as np

    for along in (0, 1) if axis is None else (axis,):
        sums = np.cumsum(np.pad(mask, [(by + 1, by) if at == along else (0, 0) for at in (0, 1)]), along, np.int32)
        window = 2 * by + 1
        mask = (sums[window:] - sums[:-window] if along == 0 else sums[:, window:] - sums[:, :-window]) > 0
    return mask


def runs(filled: Any, *, gap: int = 1) -> list[tuple[int, int]]:
    """`(start, stop)` of the stretches of a row that are filled; gaps shorter than `gap` are closed."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.asarray(filled, np.int8), [0]))))
    found: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] < gap:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def trim(mask: "type_mask", area: Area) -> Area | None:
    """The smallest area with all that is filled within; None where nothing is."""
    part = area.of(mask)
    rows, columns = runs(part.any(axis=1)), runs(part.any(axis=0))
    if not rows:
        return None
    return Area(area.top + rows[0][0], area.top + rows[-1][1], area.left + columns[0][0], area.left + columns[-1][1])


def components(mask: "type_mask") -> list[Area]:
    """The areas of what hangs together, to `_CELL` pixels; from the top down."""
    import numpy as np

    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % _CELL), (0, -width % _CELL)))
    coarse: Any = padded.reshape(len(padded) // _CELL, _CELL, -1, _CELL).any(axis=(1, 3))
    areas: list[Area] = []
    open_runs: list[tuple[int, int, int]] = []
    for row in range(len(coarse)):
        below: list[tuple[int, int, int]] = []
        for start, stop in runs(coarse[row]):
            number = len(areas)
            areas.append(Area(row, row + 1, start, stop))
            for left, right, other in open_runs:
                if left <= stop and start <= right:
                    number = _joined(areas, number, other)
            below.append((start, stop, number))
        open_runs = [(start, stop, _root(areas, number)) for start, stop, number in below]
    found = [area for area in areas if area.height > 0]
    scaled = (Area(*(side * _CELL for side in area)) for area in found)
    return [Area(a.top, min(a.bottom, height), a.left, min(a.right, width)) for a in scaled]


def _joined(areas: list[Area], one: int, other: int) -> int:
    """Put two areas together under the lower number; the other becomes a pointer to it (no height)."""
    one, other = _root(areas, one), _root(areas, other)
    if one == other:
        return one
    kept, gone = min(one, other), max(one, other)
    areas[kept] = areas[kept].around(areas[gone])
    areas[gone] = Area(kept, kept, 0, 0)
    return kept


def _root(areas: list[Area], number: int) -> int:
    while areas[number].height == 0:
        number = areas[number].top
    return number
