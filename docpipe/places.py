"""Where something stands in a document, and where a document leads: the smallest of its values."""

from typing import NamedTuple

from docpipe.geometry import PageBox


class Span(NamedTuple):
    """A half open range of code points of a document's text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The part of `text` that this span covers."""
        return text[self.start : self.end]

    def __bool__(self) -> bool:
        return self.end > self.start


class BBox(NamedTuple):
    """A box as fractions of its page, 0 to 1, origin top left."""

    left: float
    top: float
    right: float
    bottom: float

    def on(self, page: int) -> PageBox:
        """This box with its page's number."""
        return PageBox(page, *self)


class OutlineEntry(NamedTuple):
    """A line of a document's outline: its level, from 1, and its page, None where it has none."""

    level: int
    title: str
    page: int | None = None


class Link(NamedTuple):
    """Where a document leads: the words that are linked, and the address, which is never fetched."""

    text: str
    url: str
    page: int | None = None


class Elsewhere(NamedTuple):
    """Where a text stands, too: a document's uri, and the pages, from 1."""

    uri: str
    pages: tuple[int, ...] = ()
