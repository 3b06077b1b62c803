"""Named pieces -> the same, with a table that goes on over the end of its page as one table (pure)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from docpipe.parse.content import FoundTable
from docpipe.parse.grid.continuation import MARK, Continuation, Meeting, continuation
from docpipe.parse.page.furniture import without_page_number
from docpipe.parse.page.labels import Labelled
from docpipe.parse.page.outline import folded
from docpipe.tables import Table
from docpipe.types import UNPROMPTED, BlockKind

CONTINUED = "continued"
"""Native label of what only says, between two parts of a table, that it goes on."""
_NUMBER = re.compile(r"\W*(?:table|tab\.|tabelle|tableau|附?表)\s*([A-Z]?\d+(?:[.\-]\d+)*|[IVX]+)\b", re.I)
_FIGURES = re.compile(r"\d+")
_UNNAMED = frozenset({"", "table", "tabelle", "tableau", "表"})
_EDGE = 0.15
"""Of the page's height: pictures there are a letterhead's."""
_LOW, _HIGH = 0.6, 0.4
"""Of the page's height: a table that ends above the one or begins below the other does not run over the page's end."""
_LONGEST = 200
"""Characters of what names a table, at most."""


@dataclass(slots=True)
class _Open:
    """A table that may go on."""

    at: int
    """Its place among the pieces."""
    last: Labelled
    """The part of it on the last page so far."""
    between: list[int] = field(default_factory=list)
    """Places of the pieces behind that part."""


def joined(
    items: Sequence[Labelled], furniture: Sequence[Labelled], heights: Mapping[int, float]
) -> tuple[list[Labelled], list[Labelled]]:
    """Join tables over the ends of pages; header rows that they repeat are left out.

    Args:
        items: of all pages, in reading order, without running lines.
        furniture: the running lines.
        heights: of each page in its reading frame, in points.

    Returns:
        The pieces, and those that only say that a table goes on: furniture.
    """
    found: list[Labelled | None] = list(items)
    titles = _titles(furniture)
    repeated: list[Labelled] = []
    opened: _Open | None = None
    for at, item in enumerate(items):
        if item.piece.table is None:
            if opened is not None and _may_stand_between(opened, item, heights):
                opened.between.append(at)
            else:
                opened = None
            continue
        if opened is not None and _differ(titles.get(opened.last.page, {}), titles.get(item.page, {})):
            opened = None
        whole = found[opened.at] if opened is not None else None
        further = _further(opened, item, items, heights) if opened is not None else None
        if opened is None or whole is None or further is None:
            opened = _Open(at, item)
            continue
        found[opened.at], found[at] = _with(whole, item, further), None
        for number in opened.between:
            if _says_again(items[number], item):
                repeated.append(replace(items[number], kind=BlockKind.HEADER, level=0, native=CONTINUED))
                found[number] = None
        opened = _Open(opened.at, item)
    return [item for item in found if item is not None], repeated


def _titles(furniture: Sequence[Labelled]) -> dict[int, dict[str, str]]:
    """By page, its running header lines by what they say beside figures; page numbers are left out."""
    found: dict[int, dict[str, str]] = {}
    for item in furniture:
        if item.kind is not BlockKind.HEADER:
            continue
        for line in item.piece.lines:
            text = without_page_number(line)
            found.setdefault(item.page, {})[_FIGURES.sub("0", text)] = text
    return found


def _differ(above: Mapping[str, str], below: Mapping[str, str]) -> bool:
    """Whether two pages are headed by lines that differ in their figures: `Sales in 2023`, `Sales in 2024`."""
    return any(above.get(key, text) != text for key, text in below.items())


def _may_stand_between(opened: _Open, item: Labelled, heights: Mapping[int, float]) -> bool:
    """Whether a table may go on behind a piece; what captions and marks say is judged when it does."""
    if item.page > opened.last.page + 1:
        return False
    if item.kind is BlockKind.FOOTNOTE:
        return item.page == opened.last.page
    if item.kind is BlockKind.FIGURE:
        top, bottom = item.piece.box.top / heights[item.page], item.piece.box.bottom / heights[item.page]
        return bottom < _EDGE or top > 1 - _EDGE
    return item.kind is BlockKind.OTHER or item.native in UNPROMPTED or _said(item) is not None


def _further(
    opened: _Open, item: Labelled, items: Sequence[Labelled], heights: Mapping[int, float]
) -> Continuation | None:
    """How a table goes on with another one; None where that is a table of its own."""
    first, other, last = items[opened.at].piece.table, item.piece.table, opened.last
    if first is None or other is None or item.page != last.page + 1:
        return None
    between = [items[number] for number in opened.between]
    own = _names(opened, items)
    if not all(_names_it(one, own) for one in between if _says_again(one, item)):
        return None
    low = max([last.piece.box.bottom, *(one.piece.box.bottom for one in between if one.page == last.page)])
    meeting = Meeting(
        announced=any(_says_again(one, item) for one in between),
        adjoining=low > _LOW * heights[last.page] and item.piece.box.top < _HIGH * heights[item.page],
        measured=items[opened.at].piece.told is None and item.piece.told is None,
    )
    return continuation(first, other, meeting)


def _with(whole: Labelled, item: Labelled, further: Continuation) -> Labelled:
    """A table with the rows of a further page, its header as that page shows it."""
    table = whole.piece.table
    if table is None:
        return whole
    rows = tuple(
        row if number < further.header_rows else tuple(cell._replace(header=False) for cell in row)
        for number, row in enumerate(table.table.rows)
    )
    piece = whole.piece._replace(table=FoundTable(table.box, Table(rows), table.cells))
    part = (item.page, further.further)
    return replace(whole, piece=piece, further=(*whole.further, part))


def _said(item: Labelled) -> str | None:
    """What a caption, or a line with the mark of a table that goes on, says beside the mark; None of other pieces."""
    text = item.text
    if not text or len(text) > _LONGEST:
        return None
    bare = MARK.sub(" ", text)
    return bare.strip() if bare != text or item.kind is BlockKind.CAPTION else None


def _says_again(item: Labelled, table: Labelled) -> bool:
    """Whether a piece before a table's further part names it: it bears a mark, or stands on that part's page."""
    said = _said(item)
    return said is not None and (item.page == table.page or item.kind is not BlockKind.CAPTION)


def _names(opened: _Open, items: Sequence[Labelled]) -> list[str]:
    """What the table may be called: the two pieces above it, and the caption below it."""
    above = [one.text for one in items[max(0, opened.at - 2) : opened.at]]
    below = [items[number] for number in opened.between]
    return above + [one.text for one in below if one.kind is BlockKind.CAPTION and one.page == opened.last.page]


def _names_it(item: Labelled, own: Sequence[str]) -> bool:
    """Whether a caption or mark speaks of the table with these names."""
    said = _said(item) or ""
    if folded(said) in _UNNAMED or any(folded(said) == folded(MARK.sub(" ", name)) for name in own):
        return True
    number = _NUMBER.match(said)
    known = [match.group(1) for name in own if (match := _NUMBER.match(name))]
    if number is None:
        return False
    return number.group(1) in known if known else number.end() == len(said) and item.kind is not BlockKind.CAPTION
