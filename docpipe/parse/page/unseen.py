"""PyMuPDF page -> which of its letters no reader sees: unpainted, tiny, of the ground's colour, behind pictures."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.parse.content import Box
from docpipe.parse.page.lettering import storable
from docpipe.parse.page.printed import Piece, PrintedLine, Told, union
from docpipe.types import HIDDEN, BlockKind

if TYPE_CHECKING:
    import pymupdf

_TINY = 2.0
"""Points: nobody reads smaller letters."""
_PALE = 0xE0E0E0
"""Bits of a colour that may be lost on white: those of at least 224 in red, green and blue."""
_PAINTED = 16 | 32 | 64
"""MuPDF's marks of letters that are filled, stroked, or cut out of a picture."""
_LEAST_ALPHA = 26
"""Of 255: paler paint does not show."""
_SAME = 40
"""Colours whose parts differ by less, of 255, are one to the eye."""
_LOST = 0.65
"""Of the pixels where pale letters stand: letters on another ground take less of it."""
_LAYER = 0.5
"""Of a page's letters: where more are unpainted and stand on pictures, they are what was read of a scan."""
_MOST_NOTES = 1_000
"""On one page."""
_MOST_PIXELS = 1_500_000
_BEHIND = 60
"""A picture covers letters unless pixels come as near to their colour as this, of 255."""
_MOST_LOOKED_AT = 1_500
"""Places of a page: a page with more doubtful letters is made to tire whoever looks."""
_MOST_COMPARED = 4_000_000
"""Pairs of letters and what is drawn; a page with more is drawn by a machine, and not looked through."""
_SHOWING = 0.02
"""Of the pixels where letters stand: fewer of their colour, and they do not show."""


class Found(NamedTuple):
    """What is left of a page's text, and what nobody sees of it."""

    words: list[tuple[Any, ...]]
    unseen: list[PrintedLine]


class _Run(NamedTuple):
    """Letters of one setting: a span of MuPDF's line, and the line."""

    block: int
    line: int
    span: dict[str, Any]

    @property
    def box(self) -> Box:
        return Box(*self.span["bbox"])

    @property
    def size(self) -> int:
        return len(self.span["text"].strip())


def part(
    page: "pymupdf.Page", blocks: Sequence[dict[str, Any]], words: list[tuple[Any, ...]], pictures: Sequence[Box]
) -> Found:
    """Take out of a page's text what nobody sees.

    Args:
        blocks: as `extractDICT` gives them; hidden spans are taken out of them.
        words: as `extractWORDS` gives them.
        pictures: boxes of the page's pictures, in the same frame.
    """
    look = cache(lambda: _Look(page))
    most = _LAYER * sum(
        len(span["text"].strip()) for block in blocks for line in block["lines"] for span in line["spans"]
    )
    hidden = [run for run in _without_layer(list(_doubtful(blocks)), pictures, most) if _is_lost(run, look)]
    if pictures:
        behind = _without_layer(_behind(page, blocks, pictures), pictures, most)
        hidden += [run for run in behind if look().share(run.box, run.span["color"], _BEHIND) < _SHOWING]
    if not hidden:
        return Found(words, [])
    gone = {id(run.span) for run in hidden}
    for block in blocks:
        for line in block["lines"]:
            _keep(line, [span for span in line["spans"] if id(span) not in gone])
    places: dict[tuple[int, int], list[Box]] = {}
    for run in hidden:
        places.setdefault((run.block, run.line), []).append(run.box)
    kept = [word for word in words if not _stands_in(word, places.get((word[5], word[6]), ()))]
    return Found(kept, _as_lines(hidden))


def piece(lines: Sequence[PrintedLine]) -> Piece:
    """Hidden lines of one page, together."""
    box = union(lines)
    return Piece("text", tuple(lines), box, 0, box.left, box.right, told=Told(BlockKind.OTHER, HIDDEN))


def outside(blocks: Sequence[dict[str, Any]], width: float, height: float) -> list[PrintedLine]:
    """The lines that stand wholly beside the page."""
    beside = [
        _Run(block["number"], number, span)
        for block in blocks
        for number, line in enumerate(block["lines"])
        if _is_beside(line["bbox"], width, height)
        for span in line["spans"]
    ]
    return _as_lines(beside)


def notes(page: "pymupdf.Page") -> list[PrintedLine]:
    """What the notes say that are stuck on a page, closed; text that is written on the page by one is shown."""
    found = []
    for note in islice(page.annots(), _MOST_NOTES):
        text, words = storable(str(note.info.get("content") or ""))
        if words and note.type[1] != "FreeText":
            box = Box(*(note.rect * page.derotation_matrix))
            found.append(PrintedLine(*box, text, _TINY, 0))
    return found


def _is_beside(box: Sequence[float], width: float, height: float) -> bool:
    return box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height


def _doubtful(blocks: Sequence[dict[str, Any]]) -> Iterator[_Run]:
    """Runs that are unpainted, tiny or pale."""
    for block in blocks:
        for number, line in enumerate(block["lines"]):
            for span in line["spans"]:
                plain = span["char_flags"] & _PAINTED and span["alpha"] >= _LEAST_ALPHA
                if plain and span["size"] >= _TINY and span["color"] & _PALE != _PALE:
                    continue
                if span["text"].strip():
                    yield _Run(block["number"], number, span)


def _is_painted(span: dict[str, Any]) -> bool:
    return bool(span["char_flags"] & _PAINTED) and span["alpha"] >= _LEAST_ALPHA


