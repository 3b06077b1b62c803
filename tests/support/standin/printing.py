"""Scanned pages whose truth is known: parts of a text -> pictures of pages that the stand-in can read.

sheet = printing.sheet([("title", "Ferry report"), ("text", "The ferry sails."), ("table", [["a", "b"], ["1", "2"]])])
printing.scan([sheet, ...])          # a PDF of pictures
printing.image(sheet, dpi=200)       # a PNG
printing.text_pdf([sheet, ...])      # the same pages with a text layer, without a strip
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from html import escape
from typing import Any, Literal

from standin import regions, strip, truths

Kind = Literal["title", "heading", "text", "list", "table", "formula", "figure", "header", "footer", "number"]
Part = tuple[Kind, Any]
"""A text; of a list its items; of a table its rows of cells, a cell `(text, columns)` to span several; of a figure its
height in points."""
NATIVE: Mapping[str, tuple[str, str]] = {
    "title": ("text", "doc_title"),
    "heading": ("text", "paragraph_title"),
    "text": ("text", "text"),
    "list": ("text", "text"),
    "table": ("table", "table"),
    "formula": ("formula", "display_formula"),
    "figure": ("image", "image"),
    "header": ("header", "header"),
    "footer": ("footer", "footer"),
    "number": ("number", "number"),
}
_SIZES = {"title": 20.0, "heading": 14.0, "header": 8.0, "footer": 8.0, "number": 8.0}
_BODY, _LEADING, _GAP = 10.0, 1.35, 10.0
_LEFT = _RIGHT = 60.0
_TOP, _BOTTOM = 64.0, 64.0


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A page to be printed."""

    width: float
    height: float
    """Points."""
    elements: tuple[Mapping[str, Any], ...]
    """As layout parsing should give them: `label`, `native_label`, `content`, `box` (fractions), `lines`."""
    drawing: Mapping[str, Any]
    """`texts`, `rules` and `fills`, as `standin.regions.draw` takes them."""

    @cached_property
    def number(self) -> int:
        """The number of its strip; its truth is kept under it."""
        return truths.keep(
            {"width": self.width, "height": self.height, "elements": list(self.elements), **self.drawing}
        )

    def draw(self, page: Any) -> None:
        """Draw it on a PyMuPDF page."""
        regions.draw(page, self.drawing)

    @property
    def text(self) -> str:
        """All content that is text, element by element."""
        return "\n".join(element["content"] for element in self.elements if element["content"])


@dataclass(frozen=True, kw_only=True)
class _Line:
    text: str
    x: float
    y: float
    """Of its base line."""
    size: float
    font: str
    content: str = ""
    """What OCR says of it, where it is not the text."""
    box: tuple[float, float, float, float]


@dataclass(kw_only=True)
class _Laid:
    """One part with its place."""

    kind: Kind
    box: tuple[float, float, float, float]
    lines: list[_Line]
    rules: list[tuple[float, float, float, float]]
    content: str
    fills: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    """Filled boxes and their grey value, 0 for black."""


def sheet(parts: Sequence[Part], *, width: float = 595, height: float = 842, columns: int = 1) -> Sheet:
    """Lay parts out from the top down, in columns.

    Raises:
        ValueError: they do not fit on a page.
    """
    laid: list[_Laid] = []
    column_width = (width - _LEFT - _RIGHT - (columns - 1) * 20) / columns
    column, y = 0, _TOP
    for kind, content in parts:
        if kind in ("header", "footer", "number"):
            laid.append(_margin(kind, content, width, height))
            continue
        part = _lay(kind, content, _LEFT + column * (column_width + 20), y, column_width)
        if part.box[3] > height - _BOTTOM:
            column, y = column + 1, _TOP
            if column == columns:
                raise ValueError(f"no room for {kind} {str(content)[:40]!r}")
            part = _lay(kind, content, _LEFT + column * (column_width + 20), y, column_width)
        laid.append(part)
        y = part.box[3] + _GAP
    laid.sort(key=lambda part: {"header": 0, "footer": 2, "number": 2}.get(part.kind, 1))
    elements = tuple(_element(part, width, height) for part in laid)
    drawing = {
        "texts": [(line.text, line.x, line.y, line.size, line.font) for part in laid for line in part.lines],
        "rules": [rule for part in laid for rule in part.rules],
        "fills": [fill for part in laid for fill in part.fills],
    }
    return Sheet(width=width, height=height, elements=elements, drawing=drawing)


