"""The parts of an OpenDocument (text, sheets, slides) -> blocks on paper."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from docpipe.errors import CorruptSource
from docpipe.parse.office.names import local, value
from docpipe.parse.office.open_names import (
    DRAW,
    FO,
    MANIFEST,
    OFFICE,
    SHOW,
    STYLE,
    SVG,
    TABLE,
    TEXT,
    points,
)
from docpipe.parse.office.open_sheets import open_cells
from docpipe.parse.office.open_styles import OpenStyles, read_open_styles
from docpipe.parse.office.open_text import OpenFlow, add_annotation
from docpipe.parse.office.package import Package, encrypted
from docpipe.parse.office.paper import Paper
from docpipe.parse.office.properties import OPEN, properties
from docpipe.parse.office.sheet_blocks import add_cells
from docpipe.parse.office.slide_order import Placed, reading_order
from docpipe.types import NOTES, BBox, BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_RUNNING = {
    "footer": BlockKind.FOOTER, "header": BlockKind.HEADER, "date-time": BlockKind.FOOTER,
    "page-number": BlockKind.PAGE_NUMBER,
}  # fmt: skip
_SHAPES = frozenset({"frame", "custom-shape", "rect", "ellipse", "polygon", "path", "line", "connector"})
_DEEPEST = 12
_STANDARD = (720.0, 540.0)


def read_open_document(package: Package) -> Paper:
    """All of a document.

    Raises:
        EncryptedSource: its contents need a password.
        CorruptSource: it has no contents.
    """
    _check_open(package)
    content, styles = package.tree("content.xml"), package.tree("styles.xml")
    body = content.find(OFFICE + "body") if content is not None else None
    if body is None:
        raise CorruptSource(
            "it has no contents", source=package.source.uri, remedy="open it in its program and save it anew"
        )
    paper, known = Paper(), read_open_styles((styles, content))
    for part in body:
        if part.tag == OFFICE + "spreadsheet":
            _sheets(part, package, known, paper)
        elif part.tag in (OFFICE + "presentation", OFFICE + "drawing"):
            _Slides(paper, known, styles).read(part)
        else:
            OpenFlow(paper, known, on_white=True).write(part)
    _running(styles, known, paper)
    return paper


def open_properties(package: Package) -> dict[str, str]:
    """What the package says of itself, as `properties` gives it."""
    tree = package.tree("meta.xml")
    return properties(tree.iter(), OPEN) if tree is not None else {}


def _check_open(package: Package) -> None:
    tree = package.tree("META-INF/manifest.xml")
    for entry in tree.iter(MANIFEST + "file-entry") if tree is not None else ():
        if entry.find(MANIFEST + "encryption-data") is not None:
            raise encrypted(package.source)


def _running(styles: "Element | None", known: OpenStyles, paper: Paper) -> None:
    """Headers and footers of the page styles."""
    for element in styles.iter(STYLE + "header", STYLE + "footer") if styles is not None else ():
        kind = BlockKind.HEADER if local(element) == "header" else BlockKind.FOOTER
        paper.add(kind, " ".join("".join(element.itertext()).split()), label=local(element))


def _sheets(part: "Element", package: Package, known: OpenStyles, paper: Paper) -> None:
    tables = list(part.iterchildren(TABLE + "table"))
    for table in tables:
        paper.begin_page(0.0, 0.0)
        hidden = value(table, TABLE + "style-name") in known.hidden
        if len(tables) > 1 and not hidden:
            paper.add(BlockKind.HEADING, value(table, TABLE + "name"), level=1, label="sheet")
        add_cells(open_cells(table, package.source), paper, hidden=hidden)
        for shapes in table.iterchildren(TABLE + "shapes"):
            if not hidden:
                OpenFlow(paper, known).write(shapes, label="shape")


class _Slides:
    """Reads slides, each onto a page of its own."""

    def __init__(self, paper: Paper, known: OpenStyles, styles: "Element | None") -> None:
        self._paper, self._known = paper, known
        self._sizes = dict(_sizes(styles)) if styles is not None else {}

    def read(self, part: "Element") -> None:
        for page in part.iterchildren(DRAW + "page"):
            width, height = self._sizes.get(value(page, DRAW + "master-page-name"), _STANDARD)
            self._paper.begin_page(width, height)
            shapes = list(_shapes(page, _DEEPEST))
            titles = [shape for shape in shapes if value(shape, SHOW + "class") == "title"]
            rest = [shape for shape in shapes if value(shape, SHOW + "class") != "title"]
            boxes = [_box(shape, width, height) for shape in rest]
            order = reading_order([Placed(*box, place) for place, box in enumerate(boxes)])
            for shape in (*titles, *(rest[place] for place in order)):
                self._shape(shape, _on_page(_box(shape, width, height)))
            for said in page.iterchildren(OFFICE + "annotation"):
                add_annotation(said, self._paper)
            for notes in page.iterchildren(SHOW + "notes"):
                for shape in notes.iterchildren(DRAW + "frame"):
                    if value(shape, SHOW + "class") == "notes":
                        OpenFlow(self._paper, self._known).write(shape, label=NOTES)

    def _shape(self, shape: "Element", box: BBox | None) -> None:
        role = value(shape, SHOW + "class")
        text = " ".join(" ".join(part for part in shape.itertext()).split())
        if role in _RUNNING:
            self._paper.add(_RUNNING[role], text, label=role)
        elif role == "title":
            lines = ("".join(part.itertext()) for part in shape.iter(TEXT + "p"))
            self._paper.add(BlockKind.HEADING, " ".join(" ".join(lines).split()), level=1, label=role, box=box)
        else:
            OpenFlow(self._paper, self._known).write(shape, box=box, label=role or "shape")


def _sizes(styles: "Element") -> "Iterator[tuple[str, tuple[float, float]]]":
    """Width and height of the master pages, in points."""
    layouts = {value(item, STYLE + "name"): item for item in styles.iter(STYLE + "page-layout")}
    for master in styles.iter(STYLE + "master-page"):
        layout = layouts.get(value(master, STYLE + "page-layout-name"))
        about = layout.find(STYLE + "page-layout-properties") if layout is not None else None
        width, height = points(about, FO + "page-width"), points(about, FO + "page-height")
        if width > 0 and height > 0:
            yield value(master, STYLE + "name"), (width, height)


def _shapes(parent: "Element", depth: int) -> "Iterator[Element]":
    for child in parent:
        if local(child) == "g" and depth:
            yield from _shapes(child, depth - 1)
        elif local(child) in _SHAPES:
            yield child


def _box(shape: "Element", width: float, height: float) -> tuple[float, float, float, float]:
    """A shape's place as fractions of the slide."""
    left, top = points(shape, SVG + "x") / width, points(shape, SVG + "y") / height
    return left, top, left + points(shape, SVG + "width") / width, top + points(shape, SVG + "height") / height


def _on_page(box: tuple[float, float, float, float]) -> BBox | None:
    left, top, right, bottom = (min(1.0, max(0.0, side)) for side in box)
    return BBox(left, top, right, bottom) if left < right and top < bottom else None
