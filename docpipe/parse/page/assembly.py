"""Printed pages -> Document: text, blocks and geometry (pure)."""

import re
from collections.abc import Mapping, Sequence

from docpipe import _ids
from docpipe.geometry import UNCUT, Geometry, Line
from docpipe.parse.draft import with_language
from docpipe.parse.page.continued import joined
from docpipe.parse.page.flow import in_order
from docpipe.parse.page.furniture import set_aside
from docpipe.parse.page.hyphens import Join, Vocabulary, join
from docpipe.parse.page.labels import Labelled, labelled
from docpipe.parse.page.outline import Entry, Outline
from docpipe.parse.page.printed import GAPPED, Boxed, PrintedLine, PrintedPage, turned
from docpipe.tables import Table, closed, write
from docpipe.types import BBox, Block, BlockKind, Document, Page, Source, Span

_JUNK = re.compile(
    r"(?:untitled.*|no ?title|microsoft \w+ - .*|.*\.(?:docx?|xlsx?|pptx?|pdf|indd|tex|dvi|qxd|rtf|odt|html?)|[\W\d_]*"
    r"|slide \d+|(?:powerpoint|word) (?:presentation|document)|presentation|document\d*|title)",
    re.I,
)


def assemble(
    source: Source,
    pages: Sequence[PrintedPage],
    *,
    outline: Sequence[Entry] = (),
    metadata: Mapping[str, str] | None = None,
) -> Document:
    """The document of all pages of a file, in order.

    Args:
        metadata: what the file says about itself; a title that is only a file's name is not believed.
    """
    aside = set_aside(pages)
    body = [
        (page.number, page.frame[1], [piece for piece, fate in kept if fate is None])
        for page, kept in zip(pages, aside, strict=True)
    ]
    furniture = [
        Labelled(piece, page.number, fate, native=piece.told.native if piece.told else "")
        for page, kept in zip(pages, aside, strict=True)
        for piece, fate in kept
        if fate is not None
    ]
    heights = {number: height for number, height, _ in body}
    items, repeated = joined(labelled(body, Outline(outline)), furniture, heights)
    items = in_order(items)
    lines = (line.text for page in pages for piece in page.pieces for line in piece.lines)
    writer = _Writer(pages, Vocabulary(lines))
    writer.write(items)
    writer.write([*furniture, *repeated])
    text = "".join(writer.parts)
    return Document(
        id=_ids.document_id(source.uri),
        source=source,
        text=text,
        pages=tuple(Page(number=p.number, width=p.width, height=p.height, needs_ocr=p.needs_ocr) for p in pages),
        blocks=tuple(writer.blocks),
        metadata=_metadata(metadata or {}, pages, text, writer.blocks),
        geometry=Geometry.of(writer.lines),
    )


