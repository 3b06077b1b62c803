"""What a parser's engine sees on a page, before any layout is read out of it (pure values).

All lengths are points (1/72 inch) on the page as it is shown, after its rotation; origin top left, y downwards.
"""

from dataclasses import dataclass
from typing import NamedTuple

from docpipe.tables import Table


class Box(NamedTuple):
    """A box in points."""

    left: float
    top: float
    right: float
    bottom: float


class Word(NamedTuple):
    """A run of characters without white space, as printed."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


class Rule(NamedTuple):
    """A drawn straight line, horizontal or vertical, or the thin side of a filled box."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table on a page. `cells[i][j]` is the box of cell j of row i of `table` (of its words where it has any)."""

    box: Box
    table: Table
    cells: tuple[tuple[Box, ...], ...]
