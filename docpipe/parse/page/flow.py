"""Named pieces in reading order -> the order of the text: sentences whole, what interrupts them after (pure)."""

from collections.abc import Sequence
from dataclasses import replace

from docpipe.parse.page.labels import Labelled
from docpipe.parse.page.paragraphs import bulleted, numbered
from docpipe.parse.page.printed import GAPPED
from docpipe.types import BlockKind

_FLOATS = frozenset({BlockKind.TABLE, BlockKind.FIGURE, BlockKind.CAPTION, BlockKind.FOOTNOTE, BlockKind.OTHER})
_OPEN = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.REFERENCE})
_GOES_ON = frozenset({BlockKind.PARAGRAPH, BlockKind.REFERENCE})
_CLOSED = frozenset(".!?。！？:：;；…")
_QUOTES = "\"'”’)）]』」"
_MOST_HELD = 12
"""Floats in a row after which a paragraph is taken to have ended."""


def in_order(items: Sequence[Labelled]) -> list[Labelled]:
    """The pieces in the order of the text; a paragraph that goes on after a break comes at once, marked so.

    What stands in the margin of the first page only (dates, licence, address) is about the whole file: it comes last.
    """
    imprint = _imprint(items)
    if imprint:
        items = [item for item in items if item.native != "aside"]
    found: list[Labelled] = []
    held: list[Labelled] = []
    opened: Labelled | None = None
    for item in items:
        if item.kind in _FLOATS:
            if opened is not None and (len(held) == _MOST_HELD or not _unfinished(opened)):
                found, held, opened = found + held, [], None
            (found if opened is None else held).append(item)
            continue
        broken = bool(held) or (opened is not None and _elsewhere(opened, item))
        if opened is not None and broken and _goes_on(opened, item):
            item = replace(item, continues=True, kind=opened.kind if item.kind is BlockKind.REFERENCE else item.kind)
        else:
            found += held
            held = []
        found.append(item)
        opened = item if item.kind in _OPEN else None
    return found + held + imprint


def _imprint(items: Sequence[Labelled]) -> list[Labelled]:
    """The margin's notes, where only the first of several pages has some."""
    asides = [item for item in items if item.native == "aside"]
    single = not asides or asides[-1].page > items[0].page or items[-1].page == items[0].page
    return [] if single else asides


def _elsewhere(before: Labelled, item: Labelled) -> bool:
    return before.page != item.page or before.piece.column != item.piece.column


def _unfinished(item: Labelled) -> bool:
    """Whether the last line stops in the midst of a sentence."""
    if not item.piece.lines:
        return False
    text = item.piece.lines[-1].text.rstrip(_QUOTES)
    return bool(text) and text[-1] not in _CLOSED and not item.piece.lines[-1].style & GAPPED


def _goes_on(before: Labelled, item: Labelled) -> bool:
    """Whether a paragraph before a break goes on after it."""
    if item.kind not in _GOES_ON or not item.piece.lines or not _unfinished(before):
        return False
    last, first = before.piece.lines[-1], item.piece.lines[0]
    if _set_otherwise(before, item) or first.style & GAPPED or bulleted(first.text) or numbered(first.text):
        return False
    opening = first.text[0]
    if opening.islower() or last.text[-1] in "-\u2010\u00ad":
        return True
    if before.piece.told:
        return len(before.piece.lines) > 1 and len(last.text) > 0.7 * max(len(line.text) for line in before.piece.lines)
    width = before.piece.right - before.piece.left
    full = last.right >= before.piece.right - max(2 * last.size, 0.06 * width)
    indented = first.left > item.piece.left + 0.7 * first.size and len(item.piece.lines) > 1
    return full and not indented and (len(before.piece.lines) > 1 or width < 1.3 * (last.right - last.left))


def _set_otherwise(before: Labelled, item: Labelled) -> bool:
    """Whether two pieces are printed in different sizes; nobody measured those of a page that a service read."""
    measured = before.piece.told is None and item.piece.told is None
    return measured and abs(before.piece.lines[-1].size - item.piece.lines[0].size) > 0.6
