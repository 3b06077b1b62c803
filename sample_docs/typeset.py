"""Manuscript -> PDF pages: a small typesetter on PyMuPDF's built-in fonts, so that every build gives the same text.

A manuscript is plain text; its blocks are parted by empty lines and told apart by how they begin:
`# ` title, `## ` and `### ` headings, `- ` and `1. ` list items (one a line), `! ` a boxed warning, `| ` a table,
`^ ` a caption, `~ ` a footnote, `{chart}` a figure, `{page}` a new page, `: ` a centred line, all else a paragraph.
A `\u00ad` in a word is where it may be divided.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pymupdf

A4 = (595.0, 842.0)
Drawing = Callable[[pymupdf.Page, pymupdf.Rect], None]
SOFT = "\u00ad"
_UNIT = re.compile(r" ?(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef][，。、；：？！）》」”％]*)")
_CJK = re.compile(r"([\u2e80-\uffef]+)")


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a document looks. Lengths are points."""

    columns: int = 1
    margin: float = 62.0
    gap: float = 18.0
    size: float = 10.5
    body: str = "tiro"
    bold: str = "hebo"
    small: str = "tiit"
    grid: bool = True
    """All rules of a table are drawn; otherwise the three of a printed paper."""
    running_head: str = ""
    running_foot: str = ""
    page_label: str = "{page}"


