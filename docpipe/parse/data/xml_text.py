"""XML -> values with readable paths, or the paragraphs of a text; nothing is expanded or fetched (pure)."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docpipe.parse.data.values import DEEPEST, Record, TooDeep, Value
from docpipe.parse.draft import Draft
from docpipe.tables import Table, grid
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADINGS = frozenset({"title", "head", "heading", "bridgehead"})
_ITEMS = frozenset({"li", "listitem", "list-item", "item"})
_TABLES = frozenset({"table", "informaltable"})
_ROWS = frozenset({"tr", "row"})
_CELLS = frozenset({"td", "th", "entry", "cell"})
_LINES = frozenset({"programlisting", "screen", "literallayout", "pre", "code"})
_FEW, _LONG, _NEARLY_ALL = 2, 200, 0.9
_SPACES = re.compile(r"\s+")


def read_xml(data: bytes) -> "_Element":
    """The root of an XML file: entities stay unread, no declaration or address is followed.

    Raises:
        ValueError: it is no XML, or nested too deeply.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root: _Element | None = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(str(error)[:200]) from None
    if root is None:
        raise ValueError("it has no element")
    if any(len(element.attrib) > _MOST_ATTRIBUTES for element in root.iter()):
        raise ValueError(f"an element has more than {_MOST_ATTRIBUTES:,} attributes")
    return root


_MOST_ATTRIBUTES = 2_000
"""Of one element: reading them takes the square of their number."""


def is_prose(root: "_Element") -> bool:
    """Whether it is a text with marks in it, no list of fields: words stand beside elements in several places, or
    nearly all words stand in long texts."""
    mixed = long = total = 0
    for element in root.iter():
        tail, parent = element.tail, element.getparent()
        if tail and parent is not None and not tail.isspace():
            mixed += 1
            if mixed > _FEW:
                return True
        length = len((element.text or "").strip())
        total += length + sum(map(len, element.attrib.values()))
        long += length if length > _LONG else 0
    return long > total * _NEARLY_ALL


def value_of(root: "_Element") -> Record:
    """The root as a record with one entry; an attribute `id` is the entry `@id`, elements of one name are a list."""
    return Record(((name_of(root), _value(root, 1)),))


def name_of(element: "_Element") -> str:
    """Its name without the namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "&"


def _value(element: "_Element", depth: int) -> Value:
    if depth > DEEPEST:
        raise TooDeep
    entries: list[tuple[str, Value]] = [
        (f"@{key.rpartition('}')[2]}", value) for key, value in element.attrib.items() if value.strip()
    ]
    groups: dict[str, list[Value]] = {}
    for child in element:
        groups.setdefault(name_of(child), []).append(_value(child, depth + 1))
    own = [element.text or "", *(child.tail or "" for child in element)]
    text = " ".join(" ".join(own).split()) if groups else (element.text or "").strip()
    if not entries and not groups:
        return text
    if text:
        entries.append(("text", text))
    entries.extend((name, found[0] if len(found) == 1 else found) for name, found in groups.items())
    return Record(tuple(entries))


def write_prose(root: "_Element", draft: Draft) -> None:
    """Append a text with marks: titles are headings by the depth of their section, then items, tables, paragraphs."""
    from lxml import etree

    writing = _Prose(draft)
    walker: Iterator[Any] = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "start":
            if not writing.begin(element):
                walker.skip_subtree()  # type: ignore[attr-defined]
        else:
            writing.end(element)
    writing.flush()


class _Prose:
    """One pass over the elements: words gather until an element that holds a block begins or ends."""

    def __init__(self, draft: Draft) -> None:
        self._draft, self._words = draft, list[str]()
        self._kind, self._items = BlockKind.PARAGRAPH, 0
        self._mixed = [False]  # of each element that is open: whether words stand beside its elements
        self._skipped: Any = None

    def begin(self, element: "_Element") -> bool:
        name = name_of(element).lower()
        inline = self._mixed[-1]
        self._mixed.append(_is_mixed(element))
        if name in _TABLES or name in _LINES:
            self.flush()
            self._whole(element, name)
            self._skipped = element
            return False
        if name in _HEADINGS or name in _ITEMS or not inline:
            self.flush()
        self._items += name in _ITEMS
        self._kind = BlockKind.HEADING if name in _HEADINGS else self._below()
        self._words.append(element.text or "")
        return True

    def end(self, element: "_Element") -> None:
        name = name_of(element).lower()
        self._mixed.pop()
        if element is self._skipped:
            self._skipped = None
        else:
            if name in _HEADINGS or name in _ITEMS or not self._mixed[-1]:
                self.flush()
            self._items -= name in _ITEMS
        self._kind = self._below()
        self._words.append(element.tail or "")

    def flush(self) -> None:
        text = _SPACES.sub(" ", "".join(self._words)).strip()
        self._words = []
        if not text:
            return
        level = {BlockKind.HEADING: max(1, min(6, len(self._mixed) - 3)), BlockKind.LIST_ITEM: self._items}
        self._draft.add(self._kind, text, level=level.get(self._kind, 0), label="xml")

    def _below(self) -> BlockKind:
        return BlockKind.LIST_ITEM if self._items else BlockKind.PARAGRAPH

    def _whole(self, element: "_Element", name: str) -> None:
        if name in _LINES:
            self._draft.add(BlockKind.CODE, "".join(map(str, element.itertext())), label=name)
        else:
            self._draft.add_table(_table(element))


def _is_mixed(element: "_Element") -> bool:
    """Whether words stand right in it, beside elements: then these go on in its line."""
    if element.text and not element.text.isspace():
        return True
    return any(child.tail and not child.tail.isspace() for child in element)


def _table(element: "_Element") -> Table:
    rows: list[list[str]] = []
    header = 0
    for row in element.iter():
        if name_of(row).lower() not in _ROWS:
            continue
        cells = [cell for cell in row if name_of(cell).lower() in _CELLS]
        rows.append([" ".join("".join(map(str, cell.itertext())).split()) for cell in cells])
        above = row.getparent()
        head = above is not None and name_of(above).lower() == "thead"
        if header == len(rows) - 1 and (head or (cells and all(name_of(cell).lower() == "th" for cell in cells))):
            header = len(rows)
    return grid(rows, header_rows=header)
