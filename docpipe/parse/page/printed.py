"""What was printed on a page, as the layout sees it: lines, and the pieces they make up (pure values).

Lengths are points in the reading frame: the page turned so that most of its text runs from left to right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable, Rule, Word
from docpipe.types import BlockKind


class Style(IntFlag):
    """How a line is set, as most of its letters are."""

    PLAIN = 0
    BOLD = 1
    ITALIC = 2
    MONO = 4
    MATH = 8
    GAPPED = 16
    """Its parts stand wide apart, as in a table without rules or a table of contents."""
    RAISED = 32
    """It begins with a raised mark, as a footnote does."""


BOLD, ITALIC, MONO, MATH = int(Style.BOLD), int(Style.ITALIC), int(Style.MONO), int(Style.MATH)
GAPPED, RAISED = int(Style.GAPPED), int(Style.RAISED)


class PrintedLine(NamedTuple):
    """One printed line, or one part of it. `edges`: left and right x of each word, or nothing."""

    left: float
    top: float
    right: float
    bottom: float
    text: str
    size: float
    style: int
    edges: Sequence[float] = ()

    @property
    def box(self) -> Box:
        """Where it stands."""
        return Box(self.left, self.top, self.right, self.bottom)


class Told(NamedTuple):
    """What a service that read the page calls a piece: it is not guessed again. `level` as in `Block`."""

    kind: BlockKind
    native: str
    level: int = 0


class Piece(NamedTuple):
    """Lines that belong together: a paragraph, a heading, an item ... not yet named.

    `role` is `text`, `table`, `figure`, `aside` (text in the margin) or `turned` (it runs in another
    direction). `column` numbers the
    stretches of the page that are read one after the other; `left` and `right` are that column's edges.
    The lines of a piece that was `told` are runs of its text, white space at their ends included, and their
    boxes hold at least those words.
    """

    role: str
    lines: tuple[PrintedLine, ...]
    box: Box
    column: int
    left: float
    right: float
    table: FoundTable | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """A page's pieces in reading order. `turn`: degrees, clockwise, from the reading frame to the page as shown."""

    number: int
    width: float
    height: float
    """Of the page as shown."""
    pieces: tuple[Piece, ...]
    turn: int = 0
    needs_ocr: bool = False
    damaged: bool = False

    @property
    def frame(self) -> tuple[float, float]:
        """Width and height in the reading frame."""
        return (self.height, self.width) if self.turn in (90, 270) else (self.width, self.height)


Boxed = Box | Word | Rule | PrintedLine
"""What begins with left, top, right and bottom."""


def union(boxes: Sequence[Boxed]) -> Box:
    """The smallest box around some boxes (at least one)."""
    return Box(
        min([box[0] for box in boxes]),
        min([box[1] for box in boxes]),
        max([box[2] for box in boxes]),
        max([box[3] for box in boxes]),
    )


def turned(box: Boxed, degrees: int, width: float, height: float) -> Box:
    """A box of a frame of this size, after the frame was turned clockwise by a multiple of 90 degrees."""
    left, top, right, bottom = box[0], box[1], box[2], box[3]
    if degrees == 90:
        return Box(height - bottom, left, height - top, right)
    if degrees == 180:
        return Box(width - right, height - bottom, width - left, height - top)
    if degrees == 270:
        return Box(top, width - right, bottom, width - left)
    return Box(left, top, right, bottom)
