"""The parts of a presentation -> blocks on paper, a page for each slide."""

from typing import TYPE_CHECKING

from docpipe.parse.office.charts import add_chart, diagram_lines
from docpipe.parse.office.header_rows import with_header
from docpipe.parse.office.names import DIAGRAM, A, C, P, R, local, number, value
from docpipe.parse.office.package import Package, Relation
from docpipe.parse.office.paper import Paper, comment
from docpipe.parse.office.slide_order import Placed, reading_order
from docpipe.parse.office.slide_shapes import Area, Shape, shapes
from docpipe.parse.office.slide_text import Line, paragraph_text, shape_lines
from docpipe.parse.office.slide_unseen import coloured, has_white_paper, is_switched_off, stands_on_paper, take_unseen
from docpipe.tables import Cell, Table
from docpipe.types import HIDDEN, NOTES, BBox, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_POINT = 12_700
"""EMU of a point."""
_TITLES = frozenset({"title", "ctrTitle"})
_RUNNING = {
    "ftr": BlockKind.FOOTER, "dt": BlockKind.FOOTER, "hdr": BlockKind.HEADER, "sldNum": BlockKind.PAGE_NUMBER,
}  # fmt: skip
_LISTS = frozenset({"body", "obj", "subTitle", "tbl", "half"})
_LEAST_ALTERNATIVE = 20
_LARGEST_SPAN = 200
_STANDARD = (9_144_000, 6_858_000)


class _Layout:
    """What a slide takes over from its layout and its master."""

    def __init__(self, package: Package, relations: dict[str, Relation]) -> None:
        self.layers: list[list[Shape]] = []
        self.trees: list[Element] = []
        self.master: Element | None = None
        self.theme: Element | None = None
        for kind in ("slideLayout", "slideMaster"):
            part = next((relation.target for relation in relations.values() if relation.type == kind), "")
            tree = package.tree(part)
            if tree is None:
                return
            self.layers.append(shapes(tree))
            self.trees.append(tree)
            self.master = tree
            relations = package.relations(part)
        part = next((relation.target for relation in relations.values() if relation.type == "theme"), "")
        self.theme = package.tree(part)

    def models(self, shape: Shape) -> list[Shape]:
        """The placeholders that a placeholder is made after, the nearest first."""
        found = []
        for depth, layer in enumerate(self.layers):
            same = [other for other in layer if other.role and other.key == shape.key and not depth]
            model = next(iter(same or [other for other in layer if _alike(other.role, shape.role)]), None)
            if model is not None:
                found.append(model)
                shape = model
        return found

    def styles(self, shape: Shape) -> list["Element"]:
        """List styles for a placeholder, the nearest first; text boxes have none."""
        if not shape.role:
            return []
        found = [model.element.find(f"{P}txBody/{A}lstStyle") for model in self.models(shape)]
        if self.master is not None and shape.role in _LISTS:
            found.append(self.master.find(f"{P}txStyles/{P}bodyStyle"))
        return [style for style in found if style is not None]

    def running(self) -> list[Shape]:
        """Texts that stand on every slide: those of no placeholder, and footers."""
        return [shape for layer in self.layers for shape in layer if not shape.role or shape.role == "ftr"]


