"""Lines of phrases that belong to one table -> its columns and rows (pure)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from docpipe.parse.grid.cells import Area, Grid, Held
from docpipe.parse.grid.lattice import Segment
from docpipe.parse.grid.phrases import Phrase, hull, is_number

_CROSSING = 0.12
"""Share of the fullest lines that may write over the gap between two columns."""
_LIKE_THE_FULLEST = 0.7
"""A line with this share of the phrases of the fullest ones tells where columns are."""
_CENTRED = 0.12
"""How far the middle of a heading may be from that of the columns it stands over, in their width."""


class Column(NamedTuple):
    """Where a column's words stand, in points."""

    left: float
    right: float


class Placed(NamedTuple):
    """A phrase and the first and last column that it stands over."""

    phrase: Phrase
    first: int
    last: int


class Aligned(NamedTuple):
    """A table of aligned words."""

    grid: Grid
    held: list[Held]
    header_rows: int


def columns(lines: Sequence[Sequence[Phrase]]) -> list[Column]:
    """Columns, from left to right: where the fullest lines have words, and few write over the gaps."""
    counts = sorted(len(line) for line in lines)
    enough = max(2.0, _LIKE_THE_FULLEST * counts[(3 * len(counts)) // 4])
    full = [line for line in lines if len(line) >= enough]
    found = _covered(full, most=int(_CROSSING * len(full)))
    if len(full) >= 4:
        found = [column for column in found if sum(_any_over(line, column) for line in full) > 1]
    return _with_sparse(found, lines)


def _covered(lines: Sequence[Sequence[Phrase]], *, most: int) -> list[Column]:
    """Stretches of x that more than `most` phrases cover."""
    edges = sorted(
        edge for line in lines for part in line for edge in ((part.left + 0.5, 1), (max(part.right, part.left + 1), -1))
    )
    found, depth, start = [], 0, 0.0
    for x, step in edges:
        if depth == most and step > 0:
            start = x
        depth += step
        if depth == most and step < 0:
            found.append(Column(start, x))
    return found


def _with_sparse(found: list[Column], lines: Sequence[Sequence[Phrase]]) -> list[Column]:
    """Columns that only a few lines fill, in the gaps between the others."""
    loose = [
        [part for part in line if not any(part.left < right and part.right > left for left, right in found)]
        for line in lines
    ]
    extra = _covered(loose, most=0)
    return sorted([*found, *(column for column in extra if sum(_any_over(line, column) for line in loose) >= 2)])


def _any_over(line: Sequence[Phrase], column: Column) -> bool:
    return any(part.left < column.right and part.right > column.left for part in line)


def place(line: Sequence[Phrase], found: Sequence[Column]) -> list[Placed]:
    """Each phrase of a line with its columns."""
    placed = []
    for part in line:
        over = [
            number
            for number, column in enumerate(found)
            if min(part.right, column.right) - max(part.left, column.left)
            > 0.3 * min(part.right - part.left, column.right - column.left)
        ]
        if not over:
            over = [min(range(len(found)), key=lambda number: _distance(part, found[number]))]
        placed.append(Placed(part, over[0], over[-1]))
    return placed


def _distance(part: Phrase, column: Column) -> float:
    return max(column.left - part.middle, part.middle - column.right, 0.0)


def align(
    header: Sequence[Sequence[Phrase]],
    body: Sequence[Sequence[Phrase]],
    found: Sequence[Column],
    rules: Sequence[Segment],
) -> Aligned:
    """A table of lines.

    Args:
        header, body: lines of phrases, top to bottom; one of them may be empty.
        rules: horizontal lines drawn in the table; those that end within it group columns of the header.
    """
    rows = _header_rows(header, found, rules)
    header_rows = len(rows)
    rows += body_rows(body, found)
    held: list[Held] = []
    for number, row in enumerate(rows):
        held.extend(_row_cells(number, row, len(found)))
    held = _with_rowspans(held, header_rows)
    return Aligned(_grid(rows, found, held), held, header_rows)


def _row_cells(number: int, row: Sequence[Placed], count: int) -> list[Held]:
    """The cells of a row: phrases over the same columns together, empty cells between them."""
    spans: list[tuple[int, int, list[Phrase]]] = []
    for part, first, last in sorted(row, key=lambda placed: (placed.first, placed.last)):
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]), [*spans[-1][2], part])
        else:
            spans.append((first, last, [part]))
    cells, at = [], 0
    for first, last, parts in spans:
        cells += [Held(Area(number, column), ()) for column in range(at, first)]
        words = tuple(word for part in parts for word in part.words)
        cells.append(Held(Area(number, first, 1, last - first + 1), words))
        at = last + 1
    return cells + [Held(Area(number, column), ()) for column in range(at, count)]


def _grid(rows: Sequence[Sequence[Placed]], found: Sequence[Column], held: Sequence[Held]) -> Grid:
    """Borders half way between columns and between rows."""
    boxes = [hull(placed.phrase for placed in row) for row in rows]
    outline = hull(boxes)
    xs = [outline.left, *((a.right + b.left) / 2 for a, b in pairwise(found)), outline.right]
    ys = [outline.top, *((a.bottom + b.top) / 2 for a, b in pairwise(boxes)), outline.bottom]
    return Grid(_rising(xs), _rising(ys), tuple(cell.area for cell in held))


def _rising(positions: Sequence[float]) -> tuple[float, ...]:
    risen = list(positions)
    for number in range(1, len(risen)):
        risen[number] = min(max(risen[number], risen[number - 1]), positions[-1])
    return tuple(risen)


