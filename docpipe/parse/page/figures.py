"""Lines and drawn shapes of a page -> boxes of the figures that are drawn, their labels included (pure)."""

import re
from collections.abc import Sequence

from docpipe.parse.content import Box
from docpipe.parse.page.printed import Boxed, PrintedLine, union

_CAPTION = re.compile(
    r"(?:(?:figure|fig\.?|chart|abbildung|abb\.)\s*[A-Z]?\d{1,3}(?:[.\-]\d{1,3})*\s*(?:[:.|–—]|$)"
    r"|[图圖]\s*\d{1,3}(?:[.\-–—]\d{1,3})*(?:\s|[:：.]|$))",
    re.I,
)
_OPENINGS = frozenset("FfCcAa图圖")
_LABEL_WORDS = 6
"""A line of as many words is running text, unless it is set small."""
_SMALL = 0.85
"""Of the caption's size: smaller lines are labels, however long."""
_LEAST_LABELS = 2
_TICK = 8
"""Characters of a number beside an axis, which may stand further from it than other labels."""
_REACH = 5.0
"""From a caption to the nearest shape of its figure, in units of its size: ticks and an axis' name fit between."""
_NEAR = 14.0
"""Shapes that are no further apart belong to one drawing, in points."""
_LEAST_SHAPES = 3
_LEAST_WIDTH, _LEAST_HEIGHT = 40.0, 30.0
_BACKGROUND = 0.5
"""Of the page's area: a larger shape is what the page is printed on."""
_MOST_SHAPES = 4_000
_PASSES = 12
_PROSE = 0.3
"""Of the characters on a drawing: with more in long lines it is a box around text."""


def lone_captions(lines: Sequence[PrintedLine], pictures: Sequence[Box]) -> list[PrintedLine]:
    """Captions of figures that no picture is near to, on a page with short lines that may be labels."""
    found = [line for line in lines if line[4][0] in _OPENINGS and _CAPTION.match(line[4])]
    if not found or sum(1 for line in lines if _is_label(line)) < _LEAST_LABELS:
        return []
    return [line for line in found if not any(_beside(box, line) for box in pictures)]


def drawn_figures(
    captions: Sequence[PrintedLine],
    lines: Sequence[PrintedLine],
    shapes: Sequence[Box],
    *,
    taken: Sequence[Box],
    page: Box,
) -> list[Box]:
    """Boxes of the drawings above captions, or else below them.

    Args:
        shapes: boxes of what is drawn; taken: of tables, whose rules belong to no figure; page: the whole of it.
    """
    most = _BACKGROUND * _area(page)
    usable = [box for box in shapes if _area(box) <= most and _within(box, page)]
    if not _LEAST_SHAPES <= len(usable) <= _MOST_SHAPES:
        return []
    found: list[Box] = []
    for caption in captions:
        box = _figure(caption, lines, usable, above=True) or _figure(caption, lines, usable, above=False)
        if box is not None and not any(_gap(box, other) == (0.0, 0.0) for other in [*taken, *found]):
            found.append(box)
    return found


def _figure(caption: PrintedLine, lines: Sequence[PrintedLine], shapes: Sequence[Box], *, above: bool) -> Box | None:
    drawing = _drawing(caption, shapes, above=above)
    if drawing is None:
        return None
    others = [line for line in lines if line is not caption]
    box = _with_labels(drawing, caption, others, above=above)
    inside = [line for line in others if _holds(box, line)]
    written = sum(len(line.text) for line in inside)
    prose = sum(len(line.text) for line in inside if not _is_label(line))
    between = [line for line in others if _parts(line, box, caption)] if above else []
    return None if between or prose > _PROSE * written else box


def _drawing(caption: PrintedLine, shapes: Sequence[Box], *, above: bool) -> Box | None:
    """The shapes next to a caption that hang together."""
    reach = _REACH * caption.size

    def distance(box: Box) -> float:
        return caption.top - box.bottom if above else box.top - caption.bottom

    seeds = [box for box in shapes if -2 <= distance(box) <= reach and _gap(box, caption)[0] == 0.0]
    if not seeds:
        return None
    drawing, rest, count = union(seeds), list(shapes), 0
    for _ in range(_PASSES):
        near, far = list[Box](), list[Box]()
        for box in rest:
            joins = max(_gap(box, drawing)) <= _NEAR and distance(box) >= -2
            (near if joins else far).append(box)
        if not near:
            break
        drawing, rest, count = union([drawing, *near]), far, count + len(near)
    large = drawing.right - drawing.left >= _LEAST_WIDTH and drawing.bottom - drawing.top >= _LEAST_HEIGHT
    return drawing if large and count >= _LEAST_SHAPES else None


def _with_labels(drawing: Box, caption: PrintedLine, lines: Sequence[PrintedLine], *, above: bool) -> Box:
    """The drawing and the short lines beside and below it, such as ticks and names of axes."""
    box = drawing
    labels = [line for line in lines if _is_label(line, caption.size)]
    for _ in range(2):
        near = [line for line in labels if _labels(line, box) and (not above or line.bottom <= caption.top + 2)]
        box = union([box, *near])
    return box


def _labels(line: PrintedLine, box: Box) -> bool:
    across, down = _gap(line, box)
    beside = (
        across <= (1.6 if len(line.text) <= _TICK else 1.0) * line.size
        and (line.top + line.bottom) / 2 <= box.bottom
        and line.bottom > box.top
    )
    below = across == 0.0 and line.top >= box.bottom - line.size and down <= 1.5 * line.size
    return beside or below


def _parts(line: PrintedLine, box: Box, caption: PrintedLine) -> bool:
    """Whether a line stands between a drawing and the caption below it."""
    return _gap(line, caption)[0] == 0.0 and line.top >= box.bottom - 2 and line.bottom <= caption.top + 2


def _beside(box: Box, caption: PrintedLine) -> bool:
    across, down = _gap(box, caption)
    return across == 0.0 and down <= _REACH * caption.size


def _is_label(line: PrintedLine, usual: float = 0.0) -> bool:
    """Whether a line is as short, or as small beside the `usual` size in points, as what is written on drawings."""
    return (line.text.count(" ") < _LABEL_WORDS and len(line.text) <= 40) or line.size < _SMALL * usual


def _gap(one: Boxed, other: Boxed) -> tuple[float, float]:
    """White space between two boxes, across and down; 0 where they overlap."""
    return max(0.0, one[0] - other[2], other[0] - one[2]), max(0.0, one[1] - other[3], other[1] - one[3])


def _within(box: Box, page: Box) -> bool:
    """Whether a shape ends on the page; others are cut off by a path that is not told."""
    return box[0] >= page[0] - 1 and box[1] >= page[1] - 1 and box[2] <= page[2] + 1 and box[3] <= page[3] + 1


def _holds(box: Box, line: PrintedLine) -> bool:
    x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def _area(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)