def blank(*, width: float = 595, height: float = 842) -> Sheet:
    """A page with nothing on it, not even a strip."""
    return Sheet(width=width, height=height, elements=(), drawing={"texts": [], "rules": [], "fills": []})


def scan(sheets: Sequence[Sheet], *, dpi: int = 110, quality: int = 60) -> bytes:
    """A PDF whose pages are pictures (grey JPEG)."""
    import pymupdf

    with pymupdf.open() as document:
        for one in sheets:
            page = document.new_page(width=one.width, height=one.height)
            xref = page.insert_image(page.rect, stream=image(one, dpi=dpi, format="jpeg", quality=quality))
            if one.elements:
                document.xref_set_key(xref, "StandinNumber", str(one.number))
        return bytes(document.tobytes())


def text_pdf(sheets: Sequence[Sheet]) -> bytes:
    """A PDF of the same pages with text that can be copied."""
    import pymupdf

    with pymupdf.open() as document:
        for one in sheets:
            one.draw(document.new_page(width=one.width, height=one.height))
        return bytes(document.tobytes(garbage=3, deflate=True))


def image(
    one: Sheet,
    *,
    dpi: int = 150,
    format: Literal["png", "jpeg"] = "png",  # noqa: A002
    quality: int = 80,
    colour: bool = False,
) -> bytes:
    """A picture of a page, with its strip."""
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page(width=one.width, height=one.height)
        one.draw(page)
        if one.elements:
            shape = page.new_shape()
            for square in strip.squares(one.number, one.width, one.height):
                shape.draw_rect(square)
            shape.finish(color=None, fill=(0, 0, 0))
            shape.commit()
        pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csRGB if colour else pymupdf.csGRAY)
        return bytes(pixmap.tobytes("png") if format == "png" else pixmap.tobytes("jpeg", jpg_quality=quality))


def book(pages: int, *, seed: int = 0, tables: bool = True) -> list[Sheet]:
    """So many different pages: headings, paragraphs with numbers, now and then a table."""
    return [_leaf(number, random.Random(f"{seed}-{number}"), tables) for number in range(1, pages + 1)]


_WORDS = (
    "harbour vessel ledger cargo pilot channel tide buoy keeper signal lantern engine repair anchor crew voyage permit "
    "freight storage berth inspection survey timber copper grain barrel winter summer record office station weather"
)


def _leaf(number: int, dice: random.Random, tables: bool) -> Sheet:
    words = _WORDS.split()

    def sentence() -> str:
        chosen = [dice.choice(words) for _ in range(dice.randint(7, 13))]
        chosen.insert(dice.randint(1, len(chosen)), str(dice.randint(100, 99_999)))
        return " ".join(chosen).capitalize() + "."

    parts: list[Part] = [("header", "Harbour office, yearly record"), ("heading", f"{number} {sentence()[:-1][:40]}")]
    parts += [("text", f"Page {number}. " + " ".join(sentence() for _ in range(dice.randint(3, 6)))) for _ in range(4)]
    if tables and number % 3 == 0:
        rows = [[dice.choice(words), str(dice.randint(1, 9999)), str(dice.randint(1, 9999))] for _ in range(5)]
        parts.append(("table", [["Berth", "Tonnes", "Days"], *rows]))
    parts.append(("number", str(number)))
    return sheet(parts)


def _lay(kind: Kind, content: Any, x: float, y: float, width: float) -> _Laid:
    if kind == "table":
        return _table(content, x, y, width)
    if kind == "figure":
        return _figure(float(content), x, y, width)
    size = _SIZES.get(kind, _BODY)
    texts = [f"- {item}" for item in content] if kind == "list" else [content]
    lines: list[_Line] = []
    for text in texts:
        for line in _wrapped(text, size, width):
            base = y + size * (len(lines) * _LEADING + 1)
            right = x + _length(line, size)
            box = (x, base - size * 0.85, right, base + size * 0.25)
            lines.append(_Line(text=line, x=x, y=base, size=size, font=_font(line), box=box))
    marks = {"title": "# ", "heading": "## "}.get(kind, "")
    said = "\n\n".join(texts)
    said = f"$$\n{content}\n$$" if kind == "formula" else marks + said
    if kind == "title":
        said = f'<div align="center">\n\n{said}\n\n</div>'
    return _Laid(kind=kind, box=_around([line.box for line in lines]), lines=lines, rules=[], content=said)