class SlideReader:
    """Reads the slides of an open package onto paper."""

    def __init__(self, package: Package) -> None:
        self.paper = Paper()
        self._package = package
        self._layouts: dict[str, _Layout] = {}

    def read(self) -> Paper:
        """All slides, in the order of the show."""
        part = self._package.main_part()
        relations = self._package.relations(part)
        tree = self._package.tree(part)
        if tree is None:
            return self.paper
        size = tree.find(P + "sldSz")
        self._width = max(1, number(value(size, "cx"), _STANDARD[0]))
        self._height = max(1, number(value(size, "cy"), _STANDARD[1]))
        self._writers = self._authors(relations)
        for entry in tree.iterfind(f"{P}sldIdLst/{P}sldId"):
            relation = relations.get(value(entry, R + "id"))
            if relation and not relation.external:
                self._slide(relation.target)
        return self.paper

    def _authors(self, relations: dict[str, Relation]) -> dict[str, str]:
        """Names of those who wrote comments, by their ids."""
        parts = (one.target for one in relations.values() if one.type in ("commentAuthors", "authors"))
        trees = (self._package.tree(part) for part in parts)
        return {value(element, "id"): value(element, "name") for tree in trees if tree is not None for element in tree}

    def _slide(self, part: str) -> None:
        self.paper.begin_page(self._width / _POINT, self._height / _POINT)
        tree = self._package.tree(part)
        if tree is None:
            return
        self._relations = self._package.relations(part)
        self._layout = self._layout_of(part)
        self._white = has_white_paper(tree, self._layout.trees, self._layout.theme)
        drawn = [self._with_area(shape) for shape in shapes(tree)]
        behind = coloured([*drawn, *(shape for layer in self._layout.layers for shape in layer if not shape.role)])
        for shape in drawn:
            self._take_unseen(shape, behind)
        for shape in self._ordered(drawn):
            self._shape(shape)
        for shape in self._layout.running():
            self.paper.add(BlockKind.FOOTER, _whole(shape), label="master")
        for link in tree.iter(A + "hlinkClick"):
            self._link(link)
        for relation in self._relations.values():
            if relation.type == "notesSlide":
                self._notes(relation.target)
            elif relation.type == "comments" and not relation.external:
                self._comments(relation.target)

    def _layout_of(self, part: str) -> _Layout:
        name = next((relation.target for relation in self._relations.values() if relation.type == "slideLayout"), "")
        if name not in self._layouts:
            self._layouts[name] = _Layout(self._package, self._relations)
        return self._layouts[name]

    def _ordered(self, found: list[Shape]) -> list[Shape]:
        """Titles first, then by place; a shape without a place follows the one before it in the file."""
        placed: list[Placed] = []
        followers: dict[int, list[Shape]] = {}
        resolved = [shape for shape in found if _shows_something(shape)]
        for place, shape in enumerate(resolved):
            if shape.area is None:
                followers.setdefault(placed[-1].place if placed else -1, []).append(shape)
            elif shape.role not in _TITLES:
                placed.append(self._placed(shape.area, place))
        titles = [shape for shape in resolved if shape.role in _TITLES and shape.area is not None]
        rest = [one for place in reading_order(placed) for one in (resolved[place], *followers.get(place, []))]
        return [*titles, *followers.get(-1, []), *rest]

    def _take_unseen(self, shape: Shape, behind: list[Shape]) -> None:
        """Texts that nobody sees stand apart, and no longer in their shape."""
        body = shape.element.find(P + "txBody")
        if body is None:
            return
        if is_switched_off(shape) or self._is_off(shape.area):
            self.paper.add(BlockKind.OTHER, _whole(shape), label=HIDDEN)
            shape.element.remove(body)
            return
        on_white = self._white and stands_on_paper(shape, behind)
        self.paper.add(BlockKind.OTHER, take_unseen(body, on_white=on_white, white=self._white), label=HIDDEN)

    def _placed(self, area: Area, place: int) -> Placed:
        width, height = self._width, self._height
        return Placed(area.left / width, area.top / height, area.right / width, area.bottom / height, place)

    def _with_area(self, shape: Shape) -> Shape:
        if shape.area is not None or not shape.role:
            return shape
        areas = (model.area for model in self._layout.models(shape))
        return shape._replace(area=next((area for area in areas if area is not None), None))

    def _shape(self, shape: Shape) -> None:
        box = self._box(shape)
        if shape.kind == "graphicFrame":
            self._graphic(shape.element, box)
        elif shape.kind == "pic":
            text = " ".join(_alternative(shape).split())
            self.paper.add(BlockKind.FIGURE, text if len(text) > _LEAST_ALTERNATIVE else "", label="pic", box=box)
        else:
            self._text(shape, box)

    def _text(self, shape: Shape, box: BBox | None) -> None:
        body = shape.element.find(P + "txBody")
        if body is None:
            return
        if shape.role in _RUNNING:
            self.paper.add(_RUNNING[shape.role], _whole(shape), label=shape.role)
        elif shape.role in _TITLES:
            self.paper.add(BlockKind.HEADING, " ".join(_whole(shape).split()), level=1, label=shape.role, box=box)
        else:
            self._lines(shape_lines(body, self._layout.styles(shape)), shape.role or "sp", box)

    def _lines(self, lines: list[Line], label: str, box: BBox | None) -> None:
        for line in lines:
            kind = BlockKind.LIST_ITEM if line.level else BlockKind.PARAGRAPH
            self.paper.add(kind, line.text, level=line.level, label=label, box=box)

    def _graphic(self, element: "Element", box: BBox | None) -> None:
        data = element.find(f"{A}graphic/{A}graphicData")
        for child in data if data is not None else ():
            if child.tag == A + "tbl":
                self.paper.add_table(_table(child), box=box)
            elif child.tag == C + "chart":
                chart = self._target(value(child, R + "id"))
                if chart is not None:
                    add_chart(chart, self.paper, box=box)
            elif child.tag == DIAGRAM + "relIds":
                diagram = self._target(value(child, R + "dm"))
                lines = diagram_lines(diagram) if diagram is not None else []
                self._lines([Line(line, 1) for line in lines], "diagram", box)

    def _target(self, name: str) -> "Element | None":
        relation = self._relations.get(name)
        return self._package.tree(relation.target) if relation and not relation.external else None

    def _notes(self, part: str) -> None:
        tree = self._package.tree(part)
        for shape in shapes(tree) if tree is not None else ():
            if shape.role == "body":
                self.paper.add(BlockKind.PARAGRAPH, _whole(shape), label=NOTES)

    def _comments(self, part: str) -> None:
        """Comments on a slide, those of both kinds that PowerPoint has."""
        tree = self._package.tree(part)
        for element in tree.iter() if tree is not None else ():
            if local(element) in ("cm", "reply"):
                body = next((child for child in element if local(child) == "txBody"), None)
                lines = map(paragraph_text, body.iterchildren(A + "p")) if body is not None else ()
                text = "\n".join(lines) or element.findtext(P + "text") or ""
                writer = self._writers.get(value(element, "authorId"), "")
                self.paper.add(BlockKind.OTHER, comment(writer, text), label=HIDDEN)

    def _link(self, element: "Element") -> None:
        relation = self._relations.get(value(element, R + "id"))
        run = element.getparent().getparent() if element.getparent() is not None else None
        if relation and relation.external:
            words = run.findtext(A + "t") if run is not None else ""
            self.paper.add_link(words or "", relation.target)

    def _is_off(self, area: Area | None) -> bool:
        """Whether a shape lies beside the slide, where nobody sees it."""
        if area is None:
            return False
        return area.right <= 0 or area.bottom <= 0 or area.left >= self._width or area.top >= self._height

    def _box(self, shape: Shape) -> BBox | None:
        """A shape's place as fractions of the slide; None where it stands off the slide."""
        if shape.area is None:
            return None
        left, right = (min(1.0, max(0.0, x / self._width)) for x in (shape.area.left, shape.area.right))
        top, bottom = (min(1.0, max(0.0, y / self._height)) for y in (shape.area.top, shape.area.bottom))
        return BBox(left, top, right, bottom) if left < right and top < bottom else None