class _Writer:
    """Writes blocks one after the other, and remembers where each line of them stands."""

    def __init__(self, pages: Sequence[PrintedPage], vocabulary: Vocabulary) -> None:
        self._pages = {page.number: page for page in pages}
        self._vocabulary = vocabulary
        self._at = 0
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.lines: list[Line] = []

    def write(self, items: Sequence[Labelled]) -> None:
        """Append blocks, parted by an empty line unless one goes on with another's sentence."""
        carried = Join(0, "\n\n")
        for number, item in enumerate(items):
            following = items[number + 1] if number + 1 < len(items) else None
            joined = Join(0, "\n\n")
            if following is not None and following.continues and item.piece.lines:
                joined = join(item.piece.lines[-1].text, following.piece.lines[0].text, self._vocabulary)
            if self._at and (item.piece.lines or item.piece.table):
                self._put(carried.between)
            start = self._at
            if item.piece.table is not None:
                self._table(item)
            else:
                self._flowing(item, joined.drop)
            self._block(item, start)
            if self._at > start:
                carried = joined

    def _put(self, text: str) -> None:
        self.parts.append(text)
        self._at += len(text)

    def _block(self, item: Labelled, start: int) -> None:
        page = self._pages[item.page]
        left, top, right, bottom = _fractions(item.piece.box, page)
        self.blocks.append(
            Block(
                id=f"b{len(self.blocks)}",
                kind=item.kind,
                span=Span(start, self._at),
                page=item.page,
                bbox=BBox(left, top, right, bottom),
                level=item.level,
                native_label=item.native,
            )
        )

    def _flowing(self, item: Labelled, drop: int) -> None:
        """The lines of a paragraph, run together; those of code and rows stay lines."""
        page, lines = self._pages[item.page], item.piece.lines
        told = item.piece.told is not None
        broken = item.kind is BlockKind.CODE or bool(lines and lines[0].style & GAPPED)
        indents = _indents(lines) if item.kind is BlockKind.CODE and not told else None
        for number, line in enumerate(lines):
            following = lines[number + 1].text if number + 1 < len(lines) else ""
            how = Join(0, "") if following else Join(drop, "")
            if following and not told:
                how = Join(0, "\n") if broken else join(line.text, following, self._vocabulary)
            text = line.text[: len(line.text) - how.drop]
            if indents:
                self._put(indents[number])
            self._line(line, text, page)
            self._put(text + how.between)

    def _line(self, line: PrintedLine, text: str, page: PrintedPage) -> None:
        if not text:
            return
        edges: tuple[float, ...] = ()
        if page.turn:
            box = _fractions(line, page)
        else:
            width, height = page.width, page.height
            box = (line[0] / width, line[1] / height, line[2] / width, line[3] / height)
            edges = tuple([x / width for x in line[7]])
        self.lines.append(Line(self._at, self._at + len(text), page.number, *box, edges))

    def _table(self, item: Labelled) -> None:
        """A table and its rows on further pages as one table; each cell keeps its own page."""
        if item.piece.table is None:
            return
        parts = [(item.page, item.piece.table), *item.further]
        rows = [(page, row) for page, part in parts for row in part.cells]
        written = write(Table(tuple(row for _, part in parts for row in closed(part.table).rows)))
        edges = (UNCUT,) if item.piece.told else ()
        for spans, (number, boxes) in zip(written.spans, rows, strict=True):
            page = self._pages[number]
            for (start, end), box in zip(spans, boxes, strict=True):
                if end > start:
                    place = _fractions(box, page)
                    self.lines.append(Line(self._at + start, self._at + end, number, *place, edges))
        self._put(written.html)


def _fractions(box: Boxed, page: PrintedPage) -> tuple[float, float, float, float]:
    """A box of the reading frame as fractions of the page as shown."""
    left, top, right, bottom = turned(box, page.turn, *page.frame) if page.turn else box[:4]
    width, height = page.width, page.height
    shown = left / width, top / height, right / width, bottom / height
    if min(shown) >= 0.0 and max(shown) <= 1.0:
        return shown
    return _unit(shown[0]), _unit(shown[1]), _unit(shown[2]), _unit(shown[3])


def _unit(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def _indents(lines: Sequence[PrintedLine]) -> list[str]:
    """Blanks before each line of code, from its distance to the leftmost one."""
    least = min(line.left for line in lines)
    widths = [(line.right - line.left) / len(line.text) for line in lines if line.text]
    width = max(1.0, sorted(widths)[len(widths) // 2])
    return [" " * min(80, round((line.left - least) / width)) for line in lines]


def _metadata(
    said: Mapping[str, str], pages: Sequence[PrintedPage], text: str, blocks: Sequence[Block]
) -> dict[str, str]:
    found = {key: " ".join(value.split()) for key, value in said.items()}
    title = found.get("title", "")
    if not title or _JUNK.fullmatch(title):
        heading = next((block for block in blocks if block.kind is BlockKind.TITLE), None)
        found["title"] = heading.span.of(text) if heading else ""
    found = with_language(found, text)
    found["damaged_pages"] = ", ".join(str(page.number) for page in pages if page.damaged)
    return {key: value for key, value in found.items() if value}
