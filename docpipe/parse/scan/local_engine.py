"""RapidOCR: a picture -> the places of its lines, and the text of each (heavy packages are imported here only).

The models lie inside the package; their paths are given, so that nothing is ever fetched.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.errors import MissingExtra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_picture = NDArray[np.uint8]

type_corner = tuple[float, float]
type_corners = tuple[type_corner, type_corner, type_corner, type_corner]
"""Of a line, in pixels: where it begins above, ends above, ends below, begins below, as it is read."""

_DETECTION, _RECOGNITION = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_LONGEST = 1_280
"""Pixels of the side of a picture that is searched for lines: what takes time and memory grows with its area."""
_LEAST_SIDE = 0.4
"""Of the other side of a picture."""
_FLATTEST = 60.0
"""Widths of a line in its heights: what is longer is a rule or a pattern."""


class Reading(NamedTuple):
    """What stands on a line. `score`: 0 to 1; `centres`: of each letter that is no blank, from 0 to 1 of its length."""

    text: str
    score: float
    centres: tuple[float, ...]


NOTHING = Reading("", 0.0, ())


def detected(picture: "type_picture") -> list[type_corners]:
    """The lines of a picture, shape (height, width, 3), as they stand on it.

    Raises:
        MissingExtra: the packages of the extra `ocr` are not installed.
    """
    found = _engine()(_padded(picture), use_det=True, use_cls=False, use_rec=False)
    if found.boxes is None:
        return []
    return [_corners(quad) for quad in found.boxes]


def read(picture: "type_picture", corners: type_corners) -> Reading:
    """What stands on one line."""
    crop = _cut(picture, corners)
    if crop is None:
        return NOTHING
    found = _engine()(crop, use_det=False, use_cls=False, use_rec=True, return_word_box=True)
    if not found.txts or not found.txts[0].strip():
        return NOTHING
    columns = [column for word in found.word_results[0].word_cols for column in word]
    length = max(1.0, found.word_results[0].line_txt_len)
    centres = tuple(min(1.0, (column + 0.5) / length) for column in columns)
    return Reading(str(found.txts[0]), float(found.scores[0]), centres)


def _padded(picture: "type_picture") -> "type_picture":
    """A flat or narrow picture, made less so at its right and lower edge: the engine magnifies its short side."""
    import numpy as np

    height, width = picture.shape[:2]
    least = int(_LEAST_SIDE * max(height, width))
    more = ((0, max(0, least - height)), (0, max(0, least - width)), (0, 0))
    return np.pad(picture, more, mode="edge") if any(map(any, more)) else picture


def _corners(quad: Any) -> type_corners:
    first, second, third, fourth = ((float(x), float(y)) for x, y in quad)
    return first, second, third, fourth


def _cut(picture: "type_picture", corners: type_corners) -> Any:
    """The line, straightened; None where it is too small or too flat to hold letters."""
    import cv2
    import numpy as np

    points = np.array(corners, np.float32)
    width = int(max(np.linalg.norm(points[0] - points[1]), np.linalg.norm(points[2] - points[3])))
    height = int(max(np.linalg.norm(points[0] - points[3]), np.linalg.norm(points[1] - points[2])))
    if width < 3 or height < 3 or width > _FLATTEST * height:
        return None
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(points, upright)
    return cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)


@cache
def _engine() -> Any:
    """The engine, made once for a process; one thread, no memory held between calls."""
    try:
        import cv2
        import rapidocr
    except ImportError as error:
        raise MissingExtra("local OCR (rapidocr)", extra="ocr") from error
    from pathlib import Path

    cv2.setNumThreads(1)
    models = Path(rapidocr.__file__).parent / "models"
    runtime = "EngineConfig.onnxruntime."
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": _LONGEST,
            "Global.text_score": 0.0,
            runtime + "intra_op_num_threads": 1,
            runtime + "inter_op_num_threads": 1,
            runtime + "enable_cpu_mem_arena": False,
            "Det.model_path": str(models / _DETECTION),
            "Rec.model_path": str(models / _RECOGNITION),
            "Rec.rec_batch_num": 1,
        }
    )
