"""A `<table>` element -> a Table; what an element shows as text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from docpipe.parse.web.hiding import is_hidden
from docpipe.tables import Cell, Table

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SKIPPED = frozenset({
    "script", "style", "template", "head", "noscript", "iframe", "object", "embed", "applet", "svg", "canvas",
    "video", "audio", "map", "select", "datalist", "button", "input", "textarea", "dialog", "frameset", "noframes",
})  # fmt: skip
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li",
    "main", "menu", "nav", "ol", "p", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "ul", "caption", "option", "pre", "h1", "h2", "h3", "h4", "h5", "h6",
})  # fmt: skip
_LARGEST_SPAN = 1_000
_LONGEST_CELL = 300
"""A cell of data is rarely longer; one that places a part of the page is, in characters."""


def is_layout(table: "HtmlElement") -> bool:
    """Whether a table only places things on the page.

    It says so, or holds headings or forms, or has but one cell a row and no header, or it holds tables and more
    text in one cell than a cell of data would.
    """
    if table.get("role") in ("presentation", "none"):
        return True
    if next(table.iterdescendants("h1", "h2", "h3", "nav", "form", "article"), None) is not None:
        return True
    cells = [cell for row in _rows(table) for cell in row.iterchildren("td", "th")]
    if next(table.iterdescendants("table"), None) is not None:
        return any(map(_is_long, cells))
    single = all(sum(1 for _ in row.iterchildren("td", "th")) < 2 for row in _rows(table))
    return single and not any(cell.tag == "th" for cell in cells)


def _is_long(cell: "HtmlElement") -> bool:
    """Whether a cell has more text than data would; stops counting there."""
    length = 0
    for text in cell.itertext():
        length += len(text.strip())
        if length > _LONGEST_CELL:
            return True
    return False


def _rows(table: "HtmlElement") -> Iterator["HtmlElement"]:
    """A table's own rows, in order; those of tables within it are not its own."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from child.iterchildren("tr")


def table_of(element: "HtmlElement") -> Table:
    """The rows and cells of a table element, spans kept; a cell is a header by `<th>` or by standing in `<thead>`."""
    rows = []
    for row in _rows(element):
        if is_hidden(row):
            continue
        in_head = next(row.iterancestors(), element).tag == "thead"
        cells = tuple(_cell(cell, in_head) for cell in row.iterchildren("td", "th") if not is_hidden(cell))
        if cells:
            rows.append(cells)
    return Table(tuple(rows))


def _cell(element: "HtmlElement", in_head: bool) -> Cell:
    return Cell(
        text=" ".join(visible_text(element).split()),
        header=in_head or element.tag == "th",
        colspan=min(_LARGEST_SPAN, max(1, number(element.get("colspan"), 1))),
        rowspan=min(_LARGEST_SPAN, max(1, number(element.get("rowspan"), 1))),
    )


def visible_text(element: "HtmlElement") -> str:
    """What an element shows, its blocks and line breaks parted by blanks."""
    return "".join(shown(element, block=" ", line=" "))


def shown(element: "HtmlElement", *, block: str, line: str) -> Iterator[str]:
    """What an element shows, in pieces: `block` stands at both ends of a block element, `line` for `<br>`."""
    from lxml import etree

    walker = etree.iterwalk(element, events=("start", "end"))
    for event, inner in walker:
        if event == "end":
            yield block if inner.tag in BLOCKS else ""
            yield (inner.tail or "") if inner is not element else ""
        elif inner.tag in SKIPPED or is_hidden(inner):
            walker.skip_subtree()
        else:
            yield line if inner.tag == "br" else block if inner.tag in BLOCKS else ""
            yield inner.text or ""


def number(text: str | None, default: int) -> int:
    """An attribute's whole number, or the default where it is missing or none."""
    try:
        return int(text) if text else default
    except ValueError:
        return default
