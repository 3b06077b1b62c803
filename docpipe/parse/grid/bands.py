"""A drawn grid whose rows hold several rows of text -> the grid with these rows (pure)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from docpipe.parse.content import Box, Word
from docpipe.parse.grid.alignment import Column, body_rows
from docpipe.parse.grid.cells import Grid, Held
from docpipe.parse.grid.phrases import Phrase, hull, is_number, phrase, phrases, text_lines

_BLANK_LINE = 0.7
"""A gap through all cells of a row that is this high, in heights of a line, parts it."""
_WIDER = 1.6
"""So does one line that follows at this many times the distance of the closest lines."""


def split(grid: Grid, held: Sequence[Held]) -> tuple[Grid, list[Held]]:
    """Rows without a line between them made rows: where figures stand under figures, or a blank line runs through."""
    cuts: dict[int, list[float]] = {}
    for row in range(len(grid.ys) - 1):
        cells = [cell for cell in held if cell.area.row == row and cell.area.rows == 1 and cell.words]
        if len(cells) >= 2 and (found := _cuts(grid, cells)):
            cuts[row] = found
    return _cut(grid, held, cuts) if cuts else (grid, list(held))


def missing_columns(held: Iterable[Held]) -> bool:
    """Whether a cell holds several columns, the last of figures."""
    for cell in held:
        if len(cell.words) >= 4:
            rows = [phrases(line) for line in text_lines(cell.words)]
            if sum(len(parts) >= 2 and is_number(parts[-1].text) for parts in rows) >= 2:
                return True
    return False


def _cuts(grid: Grid, cells: Sequence[Held]) -> list[float]:
    """y between the rows of text that one drawn row holds."""
    lines = _lines(cells)
    if len(lines) < 2:
        return []
    if any(_figures_stacked(cell.words) for cell in cells):
        found = [Column(left, right) for left, right in pairwise(grid.xs)]
        boxes = [hull(placed.phrase for placed in row) for row in body_rows(lines, found)]
    else:
        boxes = _paragraphs([hull(line) for line in lines])
        if 2 * sum(_filled(cells, box) >= 2 for box in boxes) < len(boxes) + 1:
            return []
    return [(above.bottom + below.top) / 2 for above, below in pairwise(boxes)]


def _lines(cells: Sequence[Held]) -> list[list[Phrase]]:
    """The lines of all cells of a row, a phrase per cell."""
    owner = {word: number for number, cell in enumerate(cells) for word in cell.words}
    lines = []
    for line in text_lines(owner):
        parts: dict[int, list[Word]] = {}
        for word in line:
            parts.setdefault(owner[word], []).append(word)
        lines.append([phrase(part) for part in parts.values()])
    return lines


def _figures_stacked(words: Sequence[Word]) -> bool:
    lines = text_lines(words)
    return len(lines) >= 2 and all(is_number(" ".join(word.text for word in line)) for line in lines)


def _paragraphs(lines: Sequence[Box]) -> list[Box]:
    """Lines joined where no blank line parts them."""
    pitch = min((below.top - above.top for above, below in pairwise(lines)), default=0.0)
    joined = list(lines[:1])
    for above, line in pairwise(lines):
        height = line.bottom - line.top
        apart = line.top - above.bottom >= _BLANK_LINE * height
        if not apart and line.top - above.top < _WIDER * max(pitch, 0.5 * height):
            joined[-1] = hull((joined[-1], line))
        else:
            joined.append(line)
    return joined


def _filled(cells: Sequence[Held], box: Box) -> int:
    """How many cells have a word at the height of a box."""
    return sum(any(box.top <= (word[1] + word[3]) / 2 <= box.bottom for word in cell.words) for cell in cells)


def _cut(grid: Grid, held: Sequence[Held], cuts: Mapping[int, Sequence[float]]) -> tuple[Grid, list[Held]]:
    """The grid with rows divided at `cuts` (row -> rising y)."""
    ys, first = list(grid.ys[:1]), []
    for row, bottom in enumerate(grid.ys[1:]):
        first.append(len(ys) - 1)
        ys += [*cuts.get(row, ()), bottom]
    first.append(len(ys) - 1)
    new: list[Held] = []
    for area, words in held:
        start, end = first[area.row], first[area.row + area.rows]
        if area.rows > 1 or end - start == 1:
            new.append(Held(area._replace(row=start, rows=end - start), words))
            continue
        parts: list[list[Word]] = [[] for _ in range(end - start)]
        for word in words:
            parts[min(bisect_right(ys, (word[1] + word[3]) / 2, start, end) - 1, end - 1) - start].append(word)
        new += [Held(area._replace(row=start + number, rows=1), tuple(part)) for number, part in enumerate(parts)]
    return Grid(grid.xs, tuple(ys), tuple(cell.area for cell in new)), new
