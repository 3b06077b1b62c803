"""Blocks in reading order, some of them on pages -> a Document, furniture and hidden text last (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from docpipe.parse.draft import Draft, folded, with_language
from docpipe.parse.links import MOST_LINKS
from docpipe.tables import Table, write
from docpipe.types import FURNITURE, HIDDEN, BBox, BlockKind, Document, Page, Source


class Piece(NamedTuple):
    """A block before its place in the text is known."""

    kind: BlockKind
    text: str
    level: int = 0
    label: str = ""
    page: int | None = None
    box: BBox | None = None


class Paper:
    """A document that is being written. Blocks without text are dropped; furniture may come at any time."""

    def __init__(self) -> None:
        self._pages: list[Page] = []
        self._pieces: list[Piece] = []
        self._last: dict[tuple[BlockKind, str], Piece] = {}
        self._links: list[tuple[str, str, int | None]] = []
        self._outline: list[tuple[int, str]] = []

    def begin_page(self, width: float, height: float) -> None:
        """What follows stands on a new page of this size, in points."""
        self._pages.append(Page(number=len(self._pages) + 1, width=width, height=height))

    def add(self, kind: BlockKind, text: str, *, level: int = 0, label: str = "", box: BBox | None = None) -> None:
        """Append a block. Furniture that was there before is not repeated, nor is hidden text."""
        page = len(self._pages) or None
        piece = Piece(kind, text, level, label, page, box)
        if kind in FURNITURE or label == HIDDEN:
            self._last.setdefault((kind, " ".join(text.split())), piece)
        else:
            self._pieces.append(piece)

    def add_table(self, table: Table, *, label: str = "table", box: BBox | None = None) -> None:
        """Append a table; one without any text is dropped."""
        if any(cell.text.strip() for row in table.rows for cell in row):
            self.add(BlockKind.TABLE, write(table).html, label=label, box=box)

    def add_link(self, words: str, address: str) -> None:
        """Note a link of the page that was begun last; `Draft.add_link` says which are kept."""
        if len(self._links) < MOST_LINKS:
            self._links.append((words, address, len(self._pages) or None))

    def add_outline(self, level: int, title: str) -> None:
        """Note a line of the format's own outline, as `Draft.add_outline` takes it."""
        if len(self._outline) < MOST_LINKS:
            self._outline.append((level, title))

    def document(self, source: Source, metadata: Mapping[str, str]) -> Document:
        """All blocks as a document; its title is the declared one or the first of the highest headings."""
        last = sorted(self._last.values(), key=lambda piece: piece.kind in FURNITURE)
        draft, placed = Draft(), []
        for piece in _merged([*self._pieces, *last]):
            before = len(draft)
            draft.add(piece.kind, piece.text, level=piece.level, label=piece.label)
            if len(draft) > before:
                placed.append(piece)
        for words, address, page in self._links:
            draft.add_link(words, address, page=page)
        for level, title in self._outline:
            draft.add_outline(level, title)
        titled = {**metadata, "title": metadata.get("title") or draft.title()}
        document = draft.document(source, with_language(titled, draft.text))
        blocks = zip(document.blocks, placed, strict=True)
        return replace(
            document,
            pages=tuple(self._pages),
            blocks=tuple(replace(block, page=piece.page, bbox=piece.box) for block, piece in blocks),
        )


def comment(writer: str, text: str) -> str:
    """What a comment says, after its writer's name; nothing where it says nothing."""
    writer, text = " ".join(writer.split()), folded(text)
    return f"{writer}: {text}" if writer and text else text


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Lines of code that follow each other are one block."""
    merged: list[Piece] = []
    run: list[str] = []
    for piece in pieces:
        if piece.kind is BlockKind.CODE and merged and run and merged[-1].page == piece.page:
            run.append(piece.text)
            continue
        if run:
            merged[-1] = merged[-1]._replace(text="\n".join(run))
        run = [piece.text] if piece.kind is BlockKind.CODE else []
        merged.append(piece)
    if run:
        merged[-1] = merged[-1]._replace(text="\n".join(run))
    return merged
