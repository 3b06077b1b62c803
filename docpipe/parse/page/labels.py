"""Pieces of all pages -> what each of them is: title, heading, list item, caption ... (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from docpipe.parse.content import FoundTable
from docpipe.parse.page.outline import Heading, Outline, depth, levels
from docpipe.parse.page.paragraphs import bulleted, numbered
from docpipe.parse.page.printed import BOLD, GAPPED, ITALIC, MATH, MONO, RAISED, Piece, Told
from docpipe.types import BlockKind

CAPTION = re.compile(
    r"(?:(?:figure|fig\.?|table|tab\.|scheme|exhibit|chart|listing|algorithm|box|plate|map|abbildung|abb\.|tabelle)"
    r"\s*(?:[A-Z]?\d{1,3}(?:[.\-]\d{1,3})*[a-z]?|[IVX]{1,5})|[附]?[图圖表]\s*\d{1,3}(?:[.\-–—]\d{1,3})*)"
    r"(?P<after>\s*[:.：|。—–-](?=\s|$|\D)|\s*$|(?<=\d)\s+(?=[A-Z\u4e00-\u9fff])|(?<=[\d])\s+(?=\d{2,4}年))",
    re.I,
)
_RAISED_NUMBER = frozenset("¹²³⁴⁵⁶⁷⁸⁹")
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶‖]{1,3}|[①-⑳]|\[\d{1,3}\]|[a-z])[.)]?\s*(?=\S)")
_REFERENCES = re.compile(
    r"(?:[\dIVX]+\.?\s+)?(?:references(?: cited)?|bibliography|literature cited|works cited|literatur(?:verzeichnis)?"
    r"|参考文献|參考文獻)\W*",
    re.I,
)
_SECTION = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){1,4}\.?|(?:chapter|appendix|part|item)\s+[\dIVXA-Z]+[.:]?)\s+[^\W\d_]", re.I
)
_CHINESE_SECTION = re.compile(r"第[一二三四五六七八九十百零\d]{1,5}[编篇部章节]|附录")
_TWO_LETTERS = re.compile(r"[^\W\d_].*?[^\W\d_]", re.S)
_LETTER = re.compile(r"[^\W\d_]")
_EQUATION = re.compile(r"\(\d{1,3}(?:\.\d{1,3})?[a-z]?\)$")
_NAMES = re.compile(r"^by\s|,\s|\s(?:and|und|et|y|&)\s.*\d|[*†‡§]$|[^\W\d]\s?\d(?:[\s,]|$)", re.I)
"""What a line under the title shows when it names the authors."""
_OPEN_ENDS = frozenset(".,;，。；、…-")
_LEADERS = ("....", ". . . .", "…………", "____")
"""What leads from a title to its page number in a table of contents, and blanks to be filled in."""
_LONGEST_HEADING = 160
_LONGEST_TITLE = 120
_TITLE_GAP = 2.5
"""White space between a table and the line that is its title, in units of that line's size, at most."""
_SENTENCE_ENDS = frozenset(".,;:!?。，；：！？-")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A piece with its name."""

    piece: Piece
    page: int
    kind: BlockKind
    level: int = 0
    native: str = ""
    continues: bool = False
    """It goes on with the sentence of the block before it."""
    further: tuple[tuple[int, FoundTable], ...] = ()
    """Where its table goes on: the numbers of further pages, and the rows there."""

    @property
    def text(self) -> str:
        """Its lines, joined by blanks: to look at, not to keep."""
        return " ".join([line.text for line in self.piece.lines])


@dataclass(frozen=True, slots=True)
class _Body:
    """How running text is set in this document."""

    size: float
    bold: bool
    mono: bool


def labelled(pages: Sequence[tuple[int, float, Sequence[Piece]]], outline: Outline) -> list[Labelled]:
    """Name the pieces.

    Args:
        pages: number (from 1), height in points and pieces in reading order of each page.
    """
    body = _body([piece for _, _, pieces in pages for piece in pieces])
    found: list[Labelled] = []
    for number, height, pieces in pages:
        for piece in pieces:
            found.append(_named(piece, number, height, body, outline))
    found = _with_title(_with_table_titles(found), body)
    found = _with_levels(found, outline)
    return _with_references(_with_depths(found))


def _body(pieces: Sequence[Piece]) -> _Body:
    sizes: Counter[float] = Counter()
    bold = mono = total = 0
    for piece in pieces:
        if piece.role != "text" or piece.told:
            continue
        for line in piece.lines:
            count = len(line.text)
            sizes[round(line.size * 2) / 2] += count
            total += count
            bold += count if line.style & BOLD else 0
            mono += count if line.style & MONO else 0
    size = max(sizes, key=lambda key: sizes[key]) if sizes else 10.0
    return _Body(size, bold > 0.5 * total, mono > 0.6 * total)


def _named(piece: Piece, page: int, height: float, body: _Body, outline: Outline) -> Labelled:
    if piece.told is not None:
        return _as_told(piece, piece.told, page)
    if piece.role == "table":
        return Labelled(piece, page, BlockKind.TABLE)
    if piece.role == "figure":
        return Labelled(piece, page, BlockKind.FIGURE)
    if piece.role in ("turned", "aside"):
        return Labelled(piece, page, BlockKind.OTHER, native=piece.role)
    item = Labelled(piece, page, BlockKind.PARAGRAPH)
    text, first = item.text, piece.lines[0]
    if (match := CAPTION.match(text)) and _is_caption(match, piece, text):
        return replace(item, kind=BlockKind.CAPTION)
    if first.style & GAPPED:
        return replace(item, native="rows")
    if _is_heading(item, text, body, outline):
        return replace(item, kind=BlockKind.HEADING)
    if _is_note(piece, text, height, body):
        return replace(item, kind=BlockKind.FOOTNOTE)
    if not body.mono and first.style & MONO and all(line.style & MONO for line in piece.lines):
        return replace(item, kind=BlockKind.CODE)
    if bulleted(text) or numbered(text):
        return replace(item, kind=BlockKind.LIST_ITEM, level=1)
    if _is_formula(piece, text):
        return replace(item, kind=BlockKind.FORMULA)
    return item


def _as_told(piece: Piece, told: Told, page: int) -> Labelled:
    """As the service called it; what it only calls text may be a caption."""
    item = Labelled(piece, page, told.kind, told.level, told.native)
    if told.kind is BlockKind.PARAGRAPH and (match := CAPTION.match(item.text)) and match.group("after").strip():
        return replace(item, kind=BlockKind.CAPTION)
    return item


def _is_caption(match: re.Match[str], piece: Piece, text: str) -> bool:
    """Whether a match of the caption's opening is one, not a sentence that begins with `Figure 3 shows`."""
    if match.group("after").strip():
        return True
    return len(text) < 200 and (len(piece.lines) == 1 or bool(piece.lines[0].style & (BOLD | ITALIC)))


