"""The filled cells of a sheet -> the tables they form (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from docpipe.parse.office.header_rows import looks_like_header
from docpipe.tables import Cell

_MOST_REGIONS = 400
_EMPTIEST = 40
"""A region with more empty cells for a filled one is no table."""
_SMALL = 10_000
_MOST_MERGED = 1_000_000
_TITLES = 4
"""Rows at most that may stand above a table's header as its title."""


class Range(NamedTuple):
    """A box of cells, its ends included, from 0."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """How many cells it has."""
        return (self.bottom - self.top + 1) * (self.right - self.left + 1)


Rows = Mapping[int, Mapping[int, str]]
"""Texts by row and column; rows and columns may be missing, and rows come in order."""


class Cells(NamedTuple):
    """A sheet's filled cells and merged boxes."""

    rows: dict[int, dict[int, str]]
    merged: list[Range]
    unseen: dict[int, dict[int, str]]
    """Cells that the sheet holds and does not show, by where they stand in the file."""
    links: tuple[tuple[str, str], ...] = ()
    """Words of cells and the ids of the relations that they lead to."""


def usable(merged: Iterable[Range], rows: Rows) -> list[Range]:
    """The merged boxes that show a text and are no larger than a table; those beyond a million cells are left out."""
    found, area = [], 0
    for box in merged:
        if box.area <= _SMALL and box.left in rows.get(box.top, ()) and area + box.area <= _MOST_MERGED:
            area += box.area
            found.append(box)
    return found


def regions(rows: Rows, merged: Iterable[Range]) -> list[Range]:
    """Boxes around cells that touch each other, in order; boxes that overlap are one.

    Args:
        merged: `usable` ones.
    """
    taken: dict[int, set[int]] = {row: set(cells) for row, cells in rows.items()}
    for box in merged:
        if box.left in taken.get(box.top, ()):
            for row in range(box.top, box.bottom + 1):
                taken.setdefault(row, set()).update(range(box.left, box.right + 1))
    found = _joined_runs((row, taken[row]) for row in sorted(taken))
    return sorted(_apart(found)) if len(found) <= _MOST_REGIONS else []


def _joined_runs(rows: Iterable[tuple[int, set[int]]]) -> list[Range]:
    """Runs of filled cells, joined to those above them that they touch."""
    boxes: list[Range] = []
    parents: list[int] = []

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    above: list[tuple[int, int, int]] = []
    last = -2
    for row, columns in rows:
        runs: list[tuple[int, int, int]] = []
        start = 0
        for left, right in _runs(sorted(columns)):
            place = len(parents)
            parents.append(place)
            boxes.append(Range(row, left, row, right))
            runs.append((left, right, place))
            while row == last + 1 and start < len(above) and above[start][1] < left:
                start += 1
            at = start
            while row == last + 1 and at < len(above) and above[at][0] <= right:
                parents[root(place)] = root(above[at][2])
                at += 1
        above, last = runs, row
    grown: dict[int, Range] = {}
    for place, box in enumerate(boxes):
        top = root(place)
        grown[top] = _around(grown[top], box) if top in grown else box
    return list(grown.values())


def _runs(columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = last = -2
    for column in columns:
        if column != last + 1:
            if last >= 0:
                yield start, last
            start = column
        last = column
    if last >= 0:
        yield start, last


def _around(one: Range, other: Range) -> Range:
    return Range(
        min(one.top, other.top), min(one.left, other.left), max(one.bottom, other.bottom), max(one.right, other.right)
    )


def _apart(boxes: list[Range]) -> list[Range]:
    """Boxes that overlap as one, until none do."""
    kept: list[Range] = []
    for box in boxes:
        while True:
            other = next((one for one in kept if _overlap(one, box)), None)
            if other is None:
                break
            kept.remove(other)
            box = _around(other, box)
        kept.append(box)
    return kept


def _overlap(one: Range, other: Range) -> bool:
    return one.top <= other.bottom and other.top <= one.bottom and one.left <= other.right and other.left <= one.right


def is_dense(box: Range, rows: Rows) -> bool:
    """Whether a box is filled well enough to be written out with its empty cells."""
    if box.area <= _SMALL:
        return True
    filled = sum(len(rows.get(row, ())) for row in range(box.top, box.bottom + 1))
    return box.area <= _EMPTIEST * filled


def region_rows(box: Range, rows: Rows, merged: Mapping[tuple[int, int], Range]) -> Iterator[tuple[Cell, ...]]:
    """A region's rows as those of a table: merged cells span, the first rows are header where they name columns."""
    header = header_count(box, rows)
    covered: set[tuple[int, int]] = set()
    for row in range(box.top, box.bottom + 1):
        cells: list[Cell] = []
        texts = rows.get(row, {})
        is_header = row < box.top + header
        for column in range(box.left, box.right + 1):
            if (row, column) in covered:
                continue
            span = merged.get((row, column))
            if span is None:
                cells.append(Cell(texts.get(column, ""), header=is_header))
                continue
            bottom, right = min(span.bottom, box.bottom), min(span.right, box.right)
            covered.update((r, c) for r in range(row, bottom + 1) for c in range(column, right + 1))
            cells.append(Cell(texts.get(column, ""), is_header, right - column + 1, bottom - row + 1))
        yield tuple(cells)


def header_count(box: Range, rows: Rows) -> int:
    """How many first rows of a region are its header: a title of one cell above, then the names of the columns."""
    width = box.right - box.left + 1
    titles = 0
    while titles < _TITLES and width > 1 and len(rows.get(box.top + titles, ())) == 1:
        titles += 1
    first = box.top + titles
    pair = [[rows.get(row, {}).get(column, "") for column in range(box.left, box.right + 1)]
            for row in range(first, min(first + 2, box.bottom + 1))]  # fmt: skip
    return titles + 1 if looks_like_header(pair) else 0


def ragged_rows(rows: Rows) -> Iterator[tuple[Cell, ...]]:
    """All filled cells, a row for each row of the sheet; where they stand in it is lost."""
    for _, cells in sorted(rows.items()):
        yield tuple(Cell(cells[column]) for column in sorted(cells))
