"""An HTML tree -> pieces in reading order: headings, paragraphs, lists, tables, code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docpipe.parse.draft import Draft, folded
from docpipe.parse.links import LONGEST_TEXT
from docpipe.parse.web import hiding
from docpipe.parse.web.hiding import is_hidden
from docpipe.parse.web.html_tables import BLOCKS, SKIPPED, is_layout, number, shown, table_of, visible_text
from docpipe.tables import Table
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HEADINGS = {f"h{rank}": rank for rank in range(1, 7)}
_CHROME = frozenset({"nav", "footer", "aside"})
_CHROME_ROLES = frozenset({"navigation", "contentinfo", "complementary", "search", "banner", "dialog"})
_SPACES = re.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}|[\t\r\f\v]")
_ADDRESS = re.compile(r"\s*(?:https?|ftp|mailto|tel):[^\s<>]{1,2000}\s*$", re.I)
_TARGET = re.compile("\ufdd0([^\ufdd1]*)\ufdd1")
_DEEPEST_TABLE = 8
"""Tables within more tables than this place things on the page; looking into each would take quadratic time."""


@dataclass(slots=True)
class Piece:
    """One block of a page, and what tells the page's frame from its content."""

    kind: BlockKind
    text: str
    level: int = 0
    label: str = ""
    table: Table | None = None
    linked: int = 0
    """How many characters of it are links."""
    marker: str = ""
    """The number that its text begins with, if it is an item of a numbered list: `2. `."""
    chrome: bool = False
    """It stands in a navigation bar, a footer or a side column."""
    main: bool = False
    """It stands in what the page itself declares to be its main part."""
    coded: bool = False
    """It holds code."""
    links: tuple[tuple[str, str], ...] = ()
    """Words and address of each link in it, as the page has them."""


def parse(text: str) -> "HtmlElement | None":
    """The tree of a page or of a part of one; None where nothing but white space and comments is there.

    Deeper nesting than the engine's limit (2048) is taken out of the text first, so that no word is lost.
    """
    from lxml import html

    if not text.strip():
        return None
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, no_network=True, encoding="utf-8")
    tree = _tree(text, parser)
    if any("depth" in entry.message for entry in parser.error_log):
        tree = _tree(_NESTING.sub(" ", text), parser)
    if tree is not None:
        hiding.mark(tree)
    return tree


_NESTING = re.compile(
    r"</?(?:div|span|font|b|i|em|strong|center|section|ul|ol|li|table|tr|td|blockquote)\b[^<>]{0,1000}>", re.I
)


def _tree(text: str, parser: object) -> "HtmlElement | None":
    from lxml import etree, html

    try:
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None


def write(text: str, draft: Draft) -> None:
    """Append all that a piece of HTML shows to a draft."""
    tree = parse(text)
    if tree is not None:
        append(pieces(tree), draft)


def append(found: Iterable[Piece], draft: Draft) -> None:
    """Append pieces to a draft."""
    for piece in found:
        for words, address in piece.links:
            draft.add_link(words, address)
        if piece.table is not None:
            draft.add_table(piece.table)
        else:
            draft.add(piece.kind, shown_text(piece.text), level=piece.level, label=piece.label)


def pieces(tree: "HtmlElement", *, targets: bool = False) -> list[Piece]:
    """Everything a page shows, in order; hidden elements, scripts, styles and controls are left out.

    Args:
        targets: whether the addresses of links are kept, between marks that `shown_text` and `bare_text` read.
    """
    return _Reading(targets=targets).of(tree)


def shown_text(text: str) -> str:
    """A piece's text with the addresses of its links as a reader may see them: `text <https://example.org/>`."""
    return _TARGET.sub(r" <\1>", text)


def bare_text(text: str) -> str:
    """A piece's text without the addresses of its links."""
    return _TARGET.sub("", text)


