"""A picture of a page -> the straight lines drawn on it (numpy and Pillow only)."""

from typing import TYPE_CHECKING, Any

from docpipe.parse.content import Rule
from docpipe.parse.scan.local_lines import Frame
from docpipe.parse.scan.local_outlines import runs, touching

if TYPE_CHECKING:
    from docpipe.parse.scan.local_engine import type_picture

_LEAST = 36.0
"""Points: what is shorter may be a letter or a dash."""
_THICKEST = 4.0
"""Points."""
_MOST = 2_000
_AROUND = 15
"""Pixels to each side whose mean is the ground of a pixel."""
_DARKER = 15
"""Of 256 greys: what is darker than its ground by more is ink."""


def rules(picture: "type_picture", turn: int, scale: float, frame: Frame) -> list[Rule]:
    """Lines of the reading frame, level, in points.

    Args:
        picture: the page as shown, shape (height, width, 3), blue first.
        turn: degrees, clockwise, from the reading frame to the page as shown.
        scale: pixels to a point.
    """
    ink = _ink(_level(picture, turn, frame))
    across = [Rule(start / scale, at / scale, stop / scale, at / scale) for start, stop, at in _long(ink, scale)]
    down = [Rule(at / scale, start / scale, at / scale, stop / scale) for start, stop, at in _long(ink.T, scale)]
    return [*across, *down]


def _level(picture: "type_picture", turn: int, frame: Frame) -> Any:
    """The page in greys, turned so that its lines are level."""
    import numpy as np
    from PIL import Image

    grey = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).convert("L")
    level = grey.rotate(turn, expand=True) if turn else grey
    if frame.slant:
        level = level.rotate(frame.slant, Image.Resampling.BILINEAR, fillcolor=255)
    return np.asarray(level)


def _ink(grey: Any) -> Any:
    """Where a pixel, or one that touches it, is darker than the ground around it."""
    import numpy as np

    padded = np.pad(grey.astype(np.int32), ((_AROUND + 1, _AROUND), (_AROUND + 1, _AROUND)), mode="edge")
    sums = padded.cumsum(axis=0).cumsum(axis=1)
    side = 2 * _AROUND + 1
    around = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    dark = np.pad(grey.astype(np.int32) < around // (side * side) - _DARKER, 1)
    wide = dark[:, :-2] | dark[:, 1:-1] | dark[:, 2:]
    return wide[:-2] | wide[1:-1] | wide[2:]


def _long(ink: Any, scale: float) -> list[tuple[float, float, float]]:
    """Thin ink that goes on for long along the rows of a mask: its first and last pixel, and its middle row."""
    import numpy as np

    rows, starts, stops = runs(ink)
    long = stops - starts >= max(8, int(_LEAST * scale))
    rows, starts, stops = rows[long], starts[long], stops[long]
    if len(rows) > _MOST * 8:
        return []
    owners = touching(rows, starts, stops)
    found: list[tuple[float, float, float]] = []
    for owner in np.unique(owners)[:_MOST]:
        own = owners == owner
        first, last = rows[own].min(), rows[own].max()
        if last + 1 - first <= _THICKEST * scale + 2:
            found.append((float(starts[own].min()), float(stops[own].max()), (first + last + 1) / 2))
    return found
