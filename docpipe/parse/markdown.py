"""Markdown (CommonMark with tables) -> headings, paragraphs, lists, tables, code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from docpipe._encodings import decode
from docpipe.parse.asides import Asides
from docpipe.parse.draft import Draft, clean, unwrapped, with_language
from docpipe.parse.front_matter import front_matter
from docpipe.parse.web import hiding, markup
from docpipe.tables import Cell, Table
from docpipe.types import Blob, BlockKind, Document

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:[^\S\n]*\S[^\n]*$", re.M)
_MARGIN = re.compile(r"^(?: {0,3}(?P<fence>`{3,}|~{3,})|#{1,6} |(?<=\n\n)[^\s\-*+>|`~\d#<])", re.M)
_SIGNS = re.compile(r"[\\`*_~\[\]!<&]")
_LONGEST, _MOST_BRACKETS = 50_000, 1_000
"""Paragraphs beyond this are no prose; their signs stay, as reading them would take time by the square."""
_TOO_DEEP = re.compile(r"^(?:[^\S\n]*(?:>|[-*+](?=[^\S\n])|\d{1,9}[.)](?=[^\S\n]))){60,}", re.M)
"""The reader drops without a word what is nested deeper than it goes: nobody means lists so deep, but their words."""
_BREAK = re.compile(r"<br\b", re.I)


@dataclass(frozen=True, kw_only=True)
class MarkdownParser:
    """Markdown with its signs taken away: what a reader sees, in blocks."""

    VERSION = 2

    link_targets: bool = False
    """Whether a link's address follows its text, as `text <https://...>`."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; an empty file gives an empty one. Every file is valid Markdown."""
        read = decode(blob.data)
        head, body = front_matter(clean(read.text))
        draft = Draft()
        write(body, draft, targets=self.link_targets)
        errors = str(read.errors) if read.errors else ""
        metadata = {"title": draft.title(), "encoding": read.encoding, "encoding_errors": errors, **head}
        yield draft.document(blob.source, with_language(metadata, draft.text))


def write(text: str, draft: Draft, *, targets: bool = False) -> None:
    """Append what a Markdown text shows to a draft, and what it hides; a head between `---` lines is no part of it.

    Args:
        targets: whether a link's address follows its text.
    """
    environment, asides = dict[str, Any](), Asides()
    for portion in portions(_TOO_DEEP.sub("", text), environment):
        _Writer(draft, environment, asides, targets=targets).write(_engine().parse(portion, environment))
    for reference in environment.get("references", {}).values():
        asides.add(reference["title"])
    asides.write(draft)


def portions(text: str, environment: dict[str, Any], *, size: int = 200_000) -> Iterator[str]:
    """A long text in parts that can be read one by one, so that memory is bound by the part.

    Cuts are made where no list, quotation or fence is open: before a heading, or before a paragraph that begins at
    the margin after a blank line. Law: the parts, joined, are the text.

    Args:
        environment: gets the link definitions of the whole text, for links whose definition stands in another part.
        size: a part is at least this long, in code points, where the text goes on.
    """
    if len(text) <= 2 * size:
        yield text
        return
    _engine().parse("\n\n".join(_DEFINITION.findall(text)), environment)
    start, fence = 0, ""
    for match in _MARGIN.finditer(text):
        marks = match["fence"]
        if marks:
            if not fence:
                fence = marks
            elif marks.startswith(fence):
                fence = ""
        elif not fence and match.start() - start >= size:
            yield text[start : match.start()]
            start = match.start()
    yield text[start:]


@cache
def _engine() -> "MarkdownIt":
    """The reader of blocks; what stands inside of them is read only where it holds signs."""
    from markdown_it import MarkdownIt

    engine = MarkdownIt("commonmark", {"maxNesting": 200}).enable(["table", "strikethrough"])
    engine.normalizeLink = lambda url: url  # type: ignore[method-assign]  # targets are left out of the text
    return engine.disable("inline")


class _Item:
    """A list item that is being read: its depth, its number, and its text so far."""

    def __init__(self, depth: int, marker: str) -> None:
        self.depth, self.marker, self.texts = depth, marker, list[str]()