def _margin(kind: Kind, content: str, width: float, height: float) -> _Laid:
    y = 46.0 if kind == "header" else height - 40.0
    x = _LEFT if kind != "number" else width / 2
    box = (x, y - 7, x + _length(content, 8), y + 2)
    line = _Line(text=content, x=x, y=y, size=8, font=_font(content), box=box)
    return _Laid(kind=kind, box=box, lines=[line], rules=[], content=content)


def _table(rows: Sequence[Sequence[Any]], x: float, y: float, width: float) -> _Laid:
    columns = max(sum(cell[1] if isinstance(cell, tuple) else 1 for cell in row) for row in rows)
    height, step = 18.0, width / columns
    lines: list[_Line] = []
    rules = [(x, y + n * height, x + width, y + n * height) for n in range(len(rows) + 1)]
    html = []
    for number, row in enumerate(rows):
        top, at, cells = y + number * height, 0, []
        for cell in row:
            text, span = cell if isinstance(cell, tuple) else (cell, 1)
            rules.append((x + at * step, top, x + at * step, top + height))
            cells.append(f'<td colspan="{span}">{escape(text)}</td>' if span > 1 else f"<td>{escape(text)}</td>")
            box = (x + at * step, top, x + (at + span) * step, top + height)
            lines.append(_Line(text=text, x=box[0] + 4, y=top + 13, size=_BODY, font=_font(text), box=box))
            at += span
        html.append(f"<tr>{''.join(cells)}</tr>")
        lines[-1] = _with_row(lines[-1], html[-1], (x, top, x + width, top + height))
    rules.append((x + width, y, x + width, y + height * len(rows)))
    content = f'<table border="1">{"".join(html)}</table>'
    return _Laid(kind="table", box=(x, y, x + width, y + height * len(rows)), lines=lines, rules=rules, content=content)


def _with_row(line: _Line, html: str, box: tuple[float, float, float, float]) -> _Line:
    return _Line(text=line.text, x=line.x, y=line.y, size=line.size, font=line.font, content=html, box=box)


def _figure(height: float, x: float, y: float, width: float) -> _Laid:
    bars = 9
    step = width / bars
    fills = [(x, y, x + width, y + height, 0.85)]
    fills += [
        (
            x + n * step + 4,
            y + height * (0.15 + (n * 7 % bars) / bars * 0.7),
            x + (n + 1) * step - 4,
            y + height,
            n / 12,
        )
        for n in range(bars)
    ]
    box = (x, y, x + width, y + height)
    return _Laid(kind="figure", box=box, lines=[], rules=[], content="", fills=fills)


def _element(part: _Laid, width: float, height: float) -> Mapping[str, Any]:
    label, native = NATIVE[part.kind]

    def fractions(box: Sequence[float]) -> list[float]:
        return [
            round(box[0] / width, 5),
            round(box[1] / height, 5),
            round(box[2] / width, 5),
            round(box[3] / height, 5),
        ]

    lines = [(line.content or line.text, fractions(line.box)) for line in part.lines]
    if part.kind == "table":
        lines = [(line.content, fractions(line.box)) for line in part.lines if line.content]
    return {
        "label": label,
        "native_label": native,
        "content": part.content,
        "box": fractions(part.box),
        "lines": [list(line) for line in lines],
    }


def _font(text: str) -> str:
    return "helv" if all(ord(character) < 256 for character in text) else "china-s"


def _length(text: str, size: float) -> float:
    font = _font(text)
    return size * sum(_advance(character, font) for character in text)


@cache
def _advance(character: str, font: str) -> float:
    import pymupdf

    return float(pymupdf.get_text_length(character, fontname=font, fontsize=1))


def _wrapped(text: str, size: float, width: float) -> Iterator[str]:
    """Lines that fit; text without blanks breaks anywhere."""
    line = ""
    pieces = text.split(" ") if " " in text else list(text)
    glue = " " if " " in text else ""
    for piece in pieces:
        longer = f"{line}{glue}{piece}" if line else piece
        if line and _length(longer, size) > width:
            yield line
            line = piece
        else:
            line = longer
    if line:
        yield line


def _around(boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