def _is_heading(item: Labelled, text: str, body: _Body, outline: Outline) -> bool:
    lines = item.piece.lines
    if len(lines) > 4 or len(text) > _LONGEST_HEADING or not _TWO_LETTERS.search(text) or bulleted(text):
        return False
    if any(leader in text for leader in _LEADERS):
        return False
    first = lines[0]
    if outline and outline.level(text, item.page) and first.size >= 0.9 * body.size:
        return True
    if text[-1] in _OPEN_ENDS and not (text[-1] == "." and _short(text)):
        return False
    larger = first.size >= 1.12 * body.size
    bold = not body.bold and all(line.style & BOLD for line in lines)
    if larger and not first.style & MATH:
        return not text[0].islower() or bold or first.size >= 1.4 * body.size
    if first.size < 0.93 * body.size:
        return False
    if bold:
        if len(text) > 120 or text[0].islower() or len(lines) > 3 or _is_bold_item(item.piece, text, body):
            return False
        return text[-1] != ":" or (text.isupper() and len(text) <= 60)
    if len(lines) > 1 or len(text) > 90 or first.style & MONO:
        return False
    shouted = text.isupper() and len(_LETTER.findall(text)) >= 4 and len(text) <= 70
    return (
        shouted
        or bool(_CHINESE_SECTION.match(text) and len(text) <= 40)
        or bool(_SECTION.match(text) and len(text) <= 70)
    )


def _is_bold_item(piece: Piece, text: str, body: _Body) -> bool:
    """Whether a bold line of the body's size is a numbered list's item: set in a little, and not in the middle."""
    first = piece.lines[0]
    indent = first.left - piece.left
    if not first.size < indent < 4 * first.size or first.size > 1.05 * body.size or not numbered(text):
        return False
    return piece.right - first.right > 2 * indent


def _short(text: str) -> bool:
    """Whether a line with a full stop may still be a heading: `1. Introduction.`"""
    return len(text) <= 60 and text.count(".") <= 3 and len(text.split()) <= 6


def _is_note(piece: Piece, text: str, height: float, body: _Body) -> bool:
    first = piece.lines[0]
    if text[0] in _RAISED_NUMBER and piece.box.top > 0.6 * height and first.size <= body.size:
        return True
    if first.size > 0.93 * body.size or piece.box.top < 0.5 * height or len(_LETTER.findall(text)) < 5:
        return False
    return bool(first.style & RAISED) or _NOTE.match(text) is not None


def _is_formula(piece: Piece, text: str) -> bool:
    if len(piece.lines) > 8 or len(text) > 300:
        return False
    maths = sum(1 for line in piece.lines if line.style & MATH)
    inset = piece.box.left > piece.left + 2 * piece.lines[0].size
    if maths * 2 > len(piece.lines):
        return True
    return bool(inset and maths and _EQUATION.search(text))


