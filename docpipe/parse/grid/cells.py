"""A grid on a page and the words in each of its cells -> a table (pure)."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable, Word
from docpipe.parse.grid.phrases import is_number, phrases, text_lines
from docpipe.tables import Cell, Table

_LABEL_WORDS = 4
"""A cell over the whole width with more words is no heading of the columns or rows beside it."""


class Area(NamedTuple):
    """A cell of a grid: its first row and column, and how many of each it covers."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


class Held(NamedTuple):
    """A cell with the words in it."""

    area: Area
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Borders of columns (`xs`) and rows (`ys`) in points, rising; `areas` tile the cells between them."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    areas: tuple[Area, ...]

    @property
    def box(self) -> Box:
        """The outline."""
        return Box(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])


def words_in(box: Box, words: Iterable[Word]) -> list[Word]:
    """The words whose middle lies in a box."""
    left, top, right, bottom = box
    return [
        word for word in words if left <= (word[0] + word[2]) / 2 <= right and top <= (word[1] + word[3]) / 2 <= bottom
    ]


def distribute(grid: Grid, words: Iterable[Word]) -> list[Held]:
    """Each word whose middle lies in the grid into its cell.

    A cell over several columns whose words keep clear of the borders between them is really several cells.
    """
    held: list[Held] = []
    for cell in _placed(grid, words):
        held.extend(_parted(grid, *cell) if cell.area.columns > 1 else [cell])
    return held


def _placed(grid: Grid, words: Iterable[Word]) -> list[Held]:
    """Words by area, in the order of `grid.areas`."""
    owner: dict[tuple[int, int], int] = {}
    for number, area in enumerate(grid.areas):
        for row in range(area.row, area.row + area.rows):
            for column in range(area.column, area.column + area.columns):
                owner[row, column] = number
    inside: list[list[Word]] = [[] for _ in grid.areas]
    for word in words_in(grid.box, words):
        column = min(bisect_right(grid.xs, (word[0] + word[2]) / 2), len(grid.xs) - 1) - 1
        row = min(bisect_right(grid.ys, (word[1] + word[3]) / 2), len(grid.ys) - 1) - 1
        inside[owner[row, column]].append(word)
    return [Held(area, tuple(content)) for area, content in zip(grid.areas, inside, strict=True)]


def adopt(grid: Grid, held: Sequence[Held], words: Iterable[Word]) -> list[Held]:
    """The cells with the words added that lie in the grid and are in none of them yet."""
    known = {word for cell in held for word in cell.words}
    missing = [word for word in words_in(grid.box, words) if word not in known]
    if not missing:
        return list(held)
    found = _placed(Grid(grid.xs, grid.ys, tuple(cell.area for cell in held)), missing)
    return [Held(cell.area, cell.words + more.words) for cell, more in zip(held, found, strict=True)]


def _parted(grid: Grid, area: Area, words: Sequence[Word]) -> list[Held]:
    """A wide cell cut at the column borders that its words keep clear of; itself where they cross one."""
    columns: list[list[Word]] = [[] for _ in range(area.columns)]
    for line in text_lines(words):
        for part in phrases(line):
            first = bisect_right(grid.xs, part.left + 1) - 1
            last = bisect_right(grid.xs, part.right - 1) - 1
            if first != last or not 0 <= first - area.column < area.columns:
                return [Held(area, tuple(words))]
            columns[first - area.column].extend(part.words)
    if sum(map(bool, columns)) < 2:
        return [Held(area, tuple(words))]
    return [
        Held(Area(area.row, area.column + number, area.rows), tuple(content)) for number, content in enumerate(columns)
    ]


