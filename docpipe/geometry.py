"""Lines of text and where they stand on their pages, packed (pure)."""

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple
from unicodedata import east_asian_width

_RECORD = Struct("<IIIIHHHH")  # start, end, index of the first edge, page, left, top, right, bottom
_EDGE = Struct("<H")
_UNIT = 65535
"""Fractions of the page are kept in 16 bits: 0.01 mm on A4."""

UNCUT = 0.0
"""As the only edge of a run: nobody knows where its words stand in its box, so the box is never cut."""


class Line(NamedTuple):
    """One run of text on one page: a printed line, or a table cell.

    `start` and `end` are code points of the document's text, half open. `left`, `top`, `right` and `bottom`
    are fractions of the page from its top left corner. `edges` holds the left and right x of each
    white-space separated word of the run, in order, or nothing where words were not measured (then a box is
    cut by the letters' usual widths), or `UNCUT` alone. A run never crosses a line break of the page unless it is
    uncut, and runs come in the order of the text.
    """

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float
    edges: tuple[float, ...] = ()


class PageBox(NamedTuple):
    """A box on a page (numbered from 1): fractions of the page's width and height, origin top left."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """The lines of a text, sorted by start and disjoint. Cheap to send to another process and to store."""

    records: bytes = b""
    edges: bytes = b""

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Geometry":
        """Pack lines.

        Raises:
            ValueError: the lines are not in the order of the text, or overlap.
        """
        records, edges, last = bytearray(), array("H"), 0
        pack = _RECORD.pack
        for start, end, page, left, top, right, bottom, xs in lines:
            if start < last or end < start:
                raise ValueError(f"lines must be in the order of the text: {start}..{end} follows {last}")
            last = end
            records += pack(start, end, len(edges), page, *_packed((left, top, right, bottom)))
            if xs:
                edges.extend(_packed(xs))
        if sys.byteorder == "big":
            edges.byteswap()
        return cls(bytes(records), edges.tobytes())

    def __len__(self) -> int:
        return len(self.records) // _RECORD.size

    def __iter__(self) -> Iterator[Line]:
        return (self._line(number) for number in range(len(self)))

    def slice(self, start: int, end: int, *, shift: int = 0) -> "Geometry":
        """The lines that touch `start` to `end`, their offsets moved by `shift`. Lines are kept whole."""
        first, stop = self._touching(start, end)
        if first >= stop:
            return Geometry()
        base = self._edge_start(first)
        size, records = _RECORD.size, bytearray()
        for number in range(first, stop):
            begin, finish, edge, *box = _RECORD.unpack_from(self.records, number * size)
            records += _RECORD.pack(max(0, begin + shift), max(0, finish + shift), edge - base, *box)
        return Geometry(bytes(records), self.edges[2 * base : 2 * self._edge_start(stop)])

    def boxes(self, start: int, end: int, text: str, *, offset: int = 0) -> tuple[PageBox, ...]:
        """Boxes of the characters `start` to `end`, one per printed line, cut at the words' own edges.

        Args:
            start, end: in the same units as the lines' own offsets.
            text: the text that the lines point into, from `offset` on.
        """
        found = []
        first, stop = self._touching(start, end)
        for number in range(first, stop):
            line = self._line(number)
            a, b = max(start, line.start), min(end, line.end)
            if not text[a - offset : b - offset].strip():
                continue
            left, right = _clip(line, a, b, text[line.start - offset : line.end - offset])
            found.append(PageBox(line.page, left, line.top, right, line.bottom))
        return tuple(found)

    def areas(self, start: int, end: int) -> tuple[PageBox, ...]:
        """One box per page, by page: around all lines that touch `start` to `end`."""
        first, stop = self._touching(start, end)
        size, found = _RECORD.size, dict[int, tuple[int, int, int, int]]()
        for _, _, _, page, left, top, right, bottom in _RECORD.iter_unpack(self.records[first * size : stop * size]):
            box = found.get(page)
            found[page] = (
                (min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom))
                if box
                else (left, top, right, bottom)
            )
        return tuple(
            PageBox(page, left / _UNIT, top / _UNIT, right / _UNIT, bottom / _UNIT)
            for page, (left, top, right, bottom) in sorted(found.items())
        )

    def _line(self, number: int) -> Line:
        start, end, edge, page, *box = _RECORD.unpack_from(self.records, number * _RECORD.size)
        stop = self._edge_start(number + 1)
        xs = tuple(x / _UNIT for (x,) in _EDGE.iter_unpack(self.edges[2 * edge : 2 * stop]))
        left, top, right, bottom = (value / _UNIT for value in box)
        return Line(start, end, page, left, top, right, bottom, xs)

    def _edge_start(self, number: int) -> int:
        if number >= len(self):
            return len(self.edges) // 2
        return int(_RECORD.unpack_from(self.records, number * _RECORD.size)[2])

    def _touching(self, start: int, end: int) -> tuple[int, int]:
        """Numbers of the first line that ends after `start`, and of the first that begins at or after `end`."""
        size, records = _RECORD.size, self.records
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if _RECORD.unpack_from(records, middle * size)[1] <= start:
                low = middle + 1
            else:
                high = middle
        stop, high = low, len(self)
        while stop < high:
            middle = (stop + high) // 2
            if _RECORD.unpack_from(records, middle * size)[0] < end:
                stop = middle + 1
            else:
                high = middle
        return low, stop


def _packed(fractions: tuple[float, ...]) -> list[int]:
    """Fractions in 16 bits. This is the innermost loop of every parser: one look at the ends spares one per value."""
    packed = [int(fraction * _UNIT + 0.5) for fraction in fractions]
    if min(fractions) < 0.0 or max(packed) > _UNIT:
        return [min(_UNIT, max(0, value)) for value in packed]
    return packed


def _clip(line: Line, start: int, end: int, run: str) -> tuple[float, float]:
    """x of the first and of the last character of `start` to `end` within the line."""
    if (start <= line.start and end >= line.end) or len(line.edges) == 1:
        return line.left, line.right
    bounds, at = [], 0
    for word in run.split():
        at = run.index(word, at)
        bounds.append((line.start + at, line.start + at + len(word)))
        at += len(word)
    xs = line.edges if len(line.edges) == 2 * len(bounds) else ()
    if not xs:
        bounds, xs = [(line.start, line.end)], (line.left, line.right)
    touched = [n for n, (a, b) in enumerate(bounds) if a < end and b > start]
    if not touched:
        return line.left, line.right
    first, last = touched[0], touched[-1]
    left = _inside(bounds[first], xs[2 * first], xs[2 * first + 1], start, run, line.start)
    right = _inside(bounds[last], xs[2 * last], xs[2 * last + 1], end, run, line.start)
    return (left, right) if left < right else (line.left, line.right)


def _inside(word: tuple[int, int], left: float, right: float, at: int, run: str, offset: int) -> float:
    """x of a character within a word, by the widths that its letters usually have beside each other."""
    at = min(max(at, word[0]), word[1])
    before = sum(map(_width, run[word[0] - offset : at - offset]))
    behind = sum(map(_width, run[at - offset : word[1] - offset]))
    return left + (right - left) * before / max(before + behind, 0.01)


def _width(letter: str) -> float:
    """Usual width in ems: a Chinese letter or mark fills its square, a Latin letter or digit about half of it."""
    return 1.0 if east_asian_width(letter) in "WF" else 0.54
