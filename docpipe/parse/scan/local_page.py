"""A picture of a page -> the page with what is printed on it, laid out."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from docpipe.parse.content import Box
from docpipe.parse.grid.tables import find_tables
from docpipe.parse.page.layout import arrange
from docpipe.parse.page.printed import PrintedLine, PrintedPage, turned
from docpipe.parse.scan import local_engine as engine
from docpipe.parse.scan.local_lines import Frame, Seen, as_on_page, extent, printed, slant, words
from docpipe.parse.scan.local_outlines import type_corners
from docpipe.parse.scan.local_readings import Reading
from docpipe.parse.scan.local_rules import rules

if TYPE_CHECKING:
    from docpipe.parse.scan.local_engine import type_picture

type_reader = Callable[[type_corners], Reading]
"""What stands on a line of the picture; no line is read twice."""

_SAMPLE = 4
"""Lines that are read to see how the page lies."""
_SURE = 0.9
"""A sample that is read with this score lies upright."""
_CLEARLY = 0.05
"""By how much the score has to be better when a page is turned over."""
_LEGIBLE = 0.5
"""Lines read with a lower score are left out."""
_TRUSTED = 0.7
"""Pages whose ink is read with a lower score on average stay marked."""
_LEFT_OUT, _FEWEST_LEFT_OUT = 0.1, 24
"""So do those of whose ink more stands on lines that are left out (of all, and at least in steps)."""
_LOST, _FEWEST_LOST = 0.05, 6
"""So do those that lost so many letters between others (of all, and at least): their language has its own."""
_TALL = 2.0
"""Heights of a line in its widths from which it is taken to run upwards or downwards."""


def page(picture: "type_picture", number: int, width: float, height: float, *, tables: bool) -> PrintedPage:
    """The page as OCR reads it; `needs_ocr` where most of it could not be read with confidence.

    Args:
        picture: the page as shown, shape (height, width, 3), blue first.
        number: from 1.
        width, height: of the page as shown, in points.

    Raises:
        MissingWeights, DamagedWeights: the package with the networks is not as it should be.
    """
    scale = picture.shape[1] / width
    quads = engine.detected(picture)
    read = cache(partial(engine.read, picture))
    turn = _turn(read, quads)
    frame = Frame(height, width) if turn in (90, 270) else Frame(width, height)
    straight = [quad for quad in quads if not _is_tall(_rolled(quad, turn))]
    seen = _seen(read, straight, turn, scale, (width, height))
    frame = frame._replace(slant=slant([one.corners for one in seen]))
    lines = printed([one for one in seen if one.reading.score >= _LEGIBLE], frame)
    aside = _upwards(read, [quad for quad in quads if quad not in straight], turn, scale, (width, height), frame)
    found = []
    if tables and _may_hold_tables(lines):
        drawn = rules(picture, turn, scale, frame)
        found = find_tables(words(lines), drawn, width=frame.width, height=frame.height)
    pieces = arrange(lines, turned=aside, tables=found, width=frame.width, height=frame.height)
    pieces = tuple(as_on_page(piece, frame) for piece in pieces)
    return PrintedPage(
        number, width, height, pieces, turn=turn, needs_ocr=not _is_trusted([one.reading for one in seen])
    )


def _turn(read: type_reader, quads: Sequence[type_corners]) -> int:
    """Degrees, clockwise, from the reading frame to the page as shown."""
    if not quads:
        return 0
    upright = sum(max(extent(quad)) * (-1 if _is_tall(quad) else 1) for quad in quads) >= 0
    longest = sorted(quads, key=lambda quad: -max(extent(quad)))[:_SAMPLE]
    one, other = (0, 180) if upright else (90, 270)
    score = _score([read(_rolled(quad, one)) for quad in longest])
    if score >= _SURE:
        return one
    turned_over = _score([read(_rolled(quad, other)) for quad in longest])
    return other if turned_over > max(score + _CLEARLY, _TRUSTED) else one


def _score(readings: Sequence[Reading]) -> float:
    return sum(reading.score for reading in readings) / max(1, len(readings))


def _is_tall(corners: type_corners) -> bool:
    length, height = extent(corners)
    return height > _TALL * length


def _rolled(quad: type_corners, turn: int) -> type_corners:
    """The corners of a line as it is read on a page that was turned."""
    by = turn // 90 % 4
    first, second, third, fourth = (*quad[by:], *quad[:by])
    return first, second, third, fourth


def _seen(
    read: type_reader, quads: Sequence[type_corners], turn: int, scale: float, size: tuple[float, float]
) -> list[Seen]:
    """Lines that are read on a page turned so, in the reading frame."""
    rolled = [_rolled(quad, turn) for quad in quads]
    readings = [(quad, read(quad)) for quad in rolled]
    return [
        Seen(_in_frame(quad, turn, scale, size), reading) for quad, reading in readings if reading.text or reading.ink
    ]


def _in_frame(quad: type_corners, turn: int, scale: float, size: tuple[float, float]) -> type_corners:
    back = (360 - turn) % 360
    points = [turned(Box(x / scale, y / scale, x / scale, y / scale), back, *size)[:2] for x, y in quad]
    first, second, third, fourth = points
    return first, second, third, fourth


def _upwards(
    read: type_reader,
    quads: Sequence[type_corners],
    turn: int,
    scale: float,
    size: tuple[float, float],
    frame: Frame,
) -> list[list[PrintedLine]]:
    """Lines that run otherwise than the page, each read both ways; one letter by itself stands upright."""
    found: list[list[PrintedLine]] = []
    for quad in quads:
        ways = [_seen(read, [quad], way, scale, size) for way in (turn, (turn + 90) % 360, (turn + 270) % 360)]
        scores = [(way[0].reading.score, number) for number, way in enumerate(ways) if way]
        if not scores or max(scores)[0] < _LEGIBLE:
            continue
        best = ways[max(scores)[1]][0]
        corners = _in_frame(_rolled(quad, turn), turn, scale, size)
        lines = printed([Seen(corners, best.reading._replace(edges=()))], frame)
        if lines:
            found.append(lines)
    return found


def _may_hold_tables(lines: Sequence[PrintedLine]) -> bool:
    """Whether at least twice something stands beside something else."""
    ordered = sorted(lines, key=lambda line: line.top)
    beside = 0
    for number, line in enumerate(ordered):
        for other in ordered[number + 1 : number + 12]:
            if other.top > (line.top + line.bottom) / 2:
                break
            beside += other.left >= line.right or line.left >= other.right
            if beside > 1:
                return True
    return False


def _is_trusted(readings: Sequence[Reading]) -> bool:
    ink = sum(reading.ink for reading in readings)
    left_out = sum(reading.ink for reading in readings if reading.score < _LEGIBLE)
    if left_out > max(_FEWEST_LEFT_OUT, _LEFT_OUT * ink):
        return False
    if sum(reading.ink * reading.score for reading in readings) < _TRUSTED * ink:
        return False
    lost, letters = sum(one.lost for one in readings), sum(one.letters for one in readings)
    return lost < _FEWEST_LOST or lost < _LOST * letters
