"""Books (EPUB) -> their chapters in reading order, as web pages are read."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docpipe._dates import iso_date
from docpipe._encodings import decode
from docpipe.errors import CorruptSource
from docpipe.parse.office.book_outline import book_outline
from docpipe.parse.office.names import local, value
from docpipe.parse.office.package import Package, encrypted, joined, within_depth
from docpipe.parse.office.paper import Paper
from docpipe.parse.office.properties import BOOK, properties
from docpipe.parse.office.web_parts import add_html
from docpipe.parse.web.head import declared_encoding
from docpipe.types import Blob, Document

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
_MOST_CHAPTERS = 5_000
_LARGEST_CHAPTER = 16 << 20


@dataclass(frozen=True, kw_only=True)
class EpubParser:
    """Books without copy protection: everything in the spine, in its order.

    The table of contents is the outline, and no text where it stands outside of the spine.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document, without pages: their number depends on the reader's letters.

        Raises:
            CorruptSource: it names no contents.
            EncryptedSource: its chapters are protected.
            SourceTooLarge: it unpacks to more than is allowed.
        """
        with Package(blob) as package, within_depth(blob.source):
            name = _contents(package)
            tree = package.tree(name)
            if tree is None:
                raise CorruptSource(f"{name} cannot be read", source=blob.source.uri, remedy="fetch the book again")
            chapters = _chapters(tree, posixpath.dirname(name))
            if not _protected(package).isdisjoint(chapters):
                raise encrypted(blob.source)
            paper = Paper()
            for level, words in book_outline(package, tree, name):
                paper.add_outline(level, words)
            for chapter in chapters:
                data = package.read(chapter, most=_LARGEST_CHAPTER)
                add_html(decode(data, declared=declared_encoding(data)).text, paper)
        yield paper.document(blob.source, _properties(tree))


def _contents(package: Package) -> str:
    """Name of the part that lists all others."""
    tree = package.tree("META-INF/container.xml")
    for element in tree.iter() if tree is not None else ():
        if local(element) == "rootfile" and value(element, "full-path") in package:
            return value(element, "full-path")
    found = next((name for name in package.names if name.lower().endswith(".opf")), "")
    if not found:
        raise CorruptSource("the book names no contents", source=package.source.uri, remedy="fetch the book again")
    return found


def _chapters(tree: "Element", folder: str) -> list[str]:
    """Names of the spine's parts."""
    items = {value(item, "id"): item for item in tree.iter() if local(item) == "item"}
    chapters: list[str] = []
    for reference in tree.iter():
        item = items.get(value(reference, "idref")) if local(reference) == "itemref" else None
        if item is not None and value(item, "media-type").lower() in _PAGES:
            chapters.append(joined(folder, value(item, "href")))
    return list(dict.fromkeys(chapters))[:_MOST_CHAPTERS]


def _protected(package: Package) -> set[str]:
    tree = package.tree("META-INF/encryption.xml")
    references = tree.iter() if tree is not None else ()
    return {joined("", value(item, "URI")) for item in references if local(item) == "CipherReference"}


def _properties(tree: "Element") -> dict[str, str]:
    """What the book says of itself; when it was last changed stands in a `meta` of its own."""
    changed = (item.text or "" for item in tree.iter() if value(item, "property") == "dcterms:modified")
    return {**properties(tree.iter(), BOOK), "modified": iso_date(next(changed, ""))}
