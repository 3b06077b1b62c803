"""Two tables of neighbouring pages -> the rows of the second one that go on with the first (pure)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable
from docpipe.parse.grid.phrases import is_number
from docpipe.tables import Cell, Placed, Table, placed, width

MARK = re.compile(
    r"[(\[（【]?\s*(?:\b(?:to be )?continu(?:e[ds]?|ation|ing)\b|\bcont(?:['’]d|d)?\b\.?|\bfortsetzung\b)"
    r"(?:\s+(?:on|from|over)\s+(?:the\s+)?(?:next|previous|preceding|following)\s+page|\s+overleaf)?\.*\s*[)\]）】]?"
    r"|\(suite\)|[(（【]\s*[续續]\s*[)）】]|[续續](?=上?表)|接上(?:[页頁]|(?=表))|下[页頁][续續]|接下[页頁]",
    re.I,
)
"""What says that a table goes on: `(continued)`, `cont'd`, `Continued on next page`, `续表`."""
_NAMED = re.compile(r"\W*(?:table|tab\.|tabelle|tableau|表)?\s*(?:[A-Z]?[\d.\-]+|[IVX]+)?\W*", re.I)
_LONGEST_MARK = 200
"""Characters of what says that a table goes on, at most."""
_EXACT = 3.0
"""How far the edges of one drawn grid may differ between pages, in points."""
_ROUGH = 15.0
"""The same where a service measured them."""
_LABEL_ROWS = 0.2
"""Share of rows without a figure from which one more of them is nothing special."""
_TALLEST_HEADER = 4


class Continuation(NamedTuple):
    """How a table goes on."""

    header_rows: int
    """Of the first table, as the second one shows it."""
    further: FoundTable
    """The second table without what it repeats."""


class Meeting(NamedTuple):
    """What is known about two tables beside what they hold."""

    announced: bool
    """Something says that it goes on: a mark, or the same caption again."""
    adjoining: bool
    """The first one runs to the end of its page, and the second one begins the next."""
    measured: bool
    """Each cell has a box of its own."""


def continuation(table: FoundTable, other: FoundTable, meeting: Meeting) -> Continuation | None:
    """The rows of `other` that go on with `table`, or None: other columns, or names of its own for them."""
    columns = _columns_within(table, other, measured=meeting.measured)
    if columns is None:
        return None
    head, rows = table.table.header_rows, other.table.rows
    titled = int(len(rows[0]) == 1 and only_says_again(rows[0][0].text))
    again = _repeated(table.table.rows[:head], rows[titled:])
    plainly = again or meeting.announced
    if not plainly and (not meeting.adjoining or _names_columns_anew(table, other, measured=meeting.measured)):
        return None
    start = titled + again
    if any(number + cell.rowspan > start for number, row in enumerate(rows[:start]) for cell in row):
        return None
    rest = _rest(other, start)
    return Continuation(again or head, _spread(rest, columns, width(_standing(table))) if columns else rest)


def only_says_again(text: str) -> bool:
    """Whether a text says that a table goes on, and at most its number beside that."""
    if len(text) > _LONGEST_MARK:
        return False
    return MARK.search(text) is not None and _NAMED.fullmatch(MARK.sub(" ", text)) is not None


def _rest(table: FoundTable, start: int) -> FoundTable:
    """The rows from one on, as rows of a table's body."""
    rows = tuple(tuple(cell._replace(header=False) for cell in row) for row in table.table.rows[start:])
    return FoundTable(box=table.box, table=Table(rows), cells=table.cells[start:])


def _repeated(header: Sequence[Sequence[Cell]], rows: Sequence[Sequence[Cell]]) -> int:
    """How many of the header rows stand at the top of other rows, too."""
    count = 0
    for one, other in zip(header[:_TALLEST_HEADER], rows, strict=False):
        if [_key(cell) for cell in one] != [_key(cell) for cell in other]:
            return count
        count += 1
    return count


def _key(cell: Cell) -> tuple[str, int]:
    return " ".join(MARK.sub(" ", cell.text).split()).casefold(), cell.colspan


