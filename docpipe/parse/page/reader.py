"""PyMuPDF page -> PrintedPage: its lines, pictures and tables, laid out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from docpipe.parse.content import Box, FoundTable, Rule, Word
from docpipe.parse.page import layout, unseen
from docpipe.parse.page.figures import drawn_figures, lone_captions
from docpipe.parse.page.lettering import readable, scrambled, storable, style_of, unreadable_share
from docpipe.parse.page.paragraphs import bulleted
from docpipe.parse.page.printed import PrintedLine, PrintedPage, turned

if TYPE_CHECKING:
    import pymupdf

_TURNS = {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}
_FULL_PICTURE = 0.4
"""Of the page's area: where pictures cover more and hardly any text is there, the page is a scan."""
_FEW = 24
"""Fewer characters on a page with a full picture are a stamp or a page number, not its text layer."""
_STAMPED = 0.08
"""Of the page's height, at its top and bottom: where offices stamp scans."""
_CELL_SPACES = 3
"""Spaces in a line that may be a cell, at most: lines of running text have more."""
_FEWEST_RULES = 4
"""Lines drawn around a table of text: fewer set off headers, footers and notes."""
_SAME_LINE = 3.0
"""Bottoms that differ by less, in points, may stand on one line."""
_FAR = 1_000_000.0
"""Points: no page is as large, and what is put beside one stands nearer."""
_MOST_WORDS = 6_000
"""On one page; with more, tables are not looked for."""

_MOST_CONTENT = 300_000
"""Compressed bytes of a page's content above which its drawings are not looked at."""


def shown_size(page: "pymupdf.Page") -> tuple[float, float]:
    """Width and height of a page as it is shown, in points; at least 1."""
    return max(1.0, page.rect.width), max(1.0, page.rect.height)


