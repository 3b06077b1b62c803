"""The flow of an OpenDocument -> blocks on paper: headings, lists, tables, frames, notes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from docpipe.parse.draft import folded
from docpipe.parse.office.header_rows import with_header
from docpipe.parse.office.names import local, number, value
from docpipe.parse.office.open_names import DC, DRAW, OFFICE, SVG, TABLE, TEXT, XLINK
from docpipe.parse.office.open_styles import OpenStyles, marker
from docpipe.parse.office.paper import Paper, comment
from docpipe.tables import Cell, Table
from docpipe.types import HIDDEN, BBox, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_LEFT_OUT = frozenset({
    f"{TEXT}tracked-changes", f"{OFFICE}annotation", f"{OFFICE}forms", f"{TEXT}ruby-text", f"{TEXT}note-citation",
    f"{TEXT}sequence-decls", f"{TEXT}variable-decls", f"{SVG}desc", f"{SVG}title",
})  # fmt: skip
_DEEPEST = 24
_LEAST_ALTERNATIVE = 20
_LARGEST_SPAN = 200
_MOST_REPEATED = 64
_MOST_CELLS = 100_000
"""Cells of a table; beyond them none is repeated."""


class OpenFlow:
    """Writes elements of a text, a frame or a cell onto paper."""

    def __init__(self, paper: Paper, styles: OpenStyles, *, on_white: bool = False) -> None:
        """`on_white`: whether nothing but white paper is behind the text that stands in no frame and no table."""
        self.paper = paper
        self._styles = styles
        self._unseen = styles.hidden | styles.pale if on_white else styles.hidden
        self._counts: dict[str, list[int]] = {}
        self._depth = 0
        self._inside = 0  # of frames and tables
        self._box: BBox | None = None
        self._label = ""

    def write(self, parent: "Element", *, box: BBox | None = None, label: str = "") -> None:
        """Append all blocks of an element.

        Args:
            box: where they stand on their page.
            label: what they are called where they have no name of their own.
        """
        self._box, self._label = box, label
        self._blocks(parent)

    def _blocks(self, parent: "Element") -> None:
        self._depth += 1
        if self._depth <= _DEEPEST:
            for element in parent:
                _BLOCKS.get(element.tag, OpenFlow._other)(self, element)
        self._depth -= 1

    def _other(self, element: "Element") -> None:
        if element.tag == TEXT + "section" and value(element, TEXT + "display") == "none":
            lines = ("".join(part.itertext()) for part in element.iter(TEXT + "p", TEXT + "h"))
            self.paper.add(BlockKind.OTHER, "\n".join(lines), label=HIDDEN)
        elif element.tag not in _LEFT_OUT and isinstance(element.tag, str):
            self._blocks(element)

    def _heading(self, element: "Element") -> None:
        level = max(1, number(value(element, TEXT + "outline-level"), 1))
        inline = self._inline(element)
        self._add(BlockKind.HEADING, " ".join(inline.text.split()), level=level, label="h")
        self._anchored(inline)

    def _paragraph(self, element: "Element") -> None:
        inline = self._inline(element)
        style = value(element, TEXT + "style-name")
        if self._styles.is_named(style, "Title"):
            self._add(BlockKind.TITLE, " ".join(inline.text.split()), level=1, label="Title")
        elif self._styles.is_named(style, "Preformatted_20_Text"):
            self._add(BlockKind.CODE, inline.text, label="Preformatted Text")
        elif self._styles.is_named(style, "Caption"):
            self._add(BlockKind.CAPTION, folded(inline.text), label="Caption")
        else:
            self._add(BlockKind.PARAGRAPH, folded(inline.text))
        self._anchored(inline)

    def _add(self, kind: BlockKind, text: str, *, level: int = 0, label: str = "") -> None:
        self.paper.add(kind, text, level=level, label=label or self._label, box=self._box)

    def _list(self, element: "Element") -> None:
        self._items(element, value(element, TEXT + "style-name"), [], value(element, TEXT + "continue-numbering"))

    def _items(self, element: "Element", style: str, above: list[int], continues: str) -> None:
        """Items of a list and of the lists in it; numbers go on only where the list says so."""
        style = value(element, TEXT + "style-name") or style
        depth = len(above) + 1
        levels = self._styles.lists.get(style, {})
        start = levels[depth].start if depth in levels else 1
        count = self._counts.get(style, [0])[0] if continues == "true" and depth == 1 else start - 1
        for item in element:
            if item.tag not in (TEXT + "list-item", TEXT + "list-header") or depth > _DEEPEST:
                continue
            own = [child for child in item if child.tag != TEXT + "list"]
            if any("".join(child.itertext()).strip() for child in own):
                count = number(value(item, TEXT + "start-value"), count + 1)
                shown = marker(levels, [*above, count], depth) if item.tag == TEXT + "list-item" else ""
                self._item(own, shown, depth)
            for inner in item.iterchildren(TEXT + "list"):
                self._items(inner, style, [*above, max(1, count)], "")
        if depth == 1:
            self._counts[style] = [count]

    def _item(self, own: list["Element"], shown: str, depth: int) -> None:
        inlines = [self._inline(child) for child in own if child.tag in (TEXT + "p", TEXT + "h")]
        text = "\n".join(folded(inline.text) for inline in inlines if inline.text.strip())
        heading = next((child for child in own if child.tag == TEXT + "h"), None)
        marked = f"{shown} {text}" if shown and text else text
        if heading is not None:
            level = max(1, number(value(heading, TEXT + "outline-level"), 1))
            self._add(BlockKind.HEADING, " ".join(marked.split()), level=level, label="h")
        else:
            self._add(BlockKind.LIST_ITEM, marked, level=depth)
        for inline in inlines:
            self._anchored(inline)

    def _table(self, element: "Element") -> None:
        anchored: list[_Inline] = []
        self._inside += 1
        table = open_table(element, lambda cell: self._cell(cell, anchored))
        self._inside -= 1
        cells = [cell for row in table.rows for cell in row]
        if len(cells) == 1:
            self._add(BlockKind.PARAGRAPH, folded(cells[0].text))
        else:
            self.paper.add_table(table, box=self._box)
        for inline in anchored:
            self._anchored(inline)

    def _cell(self, cell: "Element", anchored: list["_Inline"]) -> str:
        lines: list[str] = []
        for element in cell.iter(TEXT + "p", TEXT + "h"):
            inline = self._inline(element)
            lines.append(inline.text)
            anchored.append(inline)
        return "\n".join(lines)

    def _inline(self, element: "Element") -> "_Inline":
        inline = _Inline(self._unseen if self._inside == 0 else self._styles.hidden)
        inline.walk(element)
        return inline

    def _anchored(self, inline: "_Inline") -> None:
        if "".join(inline.hidden).strip():
            self.paper.add(BlockKind.OTHER, folded("".join(inline.hidden)), label=HIDDEN)
        for frame in inline.frames:
            self._frame(frame)
        for words, address in inline.links:
            self.paper.add_link(words, address)
        for element in inline.comments:
            add_annotation(element, self.paper)
        for note in inline.notes:
            body = note.find(TEXT + "note-body")
            text = "\n".join(self._inline(part).text for part in body.iter(TEXT + "p")) if body is not None else ""
            self.paper.add(BlockKind.FOOTNOTE, folded(text), label=value(note, TEXT + "note-class", "footnote"))

    def _frame(self, element: "Element") -> None:
        """A text box, a picture with words for it, or a table."""
        text = value_of_child(element, SVG + "desc") or value_of_child(element, SVG + "title")
        if len(text) > _LEAST_ALTERNATIVE:
            self._add(BlockKind.FIGURE, text, label="frame")
        self._inside += 1
        self._blocks(element)
        self._inside -= 1


def add_annotation(element: "Element", paper: Paper) -> None:
    """Append what a reader wrote beside the text."""
    said = "\n".join("".join(part.itertext()) for part in element.iter(TEXT + "p"))
    paper.add(BlockKind.OTHER, comment(element.findtext(DC + "creator") or "", said), label=HIDDEN)


def value_of_child(element: "Element", name: str) -> str:
    """The text of a child, in one line."""
    return " ".join((element.findtext(name) or "").split())


class _Inline:
    """The inside of a paragraph."""

    def __init__(self, unseen: frozenset[str]) -> None:
        self._parts: list[str] = []
        self.hidden: list[str] = []
        self.frames: list[Element] = []
        self.notes: list[Element] = []
        self.comments: list[Element] = []
        self.links: list[tuple[str, str]] = []
        self._unseen = unseen

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def walk(self, element: "Element", *, hidden: bool = False) -> None:
        hidden = hidden or value(element, TEXT + "style-name") in self._unseen
        parts = self.hidden if hidden else self._parts
        parts.append(_white(element.text))
        for child in element:
            self._child(child, parts, hidden=hidden)
            parts.append(_white(child.tail))

    def _child(self, child: "Element", parts: list[str], *, hidden: bool) -> None:
        name = local(child)
        if child.tag == OFFICE + "annotation":
            self.comments.append(child)
        if child.tag in _LEFT_OUT:
            return
        if name == "a":
            self.links.append(("".join(child.itertext()), value(child, XLINK + "href")))
        if name == "note":
            self.notes.append(child)
        elif child.tag.startswith(DRAW):
            self.frames.append(child)
        elif name == "s":
            parts.append(" " * min(100, max(1, number(value(child, TEXT + "c"), 1))))
        elif name in ("tab", "line-break"):
            parts.append("\t" if name == "tab" else "\n")
        else:
            self.walk(child, hidden=hidden or name in ("hidden-text", "hidden-paragraph"))


def _white(text: str | None) -> str:
    """White space of the file is folded: what counts is written as elements."""
    if not text:
        return ""
    words = " ".join(text.split())
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if words and text[-1].isspace() else ''}"


def open_table(element: "Element", read_cell: Callable[["Element"], str]) -> Table:
    """The rows of a `table:table` in a text or on a slide."""
    rows: list[list[Cell]] = []
    declared = written = 0
    for row in element.iter(TABLE + "table-row"):
        if next(row.iterancestors(TABLE + "table"), element) is not element:
            continue
        cells: list[Cell] = []
        for cell in row.iterchildren(TABLE + "table-cell"):
            text = read_cell(cell)
            span = Cell(text, colspan=_span(cell, "columns"), rowspan=_span(cell, "rows"))
            repeated = number(value(cell, TABLE + "number-columns-repeated"), 1)
            cells.extend([span] * (max(1, min(repeated, _MOST_REPEATED)) if written < _MOST_CELLS else 1))
        written += len(cells)
        if local(row.getparent()) == "table-header-rows" and declared == len(rows):
            declared += 1
        if cells:
            rows.append(cells)
    return with_header(rows, declared)


def _span(cell: "Element", what: str) -> int:
    return max(1, min(_LARGEST_SPAN, number(value(cell, f"{TABLE}number-{what}-spanned"), 1)))


_BLOCKS: Mapping[str, Callable[[OpenFlow, "Element"], None]] = {
    TEXT + "h": OpenFlow._heading,
    TEXT + "p": OpenFlow._paragraph,
    TEXT + "list": OpenFlow._list,
    TABLE + "table": OpenFlow._table,
    DRAW + "frame": OpenFlow._frame,
}