def _names_columns_anew(table: FoundTable, other: FoundTable, *, measured: bool) -> bool:
    """Whether the first rows of a table are a header of its own rather than rows that go on."""
    top = other.table.rows[: other.table.header_rows]
    if all(sum(bool(cell.text) for cell in row) < 2 for row in top):
        return False
    body = table.table.rows[table.table.header_rows :]
    plain = sum(not any(is_number(cell.text) for cell in row[1:]) for row in body)
    if not table.table.header_rows or plain < _LABEL_ROWS * max(1, len(body)):
        return True
    return not _same_edges(table.box, other.box, _EXACT if measured else _ROUGH)


def _same_edges(one: Box, other: Box, most: float) -> bool:
    wide, narrow = one.right - one.left, other.right - other.left
    return abs(wide - narrow) <= most


def _columns_within(table: FoundTable, other: FoundTable, *, measured: bool) -> tuple[int, ...] | None:
    """Which columns of a table those of another one are; nothing where they are the same, None where they are others.

    Fewer columns are those of the same drawn grid whose cells all are empty on the other page.
    """
    above, below = _standing(table), _standing(other)
    count, fewer = width(above), width(below)
    if not 2 <= fewer <= count:
        return None
    if not measured:
        return () if fewer == count and _same_edges(table.box, other.box, _ROUGH) else None
    if fewer < count and not _same_edges(table.box, other.box, _EXACT):
        return None
    first, second = _extents(table, above), _extents(other, below)
    for shift in (0.0, table.box.left - other.box.left):
        found = _fit(first, second, shift)
        if fewer == count and found and all(column == at for column, at in found.items()):
            return ()
        if fewer < count and len(found) == fewer:
            return tuple(at for _, at in sorted(found.items()))
    return None


def _standing(table: FoundTable) -> list[tuple[Placed, ...]]:
    return list(placed(table.table.rows))


def _extents(table: FoundTable, rows: Sequence[Sequence[Placed]]) -> dict[int, tuple[float, float]]:
    """Left and right end of the words in each column; cells over several columns do not count."""
    found: dict[int, tuple[float, float]] = {}
    for row, boxes in zip(rows, table.cells, strict=True):
        own = iter(boxes)
        for each in row:
            if each.rows_left != each.cell.rowspan:
                continue
            box = next(own)
            if each.cell.text and each.cell.colspan == 1:
                left, right = found.get(each.column, (box.left, box.right))
                found[each.column] = min(left, box.left), max(right, box.right)
    return found


def _fit(first: dict[int, tuple[float, float]], second: dict[int, tuple[float, float]], shift: float) -> dict[int, int]:
    """The column of one table over which each of another one lies, when moved; none where two do not."""
    found: dict[int, int] = {}
    for column, (start, end) in sorted(second.items()):
        left, right = start + shift, end + shift
        overlaps = {at: min(right, b) - max(left, a) for at, (a, b) in first.items()}
        best = max(overlaps, key=lambda at: overlaps[at], default=None)
        if best is None or overlaps[best] <= 0:
            if column in first:
                return {}
        elif best in found.values():
            return {}
        else:
            found[column] = best
    rising = list(found.values()) == sorted(found.values())
    return found if rising and len(found) > 1 else {}


def _spread(table: FoundTable, columns: Sequence[int], count: int) -> FoundTable:
    """The rows with their columns moved to where they are among `count` columns, empty cells in between."""
    rows, boxes = [], []
    for standing, places in zip(_standing(table), table.cells, strict=True):
        row: list[tuple[Cell, Box]] = []
        own, at = iter(places), 0
        for each in standing:
            start, end = columns[each.column], columns[each.end - 1] + 1
            row += [(Cell(""), table.box)] * (start - at)
            if each.rows_left == each.cell.rowspan:
                row.append((each.cell._replace(colspan=end - start), next(own)))
            at = end
        row += [(Cell(""), table.box)] * (count - at)
        rows.append(tuple(cell for cell, _ in row))
        boxes.append(tuple(box for _, box in row))
    return FoundTable(box=table.box, table=Table(tuple(rows)), cells=tuple(boxes))
