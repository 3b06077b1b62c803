"""A sheet's cells, some rows or columns hidden -> the cells as they are seen, and those that are not (pure)."""

from bisect import bisect_right
from collections.abc import Iterable

from docpipe.parse.office.cell_regions import Cells, Range


def note(stretches: list[tuple[int, int]], first: int, last: int) -> None:
    """Append a stretch; one that goes on from the last one makes that longer."""
    if stretches and stretches[-1][1] + 1 == first <= last:
        first = stretches.pop()[0]
    stretches.append((first, last))


class Hidden:
    """The rows or the columns that a sheet does not show, as stretches; each method takes time by their logarithm."""

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        """Stretches have their ends included, from 0, in any order."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._before: list[int] = []
        """How many places are hidden before a stretch."""
        count = 0
        for first, last in sorted(stretches):
            if self._lasts and first <= self._lasts[-1] + 1:
                count += max(0, last - self._lasts[-1])
                self._lasts[-1] = max(self._lasts[-1], last)
            elif first <= last:
                self._firsts.append(first)
                self._lasts.append(last)
                self._before.append(count)
                count += last - first + 1

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __contains__(self, place: int) -> bool:
        at = bisect_right(self._firsts, place) - 1
        return at >= 0 and place <= self._lasts[at]

    def seen_place(self, place: int) -> int:
        """A place as counted among those that are seen; a hidden one has that of the next one seen."""
        at = bisect_right(self._firsts, place) - 1
        if at < 0:
            return place
        return place - self._before[at] - (min(place, self._lasts[at] + 1) - self._firsts[at])

    def next_seen(self, place: int) -> int:
        """The place itself, or the first one after it that is seen."""
        at = bisect_right(self._firsts, place) - 1
        return self._lasts[at] + 1 if at >= 0 and place <= self._lasts[at] else place


def as_seen(cells: Cells, rows: Hidden, columns: Hidden) -> Cells:
    """What is seen, moved together as on the screen; what is not becomes `unseen`.

    Law: each text stands in one of both. The text of a merged cell is seen where any of its cells is.
    """
    if not rows and not columns:
        return cells
    found = Cells({}, [], dict(cells.unseen), cells.links)
    anchors: dict[tuple[int, int], tuple[int, int]] = {}
    for box in cells.merged:
        place = rows.next_seen(box.top), columns.next_seen(box.left)
        if place[0] <= box.bottom and place[1] <= box.right:
            anchors[box.top, box.left] = place
            bottom = rows.seen_place(box.bottom) - (box.bottom in rows)
            right = columns.seen_place(box.right) - (box.right in columns)
            found.merged.append(Range(rows.seen_place(place[0]), columns.seen_place(place[1]), bottom, right))
    moved: dict[int, dict[int, str]] = {}
    for row, texts in cells.rows.items():
        for column, text in texts.items():
            y, x = anchors.get((row, column), (row, column))
            shown = moved.setdefault(rows.seen_place(y), {}) if y not in rows and x not in columns else None
            if shown is None or columns.seen_place(x) in shown:
                found.unseen.setdefault(row, {})[column] = text
            else:
                shown[columns.seen_place(x)] = text
    found.rows.update(sorted(moved.items()))
    return found