def _with_table_titles(items: list[Labelled]) -> list[Labelled]:
    """A line or two of its own right above a table, no sentence, is the table's title: a caption."""
    found = list(items)
    for number, (item, below) in enumerate(pairwise(items)):
        lines = item.piece.lines
        if item.kind is not BlockKind.PARAGRAPH or item.native or item.piece.told or not 1 <= len(lines) <= 2:
            continue
        near = 0 <= below.piece.box.top - lines[-1].bottom < _TITLE_GAP * lines[-1].size
        named = len(item.text) <= _LONGEST_TITLE and item.text[-1] not in _SENTENCE_ENDS
        if below.kind is BlockKind.TABLE and below.page == item.page and near and named:
            found[number] = replace(item, kind=BlockKind.CAPTION)
    return found


def _with_title(items: list[Labelled], body: _Body) -> list[Labelled]:
    """The largest heading of the first page is the title, where nothing later is set larger."""
    items, told = _one_title(items)
    if not items or told:
        return items
    front = items[0].page
    sizes = [(item.piece.lines[0].size, number) for number, item in enumerate(items) if _is_set_heading(item)]
    first = [(size, number) for size, number in sizes if items[number].page == front]
    if not first:
        return items
    largest = max(size for size, _ in first)
    number = next(number for size, number in first if size >= largest - 0.1)
    if largest < 1.15 * body.size or largest < max(size for size, _ in sizes) - 0.6:
        return items
    found = [*items[:number], replace(items[number], kind=BlockKind.TITLE, level=1), *items[number + 1 :]]
    following = number + 1
    while following < len(found) and _is_byline(found[following]):
        found[following] = replace(found[following], kind=BlockKind.PARAGRAPH, native="byline")
        following += 1
    return found


def _one_title(items: list[Labelled]) -> tuple[list[Labelled], bool]:
    """The items with one title at most, which stands on the first page; and whether one was told."""
    titles = [number for number, item in enumerate(items) if item.kind is BlockKind.TITLE]
    kept = next((number for number in titles if items[number].page == items[0].page), None)
    found = list(items)
    for number in titles:
        if number != kept:
            found[number] = replace(items[number], kind=BlockKind.HEADING)
    return found, kept is not None


def _is_set_heading(item: Labelled) -> bool:
    """Whether it was taken for a heading by the way it is set."""
    return item.kind is BlockKind.HEADING and item.piece.told is None


def _is_byline(item: Labelled) -> bool:
    """Whether what was taken for a heading, below the title, names the authors."""
    return _is_set_heading(item) and not item.text[0].isdigit() and bool(_NAMES.search(item.text))


def _with_levels(items: list[Labelled], outline: Outline) -> list[Labelled]:
    chosen = [number for number, item in enumerate(items) if _is_set_heading(item)]
    headings = [
        Heading(
            items[number].text,
            items[number].piece.lines[0].size,
            bool(items[number].piece.lines[0].style & BOLD),
            outline.level(items[number].text, items[number].page),
        )
        for number in chosen
    ]
    title = next((item for item in items if item.kind is BlockKind.TITLE), None)
    below = 1 if title and not outline.level(title.text, title.page) else 0
    found = list(items)
    for number, level in zip(chosen, levels(headings, below=below), strict=True):
        found[number] = replace(items[number], level=level)
    for number, item in enumerate(items):
        if item.kind is BlockKind.HEADING and item.piece.told:
            found[number] = replace(item, level=_told_level(item, outline, below))
    return found


def _told_level(item: Labelled, outline: Outline, below: int) -> int:
    """By the outline, by its number, else by its marks, of which the first stands for the title."""
    known = outline.level(item.text, item.page) or depth(item.text) or item.level - 1
    return max(1, min(6, below + known))


def _with_depths(items: list[Labelled]) -> list[Labelled]:
    """Depth of list items by their left edges, within one list of one column."""
    found, edges = list(items), list[float]()
    last: tuple[int, int] | None = None
    for number, item in enumerate(items):
        if item.kind is not BlockKind.LIST_ITEM or item.piece.told:
            if item.kind in (BlockKind.HEADING, BlockKind.TITLE):
                edges = []
            continue
        place, left = (item.page, item.piece.column), item.piece.lines[0].left
        if place != last:
            edges, last = [], place
        while edges and edges[-1] > left + 4:
            edges.pop()
        if not edges or edges[-1] < left - 4:
            edges.append(left)
        found[number] = replace(item, level=min(6, len(edges)))
    return found


def _with_references(items: list[Labelled]) -> list[Labelled]:
    """What follows the heading of the references, up to the next heading of its rank, is references."""
    found, within = list(items), 0
    plain = (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.FOOTNOTE)
    for number, item in enumerate(items):
        if item.kind in (BlockKind.HEADING, BlockKind.TITLE):
            if _REFERENCES.fullmatch(item.text):
                within = item.level
            elif within and item.level <= within:
                within = 0
        elif within and item.kind in plain:
            found[number] = replace(item, kind=BlockKind.REFERENCE, level=0)
    return found
