"""Blocks in reading order -> a Document without pages (pure)."""

import re
from collections.abc import Mapping

from docpipe import _ids
from docpipe._language import language_tag
from docpipe.parse.links import LONGEST_TEXT, MOST_LINKS, link_of
from docpipe.tables import Table, write
from docpipe.types import Block, BlockKind, Document, Link, OutlineEntry, Source, Span

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_BLANKS = re.compile(r"[^\S\n]+")


class Draft:
    """A document that is being written: append blocks, then call `document`.

    Law: each block's span is its text as `clean` gives it, in the order of appending, and nothing but line
    breaks stands between blocks. Blocks without text are dropped.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._links: list[Link] = []
        self._outline: list[OutlineEntry] = []
        self._at = 0

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks so far."""
        return tuple(self._blocks)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def title(self) -> str:
        """Text of the highest heading that comes first; nothing where there is none."""
        headings = [block for block in self._blocks if block.kind in (BlockKind.TITLE, BlockKind.HEADING)]
        first = min(headings, key=lambda block: block.level, default=None)
        return first.span.of(self.text) if first else ""

    def add(self, kind: BlockKind, text: str, *, level: int = 0, label: str = "") -> None:
        """Append a block; line breaks within its text stay.

        Args:
            level: rank of a heading or depth of a list item, from 1.
            label: what the format calls it: `h2`, `li` ...
        """
        text = clean(text)
        text = text.strip("\n").rstrip() if kind is BlockKind.CODE else text.strip()
        if not text.strip():
            return
        if self._blocks:
            close = kind is BlockKind.LIST_ITEM and self._blocks[-1].kind is BlockKind.LIST_ITEM
            separator = "\n" if close else "\n\n"
            self._parts.append(separator)
            self._at += len(separator)
        span = Span(self._at, self._at + len(text))
        self._blocks.append(Block(id=f"b{len(self._blocks)}", kind=kind, span=span, level=level, native_label=label))
        self._parts.append(text)
        self._at = span.end

    def add_table(self, table: Table, *, label: str = "table") -> None:
        """Append a table in its written form; one without any text is dropped."""
        if any(cell.text.strip() for row in table.rows for cell in row):
            self.add(BlockKind.TABLE, write(table).html, label=label)

    def add_link(self, text: str, url: str, *, page: int | None = None) -> None:
        """Note a link; one that leads nowhere else (`#part`, `javascript:`, `data:`) or comes again is dropped."""
        if len(self._links) < MOST_LINKS and (link := link_of(text, url, page)) is not None:
            self._links.append(link)

    def add_outline(self, level: int, title: str, *, page: int | None = None) -> None:
        """Note a line of the format's own outline, which then stands for that of the headings."""
        words = " ".join(clean(title[:LONGEST_TEXT]).split())
        if words and len(self._outline) < MOST_LINKS:
            self._outline.append(OutlineEntry(max(1, level), words, page))

    def document(self, source: Source, metadata: Mapping[str, str]) -> Document:
        """All blocks as a document. Metadata without a value is left out."""
        return Document(
            id=_ids.document_id(source.uri),
            source=source,
            text=self.text,
            pages=(),
            blocks=self.blocks,
            metadata=known(metadata),
            outline=tuple(self._outline),
            links=tuple(dict.fromkeys(self._links)),
        )


def known(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata that has a value, in one line each and fit to be stored."""
    folded = {key: " ".join(clean(value).split()) for key, value in metadata.items()}
    return {key: value for key, value in folded.items() if value}


def clean(text: str) -> str:
    """A text that can be stored as UTF-8: lone surrogates and zero bytes become U+FFFD; `\\r\\n` becomes `\\n`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)


_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_WRAP = re.compile(rf"(?<=[{_WIDE}])[^\S\n]*\n[^\S\n]*(?=[{_WIDE}])")


def unwrapped(text: str) -> str:
    """One paragraph whose source was wrapped, as one line: breaks are blanks, or nothing between Chinese letters."""
    if "\n" in text and not text.isascii():
        text = _WRAP.sub("", text)
    return " ".join(text.split())


def folded(text: str) -> str:
    """White space other than line breaks folded to single blanks, lines trimmed."""
    return "\n".join(line.strip() for line in _BLANKS.sub(" ", text).split("\n")).strip()


def with_language(metadata: Mapping[str, str], text: str) -> dict[str, str]:
    """The metadata with the language of the text: the declared one unless the words plainly are of another."""
    declared, found = metadata.get("language", ""), language_tag(text)
    primary = found.partition("-")[0]
    if not declared or (found and declared.partition("-")[0].lower() != primary) or declared.lower() == primary:
        return {**metadata, "language": found or declared}
    return {**metadata, "language": declared}