class _Writer:
    """Tokens, in order, into a draft."""

    def __init__(self, draft: Draft, environment: dict[str, Any], asides: Asides, *, targets: bool) -> None:
        self._draft, self._environment, self._targets, self._asides = draft, environment, targets, asides
        self._lists: list[int | None] = []
        self._items: list[_Item] = []
        self._rows: list[list[Cell]] | None = None
        self._quotes = 0

    def write(self, tokens: "Sequence[Token]") -> None:
        """Append what the tokens say. The `inline` token after an opening one is its text."""
        for before, token in pairwise([*tokens[:1], *tokens]):
            action = getattr(self, f"_{token.type}", None)
            if token.type == "inline":
                self._inline(before, token)
            elif action:
                action(token)

    def _inline(self, opening: "Token", token: "Token") -> None:
        text, picture = self._plain(token.content)
        if opening.type == "heading_open":
            self._flush()
            self._draft.add(BlockKind.HEADING, text, level=int(opening.tag[1]), label=opening.tag)
        elif opening.type in ("th_open", "td_open") and self._rows:
            self._rows[-1].append(Cell(text.replace("\n", " "), header=opening.type == "th_open"))
        elif picture:
            self._flush()
            self._draft.add(BlockKind.FIGURE, text, label="image")
        elif self._items:
            self._items[-1].texts.append(text)
        else:
            self._draft.add(BlockKind.PARAGRAPH, text, label="blockquote" if self._quotes else "p")

    def _flush(self) -> None:
        """Write the text of the open list item, so that something else can follow it."""
        if self._items and self._items[-1].texts:
            item = self._items[-1]
            self._draft.add(BlockKind.LIST_ITEM, item.marker + "\n".join(item.texts), level=item.depth, label="li")
            item.texts, item.marker = [], ""

    def _bullet_list_open(self, token: "Token") -> None:
        self._flush()
        self._lists.append(None)

    def _ordered_list_open(self, token: "Token") -> None:
        self._flush()
        self._lists.append(int(token.attrGet("start") or 1))

    def _bullet_list_close(self, token: "Token") -> None:
        self._lists.pop()

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, token: "Token") -> None:
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number + 1
        self._items.append(_Item(len(self._lists), "" if number is None else f"{number}. "))

    def _list_item_close(self, token: "Token") -> None:
        self._flush()
        self._items.pop()

    def _blockquote_open(self, token: "Token") -> None:
        self._quotes += 1

    def _blockquote_close(self, token: "Token") -> None:
        self._quotes -= 1

    def _fence(self, token: "Token") -> None:
        self._flush()
        language = token.info.split()[:1]
        self._draft.add(BlockKind.CODE, token.content, label=language[0][:40] if language else "code")

    _code_block = _fence

    def _html_block(self, token: "Token") -> None:
        self._flush()
        markup.write(token.content, self._draft)
        self._hide_comments(token.content)

    def _hide_comments(self, content: str) -> None:
        for words in hiding.comments(content):
            self._asides.add(words)

    def _table_open(self, token: "Token") -> None:
        self._flush()
        self._rows = []

    def _tr_open(self, token: "Token") -> None:
        if self._rows is not None:
            self._rows.append([])

    def _table_close(self, token: "Token") -> None:
        self._draft.add_table(Table(tuple(tuple(row) for row in self._rows or ())))
        self._rows = None

    def _plain(self, content: str) -> tuple[str, bool]:
        """The text without its signs, and whether it was nothing but a picture."""
        if not _SIGNS.search(content) or len(content) > _LONGEST or content.count("[") > _MOST_BRACKETS:
            return unwrapped(content), False
        engine, children = _engine(), list["Token"]()
        engine.inline.parse(content, engine, self._environment, children)
        for words, address, _ in _links(children):
            self._draft.add_link(words, address)
        for child in children:
            self._asides.add(str(child.attrGet("title") or ""))
            if child.type == "html_inline":
                self._hide_comments(child.content)
        if self._targets:
            _show_targets(children)
        text = unwrapped("".join(map(_text, children)))
        shown = [child for child in children if child.type not in ("softbreak", "text") or child.content.strip()]
        return text, bool(shown) and all(child.type == "image" for child in shown)


def _show_targets(tokens: "Sequence[Token]") -> None:
    """Let the end of each link say where it leads, unless its text does."""
    for words, address, end in _links(tokens):
        if words != address:
            end.content = f" <{address}>" if address else ""


def _links(tokens: "Sequence[Token]") -> "list[tuple[str, str, Token]]":
    """Words, address and last token of each link."""
    found, begun = list[tuple[str, str, "Token"]](), list[int]()
    for number, token in enumerate(tokens):
        if token.type == "link_open":
            begun.append(number)
        elif token.type == "link_close" and begun:
            first = begun.pop()
            address = str(tokens[first].attrGet("href") or "")
            found.append(("".join(map(_text, tokens[first:number])), address, token))
    return found


def _text(token: "Token") -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "html_inline":
        return "\n" if _BREAK.match(token.content) else ""
    return token.content
