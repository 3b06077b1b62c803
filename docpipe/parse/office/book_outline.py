"""The table of contents of a book -> its lines (pure)."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from docpipe.parse.office.names import local, value
from docpipe.parse.office.package import Package, joined

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_DEEPEST = 12
_TYPE = "{http://www.idpf.org/2007/ops}type"
_OLD = "application/x-dtbncx+xml"


def book_outline(package: Package, contents: "Element", name: str) -> Iterator[tuple[int, str]]:
    """Level (from 1) and words of each line: from the navigation page, or from the older form of it.

    Args:
        contents: the part that lists all others.
        name: that part's own.
    """
    items = [item for item in contents.iter() if local(item) == "item"]
    pages = [item for item in items if "nav" in value(item, "properties").split()]
    for item in pages or [item for item in items if value(item, "media-type") == _OLD]:
        tree = package.tree(joined(posixpath.dirname(name), value(item, "href")))
        if tree is None:
            continue
        roots = [part for part in tree.iter() if _is_toc(part)]
        for root in roots[:1]:
            yield from _lines(root, 0)
        if roots:
            return


def _is_toc(element: "Element") -> bool:
    return local(element) == "navMap" or (local(element) == "nav" and "toc" in value(element, _TYPE).split())


def _lines(parent: "Element", level: int) -> Iterator[tuple[int, str]]:
    """Lines below an element: `li` with its first link, or `navPoint` with its label."""
    if level > _DEEPEST:
        return
    for child in parent:
        name = local(child)
        if name in ("li", "navPoint"):
            label = next((part for part in child if local(part) in ("a", "span", "navLabel")), None)
            if label is not None:
                yield level + 1, " ".join("".join(label.itertext()).split())
            yield from _lines(child, level + 1)
        elif name == "ol":
            yield from _lines(child, level)
