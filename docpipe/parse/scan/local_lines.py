"""Lines as OCR found them on a picture -> printed lines and words in the reading frame (pure)."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable, Word
from docpipe.parse.page.lettering import storable
from docpipe.parse.page.printed import Piece, PrintedLine
from docpipe.parse.scan.local_outlines import type_corner, type_corners
from docpipe.parse.scan.local_readings import Reading

_LETTERS = 0.72
"""Size of the letters of a line, in heights of the area that the detector finds for it."""
_ENDS = 0.2
"""Of that height: what it adds at each end."""
_ROOM = 0.08
"""Of that height: white space that belongs to a letter at its side."""
_LIKE_MOST = (0.78, 1.22)
"""Sizes within these bounds of the usual one are the usual one: areas differ by the letters in a line."""
_NEAR = 6.0
"""How far neighbours stand, in sizes of a line."""
_ALIKE = 1.28
"""By which factor their sizes may differ."""
_ABOVE = 0.6
"""Half the height of a line's box, in units of its size."""
_LONG = 5.0
"""Widths of a line in its heights, from which its slant can be told."""
_LEAST_SLANT = 0.15
_MOST_SLANT = 20.0
"""Degrees."""


class Seen(NamedTuple):
    """A line on the picture. `corners`: in the reading frame, in points."""

    corners: type_corners
    reading: Reading


class Frame(NamedTuple):
    """How the reading frame lies: its size in points, and by how many degrees its lines fall (clockwise)."""

    width: float
    height: float
    slant: float = 0.0

    def straight(self, point: type_corner) -> type_corner:
        """Where a point of the page lies when its lines are level."""
        return self._turned(point, -self.slant)

    def slanting(self, point: type_corner) -> type_corner:
        """Where a point of the levelled page lies on the page."""
        return self._turned(point, self.slant)

    def _turned(self, point: type_corner, degrees: float) -> type_corner:
        if not degrees:
            return point
        x, y = point[0] - self.width / 2, point[1] - self.height / 2
        sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
        return x * cosine - y * sine + self.width / 2, x * sine + y * cosine + self.height / 2


def extent(corners: type_corners) -> tuple[float, float]:
    """Length along which a line is read, and its height."""
    first, second, _, last = corners
    return math.dist(first, second), math.dist(first, last)


def slant(lines: Sequence[type_corners]) -> float:
    """By how many degrees most lines fall from left to right; 0 where that cannot be told or hardly shows."""
    angles: list[tuple[float, float]] = []
    for corners in lines:
        length, height = extent(corners)
        if length >= _LONG * max(1.0, height):
            (x, y), (x2, y2) = corners[:2]
            angles.append((math.degrees(math.atan2(y2 - y, x2 - x)), length))
    angles.sort()
    half, passed = sum(length for _, length in angles) / 2, 0.0
    for angle, length in angles:
        passed += length
        if passed >= half:
            return angle if _LEAST_SLANT <= abs(angle) <= _MOST_SLANT else 0.0
    return 0.0


def printed(seen: Sequence[Seen], frame: Frame) -> list[PrintedLine]:
    """The lines, level; those of which nothing can be stored are left out.

    The detector's areas are higher and lower with the letters that a line has; so a line's size is what its
    neighbours of about its size have, and its box is as high as that size asks.
    """
    lines = [line for line in (_line(one, frame) for one in seen) if line is not None]
    sizes = [_size_around(lines, line) for line in lines]
    usual = _usual_size(lines, sizes)
    low, high = _LIKE_MOST[0] * usual, _LIKE_MOST[1] * usual
    return [_sized(line, usual if low <= size <= high else size) for line, size in zip(lines, sizes, strict=True)]


def _size_around(lines: Sequence[PrintedLine], line: PrintedLine) -> float:
    """The middle one of the sizes of a line and of those close above and below it that are about as large."""
    reach = _NEAR * line.size
    sizes = sorted(
        other.size
        for other in lines
        if abs(other.top - line.top) <= reach
        and other.left < line.right
        and line.left < other.right
        and line.size / _ALIKE <= other.size <= line.size * _ALIKE
    )
    return sizes[len(sizes) // 2]


def _sized(line: PrintedLine, size: float) -> PrintedLine:
    middle = (line.top + line.bottom) / 2
    return line._replace(top=middle - _ABOVE * size, bottom=middle + _ABOVE * size, size=size)


def _usual_size(lines: Sequence[PrintedLine], sizes: Sequence[float]) -> float:
    """The size of the letter in the middle of all letters."""
    half, passed = sum(len(line.text) for line in lines) / 2, 0
    for size, count in sorted((size, len(line.text)) for line, size in zip(lines, sizes, strict=True)):
        passed += count
        if passed >= half:
            return size
    return 0.0


def _line(one: Seen, frame: Frame) -> PrintedLine | None:
    text, words = storable(one.reading.text.strip())
    if not words:
        return None
    points = [frame.straight(point) for point in one.corners]
    _, height = extent(one.corners)
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    edges = _with_room([left + edge * (right - left) for edge in one.reading.edges], _ROOM * height)
    if len(edges) != 2 * words:
        inset = min(_ENDS * height, 0.2 * (right - left))
        left, right, edges = left + inset, right - inset, ()
    else:
        left, right = edges[0], edges[-1]
    return PrintedLine(left, top, right, bottom, text, round(_LETTERS * height, 1), 0, edges)


def _with_room(edges: Sequence[float], room: float) -> tuple[float, ...]:
    """Edges of words where their ink ends, a little farther apart: letters have room at their sides."""
    wide = list(edges)
    for at in range(1, len(wide) - 1, 2):
        more = min(room, (wide[at + 1] - wide[at]) / 3)
        wide[at : at + 2] = wide[at] + more, wide[at + 1] - more
    return tuple(wide)


def words(lines: Sequence[PrintedLine]) -> list[Word]:
    """The words of lines, each at its place; a line whose words have none is one word."""
    found: list[Word] = []
    for line in lines:
        texts = line.text.split()
        if len(line.edges) != 2 * len(texts):
            found.append(Word(*line.box, line.text))
            continue
        for number, text in enumerate(texts):
            found.append(Word(line.edges[2 * number], line.top, line.edges[2 * number + 1], line.bottom, text))
    return found


def as_on_page(piece: Piece, frame: Frame) -> Piece:
    """A piece of the levelled page with the boxes that it has on the page, which slants."""
    if not frame.slant:
        return piece

    def box(level: Box) -> Box:
        return _around([frame.slanting(point) for point in _points(level)])

    lines = tuple(_slanting(line, box, frame) for line in piece.lines)
    table = piece.table
    if table is not None:
        cells = tuple(tuple(box(cell) for cell in row) for row in table.cells)
        table = FoundTable(box(table.box), table.table, cells)
    return piece._replace(lines=lines, box=box(piece.box), table=table)


def _slanting(line: PrintedLine, box: Callable[[Box], Box], frame: Frame) -> PrintedLine:
    middle = (line.top + line.bottom) / 2
    edges = tuple(frame.slanting((edge, middle))[0] for edge in line.edges)
    return PrintedLine(*box(line.box), line.text, line.size, line.style, edges)


def _points(box: Box) -> list[type_corner]:
    return [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]


def _around(points: Sequence[type_corner]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(min(xs), min(ys), max(xs), max(ys))
