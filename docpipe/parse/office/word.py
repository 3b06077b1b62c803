"""The parts of a Word document -> blocks on paper."""

import re
from typing import TYPE_CHECKING

from docpipe.parse.draft import folded
from docpipe.parse.office.charts import add_chart, diagram_lines
from docpipe.parse.office.names import R, W, local, value
from docpipe.parse.office.package import Package
from docpipe.parse.office.paper import Paper, comment
from docpipe.parse.office.word_inline import Inline, read_inline
from docpipe.parse.office.word_numbering import read_numbering
from docpipe.parse.office.word_styles import Style, list_place, outline_level, read_styles
from docpipe.parse.office.word_tables import is_bare, is_plain, own_children, word_table
from docpipe.types import HIDDEN, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_CODE_SIGNS = re.compile(r"[{}();=<>\[\]]|^\s*(?:import|from|def|class|return|function|SELECT|#include)\b", re.M)
_RUNNING = {"headerReference": BlockKind.HEADER, "footerReference": BlockKind.FOOTER}
_DEEPEST = 12
"""Text boxes and tables within each other."""


class WordReader:
    """Reads the body of an open package onto paper."""

    def __init__(self, package: Package) -> None:
        self.paper = Paper()
        self._package = package
        self._part = package.main_part()
        self._relations = package.relations(self._part)
        named = {relation.type: relation.target for relation in self._relations.values() if not relation.external}
        self._styles = read_styles(package.tree(named.get("styles", "")))
        self._numbering = read_numbering(package.tree(named.get("numbering", "")))
        self._notes = {
            **self._note_elements("footnote", named.get("footnotes", "")),
            **self._note_elements("endnote", named.get("endnotes", "")),
            **self._note_elements("comment", named.get("comments", "")),
        }
        self._running_read: set[str] = set()
        self._depth = 0  # 1 is the paper itself, more is inside of a frame or a cell
        self._white = True

    def read(self) -> Paper:
        """All of the document, in order."""
        tree = self._package.tree(self._part)
        body = tree.find(W + "body") if tree is not None else None
        self._white = tree is not None and tree.find(W + "background") is None
        if body is not None:
            self._blocks(body)
            for section in body.iter(W + "sectPr"):
                self._running(section)
        return self.paper

    def _note_elements(self, kind: str, part: str) -> dict[tuple[str, str], "Element"]:
        tree = self._package.tree(part)
        notes = tree.iter(W + kind) if tree is not None else ()
        return {(kind, value(note, W + "id")): note for note in notes if not value(note, W + "type")}

    def _running(self, section: "Element") -> None:
        """Headers and footers of a section; each is given once."""
        for reference in section:
            kind = _RUNNING.get(local(reference))
            name = value(reference, R + "id")
            tree = self._target(name) if kind and name not in self._running_read else None
            self._running_read.add(name)
            if kind and tree is not None:
                self.paper.add(kind, " ".join(self._text(tree).split()), label=local(reference))

    def _blocks(self, parent: "Element") -> None:
        self._depth += 1
        if self._depth <= _DEEPEST:
            for element in parent:
                self._block(element)
        self._depth -= 1

    def _block(self, element: "Element") -> None:
        name = local(element)
        if name == "p":
            self._paragraph(element)
        elif name == "tbl":
            self._table(element)
        elif name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"):
            for child in element:
                self._block(child)
        elif name == "AlternateContent":
            for child in next(iter(element), element):
                self._block(child)
        elif name == "altChunk":
            return

    def _paragraph(self, element: "Element") -> None:
        style, marker, level, properties = self._place(element)
        inline = read_inline(element, self._styles, style, on_white=self._depth == 1 and self._white)
        if inline.equations:
            for equation in inline.equations:
                self.paper.add(BlockKind.FORMULA, f"$$\n{equation}\n$$", label="oMath")
        elif inline.text.strip():
            self._write(inline, style, marker, level, value(properties.get("pStyle"), W + "val"))
        self._hidden(inline)
        self._anchored(inline)

    def _place(self, element: "Element") -> tuple[Style, str | None, int, dict[str, "Element"]]:
        """Style, number as shown (None outside lists), depth from 1, and the properties by their names."""
        about = element.find(W + "pPr")
        properties = {local(child): child for child in about} if about is not None else {}
        style = self._styles.of(value(properties.get("pStyle"), W + "val"))
        outlined = outline_level(about)
        if outlined and style.kind is BlockKind.PARAGRAPH:
            style = style._replace(kind=BlockKind.HEADING, level=outlined)
        list_id, level = list_place(about, style.list_id, style.list_level)
        shown = list_id > 0 and _shows_something(element)
        return style, self._numbering.marker(list_id, level) if shown else None, level + 1, properties

    def _write(self, inline: Inline, style: Style, marker: str | None, depth: int, label: str) -> None:
        kind, text = style.kind, inline.text
        if kind is BlockKind.PARAGRAPH and inline.monospaced and _CODE_SIGNS.search(text):
            kind = BlockKind.CODE
        if kind is BlockKind.CODE:
            self.paper.add(kind, text, label=label)
            return
        text = folded(text)
        if kind in (BlockKind.HEADING, BlockKind.TITLE):
            text = " ".join(text.split())
        if marker:
            text = f"{marker} {text}"
        if marker is not None and kind is BlockKind.PARAGRAPH:
            self.paper.add(BlockKind.LIST_ITEM, text, level=depth, label=label)
        else:
            self.paper.add(kind, text, level=style.level, label=label)

    def _hidden(self, inline: Inline) -> None:
        if inline.hidden.strip():
            self.paper.add(BlockKind.OTHER, folded(inline.hidden), label=HIDDEN)

    def _anchored(self, inline: Inline) -> None:
        """What belongs to a paragraph or a table, after it: pictures, charts, text boxes, notes."""
        for text in inline.pictures:
            self.paper.add(BlockKind.FIGURE, " ".join(text.split()), label="drawing")
        for name in inline.charts:
            self._chart(name)
        for name in inline.diagrams:
            tree = self._target(name)
            for line in diagram_lines(tree) if tree is not None else ():
                self.paper.add(BlockKind.LIST_ITEM, line, level=1, label="diagram")
        for frame in inline.frames:
            self._blocks(frame)
        for note in inline.notes:
            self._note(*note)
        for words, name in inline.links:
            relation = self._relations.get(name)
            if relation and relation.external:
                self.paper.add_link(words, relation.target)

    def _chart(self, name: str) -> None:
        tree = self._target(name)
        if tree is not None:
            add_chart(tree, self.paper)

    def _target(self, name: str) -> "Element | None":
        relation = self._relations.get(name)
        return self._package.tree(relation.target) if relation and not relation.external else None

    def _note(self, kind: str, name: str) -> None:
        """A note or a comment, at its first mark."""
        element = self._notes.pop((kind, name), None)
        if element is not None and kind == "comment":
            self.paper.add(BlockKind.OTHER, comment(value(element, W + "author"), self._text(element)), label=HIDDEN)
        elif element is not None:
            self.paper.add(BlockKind.FOOTNOTE, folded(self._text(element)), label=kind)

    def _table(self, element: "Element") -> None:
        cells = [cell for row in own_children(element, "tr") for cell in own_children(row, "tc")]
        if len(cells) == 1:
            self._blocks(cells[0])
            return
        anchored: list[Inline] = []
        self._depth += 1
        plain = self._white and is_plain(element)
        self.paper.add_table(
            word_table(element, lambda cell: self._text(cell, anchored, on_white=plain and is_bare(cell)))
        )
        for inline in anchored:
            self._hidden(inline)
            self._anchored(inline)
        self._depth -= 1

    def _text(self, parent: "Element", anchored: list[Inline] | None = None, *, on_white: bool = False) -> str:
        """All paragraphs of an element, a line each; text boxes too, unless `anchored` takes what is anchored in it."""
        lines: list[str] = []
        for element in _paragraphs(parent):
            style, marker, _, _ = self._place(element)
            inline = read_inline(element, self._styles, style, on_white=on_white)
            if inline.text.strip():
                lines.append(f"{marker} {inline.text}" if marker else inline.text)
            if anchored is not None:
                anchored.append(inline)
            else:
                self._hidden(inline)
                lines.extend(self._text(frame) for frame in inline.frames)
        return "\n".join(lines)


def _paragraphs(parent: "Element") -> list["Element"]:
    """Paragraphs below an element, in order; those inside text boxes are not its own."""
    found: list[Element] = []
    for child in parent:
        name = local(child)
        if name == "p":
            found.append(child)
        elif name not in ("del", "moveFrom", "tcPr", "tblPr", "trPr"):
            found.extend(_paragraphs(child))
    return found


def _shows_something(element: "Element") -> bool:
    """Whether a paragraph has anything to show; Word gives no number to one that does not."""
    wanted = (W + "t", W + "drawing", W + "pict", W + "sym")
    return any(part.tag != W + "t" or part.text for part in element.iter(*wanted))
