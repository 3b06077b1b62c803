"""A grid on a page and the words in it -> a table with its cells (pure)."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable, Word
from docpipe.tables import Cell, Table

_NUMBER = re.compile(
    r"[(\[<>≤≥~±+\-–−$€£¥]*\d[\d.,:/ %‰\-–−()\]*†‡]*[a-zA-Z%*]{0,3}\)?|[-–−—.*]+|n\.?/?a\.?|[x✓✗]", re.I
)


class Area(NamedTuple):
    """A cell of a grid: its first row and column, and how many of each it covers."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Borders of columns (`xs`) and rows (`ys`) in points, rising; `areas` tile the cells between them."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    areas: tuple[Area, ...]
    header_rows: int = 0
    """Rows at the top known to be a header; 0: look at what the cells say."""

    @property
    def box(self) -> Box:
        """The outline."""
        return Box(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])


def is_number(text: str) -> bool:
    """Whether a cell's text is a figure, or what stands for one: `1,234.5%`, `(12)`, `–`, `n/a`."""
    return _NUMBER.fullmatch(text) is not None


def words_in(box: Box, words: Iterable[Word]) -> list[Word]:
    """The words whose middle lies in a box."""
    left, top, right, bottom = box
    return [
        word for word in words if left <= (word[0] + word[2]) / 2 < right and top <= (word[1] + word[3]) / 2 < bottom
    ]


def reading(words: Sequence[Word]) -> list[Word]:
    """Words of one cell in reading order: lines downwards, each from left to right."""
    return [word for line in text_lines(words) for word in line]


def text_lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words as printed lines, top to bottom, each from left to right. The input's order does not matter."""
    lines: list[list[Word]] = []
    middle = reach = 0.0
    for word in sorted(words, key=lambda word: ((word[1] + word[3]) / 2, word)):
        at, height = (word[1] + word[3]) / 2, word[3] - word[1]
        if lines and at - middle <= 0.5 * min(height, reach):
            lines[-1].append(word)
            middle += (at - middle) / len(lines[-1])
            reach = max(reach, height)
        else:
            lines.append([word])
            middle, reach = at, height
    for line in lines:
        line.sort()
    return lines


def fill(grid: Grid, words: Iterable[Word]) -> FoundTable:
    """Put each word whose middle lies in the grid into its cell. Rows and columns without any word are dropped."""
    grid, held = _without_empty(grid, _distribute(grid, words))
    texts = [" ".join(word.text for word in reading(words)) for words in held]
    header_rows = grid.header_rows or _header_rows(grid, texts)
    rows: list[list[Cell]] = [[] for _ in grid.ys[1:]]
    boxes: list[list[Box]] = [[] for _ in grid.ys[1:]]
    for area, text, inside in zip(grid.areas, texts, held, strict=True):
        header = area.row < header_rows
        rows[area.row].append(Cell(text, header=header, colspan=area.columns, rowspan=area.rows))
        boxes[area.row].append(_cell_box(grid, area, inside))
    table = Table(tuple(tuple(row) for row in rows))
    return FoundTable(box=grid.box, table=table, cells=tuple(tuple(row) for row in boxes))


def whole(xs: Sequence[float], ys: Sequence[float]) -> tuple[Area, ...]:
    """The areas of a grid in which no cell spans."""
    return tuple(Area(row, column) for row in range(len(ys) - 1) for column in range(len(xs) - 1))


def _distribute(grid: Grid, words: Iterable[Word]) -> list[list[Word]]:
    """Words by area, in the order of `grid.areas`."""
    owner = {}
    for number, area in enumerate(grid.areas):
        for row in range(area.row, area.row + area.rows):
            for column in range(area.column, area.column + area.columns):
                owner[row, column] = number
    held: list[list[Word]] = [[] for _ in grid.areas]
    for word in words_in(grid.box, words):
        column = bisect_right(grid.xs, (word[0] + word[2]) / 2) - 1
        row = bisect_right(grid.ys, (word[1] + word[3]) / 2) - 1
        held[owner[row, column]].append(word)
    return held


def _without_empty(grid: Grid, held: list[list[Word]]) -> tuple[Grid, list[list[Word]]]:
    """The grid without the rows and columns in which no cell with a word begins."""
    rows = sorted({area.row for area, words in zip(grid.areas, held, strict=True) if words})
    columns = sorted({area.column for area, words in zip(grid.areas, held, strict=True) if words})
    if len(rows) == len(grid.ys) - 1 and len(columns) == len(grid.xs) - 1:
        return grid, held
    new_areas, new_held = [], []
    for area, words in zip(grid.areas, held, strict=True):
        height = sum(area.row <= row < area.row + area.rows for row in rows)
        width = sum(area.column <= column < area.column + area.columns for column in columns)
        if not (height and width):
            continue
        row = sum(row < area.row for row in rows)
        column = sum(column < area.column for column in columns)
        new_areas.append(Area(row, column, height, width))
        new_held.append(words)
    xs = (*(grid.xs[column] for column in columns[:1]), *(grid.xs[column] for column in columns[1:]), grid.xs[-1])
    ys = (*(grid.ys[row] for row in rows), grid.ys[-1])
    return Grid(xs, ys, tuple(new_areas), grid.header_rows), new_held


def _cell_box(grid: Grid, area: Area, words: Sequence[Word]) -> Box:
    """The box of the words, or of the empty cell; never beyond the grid."""
    left, top, right, bottom = grid.box
    if not words:
        return Box(
            grid.xs[area.column],
            grid.ys[area.row],
            grid.xs[area.column + area.columns],
            grid.ys[area.row + area.rows],
        )
    return Box(
        max(left, min(word[0] for word in words)),
        max(top, min(word[1] for word in words)),
        min(right, max(word[2] for word in words)),
        min(bottom, max(word[3] for word in words)),
    )


def _header_rows(grid: Grid, texts: Sequence[str]) -> int:
    """Rows at the top that name columns: those before the first row with a figure right of its first cell.

    At most a third of the rows; where no row has a figure, the first row alone.
    """
    count = len(grid.ys) - 1
    figures = [0] * count
    for area, text in zip(grid.areas, texts, strict=True):
        if area.column > 0 and is_number(text) and not _is_year(text):
            figures[area.row] += 1
    first = next((row for row in range(count) if figures[row]), 1)
    first = min(first, max(1, count // 3)) if count > 1 else 0
    return first


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and text[:2] in ("18", "19", "20")