def _is_lost(run: _Run, look: Callable[[], "_Look"]) -> bool:
    """Whether letters are too small to be read, unpainted where nothing else shows, or of their ground's colour."""
    if run.span["size"] < _TINY:
        return True
    if not run.span["char_flags"] & _PAINTED or run.span["alpha"] < _LEAST_ALPHA:
        return not look().shows(run.box)
    return look().share(run.box, run.span["color"], _SAME) > _LOST


def _without_layer(runs: list[_Run], pictures: Sequence[Box], most: float) -> list[_Run]:
    """The runs but those on pictures, where these are most of the page's letters: what was read of a scan."""
    off = [run for run in runs if run.span["size"] < _TINY or not any(_holds(box, run.box) for box in pictures)]
    return off if sum(run.size for run in runs) - sum(run.size for run in off) > most else runs


def _behind(page: "pymupdf.Page", blocks: Sequence[dict[str, Any]], pictures: Sequence[Box]) -> list[_Run]:
    """Letters over which a picture was laid."""
    covered = [
        _Run(block["number"], number, span)
        for block in blocks
        for number, line in enumerate(block["lines"])
        for span in line["spans"]
        if span["char_flags"] & _PAINTED and any(_holds(box, Box(*span["bbox"])) for box in pictures)
    ]
    if not covered:
        return []
    laid = [(kind, Box(*box)) for kind, box in page.get_bboxlog() if "text" in kind or "image" in kind]
    if len(laid) * len(covered) > _MOST_COMPARED:
        return []
    return [run for run in covered if _is_below(run.box, laid)]


def _is_below(box: Box, laid: Sequence[tuple[str, Box]]) -> bool:
    """Whether the last picture over a place was laid after the last letters there."""
    text = picture = -1
    for number, (kind, place) in enumerate(laid):
        if "image" in kind and _holds(place, box):
            picture = number
        elif "text" in kind and _holds(place, box):
            text = number
    return picture > text >= 0


def _keep(line: dict[str, Any], spans: list[dict[str, Any]]) -> None:
    if len(spans) < len(line["spans"]):
        line["spans"] = spans
        if spans:
            line["bbox"] = tuple(union([Box(*span["bbox"]) for span in spans]))


def _stands_in(word: tuple[Any, ...], boxes: Sequence[Box]) -> bool:
    return any(_holds(box, Box(*word[:4])) for box in boxes)


def _holds(outer: Box, inner: Box) -> bool:
    """Whether the middle of a box lies in another."""
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def _as_lines(runs: Sequence[_Run]) -> list[PrintedLine]:
    found: dict[tuple[int, int], list[_Run]] = {}
    for run in runs:
        found.setdefault((run.block, run.line), []).append(run)
    lines = []
    for line in found.values():
        text, words = storable("".join(run.span["text"] for run in line))
        if words:
            lines.append(PrintedLine(*union([run.box for run in line]), text, line[0].span["size"], 0))
    return lines


class _Look:
    """A page as it is shown, in pixels. After too many places have been looked at, nothing shows any more."""

    def __init__(self, page: "pymupdf.Page") -> None:
        import pymupdf

        self._left = _MOST_LOOKED_AT
        width, height = max(1.0, page.rect.width), max(1.0, page.rect.height)
        self._scale = min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5)
        self._turn = page.rotation_matrix
        self._data, self._width, self._height, self._stride = b"", 0, 0, 0
        try:
            shape = page.get_pixmap(matrix=pymupdf.Matrix(self._scale, self._scale), alpha=False, colorspace="rgb")
        except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase):
            return  # it cannot be drawn: then nothing tells what is seen
        self._data, self._width, self._height, self._stride = shape.samples, shape.width, shape.height, shape.stride

    def share(self, box: Box, colour: int, distance: int) -> float:
        """Share of a place's pixels that have a colour, or nearly so; a half where it could not be drawn."""
        if self._is_tired():
            return 1.0
        pixels = Counter(self._pixels(box))
        near = sum(count for pixel, count in pixels.items() if _near(pixel, colour, distance))
        return near / pixels.total() if pixels else 0.5

    def shows(self, box: Box) -> bool:
        """Whether anything is seen at a place, whatever it is, or it could not be drawn."""
        if self._is_tired():
            return False
        pixels = Counter(self._pixels(box))
        return not pixels or any(not _near(pixel, pixels.most_common(1)[0][0], _SAME) for pixel in pixels)

    def _is_tired(self) -> bool:
        self._left -= 1
        return self._left < 0

    def _pixels(self, box: Box) -> Iterator[int]:
        """Colours of the pixels of five rows through a place, as `0xRRGGBB`."""
        import pymupdf

        shown = pymupdf.Rect(box) * self._turn * pymupdf.Matrix(self._scale, self._scale)
        left, right = max(0, int(shown.x0)), min(self._width, int(shown.x1) + 1)
        top, bottom = max(0, int(shown.y0)), min(self._height, int(shown.y1) + 1)
        for row in sorted({top + (bottom - top) * part // 6 for part in range(1, 6)}) if bottom > top else ():
            start = row * self._stride
            data = self._data[start + 3 * left : start + 3 * right]
            yield from map(_colour, data[0::3], data[1::3], data[2::3])


def _colour(red: int, green: int, blue: int) -> int:
    return red << 16 | green << 8 | blue


def _near(one: int, other: int, distance: int) -> bool:
    return all(abs((one >> shift & 0xFF) - (other >> shift & 0xFF)) < distance for shift in (16, 8, 0))
