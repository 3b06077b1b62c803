"""The account that a zipped document gives of itself, its elements -> metadata (pure)."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from docpipe._dates import iso_date
from docpipe.parse.office.package import Package
from docpipe.parse.properties import named, people, words

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_CORE = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
CORE = {
    f"{_DC}title": "title",
    f"{_DC}creator": "authors",
    f"{_DC}subject": "subject",
    f"{_DC}description": "description",
    f"{_DC}language": "language",
    f"{_TERMS}created": "created",
    f"{_TERMS}modified": "modified",
    f"{_CORE}keywords": "keywords",
}
"""Elements of `docProps/core.xml`."""
OPEN = {
    **CORE,
    f"{_DC}date": "modified",
    f"{_DC}creator": "last_author",
    f"{_META}initial-creator": "authors",
    f"{_META}creation-date": "created",
    f"{_META}keyword": "keywords",
}
"""Elements of `meta.xml`."""
BOOK = {**CORE, f"{_DC}date": "created", f"{_DC}subject": "keywords", f"{_DC}publisher": "publisher"}
"""Elements of a book's `metadata`."""
_LONGEST = 1_000


def core_properties(package: Package) -> dict[str, str]:
    """What the package says of itself, as `properties` gives it."""
    tree = package.tree("docProps/core.xml")
    return properties(tree, CORE) if tree is not None else {}


def properties(elements: Iterable["Element"], names: Mapping[str, str]) -> dict[str, str]:
    """`title`, `authors`, `created`, `modified`, `language`, `keywords` and other texts, as far as elements give them.

    Args:
        elements: in order; of several with one name, authors and keywords are joined, of others the first counts.
    """
    found: dict[str, list[str]] = {}
    for element in elements:
        name = names.get(element.tag) if isinstance(element.tag, str) else None
        text = "".join(element.itertext()).strip()[:_LONGEST] if name else ""
        if name and text:
            found.setdefault(name, []).append(text)
    last = found.pop("last_author", [])
    found.setdefault("authors", last)
    return {name: _FORMS.get(name, _first)(texts) for name, texts in found.items()}


def _first(texts: list[str]) -> str:
    return texts[0]


def _moment(texts: list[str]) -> str:
    return iso_date(texts[0])


_FORMS: Mapping[str, Callable[[list[str]], str]] = {
    "title": lambda texts: named(texts[0]),
    "authors": people,
    "keywords": words,
    "created": _moment,
    "modified": _moment,
}
