"""Pages and image files -> the pictures that are sent, and whether anything is on them."""

import math
from typing import TYPE_CHECKING, Any

from docpipe.parse.pdf import engine
from docpipe.types import BBox

if TYPE_CHECKING:
    import numpy as np
    import pymupdf
    from numpy.typing import NDArray

    type_grey = NDArray[np.uint8]

LARGEST = 10_000_000
"""Bytes of an image that the service takes."""
_LONGEST_SIDE = 3_500
_STEP, _SMALLEST_AREA = 28, 12_544
"""Pixels: what the model server rounds the sides of a picture to, and its smallest area."""
_MARGIN = 0.004
"""Around a region, of the page's longest side."""
_QUALITIES = (90, 75, 60, 40)
_LOOK = 60.0
"""Resolution at which a page is looked at, per inch."""
_DARKER = 40
"""Of 256 greys: what differs from the ground by more is ink."""
_LEAST_INK = 0.0004
"""Of the page's area; about one short word."""
_EDGE = 0.03
"""Of the page's width: where scanners leave shadows."""
_RUNNING = 0.07
"""Of the page's height: where running headers and page numbers stand, which a service may leave out."""


def picture(page: "pymupdf.Page", *, dpi: float, top: float = 0.0, bottom: float = 1.0) -> bytes:
    """A page, or the part of it between two fractions of its height, as a JPEG within the service's limits."""
    area = page.rect
    part = engine().Rect(area.x0, area.y0 + top * area.height, area.x1, area.y0 + bottom * area.height)
    scale = min(dpi / 72, _LONGEST_SIDE / max(1.0, part.width, part.height))
    while True:
        drawn = page.get_pixmap(matrix=engine().Matrix(scale, scale), clip=part, alpha=False, colorspace="rgb")
        for quality in _QUALITIES:
            data = bytes(drawn.tobytes("jpeg", jpg_quality=quality))
            if len(data) <= LARGEST:
                return data
        scale *= 0.7


def crop(page: "pymupdf.Page", box: BBox, *, dpi: float) -> bytes:
    """A part of a page with a little of its surroundings, as a JPEG that suits GLM-OCR's model server."""
    shown = page.rect
    margin = _MARGIN * max(shown.width, shown.height)
    area = engine().Rect(
        shown.x0 + box.left * shown.width - margin,
        shown.y0 + box.top * shown.height - margin,
        shown.x0 + box.right * shown.width + margin,
        shown.y0 + box.bottom * shown.height + margin,
    )
    area = area & shown
    scale = min(dpi / 72, _LONGEST_SIDE / max(1.0, area.width, area.height))
    scale *= max(1.0, (_SMALLEST_AREA / max(1.0, area.width * area.height * scale * scale)) ** 0.5)
    drawn = page.get_pixmap(matrix=engine().Matrix(scale, scale), clip=area, alpha=False, colorspace="rgb")
    width, height = (max(1, math.ceil(side / _STEP)) * _STEP for side in (drawn.width, drawn.height))
    sheet = engine().Pixmap(drawn.colorspace, engine().IRect(0, 0, width, height))
    sheet.clear_with(255)  # white around it, rather than letters that are stretched
    drawn.set_origin((width - drawn.width) // 2, (height - drawn.height) // 2)
    sheet.copy(drawn, drawn.irect)
    return bytes(sheet.tobytes("jpeg", jpg_quality=_QUALITIES[0]))


def grey(page: "pymupdf.Page", dpi: float = _LOOK) -> "type_grey":
    """The page in greys, shape (height, width)."""
    import numpy as np

    scale = min(dpi / 72, _LONGEST_SIDE / max(1.0, page.rect.width, page.rect.height))
    drawn = page.get_pixmap(matrix=engine().Matrix(scale, scale), alpha=False, colorspace="gray")
    rows: Any = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.stride)
    greys: type_grey = rows[:, : drawn.width]
    return greys


def has_ink(greys: "type_grey", top: float = 0.0, bottom: float = 1.0) -> bool:
    """Whether anything is printed between two fractions of a page's height, running lines and edges aside."""
    height, width = greys.shape
    first, last = max(top, _RUNNING), min(bottom, 1 - _RUNNING)
    across = int(_EDGE * width)
    inner = _ink(greys)[int(first * height) : int(last * height), across : width - across]
    return bool(inner.size and inner.mean() > _LEAST_INK)


def middle(greys: "type_grey") -> float:
    """Where to cut a page in two: a fraction of its height near the middle with the least ink."""
    import numpy as np

    height = len(greys)
    start, stop = int(0.4 * height), max(int(0.4 * height) + 1, int(0.6 * height))
    ink = _ink(greys)[start:stop].sum(axis=1).astype(np.float64)
    smooth = np.convolve(ink, np.ones(3) / 3, mode="same") if len(ink) > 3 else ink
    distance = np.abs(np.arange(start, stop) / height - 0.5)
    return float((start + int(np.lexsort((distance, smooth))[0]) + 0.5) / height)


def _ink(greys: "type_grey") -> Any:
    """Where a pixel differs from the usual ground."""
    import numpy as np

    ground = int(np.median(greys))
    return np.abs(greys.astype(np.int16) - ground) > _DARKER
