"""The tree that docutils makes of reStructuredText -> blocks in a draft."""

import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from docpipe._dates import iso_date
from docpipe.parse.draft import Draft, unwrapped
from docpipe.tables import Cell, Table
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from docutils.nodes import Element, document

_ROLE = re.compile(r":[\w:+.-]{1,60}:`([^`]{0,2000})`(?:__?)?|`([^`]{0,2000})`:[\w:+.-]{1,60}:")
_TARGET = re.compile(r"\s*<[^<>]{0,500}>$")
_DIRECTIVE = re.compile(r"\.\. [^\n]{0,200}?::[^\S\n]*(?P<argument>[^\n]*)\n?(?P<rest>.*)", re.S)
_REFUSED = re.compile(r"\.\. (?:raw|include)::", re.I)
_OPTION = re.compile(r"[^\S\n]*:[\w-]{1,60}:[^\n]*(?:\n|$)")
_MOST_PUT, _MOST_LEVELS = 20_000, 30
"""Nodes that all substitutions together may put in place, and how deep they may refer to each other."""
_DEEPEST = 3
"""Directives within directives that are unknown to docutils."""
_ABOUT = {
    "author": "authors", "authors": "authors", "date": "created", "version": "version", "revision": "revision",
    "organization": "organization", "contact": "contact", "copyright": "copyright", "keywords": "keywords",
    "tags": "keywords", "status": "status", "language": "language", "description": "description",
}  # fmt: skip
_DROPPED = frozenset({"comment", "substitution_definition", "raw", "pending", "meta", "decoration", "image", "label"})


def read_tree(text: str) -> "document":
    """The tree of a text; no file is read or included, no configuration looked for, and messages stay in the tree.

    Raises:
        ValueError: docutils gives up on it.
    """
    from docutils import ApplicationError
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser
    from docutils.transforms.references import Footnotes, Substitutions
    from docutils.utils import new_document

    settings = get_default_settings(Parser)
    for name, value in _SETTINGS.items():
        setattr(settings, name, value)
    tree = new_document("document", settings)
    try:
        Parser().parse(text, tree)
        if not _multiplies(tree):
            Substitutions(tree).apply()
        Footnotes(tree).apply()
    except (ApplicationError, AttributeError, ValueError, IndexError, TypeError, KeyError, AssertionError) as error:
        raise ValueError(f"docutils cannot read it: {' '.join(str(error).split())[:200]}") from None
    return tree


_SETTINGS = {
    "file_insertion_enabled": False, "raw_enabled": False, "report_level": 5, "halt_level": 5, "warning_stream": False,
    "syntax_highlight": "none", "smart_quotes": False, "_disable_config": True, "line_length_limit": 10_000_000,
    "input_encoding": "unicode",
}  # fmt: skip


def _multiplies(tree: "document") -> bool:
    """Whether what is to be put in place of names would be many times as long as the text."""
    from docutils.nodes import substitution_reference

    sizes: dict[str, int] = {}
    definitions = {name.lower(): node for name, node in tree.substitution_defs.items()}
    inner = {
        name: [str(one.get("refname", "")).lower() for one in node.findall(substitution_reference)]
        for name, node in definitions.items()
    }
    for _ in range(_MOST_LEVELS):
        sizes = {name: 1 + sum(min(sizes.get(one, 1), _MOST_PUT) for one in inner[name]) for name in definitions}
    used = (str(one.get("refname", "")).lower() for one in tree.findall(substitution_reference))
    return sum(sizes.get(name, 0) for name in used) > _MOST_PUT


