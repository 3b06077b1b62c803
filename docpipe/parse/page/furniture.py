"""Pages -> which of their lines are running headers, footers and page numbers (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from docpipe.parse.page.labels import CAPTION
from docpipe.parse.page.lone_page import lone_running_lines
from docpipe.parse.page.printed import GAPPED, Piece, PrintedLine, PrintedPage, union
from docpipe.types import FURNITURE, HIDDEN, BlockKind

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
_ENDS = re.compile(r"^(?:\W|page\s)*(\d{1,4})(?![\d.,)]*\d|[.)])|(?<![\d.,])(\d{1,4})\W*$", re.I)
_LONGEST_NUMBERED = 150
_COUNTER = re.compile(
    r"(?:\b(?:page|seite|página|sheet|blatt)\b|\bp(?:g|p)?\.|第)\s*\d+(?:\s*(?:of|von|de|/|共)\s*\d+)?"
    r"|\b\d{1,3}\s*(?:of|von|/)\s*\d{1,3}\W*$|^\W*\d{1,4}\s*[|·•–—-]|[|·•–—-]\s*\d{1,4}\W*$|^\W*\d{1,4}\W*$",
    re.I,
)
_COUNTER_APART = re.compile(r"^\d{1,4}\b|(?<![\d.,])\d{1,4}$")
"""A page's number at the end of a line whose parts stand wide apart."""


class _Seen(NamedTuple):
    page: int
    bottom: bool
    key: str
    place: int
    lone: bool
    """It is nothing but a page number."""
    outermost: bool
    numbers: tuple[int, ...]
    """What it begins and ends with, where those are numbers."""


def set_aside(pages: Sequence[PrintedPage]) -> list[list[tuple[Piece, BlockKind | None]]]:
    """For each page its pieces, running lines cut off and named, hidden text named; the others carry None."""
    edges = [_edge_lines(page) for page in pages]
    seen = [mark for index, page in enumerate(pages) for mark in _marks(index, page, edges[index])]
    running = _running(seen, len(pages))
    counting = _counting(seen, len(pages))
    kinds: list[dict[int, BlockKind]] = [{} for _ in pages]
    position = iter(seen)
    for index, lines in enumerate(edges):
        for line in lines:
            mark = next(position)
            if mark.lone and mark in counting:
                kinds[index][id(line)] = BlockKind.PAGE_NUMBER
            elif mark in running or mark in counting:
                kinds[index][id(line)] = BlockKind.FOOTER if mark.bottom else BlockKind.HEADER
    if len(pages) == 1:
        kinds[0] = {**lone_running_lines(pages[0]), **kinds[0]}
    _keep_titles(pages, kinds)
    if not _leave_anything(pages, kinds):
        kinds = [{at: kind for at, kind in named.items() if kind is BlockKind.PAGE_NUMBER} for named in kinds]
    return [_cut(page, kinds[index]) for index, page in enumerate(pages)]


def without_page_number(line: PrintedLine) -> str:
    """What a running line says beside the number of its page."""
    text = _COUNTER.sub(" ", line.text)
    return _COUNTER_APART.sub(" ", text) if line.style & GAPPED else text


def _leave_anything(pages: Sequence[PrintedPage], kinds: Sequence[dict[int, BlockKind]]) -> bool:
    """Whether pages hold something beside running lines; where they do not, those are what the document says."""
    return any(
        not piece.lines or any(id(line) not in named for line in piece.lines)
        for page, named in zip(pages, kinds, strict=True)
        for piece in page.pieces
    )


def _keep_titles(pages: Sequence[PrintedPage], kinds: Sequence[dict[int, BlockKind]]) -> None:
    """A line right above a table is its title, not a running line, where other pages say it with other figures."""
    said: dict[str, set[str]] = {}
    for page, named in zip(pages, kinds, strict=True):
        lines = (line for piece in page.pieces for line in piece.lines) if named else ()
        for text in (without_page_number(line) for line in lines if named.get(id(line)) is BlockKind.HEADER):
            said.setdefault(_DIGITS.sub("0", text), set()).add(text)
    for page, named in zip(pages, kinds, strict=True):
        for one, other in pairwise(page.pieces):
            if other.role != "table" or not one.lines:
                continue
            title = one.lines[-1]
            if len(said.get(_DIGITS.sub("0", without_page_number(title)), ())) > 1:
                named.pop(id(title), None)


