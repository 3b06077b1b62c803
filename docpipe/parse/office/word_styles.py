"""The styles of a Word document -> what a paragraph or a run in each of them is (pure)."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.office.names import W, number, switched_on, value
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_HEADING = re.compile(r"(?:heading|überschrift|titre|titolo|título|标题|見出し|제목)\s*([1-9])", re.I)
_CODE = re.compile(r"(?:source\s?code|code(?:\s?block)?|html preformatted|preformatted text|macro text|verbatim)", re.I)
_MONOSPACED = re.compile(r"courier|consolas|monospace|menlo|monaco|lucida console|(?:\b|_)mono\b", re.I)
_WHITE = re.compile(r"(?:[Ff][A-Fa-f0-9]){3}")
_PAPER = frozenset({"background1", "bg1", "light1"})
"""Colours of a theme that are the paper's own."""
_SMALLEST = 4
"""Half points; what is not larger cannot be read."""
_BODY_LEVEL = 9
_DEEPEST = 24


class Style(NamedTuple):
    """What a style says, those it is based on included."""

    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    """Rank of a heading, from 1."""
    list_id: int = 0
    list_level: int = 0
    hidden: bool = False
    monospaced: bool = False
    shaded: bool = False
    """Something other than white is behind the letters."""
    tiny: bool | None = None
    """Its letters are too small to be read; None where nothing is said of their size."""
    pale: bool | None = None
    """Its letters are white; None where nothing is said of their colour."""


class Styles(NamedTuple):
    """Styles by their ids, and the paragraph style of text that names none."""

    by_id: Mapping[str, Style]
    default: Style

    def of(self, name: str | None) -> Style:
        """A style; the default where it is not known."""
        return self.by_id.get(name or "", self.default)


def read_styles(tree: "Element | None") -> Styles:
    """All styles of `styles.xml`."""
    elements = {value(style, W + "styleId"): style for style in tree.iter(W + "style")} if tree is not None else {}
    found: dict[str, Style] = {}
    for name in elements:
        _resolve(name, elements, found)
    default = next(
        (name for name, style in elements.items()
         if value(style, W + "type") == "paragraph" and value(style, W + "default") in ("1", "true")),
        "",
    )  # fmt: skip
    return Styles(found, found.get(default, Style()))


def _resolve(name: str, elements: Mapping[str, "Element"], found: dict[str, Style]) -> None:
    """A style after those it is based on; a circle or a long chain ends where it is met."""
    chain: list[str] = []
    while name in elements and name not in found and name not in chain and len(chain) < _DEEPEST:
        chain.append(name)
        name = value(elements[name].find(W + "basedOn"), W + "val")
    above = found.get(name, Style())
    for link in reversed(chain):
        above = found[link] = _style(elements[link], above)


def _style(element: "Element", above: Style) -> Style:
    paragraph, run = element.find(W + "pPr"), element.find(W + "rPr")
    kind, level = _kind(value(element.find(W + "name"), W + "val"), paragraph, above)
    list_id, list_level = list_place(paragraph, above.list_id, above.list_level)
    hidden = switched_on(run, W + "vanish")
    return Style(
        kind,
        level,
        list_id,
        list_level,
        above.hidden if hidden is None else hidden,
        is_monospaced(run, above),
        is_shaded(paragraph, above),
        is_tiny(run, above),
        is_pale(run, above),
    )


def _kind(name: str, paragraph: "Element | None", above: Style) -> tuple[BlockKind, int]:
    named = name.strip().lower()
    heading = _HEADING.fullmatch(named)
    if heading:
        return BlockKind.HEADING, int(heading[1])
    if named == "title":
        return BlockKind.TITLE, 1
    if named == "caption":
        return BlockKind.CAPTION, 0
    if _CODE.fullmatch(named):
        return BlockKind.CODE, 0
    outlined = outline_level(paragraph)
    if outlined is not None:
        return (BlockKind.HEADING, outlined) if outlined else (BlockKind.PARAGRAPH, 0)
    return above.kind, above.level


def outline_level(paragraph: "Element | None") -> int | None:
    """Rank of a heading by its outline level, from 1; 0 for body text; None where nothing is said."""
    element = paragraph.find(W + "outlineLvl") if paragraph is not None else None
    if element is None:
        return None
    level = number(element.get(W + "val"), _BODY_LEVEL)
    return level + 1 if 0 <= level < _BODY_LEVEL else 0


def list_place(paragraph: "Element | None", list_id: int, list_level: int) -> tuple[int, int]:
    """Id and level (from 0) of the list that paragraph properties name, or those given."""
    place = paragraph.find(W + "numPr") if paragraph is not None else None
    if place is None:
        return list_id, list_level
    level, identity = place.find(W + "ilvl"), place.find(W + "numId")
    return (
        number(value(identity, W + "val"), list_id) if identity is not None else list_id,
        min(8, max(0, number(value(level, W + "val"), list_level))) if level is not None else list_level,
    )


def is_monospaced(run: "Element | None", above: Style) -> bool:
    """Whether letters are all of one width, by the name of their font."""
    fonts = run.find(W + "rFonts") if run is not None else None
    name = value(fonts, W + "ascii") or value(fonts, W + "hAnsi")
    return bool(_MONOSPACED.search(name)) if name else above.monospaced


def is_shaded(properties: "Element | None", above: Style) -> bool:
    """Whether a paragraph or a run has something other than white behind it."""
    if properties is None:
        return above.shaded
    fill = properties.find(W + "shd")
    if properties.find(W + "highlight") is not None:
        return True
    if fill is None:
        return above.shaded
    colour = value(fill, W + "fill", "auto")
    return value(fill, W + "themeFill") != "" or not (colour == "auto" or _WHITE.fullmatch(colour))


def is_tiny(run: "Element | None", above: Style) -> bool | None:
    """Whether letters are too small to be read, as far as it is said."""
    size = run.find(W + "sz") if run is not None else None
    return above.tiny if size is None else number(value(size, W + "val"), _SMALLEST + 1) <= _SMALLEST


def is_pale(run: "Element | None", above: Style) -> bool | None:
    """Whether letters are white, as far as it is said."""
    colour = run.find(W + "color") if run is not None else None
    if colour is None:
        return above.pale
    return bool(_WHITE.fullmatch(value(colour, W + "val"))) or value(colour, W + "themeColor") in _PAPER


def is_marked(run: "Element | None") -> bool:
    """Whether a run has a colour of its own behind its letters."""
    return run is not None and (run.find(W + "shd") is not None or run.find(W + "highlight") is not None)
