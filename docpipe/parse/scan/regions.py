"""A page in greys -> its regions in reading order: text, tables, figures (pure, arrays of numpy).

For a model that reads one region at a time and cannot find them. White space is what divides: a zone of lines that
leave the same gutter free is divided into columns, and so on within each; what is not divided so is divided into
paragraphs. Ruled tables and filled areas are found before, and stand in the order like a very large line.

Source of the idea: recursive cuts, Nagy and Seth 1984; zones are what keeps paragraphs of equal height in two columns
from being read across.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from docpipe.parse.scan import letters
from docpipe.parse.scan.letters import Line
from docpipe.parse.scan.marks import Area, Marks, marks, opened, runs, trim
from docpipe.types import BBox

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe.parse.scan.marks import type_mask

type_kind = Literal["text", "heading", "table", "formula", "figure"]

_GUTTER = 12
"""Pixels at 100 dpi: the narrowest gap between columns."""
_NARROWEST_CELL = 10
"""Of a column of a table."""
_FEWEST_NARROW = 3
"""Columns that make a table of what could be numbers before the items of a list."""
_NARROWEST_ENTRY = 20
"""Of a column where there are fewer."""
_NARROWEST_COLUMN = 0.08
"""Of a column of text, in widths of the page."""
_FEWEST_LINES = 3
"""That leave a gutter free: two may do so by chance."""
_BREAK = 40
"""Gap over which nothing hangs together."""
_FILLED = 0.75
"""How much of its column a line of prose fills on average; entries of a table fill less."""
_TALLEST_LINE = 60
"""Ink without a gap over more rows is a drawing."""
_STRIP = 60
"""Width of the strips in which that is looked at, so that slanting lines of text stay apart."""
_LATER = 6
"""A zone that could begin so many lines later, and then ends later, does: a page's head may end a zone too soon."""
_DEEPEST = 6
_FEWEST_TO_COMPARE = 12
"""Stretches, to know which letters are usual on a page."""
_MANY_COLUMNS = 4
"""So many side by side are no columns of prose."""
_MOST = 400
"""Regions of a page; what comes after is read in one."""


class Region(NamedTuple):
    """A part of a page that is read by itself."""

    kind: type_kind
    box: BBox


@dataclass(frozen=True, slots=True)
class _Page:
    """`mask`: ink, with everything that is in `large` filled."""

    mask: "type_mask"
    large: tuple[tuple[type_kind, Area], ...]
    depth: int = 0

    @property
    def width(self) -> int:
        return int(self.mask.shape[1])


class _Band(NamedTuple):
    """Rows with ink between rows without."""

    area: Area
    free: "type_mask"
    """Columns of its zone without ink, gaps between letters not counted."""


def regions(greys: "NDArray[np.uint8]") -> tuple[Region, ...]:
    """The regions of a page in reading order; none on a page without ink.

    Args:
        greys: the page as drawn at 100 dpi, shape (height, width).
    """
    height, width = greys.shape
    if min(height, width) < 2 * _NARROWEST_ENTRY:
        return ()
    found = marks(greys)
    page = _Page(mask=_filled(found), large=_large(found))
    areas = list(_divided(page, Area(0, height, 0, width)))
    if len(areas) > _MOST:
        areas = [*areas[:_MOST], ("text", _all(area for _, area in areas[_MOST:]))]
    areas = _with_headings(found.ink, areas)
    return tuple(
        Region(kind, BBox(area.left / width, area.top / height, area.right / width, area.bottom / height))
        for kind, area in areas
    )


def _with_headings(ink: "type_mask", areas: Sequence[tuple[type_kind, Area]]) -> list[tuple[type_kind, Area]]:
    """A few lines in larger letters than most of the page has are a heading."""
    sizes = [letters.capitals(ink, area) if kind == "text" else [] for kind, area in areas]
    usual = letters.middle([size for found in sizes for size in found])
    if sum(map(len, sizes)) < _FEWEST_TO_COMPARE:
        return list(areas)
    return [
        (
            "heading"
            if letters.is_larger(size := letters.middle(found), usual) and letters.is_short(area, size)
            else kind,
            area,
        )
        for (kind, area), found in zip(areas, sizes, strict=True)
    ]


def _large(found: Marks) -> tuple[tuple[type_kind, Area], ...]:
    return (*(("table", area) for area in found.tables), *(("figure", area) for area in found.figures))


def _filled(found: Marks) -> "type_mask":
    mask = found.ink.copy()
    for _, area in _large(found):
        area.of(mask)[:] = True
    return mask


def _all(areas: Iterator[Area]) -> Area:
    whole = next(areas)
    for area in areas:
        whole = whole.around(area)
    return whole