class RstWriter:
    """Writes nodes, in order, into a draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.about: dict[str, str] = {}
        """What the fields at the top of the file say."""
        self._lists: list[Callable[[int], str]] = []
        self._unknown = 0

    def write(self, tree: "Element") -> None:
        """Append a whole tree."""
        nodes = list(tree.children)
        first = nodes[0].children if nodes and type(nodes[0]).__name__ == "section" else nodes
        for place, node in enumerate(first[:2]):
            if type(node).__name__ == "field_list" and (place == 0 or first is not nodes):
                self._docinfo(node)
                node.parent.remove(node)
                break
        self._blocks(tree.children, 1)

    def _blocks(self, nodes: Sequence[Any], level: int) -> None:
        for node in nodes:
            name = type(node).__name__
            if name in _DROPPED:
                continue
            written = getattr(self, f"_{name}", None)
            if written is not None:
                written(node, level)
            elif _is_text(node):
                self._draft.add(BlockKind.PARAGRAPH, _words(node), label=name)
            else:
                self._blocks(node.children, level)

    def _section(self, node: Any, level: int) -> None:
        title = node.children[0] if node.children else None
        if title is not None and type(title).__name__ == "title":
            self._draft.add(BlockKind.HEADING, _words(title), level=min(level, 6), label="section")
            self._blocks(node.children[1:], level + 1)
        else:
            self._blocks(node.children, level + 1)

    def _title(self, node: Any, level: int) -> None:
        self._draft.add(BlockKind.PARAGRAPH, _words(node), label="title")

    def _paragraph(self, node: Any, level: int) -> None:
        self._links(node)
        self._draft.add(BlockKind.PARAGRAPH, _words(node), label="paragraph")

    def _line_block(self, node: Any, level: int) -> None:
        lines = [_words(line) for line in node.findall(lambda one: type(one).__name__ == "line")]
        self._draft.add(BlockKind.PARAGRAPH, "\n".join(lines), label="line_block")

    def _literal_block(self, node: Any, level: int) -> None:
        language = next((one for one in node.get("classes", ()) if one != "code"), "code")
        self._draft.add(BlockKind.CODE, node.astext(), label=language)

    def _doctest_block(self, node: Any, level: int) -> None:
        self._draft.add(BlockKind.CODE, node.astext(), label="python")

    def _math_block(self, node: Any, level: int) -> None:
        self._draft.add(BlockKind.FORMULA, node.astext(), label="math")

    def _bullet_list(self, node: Any, level: int) -> None:
        self._items(node, level, lambda number: "")

    def _enumerated_list(self, node: Any, level: int) -> None:
        self._items(node, level, _numbering(node))

    def _items(self, node: Any, level: int, marker: Callable[[int], str]) -> None:
        self._lists.append(marker)
        depth = len(self._lists)
        for number, item in enumerate(node.children):
            lead: list[str] = []
            rest = list(item.children)
            while rest and type(rest[0]).__name__ == "paragraph":
                self._links(rest[0])
                lead.append(_words(rest.pop(0)))
            self._draft.add(BlockKind.LIST_ITEM, marker(number) + "\n".join(lead), level=depth, label="list_item")
            self._blocks(rest, level)
        self._lists.pop()

    def _definition_list_item(self, node: Any, level: int) -> None:
        terms = [_words(child) for child in node.children if type(child).__name__ in ("term", "classifier")]
        self._draft.add(BlockKind.PARAGRAPH, " : ".join(terms), label="term")
        self._blocks([child for child in node.children if type(child).__name__ == "definition"], level)

    def _field(self, node: Any, level: int) -> None:
        self._pair(_words(node.children[0]), node.children[1:], level)

    def _option_list_item(self, node: Any, level: int) -> None:
        self._pair(_words(node.children[0]), node.children[1:], level)

    def _pair(self, name: str, bodies: Sequence[Any], level: int) -> None:
        """A name with its text in one line, where the text is short enough for that."""
        blocks = [block for body in bodies for block in body.children]
        if len(blocks) == 1 and type(blocks[0]).__name__ == "paragraph":
            self._draft.add(BlockKind.LIST_ITEM, f"{name}: {_words(blocks[0])}", level=len(self._lists) + 1)
        else:
            self._draft.add(BlockKind.PARAGRAPH, f"{name}:" if blocks else name, label="field")
            self._blocks(blocks, level)

    def _footnote(self, node: Any, level: int) -> None:
        label = next((_words(one) for one in node.children if type(one).__name__ == "label"), "")
        words = [_words(one) for one in node.children if type(one).__name__ != "label"]
        self._draft.add(BlockKind.FOOTNOTE, f"[{label}] " + "\n".join(words), label="footnote")

    _citation = _footnote

    def _figure(self, node: Any, level: int) -> None:
        for picture in node.findall(lambda one: type(one).__name__ == "image"):
            self._image(picture, level)
        self._blocks(node.children, level)

    def _image(self, node: Any, level: int) -> None:
        self._draft.add(BlockKind.FIGURE, str(node.get("alt") or ""), label="image")

    def _caption(self, node: Any, level: int) -> None:
        self._draft.add(BlockKind.CAPTION, _words(node), label="caption")

    def _table(self, node: Any, level: int) -> None:
        for child in node.children:
            if type(child).__name__ == "title":
                self._draft.add(BlockKind.CAPTION, _words(child), label="caption")
        rows = [
            tuple(_cell(entry, header=type(row.parent).__name__ == "thead") for entry in row.children)
            for row in node.findall(lambda one: type(one).__name__ == "row")
        ]
        self._draft.add_table(Table(tuple(rows)))

    def _system_message(self, node: Any, level: int) -> None:
        """What docutils complains about; of a directive that it does not know, the words."""
        blocks = [one.astext() for one in node.children if type(one).__name__ == "literal_block"]
        for block in blocks:
            directive = _DIRECTIVE.match(block)
            if self._unknown >= _DEEPEST:
                self._draft.add(BlockKind.PARAGRAPH, unwrapped(block), label="directive")
            elif directive is not None and not _REFUSED.match(block):
                self._unknown += 1
                self._directive(directive["argument"], directive["rest"], level)
                self._unknown -= 1

    def _directive(self, argument: str, rest: str, level: int) -> None:
        self._draft.add(BlockKind.PARAGRAPH, argument, label="directive")
        body = textwrap.dedent(rest)
        while (option := _OPTION.match(body)) is not None:
            body = body[option.end() :]
        if body.strip():
            self._blocks(read_tree(body).children, level)

    def _docinfo(self, node: Any) -> None:
        for field in node.children:
            name = " ".join(field.children[0].astext().lower().split())
            text = _words(field.children[1]) if len(field.children) > 1 else ""
            key = _ABOUT.get(name, name)
            if name == "authors":
                text = "; ".join(part.strip() for part in re.split(r"[;\n]|, ", text) if part.strip())
            if key == "created":
                text = iso_date(text.strip("$ ").removeprefix("Date: ")) or text
            self.about.setdefault(key, text)

    def _links(self, node: Any) -> None:
        for reference in node.findall(lambda one: type(one).__name__ == "reference"):
            self._draft.add_link(reference.astext(), str(reference.get("refuri") or ""))


def _is_text(node: Any) -> bool:
    return (
        not node.children or type(node).__name__ == "Text" or any(type(one).__name__ == "Text" for one in node.children)
    )


def _words(node: Any) -> str:
    """The text of a node in one line, roles that docutils does not know taken away from their words."""
    text = unwrapped(node.astext())
    return _ROLE.sub(_named, text) if "`" in text else text


def _named(match: re.Match[str]) -> str:
    inner = match.group(1) or match.group(2) or ""
    return _TARGET.sub("", inner).lstrip("~!") or inner


def _cell(entry: Any, *, header: bool) -> Cell:
    spans = (int(entry.get("morecols", 0)) + 1, int(entry.get("morerows", 0)) + 1)
    return Cell(_words(entry), header=header, colspan=spans[0], rowspan=spans[1])


def _numbering(node: Any) -> Callable[[int], str]:
    start, kind = int(node.get("start", 1)), node.get("enumtype", "arabic")
    before, after = str(node.get("prefix", "")), str(node.get("suffix", "."))
    if kind in ("loweralpha", "upperalpha"):
        first = "a" if kind == "loweralpha" else "A"
        return lambda number: f"{before}{chr(ord(first) + (start - 1 + number) % 26)}{after} "
    return lambda number: f"{before}{start + number}{after} "