def _header_rows(
    header: Sequence[Sequence[Phrase]], found: Sequence[Column], rules: Sequence[Segment]
) -> list[list[Placed]]:
    """Header lines as rows: a row ends with a line that has a heading over several columns, and at the end."""
    by_rule = any(_grouped(part, found, rules) for line in header for part in line)
    rows: list[list[Placed]] = []
    unfinished: list[Placed] = []
    for number, line in enumerate(header):
        centred = not by_rule and number < len(header) - 1
        placed = _spread(place(line, found), found, rules, centred=centred)
        unfinished += placed
        if any(each.last > each.first for each in placed):
            rows.append(unfinished)
            unfinished = []
    return [*rows, unfinished] if unfinished else rows


def _grouped(part: Phrase, found: Sequence[Column], rules: Sequence[Segment]) -> bool:
    """Whether a heading stands on a line over some columns, but not over all."""
    rule = _rule_below(part, rules)
    return rule is not None and 1 < sum(_mostly_over(column, rule) for column in found) < len(found)


def _spread(
    placed: Sequence[Placed], found: Sequence[Column], rules: Sequence[Segment], *, centred: bool
) -> list[Placed]:
    """Headings stretched over the columns they group: those above a line drawn right under them or, if `centred`,
    those around whose common middle they stand."""
    spread = []
    for number, (part, first, end) in enumerate(placed):
        low = placed[number - 1].last + 1 if number else 0
        high = placed[number + 1].first - 1 if number + 1 < len(placed) else len(found) - 1
        over: list[int] = []
        if _grouped(part, found, rules) and (rule := _rule_below(part, rules)):
            over = [column for column in range(low, high + 1) if _mostly_over(found[column], rule)]
        elif centred and not _lines_up(part, found[first]):
            over = _centred_over(part, found, max(low, 1), high)
        if over and over[0] <= first and over[-1] >= end:
            first, end = over[0], over[-1]
        spread.append(Placed(part, first, end))
    return spread


def _lines_up(part: Phrase, column: Column) -> bool:
    """Whether a heading begins or ends where its column does."""
    return abs(part.left - column.left) < 2.5 or abs(part.right - column.right) < 2.5


def _rule_below(part: Phrase, rules: Sequence[Segment]) -> Segment | None:
    height = part.bottom - part.top
    under = [
        rule
        for rule in rules
        if part.bottom - 0.35 * height <= rule.at <= part.bottom + 0.6 * height
        and rule.start <= part.left + 3
        and rule.end >= part.right - 3
    ]
    return min(under, key=lambda rule: rule.end - rule.start, default=None)


def _mostly_over(column: Column, rule: Segment) -> bool:
    overlap = min(column.right, rule.end) - max(column.left, rule.start)
    return overlap > 0.5 * (column.right - column.left)


def _centred_over(part: Phrase, found: Sequence[Column], low: int, high: int) -> list[int]:
    """The fewest neighbouring columns around whose middle a phrase is centred."""
    for size in range(1, high - low + 2):
        for first in range(low, high - size + 2):
            left, right = found[first].left, found[first + size - 1].right
            if abs(part.middle - (left + right) / 2) <= max(_CENTRED * (right - left), 3.0):
                return list(range(first, first + size))
    return []


def _with_rowspans(held: list[Held], header_rows: int) -> list[Held]:
    """Headings of single columns reach over all rows of the header, where the others of the column are empty."""
    if header_rows < 2:
        return held
    by_column: dict[int, list[Held]] = {}
    for cell in held:
        if cell.area.row < header_rows:
            for column in range(cell.area.column, cell.area.column + cell.area.columns):
                by_column.setdefault(column, []).append(cell)
    joined: dict[Area, Held | None] = {}
    for column, cells in by_column.items():
        if all(cell.area.columns == 1 for cell in cells) and any(cell.words for cell in cells):
            words = tuple(word for cell in cells for word in cell.words)
            joined.update(dict.fromkeys(cell.area for cell in cells))
            joined[cells[0].area] = Held(Area(0, column, header_rows), words)
    return [new for cell in held if (new := joined.get(cell.area, cell)) is not None]


def body_rows(body: Sequence[Sequence[Phrase]], found: Sequence[Column]) -> list[list[Placed]]:
    """Each line is a row, but for lines that continue the cells above them."""
    rows: list[list[Placed]] = []
    edge = max((line[0].right for line in body if len(line) > 1), default=0.0)
    for line in body:
        placed = place(line, found)
        if len(placed) == 1 and placed[0].first == 0:
            placed = [Placed(placed[0].phrase, 0, 0)]
        if rows and _continues(placed, rows[-1], edge):
            rows[-1] += placed
        else:
            rows.append(placed)
    return rows


def _continues(placed: Sequence[Placed], above: Sequence[Placed], edge: float) -> bool:
    """Whether a line goes on in the cells of the row above it; labels reach as far right as `edge`."""
    if any(is_number(each.phrase.text) for each in placed):
        return False
    top = min(each.phrase.top for each in placed)
    bottom = max(each.phrase.bottom for each in above)
    height = max(each.phrase.bottom - each.phrase.top for each in placed)
    if top - bottom > 0.6 * height:
        return False
    if placed[0].first == 0:
        return len(placed) == 1 and _wraps(placed[0].phrase, above, edge)
    under = {each.first: each.phrase for each in above}
    return all(each.first in under and not is_number(under[each.first].text) for each in placed)


def _wraps(part: Phrase, above: Sequence[Placed], edge: float) -> bool:
    """Whether a label goes on on this line: its first word would not have fitted on the line above."""
    labels = [each.phrase for each in above if each.first == 0]
    if not labels:
        return False
    left, label = min(each.left for each in labels), max(labels, key=lambda each: each.top)
    if part.text[:1].islower():
        return part.left >= left - 2
    first = part.words[0]
    space = 0.3 * (part.bottom - part.top)
    return part.left >= left + space and label.right + space + (first[2] - first[0]) > edge