def _alike(one: str, other: str) -> bool:
    """Whether a placeholder of the master serves for one of a layout."""
    if one in _TITLES or other in _TITLES:
        return one in _TITLES and other in _TITLES
    return one == other or (one == "body" and other in _LISTS)


def _shows_something(shape: Shape) -> bool:
    return shape.kind in ("graphicFrame", "pic") or bool(_whole(shape).strip())


def _whole(shape: Shape) -> str:
    body = shape.element.find(P + "txBody")
    return "" if body is None else "\n".join(paragraph_text(paragraph) for paragraph in body.iterchildren(A + "p"))


def _alternative(shape: Shape) -> str:
    about = next((child for child in shape.element.iter(P + "cNvPr")), None)
    return value(about, "descr")


def _table(element: "Element") -> Table:
    rows = [[_cell(cell) for cell in row.iterchildren(A + "tc") if not _is_covered(cell)]
            for row in element.iterchildren(A + "tr")]  # fmt: skip
    declared = value(element.find(A + "tblPr"), "firstRow") in ("1", "true")
    return with_header([row for row in rows if row], int(declared and len(rows) > 1))


def _is_covered(cell: "Element") -> bool:
    return any(value(cell, name) in ("1", "true") for name in ("hMerge", "vMerge"))


def _cell(cell: "Element") -> Cell:
    lines = (paragraph_text(paragraph) for paragraph in cell.iterfind(f"{A}txBody/{A}p"))
    return Cell(
        "\n".join(lines),
        colspan=min(_LARGEST_SPAN, max(1, number(value(cell, "gridSpan"), 1))),
        rowspan=min(_LARGEST_SPAN, max(1, number(value(cell, "rowSpan"), 1))),
    )
