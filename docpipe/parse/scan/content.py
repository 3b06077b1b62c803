"""The content of an element -> parts with a kind each: paragraphs, headings, list items, tables (pure)."""

import re
from dataclasses import dataclass

from docpipe.parse.draft import clean
from docpipe.parse.page.lettering import storable
from docpipe.parse.page.paragraphs import bulleted, numbered
from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.markup import has_table, plain, tables
from docpipe.tables import Table
from docpipe.types import BlockKind

_KINDS = {
    "doc_title": BlockKind.TITLE,
    "paragraph_title": BlockKind.HEADING,
    "figure_title": BlockKind.CAPTION,
    "table_title": BlockKind.CAPTION,
    "chart_title": BlockKind.CAPTION,
    "image": BlockKind.FIGURE,
    "chart": BlockKind.FIGURE,
    "figure": BlockKind.FIGURE,
    "table": BlockKind.TABLE,
    "formula": BlockKind.FORMULA,
    "display_formula": BlockKind.FORMULA,
    "inline_formula": BlockKind.FORMULA,
    "formula_number": BlockKind.FORMULA,
    "algorithm": BlockKind.CODE,
    "header": BlockKind.HEADER,
    "header_image": BlockKind.HEADER,
    "footer": BlockKind.FOOTER,
    "footer_image": BlockKind.FOOTER,
    "number": BlockKind.PAGE_NUMBER,
    "footnote": BlockKind.FOOTNOTE,
    "vision_footnote": BlockKind.FOOTNOTE,
    "reference": BlockKind.REFERENCE,
    "reference_content": BlockKind.REFERENCE,
    "aside_text": BlockKind.OTHER,
    "seal": BlockKind.OTHER,
}
"""What the labels of PP-DocLayoutV3 are to us; any other is a paragraph that keeps its name."""

_PROSE = frozenset({BlockKind.PARAGRAPH, BlockKind.FOOTNOTE, BlockKind.REFERENCE, BlockKind.OTHER})
_DIV = re.compile(r"</?(?:div|center|p|span|font)\b[^<>]{0,200}>", re.I)
_BREAK = re.compile(r"<br\s*/?>", re.I)
_PICTURE = re.compile(r"!\[[^\]\n]{0,500}\]\([^)\n]{0,2000}\)|<img\b[^<>]{0,2000}>", re.I)
_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")
_HASHES = re.compile(r"\s{0,3}(#{1,6})\s+(\S.*?)\s*#*\s*", re.S)
_FENCE = re.compile(r"\s*(`{3,6}|~{3,6})[^\n]*\n(.*?)(?:\n[^\S\n]*\1\s*|\Z)", re.S)
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?P<sign>[-*+•]\s+)(?=\S)")
_MATH = re.compile(r"\s*(?:\$\$(?P<dollars>.*)\$\$|\\\[(?P<brackets>.*)\\\])\s*", re.S)
_ENDS = frozenset(".!?:;。！？：；")
_LONGEST_HEADING = 1_000
_SHORT = 60
"""Code points: what is shorter, or stops without a full stop, is a line rather than a paragraph."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block's worth of an element. `text` is empty for tables and for pictures."""

    kind: BlockKind
    text: str
    native: str
    level: int = 0
    table: Table | None = None


def parts(element: Element) -> list[Part]:
    """What an element holds, in order; nothing where it holds nothing to keep."""
    kind, native = _KINDS.get(element.label, BlockKind.PARAGRAPH), element.label
    if kind is BlockKind.FIGURE:
        return [Part(kind, "", native)]
    text = _PICTURE.sub("", _tidy(element.text)).strip("\n")
    if kind is BlockKind.CODE or _FENCE.fullmatch(text):
        return _one(Part(BlockKind.CODE, _unfenced(text), native))
    if has_table(text):
        return _with_tables(text, native)
    text = _unwrapped(text)
    if kind in (BlockKind.TITLE, BlockKind.HEADING):
        return _heading(text, kind, native)
    if kind is BlockKind.FORMULA:
        return _one(Part(kind, _formula(text, native), native))
    if kind is BlockKind.TABLE:
        return _one(Part(BlockKind.PARAGRAPH, text, native))
    if kind in _PROSE:
        return [found for stretch in _stretches(text) for found in _stretch(stretch, kind, native)]
    return _one(Part(kind, " ".join(text.split()), native))