def _divided(page: _Page, area: Area) -> Iterator[tuple[type_kind, Area]]:
    """Zones from the top down; of each its columns from left to right."""
    trimmed = trim(page.mask, area)
    if trimmed is None:
        return
    bands = _bands(page, trimmed)
    plain: list[Area] = []
    start = 0
    while start < len(bands):
        stop, gutters = _zone(page, bands, start)
        if not gutters or any(_zone(page, bands, at)[0] > stop for at in range(start + 1, min(stop, start + _LATER))):
            plain.append(bands[start].area)
            start += 1
            continue
        yield from _paragraphs(page, plain)
        plain = []
        yield from _columns(page, bands[start:stop], gutters)
        start = stop
    yield from _paragraphs(page, plain)


def _bands(page: _Page, area: Area) -> list[_Band]:
    part = area.of(page.mask)
    found = []
    for start, stop in runs(part.any(axis=1)):
        columns = part[start:stop].any(axis=0)
        found.append(_Band(Area(area.top + start, area.top + stop, area.left, area.right), opened_gaps(columns)))
    return found


def opened_gaps(columns: "type_mask") -> "type_mask":
    """Where a row is free of ink over the width of a gutter at least."""
    free: type_mask = opened(~columns[None, :], min(_GUTTER, len(columns)), 1)[0]
    return free


def _zone(page: _Page, bands: Sequence[_Band], start: int) -> tuple[int, list[tuple[int, int]]]:
    """How far lines from `start` on leave a gutter free (the index behind the last of them), and the gutters."""
    if page.depth >= _DEEPEST:
        return start, []
    free, ink = bands[start].free, ~bands[start].free
    best: tuple[int, list[tuple[int, int]]] = (start, [])
    for at in range(start, len(bands)):
        if at > start and bands[at].area.top - bands[at - 1].area.bottom > _BREAK:
            break
        free, ink = free & bands[at].free, ink | ~bands[at].free
        gutters = _gutters(free, ink)
        if gutters:
            best = (at + 1, gutters)
        elif best[1] or not _could(free):
            break
    stop, gutters = best
    return best if gutters and _is_zone(page, bands[start:stop], gutters) else (start, [])


def _could(free: "type_mask") -> bool:
    """Whether a gutter may still show when there is more ink beside what is free."""
    return any(
        stop - start >= _GUTTER + (_NARROWEST_CELL if start == 0 or stop == len(free) else 0)
        for start, stop in runs(free)
    )


def _gutters(free: "type_mask", ink: "type_mask") -> list[tuple[int, int]]:
    """What is free between two stretches of ink, each wide enough for a column; of a table columns may be narrow."""
    found = _between(free, ink, _NARROWEST_CELL)
    return found if len(found) >= _FEWEST_NARROW - 1 else _between(free, ink, _NARROWEST_ENTRY)


def _between(free: "type_mask", ink: "type_mask", least: int) -> list[tuple[int, int]]:
    gaps = [(start, stop) for start, stop in runs(free) if stop - start >= _GUTTER]
    found: list[tuple[int, int]] = []
    left = 0
    for start, stop in gaps:
        following = next((other for other, _ in gaps if other > start), len(free))
        if _extent(ink, left, start) >= least and _extent(ink, stop, following) >= least:
            found.append((start, stop))
            left = stop
        elif _extent(ink, left, start) == 0:
            left = stop
    return found


def _extent(ink: "type_mask", start: int, stop: int) -> int:
    found = runs(ink[start:stop])
    return found[-1][1] - found[0][0] if found else 0


def _is_zone(page: _Page, bands: Sequence[_Band], gutters: Sequence[tuple[int, int]]) -> bool:
    """Whether it is no chance that these lines leave the same gap: each column has lines of its own, or a figure."""
    if any(_crosses(band.area, large) for band in bands for _, large in page.large):
        return True
    height = bands[-1].area.bottom - bands[0].area.top
    if len(bands) < _FEWEST_LINES and height <= _TALLEST_LINE:
        return False
    if _inked(bands[0], gutters) == [0]:
        return False
    for column in range(len(gutters) + 1):
        lines = [band.area.height for band in bands if column in _inked(band, gutters)]
        if len(lines) < 2 and sum(lines) <= _TALLEST_LINE // 2:
            return False
    return True