def without_notes(grid: Grid, held: Sequence[Held]) -> tuple[Grid, list[Held]]:
    """A grid without a first or last row that is one wordy cell: its title, or the notes below it."""
    columns, count = len(grid.xs) - 1, len(grid.ys) - 1
    wide = {
        cell.area.row
        for cell in held
        if cell.area.columns == columns and cell.area.rows == 1 and len(cell.words) > _LABEL_WORDS
    }
    first, end = int(0 in wide), count - int(count - 1 in wide)
    if columns < 2 or end - first < 2 or (first == 0 and end == count):
        return grid, list(held)
    kept = [
        Held(cell.area._replace(row=cell.area.row - first), cell.words)
        for cell in held
        if first <= cell.area.row and cell.area.row + cell.area.rows <= end
    ]
    return Grid(grid.xs, grid.ys[first : end + 1], tuple(cell.area for cell in kept)), kept


def table(grid: Grid, held: Sequence[Held], *, header_rows: int = 0) -> FoundTable:
    """A grid with its words as a table. Rows and columns in which no cell with a word begins are dropped.

    Args:
        header_rows: rows at the top known to be a header; 0: look at what the cells say.
    """
    grid, held = _without_empty(grid, sorted(held))
    texts = [" ".join(word.text for line in text_lines(cell.words) for word in line) for cell in held]
    header_rows = header_rows or _header_rows(grid, held, texts)
    rows: list[list[Cell]] = [[] for _ in grid.ys[1:]]
    boxes: list[list[Box]] = [[] for _ in grid.ys[1:]]
    for (area, words), text in zip(held, texts, strict=True):
        rows[area.row].append(Cell(text, header=area.row < header_rows, colspan=area.columns, rowspan=area.rows))
        boxes[area.row].append(_cell_box(grid, area, words))
    written = Table(tuple(tuple(row) for row in rows))
    return FoundTable(box=grid.box, table=written, cells=tuple(tuple(row) for row in boxes))


def _without_empty(grid: Grid, held: list[Held]) -> tuple[Grid, list[Held]]:
    rows = sorted({cell.area.row for cell in held if cell.words})
    columns = sorted({cell.area.column for cell in held if cell.words})
    if len(rows) == len(grid.ys) - 1 and len(columns) == len(grid.xs) - 1:
        return grid, held
    kept = []
    for area, words in held:
        first_row, end_row = (sum(row < at for row in rows) for at in (area.row, area.row + area.rows))
        first_column, end = (sum(column < at for column in columns) for at in (area.column, area.column + area.columns))
        if end_row > first_row and end > first_column:
            kept.append(Held(Area(first_row, first_column, end_row - first_row, end - first_column), words))
    xs = (grid.xs[0], *(grid.xs[column] for column in columns[1:]), grid.xs[-1])
    ys = (grid.ys[0], *(grid.ys[row] for row in rows[1:]), grid.ys[-1])
    return Grid(xs, ys, tuple(cell.area for cell in kept)), kept


def _cell_box(grid: Grid, area: Area, words: Sequence[Word]) -> Box:
    """The box of the words, or of the empty cell; never beyond the grid."""
    left, top, right, bottom = grid.box
    if not words:
        return Box(
            grid.xs[area.column], grid.ys[area.row], grid.xs[area.column + area.columns], grid.ys[area.row + area.rows]
        )
    return Box(
        max(left, min(word[0] for word in words)),
        max(top, min(word[1] for word in words)),
        min(right, max(word[2] for word in words)),
        min(bottom, max(word[3] for word in words)),
    )


def _header_rows(grid: Grid, held: Sequence[Held], texts: Sequence[str]) -> int:
    """Rows at the top that name columns: those before the first row with a figure right of its first cell.

    At most a third of the rows; where no row has a figure, the first row alone.
    """
    count = len(grid.ys) - 1
    figures = {
        cell.area.row
        for cell, text in zip(held, texts, strict=True)
        if cell.area.column > 0 and is_number(text) and not _is_year(text)
    }
    first = min(figures, default=1)
    spanned = max(cell.area.rows for cell in held if cell.area.row == 0)
    if spanned <= first and spanned < count:
        return max(spanned, min(first, count // 3))
    return min(first, max(1, count // 3)) if count > 1 else 0


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and text[:2] in ("18", "19", "20")
