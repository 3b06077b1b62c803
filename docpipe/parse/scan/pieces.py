"""Elements of a page -> the page as the layout of printed pages knows it, every piece already named (pure)."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import east_asian_width

from docpipe.geometry import UNCUT
from docpipe.parse.content import Box, FoundTable
from docpipe.parse.page.printed import Piece, PrintedLine, PrintedPage, Told, union
from docpipe.parse.scan.content import Part, parts
from docpipe.parse.scan.layout import Element
from docpipe.tables import Table
from docpipe.types import BBox, BlockKind

_PITCH = 1.3
"""From one line to the next, in units of the letters' size."""
_LETTER = 0.5
"""Usual width of a Latin letter, in units of its size."""
_MOST_LINES = 150
"""In one box; more are not told apart."""
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]\s*|\S[^\s\u2e80-\u9fff\uac00-\ud7af]*\s*")
_USUAL_SIZE = 10.0
_DROPPED = frozenset({BlockKind.HEADER, BlockKind.FOOTER})


class _Sizing(NamedTuple):
    """How the text of a box was probably set: points."""

    size: float
    pitch: float
    ems: float
    """Width of a line, in units of the size."""


def page(number: int, width: float, height: float, elements: Sequence[Element]) -> PrintedPage:
    """The page with these elements on it, in their order.

    A service gives a box for a block, not for its lines. So each line's place is estimated from the block's box and
    from the lengths of the words, and its box reaches one line further up and down, at the block's full width: it holds
    the words, and seldom more than three lines. Of a block of up to two lines, and of one without a place of its own
    (then the whole page stands for it), the whole box is given.

    Args:
        number: from 1.
        width, height: of the page as shown, in points.
    """
    found: list[Piece] = []
    column, last = 0, None
    for element in elements:
        box = _points(element.box, width, height)
        if element.box is not None:
            column += last is not None and _elsewhere(last, box)
            last = box
        found += _pieces(element, box, column)
    return PrintedPage(number, width, height, tuple(found))


def _points(box: BBox | None, width: float, height: float) -> Box:
    if box is None:
        return Box(0.0, 0.0, width, height)
    return Box(box.left * width, box.top * height, box.right * width, box.bottom * height)


def _elsewhere(last: Box, box: Box) -> bool:
    """Whether a box begins another column: beside the last one, or above it."""
    beside = box.left >= last.right - 1 or box.right <= last.left + 1
    return beside or box.bottom <= last.top + 1


def _pieces(element: Element, box: Box, column: int) -> list[Piece]:
    held = parts(element)
    if not held and element.label in ("header_image", "footer_image"):
        return []
    whole = element.box is None or element.label == "vertical_text"
    sizing = _sizing(held, box)
    counts = [len(_lines(part, sizing)) for part in held]
    total, at, found = max(1, sum(counts)), 0, list[Piece]()
    for part, count in zip(held, counts, strict=True):
        told = Told(part.kind, part.native, part.level)
        area = box if whole or len(held) == 1 else _band(box, at, at + count, total)
        if part.table is not None:
            table = FoundTable(area, part.table, _cells(part.table, area))
            found.append(Piece("table", (), area, column, box.left, box.right, table, told))
        elif part.kind is BlockKind.FIGURE:
            found.append(Piece("figure", (), area, column, box.left, box.right, None, told))
        else:
            lines = _printed(part, sizing, box, at, total, whole=whole)
            edge = union(lines) if len(held) > 1 else area
            found.append(Piece("text", lines, edge, column, box.left, box.right, None, told))
        at += count
    return found


def _printed(part: Part, sizing: _Sizing, box: Box, at: int, total: int, *, whole: bool) -> tuple[PrintedLine, ...]:
    texts = _lines(part, sizing)
    if whole or total <= 2:
        edges = () if total == 1 and not whole else (UNCUT,)
        return (PrintedLine(*box, "".join(texts), sizing.size, 0, edges),)
    return tuple(
        PrintedLine(*_band(box, at + number, at + number + 1, total), text, sizing.size, 0, (UNCUT,))
        for number, text in enumerate(texts)
    )


def _band(box: Box, start: int, stop: int, total: int) -> Box:
    """Lines `start` to `stop` of a box of `total` lines, and one more on either side."""
    pitch = (box.bottom - box.top) / total
    return box._replace(
        top=max(box.top, box.top + (start - 1) * pitch), bottom=min(box.bottom, box.top + (stop + 1) * pitch)
    )


def _cells(table: Table, box: Box) -> tuple[tuple[Box, ...], ...]:
    """Boxes that hold the cells: their rows, by the number of rows, and one more on either side."""
    count = len(table.rows)
    return tuple(
        tuple(_band(box, number, min(count, number + cell.rowspan), count) for cell in row)
        for number, row in enumerate(table.rows)
    )


def _sizing(held: Sequence[Part], box: Box) -> _Sizing:
    """The largest size at which the text fits its box."""
    width, height = max(1.0, box.right - box.left), max(1.0, box.bottom - box.top)
    lengths = [_ems(line) for part in held for line in part.text.split("\n") if part.text]
    for count in range(max(1, len(lengths)), _MOST_LINES):
        size = height / (_PITCH * count)
        ems = width / size
        if sum(max(1, -int(-length // ems)) for length in lengths) <= count:
            return _Sizing(min(size, 3 * _USUAL_SIZE), size * _PITCH, ems)
    return _Sizing(_USUAL_SIZE, _USUAL_SIZE * _PITCH, width / _USUAL_SIZE)


def _ems(text: str) -> float:
    if text.isascii():
        return len(text) * _LETTER
    return sum(1.0 if east_asian_width(letter) in "WF" else _LETTER for letter in text)


def _lines(part: Part, sizing: _Sizing) -> list[str]:
    """The text broken as it was probably printed; joined, they are the text. Rows of a table count as lines."""
    if part.table is not None:
        return [""] * len(part.table.rows)
    found: list[str] = []
    for stretch in part.text.splitlines(keepends=True):
        line, length = "", 0.0
        for word in _words(stretch):
            ems = _ems(word.rstrip())
            if line and length + ems > sizing.ems:
                found.append(line)
                line, length = "", 0.0
            line += word
            length += _ems(word)
        found.append(line)
    return found or [""]


def _words(text: str) -> list[str]:
    """Words with the blanks after them; those at the front stay with the first."""
    start = len(text) - len(text.lstrip())
    words = _WORD.findall(text, start)
    return [text[:start] + words[0], *words[1:]] if words else [text]