@dataclass
class Press:
    """Sets one document, block after block."""

    style: Style
    document: pymupdf.Document = field(default_factory=pymupdf.Document)
    column: int = 0
    y: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    outline: list[list[object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.new_page()

    @property
    def page(self) -> pymupdf.Page:
        """The page that is being set."""
        return self.document[-1]

    @property
    def width(self) -> float:
        """Width of a column."""
        style = self.style
        return (A4[0] - 2 * style.margin - (style.columns - 1) * style.gap) / style.columns

    @property
    def left(self) -> float:
        """Where the column begins."""
        return self.style.margin + self.column * (self.width + self.style.gap)

    def new_page(self) -> None:
        """Begin a page."""
        self.document.new_page(width=A4[0], height=A4[1])
        self.column, self.top = 0, 74.0
        self.y, self.bottom = self.top, A4[1] - 70.0

    def new_column(self) -> None:
        """Go on at the top of the next column."""
        if self.column + 1 < self.style.columns:
            self.column += 1
            self.y, self.bottom = self.top, A4[1] - 70.0
        else:
            self.new_page()

    def room(self, height: float) -> None:
        """Make sure that this much fits below."""
        if self.y + height > self.bottom:
            self.new_column()

    def lines(self, lines: Sequence[str], *, font: str, size: float, indent: float = 0.0, lead: float = 1.28) -> None:
        """Set lines that were broken already."""
        for line in lines:
            self.room(size * lead)
            self.y += size * lead
            draw(self.page, (self.left + indent, self.y - size * 0.26), line, font=font, size=size)

    def finish(self, *, title: str, author: str) -> pymupdf.Document:
        """Add what stands on every page, the outline and the metadata."""
        for number, page in enumerate(self.document, start=1):
            self._furniture(page, number)
        if self.outline:
            self.document.set_toc(self.outline)
        date = "D:20260105090000Z"
        self.document.set_metadata({"title": title, "author": author, "creationDate": date, "modDate": date})
        return self.document

    def _furniture(self, page: pymupdf.Page, number: int) -> None:
        style = self.style
        draw(page, (style.margin, 44), style.running_head, font=style.small, size=8.5)
        draw(page, (style.margin, A4[1] - 36), style.running_foot, font=style.small, size=8.5)
        label = style.page_label.format(page=number)
        draw(page, (A4[0] - style.margin - length(label, font=style.body, size=9), A4[1] - 36), label, size=9)


def length(text: str, *, font: str, size: float) -> float:
    """Width of a line that may mix scripts."""
    return sum(pymupdf.get_text_length(run, fontname=name, fontsize=size) for run, name in runs(text, font))


def runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Stretches of one script with the font that has its letters."""
    for run in _CJK.split(text):
        if run:
            yield run, "china-s" if _CJK.match(run) else font


def draw(page: pymupdf.Page, at: tuple[float, float], text: str, *, font: str = "tiro", size: float = 10.0) -> None:
    """Write one line with its base at a point."""
    x, y = at
    for run, name in runs(text, font):
        page.insert_text((x, y), run, fontname=name, fontsize=size)
        x += pymupdf.get_text_length(run, fontname=name, fontsize=size)


def broken(text: str, width: float, *, font: str, size: float) -> list[str]:
    """A paragraph's lines; a word with soft hyphens is divided where that fills the line."""
    lines, line = [], ""
    for unit in _UNIT.findall(text):
        whole = unit.replace(SOFT, "")
        if length(line + whole, font=font, size=size) <= width:
            line += whole
            continue
        head, tail = _divided(line, unit, width, font=font, size=size)
        lines.append((line + head).strip())
        line = tail.replace(SOFT, "").lstrip()
    return [*lines, line.strip()] if line.strip() else lines


def _divided(line: str, unit: str, width: float, *, font: str, size: float) -> tuple[str, str]:
    parts = unit.split(SOFT)
    for stop in range(len(parts) - 1, 0, -1):
        head = "".join(parts[:stop]) + "-"
        if length(line + head, font=font, size=size) <= width:
            return head, SOFT.join(parts[stop:])
    return "", unit


def set_manuscript(
    press: Press, text: str, *, figures: dict[str, Callable[[pymupdf.Page, pymupdf.Rect], None]]
) -> None:
    """Set every block of a manuscript."""
    for block in re.split(r"\n\s*\n", text.strip()):
        if block == "{page}":
            press.new_page()
        elif block.startswith("{"):
            _figure(press, figures[block.strip("{}")])
        elif block.startswith("|"):
            set_table(press, [[cell.strip() for cell in row.strip("|").split("|")] for row in block.splitlines()])
        else:
            _words(press, block)


def _words(press: Press, block: str) -> None:
    style = press.style
    if re.match(r"(?:- |\d+\. )", block):
        for item in block.splitlines():
            _list_item(press, item)
        press.y += 5
        return
    text = " ".join(block.split())
    mark, _, rest = text.partition(" ")
    if mark in ("#", "##", "###"):
        _heading(press, rest, level=len(mark))
    elif mark == "!":
        _warning(press, rest)
    elif mark == "^":
        press.lines(broken(rest, press.width, font=style.small, size=9), font=style.small, size=9)
        press.y += 9
    elif mark == "~":
        _footnote(press, rest)
    elif mark == ":":
        press.lines(broken(rest, press.width, font=style.body, size=style.size), font=style.body, size=style.size)
        press.y += 7
    else:
        press.lines(broken(text, press.width, font=style.body, size=style.size), font=style.body, size=style.size)
        press.y += 6


def _heading(press: Press, text: str, *, level: int) -> None:
    style = press.style
    size = style.size * (1.75, 1.3, 1.1)[level - 1]
    lines, alone = broken(text, press.width, font=style.bold, size=size), level == 1 and style.columns > 1
    if alone:
        wide = A4[0] - 2 * style.margin
        lines = broken(text, wide, font=style.bold, size=size)
    else:
        press.room(size * 4)
    press.y += 2 if press.y == press.top else 9
    press.lines(lines, font=style.bold, size=size)
    press.y += 4
    press.outline.append([min(level, len(press.outline) + 1), text, press.document.page_count])


def _list_item(press: Press, item: str) -> None:
    style = press.style
    mark, _, text = item.strip().partition(" ")
    lines = broken(text, press.width - 22, font=style.body, size=style.size)
    press.room(style.size * 1.28)
    draw(press.page, (press.left + 6, press.y + style.size), "\u00b7" if mark == "-" else mark, size=style.size)
    press.lines(lines, font=style.body, size=style.size, indent=22)
    press.y += 2


def _warning(press: Press, text: str) -> None:
    style = press.style
    lines = broken(text, press.width - 20, font=style.bold, size=style.size)
    height = len(lines) * style.size * 1.28 + 12
    press.room(height + 8)
    frame = pymupdf.Rect(press.left, press.y, press.left + press.width, press.y + height)
    press.page.draw_rect(frame, color=(0.75, 0.2, 0.1), fill=(1, 0.95, 0.9), width=1)
    press.y += 5
    press.lines(lines, font=style.bold, size=style.size, indent=10)
    press.y += 15


def _footnote(press: Press, text: str) -> None:
    lines = broken(text, press.width, font=press.style.body, size=7.5)
    press.bottom -= len(lines) * 9.5 + 8
    y = press.bottom + 6
    press.page.draw_line((press.left, y - 2), (press.left + 60, y - 2), width=0.5)
    for number, line in enumerate(lines):
        draw(press.page, (press.left, y + 8 + number * 9.5), line, font=press.style.body, size=7.5)


def _figure(press: Press, figure: Drawing) -> None:
    height = press.width * 0.55
    press.room(height + 30)
    figure(press.page, pymupdf.Rect(press.left, press.y + 4, press.left + press.width, press.y + height))
    press.y += height + 4


def set_table(press: Press, rows: list[list[str]]) -> None:
    """Set a table; the first row is its header, its columns are as wide as their cells ask."""
    style, size = press.style, press.style.size * 0.88
    widths = _column_widths(rows, press.width, size=size, style=style)
    for number, row in enumerate(rows):
        font = style.bold if number == 0 else style.body
        cells = [broken(cell, width - 8, font=font, size=size) for cell, width in zip(row, widths, strict=True)]
        height = max(len(cell) for cell in cells) * size * 1.25 + 6
        press.room(height)
        _table_row(press, cells, widths, font=font, size=size)
        _rules(press, widths, height, first=number == 0, last=number == len(rows) - 1)
        press.y += height
    press.y += 8


def _column_widths(rows: list[list[str]], total: float, *, size: float, style: Style) -> list[float]:
    wanted = [
        max(length(cell, font=style.bold, size=size) for cell in column) + 10 for column in zip(*rows, strict=True)
    ]
    scale = total / sum(wanted)
    return [width * scale for width in wanted]


def _table_row(press: Press, cells: list[list[str]], widths: list[float], *, font: str, size: float) -> None:
    x = press.left
    for cell, width in zip(cells, widths, strict=True):
        for number, line in enumerate(cell):
            draw(press.page, (x + 4, press.y + 2 + (number + 0.92) * size * 1.25), line, font=font, size=size)
        x += width


def _rules(press: Press, widths: list[float], height: float, *, first: bool, last: bool) -> None:
    page, y, right = press.page, press.y, press.left + sum(widths)
    if press.style.grid or first:
        page.draw_line((press.left, y), (right, y), width=0.6)
    if press.style.grid or first or last:
        page.draw_line((press.left, y + height), (right, y + height), width=0.6)
    if press.style.grid:
        edges = [press.left + sum(widths[:n]) for n in range(len(widths) + 1)]
        for x in edges:
            page.draw_line((x, y), (x, y + height), width=0.6)