class _Reading:
    """One pass over a tree, without recursion: text gathers until a block begins or ends."""

    def __init__(self, *, targets: bool) -> None:
        self.found: list[Piece] = []
        self._text: list[str] = []
        self._linked = 0
        self._links = 0
        self._addresses: list[tuple[str, str]] = []
        self._chrome = 0
        self._main = 0
        self._coded = False
        self._tables = 0
        self._inside: list[tuple[str, int]] = []  # blocks that give their text a kind: tag, and rank or depth
        self._lists: list[int | None] = []
        self._marker = ""
        self._fresh = False  # the list item has given no text yet
        self._done: HtmlElement | None = None  # read whole, or left out, when it began
        self._targets = targets

    def of(self, tree: "HtmlElement") -> list[Piece]:
        from lxml import etree

        walker = etree.iterwalk(tree, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if not isinstance(tag, str):
                if event == "end":
                    self._add(element.tail)
            elif event == "end":
                self._leave(element, tag)
                self._add(element.tail)
            elif not self._enter(element, tag):
                walker.skip_subtree()
        self._flush()
        return self.found

    def _enter(self, element: "HtmlElement", tag: str) -> bool:
        """Begin an element; False where what is inside of it was read already, or must not be."""
        if tag in SKIPPED or is_hidden(element):
            self._done = element
            return False
        if tag in BLOCKS:
            self._flush()
        if tag == "table" and self._tables < _DEEPEST_TABLE and not is_layout(element):
            self._table(element)
            self._done = element
            return False
        if tag == "pre":
            self._code(element)
            self._done = element
            return False
        self._open(element, tag)
        self._add(element.text)
        return True

    def _open(self, element: "HtmlElement", tag: str) -> None:
        self._tables += tag == "table"
        if tag in _CHROME or element.get("role") in _CHROME_ROLES:
            self._chrome += 1
        self._main += _is_main(element, tag)
        self._coded = self._coded or tag in ("code", "kbd", "samp", "tt")
        if tag in _HEADINGS:
            self._inside.append((tag, _HEADINGS[tag]))
        elif tag in ("ul", "ol", "menu", "dir"):
            self._lists.append(number(element.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._item(element)
        elif tag in ("figcaption", "caption", "blockquote", "dt", "dd"):
            self._inside.append((tag, 0))
        elif tag == "a":
            self._links += 1
        elif tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self._picture(element)
        elif tag == "hr":
            self._flush()

    def _leave(self, element: "HtmlElement", tag: str) -> None:
        if element is self._done:
            self._done = None
            return
        if tag in BLOCKS:
            self._flush()
        self._tables -= tag == "table"
        if tag in _CHROME or element.get("role") in _CHROME_ROLES:
            self._chrome -= 1
        self._main -= _is_main(element, tag)
        if tag in _HEADINGS or tag in ("li", "figcaption", "caption", "blockquote", "dt", "dd"):
            self._inside.pop()
            self._marker, self._fresh = "", True
        elif tag in ("ul", "ol", "menu", "dir"):
            self._lists.pop()
        elif tag == "a":
            self._links -= 1
            self._addresses += _addresses([element])
            self._target(element.get("href") or "")

    def _target(self, address: str) -> None:
        """Keep a link's address behind its text, if both are there."""
        heading = bool(self._inside) and self._inside[-1][0] in _HEADINGS
        if self._targets and not heading and _ADDRESS.match(address) and "".join(self._text).strip():
            self._text.append(f"\ufdd0{address.strip()}\ufdd1")

    def _item(self, element: "HtmlElement") -> None:
        depth = max(1, len(self._lists))
        self._marker = ""
        if self._lists and self._lists[-1] is not None:
            place = number(element.get("value"), self._lists[-1])
            self._marker, self._lists[-1] = f"{place}. ", place + 1
        self._inside.append(("li", depth))
        self._fresh = True

    def _add(self, text: str | None) -> None:
        if text:
            text = _SPACES.sub(" ", text)
            self._text.append(text)
            if self._links:
                self._linked += len(text.strip())

    def _flush(self) -> None:
        """What was gathered, as one piece of the kind that surrounds it."""
        text = folded("".join(self._text)) if self._text else ""
        linked, self._linked, self._text = self._linked, 0, []
        if not text:
            return
        links, self._addresses = tuple(self._addresses), []
        tag, rank = self._inside[-1] if self._inside else ("p", 0)
        kind = _KINDS.get(tag, BlockKind.PARAGRAPH)
        if kind is BlockKind.HEADING:
            text = " ".join(text.split())
        if tag == "li" and not self._fresh and self.found and self.found[-1].label == "li":
            self.found[-1].text += "\n" + text
            self.found[-1].linked += linked
            self.found[-1].links += links
            return
        self._fresh = False
        marker, self._marker = self._marker if tag == "li" else "", ""
        self._place(
            Piece(kind=kind, text=marker + text, level=rank, label=tag, linked=linked, marker=marker, links=links)
        )

    def _table(self, element: "HtmlElement") -> None:
        for caption in element.iterfind("caption"):
            self._piece(BlockKind.CAPTION, " ".join(visible_text(caption).split()), "caption")
        table = table_of(element)
        text = " ".join(cell.text for row in table.rows for cell in row)
        if text.strip():
            linked = sum(len("".join(link.itertext()).strip()) for link in element.iter("a"))
            links = tuple(_addresses(element.iter("a")))
            self._place(Piece(kind=BlockKind.TABLE, text=text, label="table", table=table, linked=linked, links=links))

    def _code(self, element: "HtmlElement") -> None:
        code = next(iter(element.iter("code")), element)
        names = re.findall(r"(?:language|lang|highlight-source|brush:\s?)-?([\w+#]{1,20})", code.get("class") or "")
        self._piece(BlockKind.CODE, "".join(shown(element, block="", line="\n")), names[0] if names else "pre")

    def _picture(self, element: "HtmlElement") -> None:
        alternative = " ".join((element.get("alt") or "").split())
        if len(alternative) > 20 and not self._links and not "".join(self._text).strip():
            self._piece(BlockKind.FIGURE, alternative, "img")

    def _piece(self, kind: BlockKind, text: str, label: str) -> None:
        self._flush()
        if text.strip():
            self._place(Piece(kind=kind, text=text, label=label))

    def _place(self, piece: Piece) -> None:
        piece.chrome, piece.main = self._chrome > 0, self._main > 0
        piece.coded, self._coded = self._coded or piece.kind is BlockKind.CODE, False
        self.found.append(piece)


def _addresses(elements: "Iterable[HtmlElement]") -> list[tuple[str, str]]:
    """The words, or some of them, and the address of each link."""
    return [(_first_words(one), address) for one in elements if (address := one.get("href"))]


def _first_words(element: "HtmlElement") -> str:
    words, length = list[str](), 0
    for text in element.itertext():
        words.append(text)
        length += len(text)
        if length > LONGEST_TEXT:
            break
    return "".join(words)


def _is_main(element: "HtmlElement", tag: str) -> bool:
    return tag == "main" or element.get("role") == "main"


_KINDS = {
    "li": BlockKind.LIST_ITEM,
    "figcaption": BlockKind.CAPTION,
    "caption": BlockKind.CAPTION,
    **dict.fromkeys(_HEADINGS, BlockKind.HEADING),
}