def from_markdown(text: str) -> list[Element]:
    """A page's Markdown as elements without places, for replies that hold nothing better."""
    text = _PICTURE.sub("", _tidy(text))
    return [Element("text", stretch, None) for stretch in _GAP.split(_DIV.sub("", text)) if stretch.strip()]


def _tidy(text: str) -> str:
    """Without characters that cannot be stored or shown; the blanks at the front of lines stay."""
    lines = clean(text).split("\n")
    return "\n".join(
        line[: len(line) - len(line.lstrip(" \t"))] + storable(line.replace("\t", "    "), keep_blanks=True)[0]
        for line in lines
    )


def _one(part: Part) -> list[Part]:
    return [part] if part.text.strip() else []


def _unwrapped(text: str) -> str:
    return plain(_BREAK.sub("\n", _DIV.sub("", text))).strip()


def _unfenced(text: str) -> str:
    match = _FENCE.fullmatch(text)
    return (match.group(2) if match else _unwrapped(text)).strip("\n").rstrip()


def _marked(text: str) -> tuple[int, str]:
    """Number of hashes before a heading and its words; 0 where it is no heading in Markdown."""
    match = _HASHES.fullmatch(text) if len(text) <= _LONGEST_HEADING else None
    return (len(match.group(1)), match.group(2)) if match else (0, text)


def _heading(text: str, kind: BlockKind, native: str) -> list[Part]:
    hashes, words = _marked(text)
    level = hashes or (1 if kind is BlockKind.TITLE else 2)
    return _one(Part(kind, " ".join(words.split()), native, level))


def _formula(text: str, native: str) -> str:
    """LaTeX between `$$` lines; a formula's number stays as printed."""
    if native == "formula_number":
        return " ".join(text.split())
    match = _MATH.fullmatch(text)
    inner = (match.group("dollars") or match.group("brackets") or "") if match else text
    inner = inner.strip().strip("$").strip()
    return f"$$\n{inner}\n$$" if inner else ""


def _with_tables(text: str, native: str) -> list[Part]:
    found: list[Part] = []
    for piece in tables(text):
        if isinstance(piece, Table):
            found.append(Part(BlockKind.TABLE, "", native, table=piece))
        else:
            found += [part for stretch in _stretches(_unwrapped(piece)) for part in _stretch(stretch, None, native)]
    return found


def _stretches(text: str) -> list[str]:
    """Cut at empty lines; lines of an address or a poem, which the service sets apart too, stay together."""
    found: list[str] = []
    for stretch in _GAP.split(text):
        if not stretch.strip():
            continue
        stretch = stretch.rstrip()
        if found and _is_line(found[-1]) and _is_line(stretch):
            found[-1] += "\n" + stretch
        else:
            found.append(stretch)
    return found


def _is_line(text: str) -> bool:
    last = text.rsplit("\n", 1)[-1].strip()
    if _HASHES.match(last) or _MATH.fullmatch(text) or bulleted(last) or numbered(last):
        return False
    return len(last) <= _SHORT and last[-1:] not in _ENDS


def _stretch(text: str, kind: BlockKind | None, native: str) -> list[Part]:
    """One paragraph, heading, formula, or the items of a list."""
    kind = kind or BlockKind.PARAGRAPH
    marks, words = _marked(text)
    if marks and "\n" not in words:
        return [Part(BlockKind.TITLE if marks == 1 else BlockKind.HEADING, " ".join(words.split()), native, marks)]
    if _MATH.fullmatch(text):
        return _one(Part(BlockKind.FORMULA, _formula(text, native), native))
    lines = text.split("\n")
    if kind is BlockKind.PARAGRAPH and all(_is_item(line) for line in lines):
        return [_item(line, native) for line in lines]
    return _one(Part(kind, "\n".join(line.strip() for line in lines if line.strip()), native))


def _is_item(line: str) -> bool:
    return bool(_BULLET.match(line) or numbered(line.strip()) or bulleted(line.strip()))


def _item(line: str, native: str) -> Part:
    match = _BULLET.match(line)
    indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
    words = f"• {line[match.end() :]}" if match else line
    return Part(BlockKind.LIST_ITEM, " ".join(words.split()), native, min(6, 1 + indent // 2))
