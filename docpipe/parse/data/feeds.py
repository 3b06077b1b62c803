"""News feeds (RSS, Atom) -> the title and the text of each entry (pure)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from docpipe._dates import iso_date
from docpipe.parse.data.xml_text import name_of
from docpipe.parse.draft import Draft
from docpipe.parse.web import markup
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_TITLE, _TEXTS = ("title",), ("encoded", "content", "description", "summary", "subtitle")
_DATES = ("pubdate", "published", "date", "updated", "lastbuilddate")
_AUTHORS = ("creator", "author", "managingeditor")


def is_feed(root: "_Element") -> bool:
    """Whether it is a news feed."""
    return name_of(root).lower() in ("rss", "feed", "rdf") and bool(_entries(root))


def write_feed(root: "_Element", draft: Draft) -> dict[str, str]:
    """Append a feed: its title and description, then each entry below its own title; what it says of itself."""
    channel = next((child for child in root if name_of(child).lower() == "channel"), root)
    about = _fields(channel)
    draft.add(BlockKind.HEADING, _text(about, _TITLE), level=1, label="title")
    markup.write(_text(about, _TEXTS), draft)
    for entry in _entries(root):
        fields = _fields(entry)
        draft.add(BlockKind.HEADING, _text(fields, _TITLE), level=2, label="entry")
        draft.add(BlockKind.PARAGRAPH, ", ".join(filter(None, (_date(fields), _text(fields, _AUTHORS)))), label="date")
        markup.write(_text(fields, _TEXTS), draft)
        draft.add_link(_text(fields, _TITLE), _address(entry))
    return {
        "title": _text(about, _TITLE), "authors": _text(about, _AUTHORS), "modified": _date(about),
        "language": _text(about, ("language",)), "url": _address(channel),
    }  # fmt: skip


def _entries(root: "_Element") -> list["_Element"]:
    inside = [*root, *(entry for child in root if name_of(child).lower() == "channel" for entry in child)]
    return [child for child in inside if name_of(child).lower() in ("item", "entry")]


def _fields(element: "_Element") -> Mapping[str, str]:
    """The words of each child by its name in small letters; of two with one name, the first that has words."""
    found: dict[str, str] = {}
    for child in element:
        name = name_of(child).lower()
        if name in ("item", "entry"):
            continue
        text = "".join(map(str, child.itertext())).strip()
        found[name] = found.get(name) or text
    return found


def _text(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _date(fields: Mapping[str, str]) -> str:
    said = _text(fields, _DATES)
    return iso_date(said) or said


def _address(element: "_Element") -> str:
    for child in element:
        if name_of(child).lower() == "link":
            return (child.get("href") or child.text or "").strip()
    return ""
