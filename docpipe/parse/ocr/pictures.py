"""Pages and image files -> the pictures that are sent, and whether anything is on them."""

from typing import TYPE_CHECKING, Any

from docpipe.parse.pdf import engine

if TYPE_CHECKING:
    import numpy as np
    import pymupdf
    from numpy.typing import NDArray

    type_grey = NDArray[np.uint8]

LARGEST = 10_000_000
"""Bytes of an image that the service takes."""
_LONGEST_SIDE = 3_500
_QUALITIES = (90, 75, 60, 40)
_LOOK = 60.0
"""Resolution at which a page is looked at, per inch."""
_DARKER = 40
"""Of 256 greys: what differs from the ground by more is ink."""
_LEAST_INK = 0.0004
"""Of the page's area; about one short word."""
_EDGE = 0.03
"""Of each side: where scanners leave shadows."""


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


def grey(page: "pymupdf.Page", dpi: float = _LOOK) -> "type_grey":
    """The page in greys, shape (height, width)."""
    import numpy as np

    scale = min(dpi / 72, _LONGEST_SIDE / max(1.0, page.rect.width, page.rect.height))
    drawn = page.get_pixmap(matrix=engine().Matrix(scale, scale), alpha=False, colorspace="gray")
    rows: Any = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.stride)
    greys: type_grey = rows[:, : drawn.width]
    return greys


def has_ink(greys: "type_grey") -> bool:
    """Whether anything is printed on it, its edges and its paper's colour aside."""
    return bool(_ink(_inner(greys)).mean() > _LEAST_INK)


def middle(greys: "type_grey") -> float:
    """Where to cut a page in two: a fraction of its height near the middle with the least ink."""
    import numpy as np

    height = len(greys)
    start, stop = int(0.4 * height), max(int(0.4 * height) + 1, int(0.6 * height))
    ink = _ink(greys)[start:stop].sum(axis=1).astype(np.float64)
    smooth = np.convolve(ink, np.ones(3) / 3, mode="same") if len(ink) > 3 else ink
    distance = np.abs(np.arange(start, stop) / height - 0.5)
    return float((start + int(np.lexsort((distance, smooth))[0]) + 0.5) / height)


def _inner(greys: "type_grey") -> "type_grey":
    height, width = greys.shape
    down, across = int(_EDGE * height), int(_EDGE * width)
    inner: type_grey = greys[down : height - down, across : width - across]
    return inner if inner.size else greys


def _ink(greys: "type_grey") -> Any:
    """Where a pixel differs from the usual ground."""
    import numpy as np

    ground = int(np.median(greys))
    return np.abs(greys.astype(np.int16) - ground) > _DARKER
