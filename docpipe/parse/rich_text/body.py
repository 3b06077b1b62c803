"""Words, paragraphs and cells of an RTF file -> blocks on paper (pure)."""

import re

from docpipe.parse.office.paper import Paper
from docpipe.parse.rich_text.head import Style
from docpipe.parse.rich_text.letters import whole
from docpipe.parse.rich_text.tables import Place, Row, table_of
from docpipe.types import HIDDEN, BlockKind

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_NUMBERED = re.compile(r"[\w(]")
_TITLES = frozenset({"title", "titel", "titre", "título", "titolo", "标题"})
_CAPTIONS = frozenset({"caption", "beschriftung", "légende", "题注"})
_LONGEST_HEADING = 300


class Body:
    """The text that is being read: words gather until a paragraph or a cell ends."""

    def __init__(self) -> None:
        self.paper = Paper()
        self.marker: list[str] = []
        """What stands before the words of a list item."""
        self._words: list[str] = []
        self._unseen: list[str] = []
        self._notes: list[str] = []
        self._rows: list[Row] = []
        self._row, self._place = Row(), Place()
        self._cell: list[str] = []

    def add(self, text: str, *, hidden: bool) -> None:
        """Some letters of the running text."""
        (self._unseen if hidden else self._words).append(text)

    def add_note(self, text: str) -> None:
        """A note; it stands after the paragraph or the table that is being read."""
        self._notes.append(whole(text).strip())

    def add_comment(self, writer: str, text: str) -> None:
        """A reader's remark beside the text: no part of it, so hidden."""
        words = " ".join(whole(text).split())
        if words:
            self.paper.add(BlockKind.OTHER, f"{writer}: {words}" if writer else words, label=HIDDEN)

    def add_furniture(self, kind: BlockKind, text: str) -> None:
        """What is printed at the top or the bottom of each page."""
        self.paper.add(kind, " ".join(whole(text).split()), label=kind.value)

    def end_paragraph(self, style: Style, *, level: int, depth: int, in_table: bool, listed: bool) -> None:
        """A paragraph is complete.

        Args:
            level: outline level from 1; 0 where the style decides.
            depth: of a list item, from 1.
        """
        if in_table or self._row.texts:
            self._cell.append(self._taken() + "\n")
            return
        listed = listed or bool("".join(self.marker).strip())
        text = self._taken()
        if text.strip():
            self.end_table()
            kind, rank = _kind(style, level, depth if listed else 0, len(text))
            for part in _GAP.split(text) if kind is BlockKind.PARAGRAPH else [text]:
                self.paper.add(kind, _shown(part, kind), level=rank, label=style.name)
        self._add_aside()

    def begin_row(self) -> None:
        """How the cells of a row are placed is said anew."""
        self._row.places, self._row.header, self._place = [], False, Place()

    def place(self, *, left: bool = False, above: bool = False) -> None:
        """The next cell that is placed joins another one."""
        self._place = Place(self._place.joins_left or left, self._place.joins_above or above)

    def end_place(self) -> None:
        """A cell is placed."""
        self._row.places.append(self._place)
        self._place = Place()

    def set_header(self) -> None:
        """The row that is being read is part of the header."""
        self._row.header = True

    def end_cell(self) -> None:
        """A cell is complete."""
        self._row.add("".join(self._cell) + self._taken())
        self._cell = []

    def end_inner_cell(self) -> None:
        """A cell of a table within a cell is complete."""
        self._cell.append(self._taken() + " ")

    def end_row(self) -> None:
        """A row is complete; the next one is placed like it unless it says otherwise."""
        done, self._row = self._row, Row(places=list(self._row.places), header=self._row.header)
        if done.texts:
            self._rows.append(done)

    def end_table(self) -> None:
        """What was read of a table is all of it."""
        if self._row.texts:
            self._row.add("".join(self._cell))
            self.end_row()
            self._cell = []
        if self._rows:
            self.paper.add_table(table_of(self._rows))
        self._rows = []
        if self._cell:
            self.paper.add(BlockKind.PARAGRAPH, _shown("".join(self._cell), BlockKind.PARAGRAPH))
            self._cell = []

    def _taken(self) -> str:
        text, marker = whole("".join(self._words)).replace("\ufeff", ""), whole("".join(self.marker)).strip()
        self._words = []
        self.marker.clear()
        return f"{marker} {text}" if text.strip() and _NUMBERED.match(marker) else text

    def _add_aside(self) -> None:
        """Notes and hidden words of what was read."""
        if self._notes:
            self.end_table()
        for note in self._notes:
            self.paper.add(BlockKind.FOOTNOTE, note, label="footnote")
        self._notes = []
        if self._unseen:
            self.paper.add(BlockKind.OTHER, " ".join(whole("".join(self._unseen)).split()), label=HIDDEN)
            self._unseen = []


def _kind(style: Style, level: int, depth: int, length: int) -> tuple[BlockKind, int]:
    """The kind of a paragraph, and its level."""
    if style.name.lower() in _TITLES:
        return BlockKind.TITLE, 1
    level = level or style.level
    if level and length <= _LONGEST_HEADING:
        return BlockKind.HEADING, min(level, 6)
    if style.name.lower() in _CAPTIONS:
        return BlockKind.CAPTION, 0
    return (BlockKind.LIST_ITEM, depth) if depth else (BlockKind.PARAGRAPH, 0)


def _shown(text: str, kind: BlockKind) -> str:
    if kind in (BlockKind.HEADING, BlockKind.TITLE):
        return " ".join(text.split())
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