class PageReader:
    """One page's text, pictures and rules, brought into its reading frame."""

    def __init__(self, page: "pymupdf.Page", number: int, *, text: int, pictures: int) -> None:
        """Args: number, from 1; the engine's flags for a text page without and with its pictures."""
        self._page, self._number = page, number
        self._width, self._height = shown_size(page)
        self._rotation = int(page.rotation) % 360
        self._flags, self._picture_flags = text, pictures

    def read(self, *, tables: bool) -> PrintedPage:
        """The page, laid out."""
        flat = (self._height, self._width) if self._rotation in (90, 270) else (self._width, self._height)
        text_page, pictures, beside = self._text_page(*flat)
        blocks = text_page.extractDICT()["blocks"]
        words, hidden = unseen.part(self._page, blocks, text_page.extractWORDS(), pictures)
        hidden += [*beside, *unseen.notes(self._page)]
        lines, odd = _lines(blocks, words)
        turn = _TURNS[max(odd, key=lambda run: sum(len(line.text) for line in odd[run]))] if odd else 0
        if turn and sum(len(line.text) for line in lines) >= sum(map(_length, odd.values())):
            turn = 0
        back = (360 - turn) % 360
        if turn:  # the words' edges are wanted along the lines: read them again from the turned words
            words = [(*turned(Word._make(word[:5]), back, *flat), *word[4:]) for word in words]
            lines, odd = _straightened(*_lines(blocks, words), turn, flat)
        pictures = [turned(box, back, *flat) for box in pictures] if back else pictures
        total = (turn + self._rotation) % 360
        width, height = (self._height, self._width) if total in (90, 270) else (self._width, self._height)
        text = "".join([line.text for line in lines])
        scanned = (bool(text) or not odd) and self._needs_ocr(lines, text, pictures, width * height, height)
        if scanned and not readable(text):
            lines, odd = [], {}
        pairs = _side_by_side(lines) if tables else []
        found = self._tables(words, total, drawn_only=not _like_cells(pairs)) if len(pairs) > 1 else []
        if total == 0:
            pictures += self._drawings(lines, pictures, found)
        pieces = layout.arrange(
            lines, turned=list(odd.values()), tables=found, pictures=pictures, width=width, height=height
        )
        if hidden:
            pieces += (unseen.piece([PrintedLine(*turned(line, back, *flat), *line[4:]) for line in hidden]),)
        return PrintedPage(self._number, self._width, self._height, pieces, turn=total, needs_ocr=scanned)

    def _text_page(self, width: float, height: float) -> "tuple[pymupdf.TextPage, list[Box], list[PrintedLine]]":
        """The page's text, clipped to the page; its pictures; and the lines that stand beside it."""
        everywhere = (-_FAR, -_FAR, _FAR, _FAR)
        text_page = self._page.get_textpage(clip=everywhere, flags=self._picture_flags)
        beside: list[PrintedLine] = []
        if _reaches_out(text_page, width, height):
            whole = self._page.get_textpage(clip=everywhere, flags=self._flags)
            beside = unseen.outside(whole.extractDICT()["blocks"], width, height)
            text_page = self._page.get_textpage(flags=self._picture_flags)
        pictures = _pictures(text_page)
        if pictures:  # their bytes would be copied into the answer: ask again without them
            text_page = self._page.get_textpage(flags=self._flags)
        return text_page, pictures, beside

    def _needs_ocr(
        self, lines: Sequence[PrintedLine], text: str, pictures: Sequence[Box], area: float, height: float
    ) -> bool:
        covered = sum(max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top) for box in pictures) / area
        if covered >= _FULL_PICTURE and (len(text) < _FEW or _only_stamped(lines, height)):
            return True
        if not text:
            return covered > 0.02 or self._drawn()
        return unreadable_share(text) > 0.3 or scrambled(text)

    def _drawn(self) -> bool:
        """Whether a page without text and pictures shows many drawings: its letters may be outlines."""
        return len(self._page.get_bboxlog()) > 50

    def _drawings(
        self, lines: Sequence[PrintedLine], pictures: Sequence[Box], tables: Sequence[FoundTable]
    ) -> list[Box]:
        """Figures that are drawn rather than pictures; looked for only where a caption stands without one."""
        from docpipe.parse.grid.rules import content_size

        captions = lone_captions(lines, pictures)
        if not captions or content_size(self._page) > _MOST_CONTENT:
            return []
        shapes = [Box(*drawing["rect"]) for drawing in self._page.get_cdrawings()]
        taken = [table.box for table in tables]
        return drawn_figures(captions, lines, shapes, taken=taken, page=Box(0, 0, self._width, self._height))

    def _tables(self, printed: Sequence[tuple[Any, ...]], total: int, *, drawn_only: bool) -> list[FoundTable]:
        """Args: drawn_only, to look no further where hardly a line is drawn on the page: the words alone are prose."""
        from docpipe.parse.grid.rules import page_rules
        from docpipe.parse.grid.tables import find_tables

        if not printed or len(printed) > _MOST_WORDS:
            return []
        rules = page_rules(self._page)
        if drawn_only and len(rules) < _FEWEST_RULES:
            return []
        words = _clean_words([Word._make(word[:5]) for word in printed])
        width, height = (self._height, self._width) if total in (90, 270) else (self._width, self._height)
        if total:
            rules = tuple(Rule(*turned(rule, (360 - total) % 360, self._width, self._height)) for rule in rules)
        return find_tables(words, rules, width=width, height=height)


def _side_by_side(lines: Sequence[PrintedLine]) -> list[tuple[str, str]]:
    """Texts of lines that stand beside each other, list signs aside: without two of them there are no cells."""
    ordered = sorted([(line[3], line[0], line[2], line[4]) for line in lines])
    return [
        (text, other_text)
        for (bottom, left, right, text), (other, start, end, other_text) in pairwise(ordered)
        if other - bottom < _SAME_LINE and (start >= right or left >= end) and not _lone_sign(text, other_text)
    ]


