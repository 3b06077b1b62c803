"""A picture of a page -> the straight lines drawn on it."""

from typing import TYPE_CHECKING, Any

from docpipe.parse.content import Rule
from docpipe.parse.scan.local_lines import Frame

if TYPE_CHECKING:
    from docpipe.parse.scan.local_engine import type_picture

_LEAST = 36.0
"""Points: what is shorter may be a letter or a dash."""
_THICKEST = 4.0
"""Points."""
_MOST = 2_000


def rules(picture: "type_picture", turn: int, scale: float, frame: Frame) -> list[Rule]:
    """Lines of the reading frame, level, in points.

    Args:
        picture: the page as shown, shape (height, width, 3).
        turn: degrees, clockwise, from the reading frame to the page as shown.
        scale: pixels to a point.
    """
    import cv2
    import numpy as np

    grey = np.ascontiguousarray(np.rot90(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), turn // 90))
    if frame.slant:
        height, width = grey.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), frame.slant, 1.0)
        grey = cv2.warpAffine(grey, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15)
    return [*_along(ink, scale, across=True), *_along(ink, scale, across=False)]


def _along(ink: Any, scale: float, *, across: bool) -> list[Rule]:
    """Lines of one direction: ink that goes on for long and is thin."""
    import cv2
    import numpy as np

    length = max(8, int(_LEAST * scale))
    joined = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    shape = (1, length) if across else (length, 1)
    long = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(long)
    found: list[Rule] = []
    for left, top, width, height, _ in stats[1 : min(count, _MOST)].tolist():
        if (height if across else width) > _THICKEST * scale + 2:
            continue
        middle = (top + height / 2 if across else left + width / 2) / scale
        if across:
            found.append(Rule(left / scale, middle, (left + width) / scale, middle))
        else:
            found.append(Rule(middle, top / scale, middle, (top + height) / scale))
    return found
