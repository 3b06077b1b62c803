"""The parts of a workbook -> blocks on paper, each sheet under its name."""

from typing import TYPE_CHECKING

from docpipe.errors import UnsupportedMedia
from docpipe.parse.office.cell_regions import Cells
from docpipe.parse.office.charts import add_chart, diagram_lines
from docpipe.parse.office.names import DIAGRAM, A, C, R, S, local, value
from docpipe.parse.office.package import Package, Relation
from docpipe.parse.office.paper import Paper, comment
from docpipe.parse.office.sheet_blocks import add_cells, is_unnamed
from docpipe.parse.office.sheet_cells import read_cells, shared_strings
from docpipe.parse.office.sheet_styles import read_formats
from docpipe.parse.office.slide_text import paragraph_text
from docpipe.types import HIDDEN, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_MOST_SHEETS = 1_000


class SheetReader:
    """Reads the sheets of an open package onto paper."""

    def __init__(self, package: Package) -> None:
        self.paper = Paper()
        self._package = package
        self._part = package.main_part()
        if self._part.lower().endswith(".bin"):
            raise UnsupportedMedia(
                "it is a binary workbook (xlsb)",
                source=package.source.uri,
                remedy="save it as xlsx in Excel or LibreOffice",
            )
        self._relations = package.relations(self._part)

    def read(self) -> Paper:
        """All sheets in their order; hidden ones give hidden text, and so do hidden rows and columns."""
        tree = self._package.tree(self._part)
        if tree is None:
            return self.paper
        named = {relation.type: relation.target for relation in self._relations.values() if not relation.external}
        strings = shared_strings(self._package, named.get("sharedStrings", ""))
        from_1904 = value(tree.find(S + "workbookPr"), "date1904") in ("1", "true")
        formats = read_formats(self._package.tree(named.get("styles", "")), from_1904=from_1904)
        entries = list(tree.iterfind(f"{S}sheets/{S}sheet"))[:_MOST_SHEETS]
        for entry in entries:
            relation = self._relations.get(value(entry, R + "id"))
            if relation is None or relation.external:
                continue
            self.paper.begin_page(0.0, 0.0)
            hidden = value(entry, "state", "visible") != "visible"
            cells = Cells({}, [], {})
            if relation.type == "worksheet":
                cells = read_cells(self._package, relation.target, strings, formats)
            name = value(entry, "name")
            if not hidden and (len(entries) > 1 or not is_unnamed(name)):
                self.paper.add(BlockKind.HEADING, name, level=1, label="sheet")
            add_cells(cells, self.paper, hidden=hidden)
            relations = self._package.relations(relation.target)
            self._drawings(relations, hidden=hidden)
            self._comments(relations)
            for words, link in cells.links if not hidden else ():
                if link in relations and relations[link].external:
                    self.paper.add_link(words, relations[link].target)
        return self.paper

    def _comments(self, relations: dict[str, Relation]) -> None:
        """What readers wrote beside cells, after the place of the cell; it is no part of what is shown."""
        parts = (one.target for one in relations.values() if one.type == "comments" and not one.external)
        for tree in map(self._package.tree, parts):
            for element in tree.iter(S + "comment") if tree is not None else ():
                text = "".join(part.text or "" for part in element.iter(S + "t"))
                said = comment(value(element, "ref"), text)
                self.paper.add(BlockKind.OTHER, said, label=HIDDEN)

    def _drawings(self, relations: dict[str, Relation], *, hidden: bool) -> None:
        for relation in relations.values():
            tree = self._package.tree(relation.target) if relation.type == "drawing" and not relation.external else None
            if tree is not None and hidden:
                self.paper.add(BlockKind.OTHER, "\n".join(map(paragraph_text, tree.iter(A + "p"))), label=HIDDEN)
            elif tree is not None:
                self._drawing(tree, self._package.relations(relation.target))

    def _drawing(self, tree: "Element", relations: dict[str, Relation]) -> None:
        """Texts, charts and diagrams that lie on a sheet."""
        for element in tree.iter(f"{A}p", f"{C}chart", f"{DIAGRAM}relIds"):
            if element.tag == A + "p":
                self.paper.add(BlockKind.PARAGRAPH, paragraph_text(element), label="shape")
                continue
            chart = local(element) == "chart"
            relation = relations.get(value(element, R + ("id" if chart else "dm")))
            target = self._package.tree(relation.target) if relation and not relation.external else None
            if target is None:
                continue
            if chart:
                add_chart(target, self.paper)
            else:
                for line in diagram_lines(target):
                    self.paper.add(BlockKind.LIST_ITEM, line, level=1, label="diagram")