def _edge_lines(page: PrintedPage) -> list[PrintedLine]:
    """The outermost lines at the top and the bottom of a page; a lone number is one of them wherever the page ends."""
    height = page.frame[1]
    titles = {id(one) for one, other in pairwise(page.pieces) if other.role == "table" and _is_caption(one)}
    open_pieces = [piece for piece in page.pieces if piece.role in ("text", "aside") and _open(piece)]
    lines = [line for piece in open_pieces if id(piece) not in titles for line in piece.lines]
    top = sorted((line for line in lines if line.bottom < _ZONE * height), key=lambda line: line.top)
    bottom = sorted((line for line in lines if line.top > (1 - _ZONE) * height), key=lambda line: -line.bottom)
    if lines and not bottom:
        last = max(lines, key=lambda line: line.bottom)
        if last.top > top[-1].bottom if top else True:
            bottom = [last] if len(last.text) < 24 and _NUMBER.fullmatch(last.text) else []
    return top[:_DEEPEST] + bottom[:_DEEPEST]


def _is_caption(piece: Piece) -> bool:
    """Whether a piece above a table names it: it may come back on each page of the table."""
    return bool(piece.lines) and CAPTION.match(piece.lines[0].text) is not None


def _open(piece: Piece) -> bool:
    """Whether it may still turn out to be a running line: nobody told otherwise."""
    return piece.told is None or piece.told.kind is BlockKind.PARAGRAPH


def _marks(index: int, page: PrintedPage, lines: list[PrintedLine]) -> list[_Seen]:
    ends = {min((line.top for line in lines), default=0.0), max((line.top for line in lines), default=0.0)}
    return [_seen(index, page, line, outermost=line.top in ends) for line in lines]


def _seen(index: int, page: PrintedPage, line: PrintedLine, *, outermost: bool) -> _Seen:
    height, text = page.frame[1], line.text
    lone = len(text) < 24 and _NUMBER.fullmatch(text) is not None
    numbers = _ENDS.findall(text) if len(text) < _LONGEST_NUMBERED else []
    key = "0" if lone else _DIGITS.sub("0", text).casefold()
    found = tuple(int(number) for pair in numbers for number in pair if number)
    place = round((line.top + line.bottom) * 20 / height)
    return _Seen(index, line.top > height / 2, key, place, lone, outermost, found)


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


def _counting(seen: list[_Seen], pages: int) -> set[_Seen]:
    """Lines that begin or end with a number that counts with the pages, and lone roman numbers."""
    shifts = Counter(shift for mark in seen for shift in _shifts(mark))
    lone = Counter(shift for mark in seen if mark.lone for shift in _shifts(mark))
    fewest = max(3, pages // 4)
    usual = {shift for shift, count in shifts.items() if count >= fewest}
    sure = usual | {shift for shift, count in lone.items() if count >= (2 if pages > 2 else 1)}
    return {
        mark
        for mark in seen
        if (mark.lone and not mark.numbers)
        or ((mark.lone or mark.outermost) and not _shifts(mark).isdisjoint(sure if mark.lone else usual))
    }


def _shifts(mark: _Seen) -> set[int]:
    return {number - mark.page for number in mark.numbers}


def _cut(page: PrintedPage, kinds: dict[int, BlockKind]) -> list[tuple[Piece, BlockKind | None]]:
    """The page's pieces, each with lines of one fate only."""
    found: list[tuple[Piece, BlockKind | None]] = []
    for piece in page.pieces:
        if not kinds or not any(id(line) in kinds for line in piece.lines):
            told = piece.told
            apart = told is not None and (told.kind in FURNITURE or told.native == HIDDEN)
            found.append((piece, told.kind if told and apart else None))
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
