"""Pages -> which of their lines are running headers, footers and page numbers (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from docpipe.parse.printed import Piece, PrintedLine, PrintedPage, union
from docpipe.types import BlockKind

_ZONE = 0.14
"""Of the page's height, at its top and at its bottom: where running lines stand."""
_DEEPEST = 4
"""Lines from the page's edge that are looked at."""
_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"[ivxlc]{1,7}", re.I)
_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.|página|pagina|第)\s*)?(\d{1,4}|[ivxlc]{1,7})\s*(?:[页頁])?"
    r"(?:\s*(?:of|/|von|de|共)\s*\d{1,4}\s*[页頁]?)?\W*",
    re.I,
)
_ARABIC = re.compile(r"\d{1,4}")


class _Seen(NamedTuple):
    page: int
    bottom: bool
    key: str
    place: int
    number: int | None


def set_aside(pages: Sequence[PrintedPage]) -> list[list[tuple[Piece, BlockKind | None]]]:
    """For each page its pieces, running lines cut off and named; the others carry None."""
    edges = [_edge_lines(page) for page in pages]
    seen = [_seen(index, page, line) for index, page in enumerate(pages) for line in edges[index]]
    running = _running(seen, len(pages))
    numbers = _page_numbers(seen, len(pages))
    kinds: list[dict[int, BlockKind]] = [{} for _ in pages]
    position = iter(seen)
    for index, lines in enumerate(edges):
        for line in lines:
            mark = next(position)
            if mark in numbers:
                kinds[index][id(line)] = BlockKind.PAGE_NUMBER
            elif mark in running:
                kinds[index][id(line)] = BlockKind.FOOTER if mark.bottom else BlockKind.HEADER
    return [_cut(page, kinds[index]) for index, page in enumerate(pages)]


def _edge_lines(page: PrintedPage) -> list[PrintedLine]:
    """The outermost lines at the top and the bottom of a page."""
    height = page.frame[1]
    lines = [line for piece in page.pieces if piece.role in ("text", "aside") for line in piece.lines]
    top = sorted((line for line in lines if line.bottom < _ZONE * height), key=lambda line: line.top)
    bottom = sorted((line for line in lines if line.top > (1 - _ZONE) * height), key=lambda line: -line.bottom)
    return top[:_DEEPEST] + bottom[:_DEEPEST]


def _seen(index: int, page: PrintedPage, line: PrintedLine) -> _Seen:
    height = page.frame[1]
    match = _NUMBER.fullmatch(line.text) if len(line.text) < 24 else None
    number = int(match.group(1)) if match and _ARABIC.fullmatch(match.group(1)) else None
    key = "0" if match else _DIGITS.sub("0", line.text).casefold()
    bottom = line.top > height / 2
    return _Seen(index, bottom, key, round((line.top + line.bottom) * 20 / height), number if match else None)


def _running(seen: list[_Seen], pages: int) -> set[_Seen]:
    """Lines that come back at the same place of several pages, digits aside."""
    if pages < 2:
        return set()
    spots: dict[tuple[bool, str, int], set[int]] = {}
    for mark in seen:
        spots.setdefault((mark.bottom, mark.key, mark.place), set()).add(mark.page)
    fewest = 2 if pages <= 4 else 3

    def often(mark: _Seen) -> bool:
        near = (spots.get((mark.bottom, mark.key, mark.place + shift), set()) for shift in (-1, 0, 1))
        return len(set().union(*near)) >= fewest

    return {mark for mark in seen if mark.key != "0" and len(mark.key) > 1 and often(mark)}


def _page_numbers(seen: list[_Seen], pages: int) -> set[_Seen]:
    """Lone numbers that count with the pages, and lone roman numbers."""
    shifts = Counter(mark.number - mark.page for mark in seen if mark.number is not None)
    usual = {shift for shift, count in shifts.items() if count >= (2 if pages > 2 else 1)}
    roman = {mark for mark in seen if mark.key == "0" and mark.number is None}
    return {mark for mark in seen if mark.number is not None and mark.number - mark.page in usual} | roman


def _cut(page: PrintedPage, kinds: dict[int, BlockKind]) -> list[tuple[Piece, BlockKind | None]]:
    """The page's pieces, each with lines of one fate only."""
    found: list[tuple[Piece, BlockKind | None]] = []
    for piece in page.pieces:
        if not kinds or not any(id(line) in kinds for line in piece.lines):
            found.append((piece, None))
            continue
        run: list[PrintedLine] = []
        fate: BlockKind | None = None
        for line in piece.lines:
            kind = kinds.get(id(line))
            if run and kind is not fate:
                found.append((piece._replace(lines=tuple(run), box=union(run)), fate))
                run = []
            fate = kind
            run.append(line)
        found.append((piece._replace(lines=tuple(run), box=union(run)), fate))
    return found