def _inked(band: _Band, gutters: Sequence[tuple[int, int]]) -> list[int]:
    """Which columns a line has ink in, from 0."""
    edges = [0, *((start + stop) // 2 for start, stop in gutters), len(band.free)]
    return [number for number, (left, right) in enumerate(pairwise(edges)) if not band.free[left:right].all()]


def _crosses(area: Area, other: Area) -> bool:
    return area.top < other.bottom and other.top < area.bottom and area.left < other.right and other.left < area.right


def _columns(
    page: _Page, bands: Sequence[_Band], gutters: Sequence[tuple[int, int]]
) -> Iterator[tuple[type_kind, Area]]:
    whole = _all(band.area for band in bands)
    cuts = [whole.left, *(whole.left + (start + stop) // 2 for start, stop in gutters), whole.right]
    columns = [whole._replace(left=left, right=right) for left, right in pairwise(cuts)]
    inked = [column for column in (trim(page.mask, column) for column in columns) if column]
    rows = 1 + max((at for at, band in enumerate(bands) if len(_inked(band, gutters)) > 1), default=0)
    if _is_table(page, bands[:rows], columns):
        table = trim(page.mask, _all(band.area for band in bands[:rows]))
        if table is not None:
            yield "table", table
        yield from _paragraphs(page, [band.area for band in bands[rows:]])
    elif min(column.width for column in inked) < _NARROWEST_COLUMN * page.width:
        yield from _paragraphs(page, [band.area for band in bands])
    else:
        inner = replace(page, depth=page.depth + 1)
        parts = [list(_divided(inner, column)) for column in columns]
        if all(any(kind == "table" and area.height >= 0.6 * whole.height for kind, area in part) for part in parts):
            yield "table", _all(area for part in parts for _, area in part)
        else:
            yield from (found for part in parts for found in part)


def _is_table(page: _Page, bands: Sequence[_Band], columns: Sequence[Area]) -> bool:
    """Whether lines side by side are rows: entries in most of the columns, and hardly one that fills its column."""
    if len(bands) < _FEWEST_LINES or any(_crosses(band.area, large) for band in bands for _, large in page.large):
        return False
    many = len(columns) >= _MANY_COLUMNS
    heights = [band.area.height for band in bands]
    if (letters.middle(heights) if many else max(heights)) > _TALLEST_LINE // 2:
        return False
    entries = 0
    shares: list[float] = []
    for column in columns:
        widths = [
            found.width
            for band in bands
            if (found := trim(page.mask, band.area._replace(left=column.left, right=column.right)))
        ]
        entries += len(widths)
        shares.append(sum(widths) / max(1, len(widths)) / column.width)
    if many:
        return entries >= 0.5 * len(bands) * len(columns)
    return entries >= 0.7 * len(bands) * len(columns) and sum(shares) / len(shares) < _FILLED


def _paragraphs(page: _Page, bands: Sequence[Area]) -> Iterator[tuple[type_kind, Area]]:
    """Lines that stand close to each other and are of one size, together; tables, figures, drawings by themselves."""
    every = [letters.line(page.mask, band) for band in bands]
    usual = letters.usual_step(every)
    lines: list[Line] = []
    for line in every:
        inside = [(kind, area) for kind, area in page.large if _crosses(line.area, area)]
        if inside:
            yield from _texts(page, lines)
            lines = []
            yield from _with_large(page, line.area, inside)
        elif lines and letters.parts(lines, line, usual):
            yield from _texts(page, lines)
            lines = [line]
        else:
            lines.append(line)
    yield from _texts(page, lines)


def _texts(page: _Page, lines: Sequence[Line]) -> Iterator[tuple[type_kind, Area]]:
    if not lines:
        return
    trimmed = trim(page.mask, _all(line.area for line in lines))
    if trimmed is not None:
        yield ("figure" if _is_drawing(page.mask, trimmed) else "text"), trimmed


def _is_drawing(mask: "type_mask", area: Area) -> bool:
    """Whether most strips of it hold ink without a gap, taller than any line."""
    if area.height <= _TALLEST_LINE or area.width <= _TALLEST_LINE:
        return False
    part = area.of(mask)
    tallest = []
    for left in range(0, area.width, _STRIP):
        rows = runs(part[:, left : left + _STRIP].any(axis=1), gap=2)
        tallest.append(max((stop - start for start, stop in rows), default=0))
    return sorted(tallest)[len(tallest) // 2] > _TALLEST_LINE


def _with_large(page: _Page, band: Area, inside: Sequence[tuple[type_kind, Area]]) -> Iterator[tuple[type_kind, Area]]:
    """Tables and figures, and what is written beside them and could not be cut off."""
    beside = page.mask.copy()
    for _, area in inside:
        area.of(beside)[:] = False
    rest = trim(beside, band)
    found: list[tuple[type_kind, Area]] = list(inside)
    if rest is not None and rest.height > 4 and rest.width > 4:
        found.append(("text", rest))
    yield from sorted(found, key=lambda one: (one[1].top, one[1].left))