def _like_cells(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether at least two of the pairs are as short as cells are, and columns of running text hardly ever."""
    return sum([max(text.count(" "), other.count(" ")) <= _CELL_SPACES for text, other in pairs]) > 1


def _lone_sign(*texts: str) -> bool:
    return any(len(text) < 3 and bulleted(text + " ") for text in texts)


def _clean_words(words: list[Word]) -> list[Word]:
    """Words fit to be stored; those of which nothing is left are dropped."""
    together = "".join([word.text for word in words])
    if together.isascii() and together.isprintable():
        return words
    found = []
    for word in words:
        text = word.text
        if text.isascii() and text.isprintable():
            found.append(word)
        elif text := storable(text)[0].rstrip("\u00ad"):
            found.append(word._replace(text=text))
    return found


def _only_stamped(lines: Sequence[PrintedLine], height: float) -> bool:
    """Whether all text stands at the upper or lower edge, as stamps on scans do (case and page numbers)."""
    return all(line.bottom < _STAMPED * height or line.top > (1 - _STAMPED) * height for line in lines)


def _length(lines: Sequence[PrintedLine]) -> int:
    return sum(len(line.text) for line in lines)


def _pictures(text_page: "pymupdf.TextPage") -> list[Box]:
    """Boxes of the pictures on a page."""
    found = []
    block = text_page.this.m_internal.first_block
    while block:
        if block.type == 1:
            box = block.bbox
            found.append(Box(box.x0, box.y0, box.x1, box.y1))
        block = block.next
    return found


def _reaches_out(text_page: "pymupdf.TextPage", width: float, height: float) -> bool:
    """Whether text stands, at least in part, beside the page."""
    block = text_page.this.m_internal.first_block
    while block:
        box = block.bbox
        if block.type == 0 and (box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height):
            return True
        block = block.next
    return False


def _lines(
    blocks: Sequence[Mapping[str, Any]], words: Sequence[tuple[Any, ...]]
) -> tuple[list[PrintedLine], dict[tuple[int, int], list[PrintedLine]]]:
    """The lines that run from left to right, and those that run otherwise, by direction."""
    edges: dict[int, list[float]] = {}
    for left, _, right, _, _, block, line, _ in words:
        key = block << 14 | line
        if key in edges:
            edges[key] += (left, right)
        else:
            edges[key] = [left, right]
    straight: list[PrintedLine] = []
    odd: dict[tuple[int, int], list[PrintedLine]] = {}
    for block in blocks:
        base = block["number"] << 14
        for number, line in enumerate(block["lines"]):
            printed = _line(line, edges.get(base | number, ()))
            if printed is None:
                continue
            x, y = line["dir"]
            if x > 0.7:
                straight.append(printed)
            else:
                run = (-1, 0) if x < -0.7 else (0, 1 if y > 0 else -1)
                odd.setdefault(run, []).append(printed)
    return straight, odd


def _line(line: Mapping[str, Any], edges: Sequence[float]) -> PrintedLine | None:
    spans = line["spans"]
    if not spans:
        return None
    if len(spans) == 1:
        span = spans[0]
        text, size, style = span["text"], span["size"], style_of(span["font"], span["flags"])
    else:
        text = "".join([span["text"] for span in spans])
        size, style = _setting(spans)
    text, words = storable(text, keep_blanks=bool(style & 4))
    if not words:
        return None
    left, top, right, bottom = line["bbox"]
    if len(edges) != 2 * words:
        edges = ()
    return PrintedLine(left, top, right, bottom, text, size, style, edges)


def _setting(spans: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Size and style of most letters of a line."""
    sizes: Counter[float] = Counter()
    styles: Counter[int] = Counter()
    for span in spans:
        weight = len(span["text"].strip())
        sizes[span["size"]] += weight
        styles[style_of(span["font"], span["flags"])] += weight
    style = max(styles, key=lambda key: styles[key])
    raised = 32 if spans[0]["flags"] & 1 or spans[0]["size"] < 0.8 * max(sizes) else 0
    return max(sizes, key=lambda key: sizes[key]), style & ~32 | raised


def _straightened(
    lines: list[PrintedLine],
    odd: dict[tuple[int, int], list[PrintedLine]],
    turn: int,
    flat: tuple[float, float],
) -> tuple[list[PrintedLine], dict[tuple[int, int], list[PrintedLine]]]:
    """The page turned so that the lines of one odd direction become the straight ones."""
    run = next(run for run, degrees in _TURNS.items() if degrees == turn)
    back = (360 - turn) % 360

    def moved(group: Sequence[PrintedLine]) -> list[PrintedLine]:
        return [PrintedLine(*turned(line, back, *flat), *line[4:]) for line in group]

    others = {key: moved(group) for key, group in odd.items() if key != run}
    if lines:
        others[(1, 0)] = moved(lines)
    return moved(odd[run]), {key: [line._replace(edges=()) for line in group] for key, group in others.items()}
