"""A PyMuPDF document -> what it says of itself, its bookmarks, and where its pages lead."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docpipe._dates import iso_date
from docpipe.parse.links import MOST_LINKS, link_of
from docpipe.parse.page.lettering import storable
from docpipe.parse.page.outline import Entry
from docpipe.parse.properties import people, words
from docpipe.types import Link

if TYPE_CHECKING:
    import pymupdf
    from lxml.etree import _Element as Element

_MOST_LINES = 5_000
"""Of an outline."""
_MOST_ON_PAGE = 500
"""Links of one page."""
_XMP_BYTES = 500_000
"""More is no account of a file but data put into it."""
_DC, _XAP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/}"
_PDF, _RDF = "{http://ns.adobe.com/pdf/1.3/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP = {
    "title": (f"{_DC}title",),
    "authors": (f"{_DC}creator",),
    "keywords": (f"{_DC}subject", f"{_PDF}Keywords"),
    "subject": (f"{_DC}description",),
    "created": (f"{_XAP}CreateDate", f"{_DC}date"),
    "modified": (f"{_XAP}ModifyDate",),
    "language": (f"{_DC}language",),
}
_ASKED = ("title", "authors", "created", "modified", "keywords")
"""The XMP packet is read where the file's Info says nothing of one of these."""


def metadata(document: "pymupdf.Document") -> dict[str, str]:
    """`title` as it stands, junk included; `authors`, `created`, `modified`, `keywords`, `subject`, `language`.

    Of the file's Info, and of its XMP packet what the Info does not say. Raises what PyMuPDF raises.
    """
    info: Mapping[str, Any] = document.metadata or {}
    said = {key: storable(str(info.get(key) or ""))[0] for key in ("title", "author", "subject", "keywords")}
    found = {
        "title": said["title"],
        "authors": people([said["author"]]),
        "subject": said["subject"],
        "keywords": words([said["keywords"]]),
        "created": iso_date(str(info.get("creationDate") or "")),
        "modified": iso_date(str(info.get("modDate") or "")),
        "language": storable(str(document.language or ""))[0],
    }
    if not all(found[name] for name in _ASKED):
        more = _of_xmp(document.get_xml_metadata() or "")
        found = {name: value or more.get(name, "") for name, value in found.items()}
    return found


def outline(document: "pymupdf.Document") -> tuple[Entry, ...]:
    """The bookmarks. Raises what PyMuPDF raises."""
    entries = document.get_toc(simple=True)
    return tuple(Entry(int(level), storable(str(title))[0], int(page)) for level, title, page in entries[:_MOST_LINES])


def links(page: "pymupdf.Page", number: int) -> tuple[Link, ...]:
    """Addresses that a page links to, with the words that stand there; a link over several lines is one.

    Raises what PyMuPDF raises.

    Args:
        number: of the page, from 1.
    """
    found = [(str(one["uri"]), one["from"]) for one in page.get_links()[:_MOST_ON_PAGE] if one.get("uri")]
    if not found:
        return ()
    printed = page.get_textpage().extractWORDS()
    middles = [((word[0] + word[2]) / 2, (word[1] + word[3]) / 2, word[4]) for word in printed]
    told: list[tuple[str, list[str]]] = []
    for url, box in found:
        place = box * page.derotation_matrix  # words stand as before the page was turned, links as after
        shown = storable(" ".join(word for left, top, word in middles if _is_in(place, left, top)))[0]
        if told and told[-1][0] == url:
            told[-1][1].append(shown)
        else:
            told.append((url, [shown]))
    made = (link_of(" ".join(parts).rstrip(".,;:"), storable(url)[0], number) for url, parts in told)
    return tuple(link for link in made if link is not None)


def _is_in(box: "pymupdf.Rect", left: float, top: float) -> bool:
    return bool(box.x0 <= left <= box.x1 and box.y0 <= top <= box.y1)


def of_all(pages: Sequence[Sequence[Link]]) -> tuple[Link, ...]:
    """The links of all pages, each once a page, not too many."""
    return tuple(dict.fromkeys(link for some in pages for link in some))[:MOST_LINKS]


def _of_xmp(packet: str) -> dict[str, str]:
    """What an XMP packet says; nothing where it is damaged, or declares entities."""
    from lxml import etree

    if not packet.strip() or len(packet) > _XMP_BYTES or "<!ENTITY" in packet:
        return {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(packet.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return {}
    texts = {name: [text for tag in tags for text in _texts(root, tag)] for name, tags in _XMP.items()}
    return {
        "title": next(iter(texts["title"]), ""),
        "authors": people(texts["authors"]),
        "keywords": words(texts["keywords"]),
        "subject": next(iter(texts["subject"]), ""),
        "created": next(filter(None, map(iso_date, texts["created"])), ""),
        "modified": next(filter(None, map(iso_date, texts["modified"])), ""),
        "language": next((text for text in texts["language"] if text != "x-default"), ""),
    }


def _texts(root: "Element | None", tag: str) -> list[str]:
    """The values of a property: an attribute, a text, or the items of a list."""
    if root is None:
        return []
    found = [value for one in root.iter(f"{_RDF}Description") if (value := one.get(tag))]
    for element in root.iter(tag):
        items = [item.text for item in element.iter(f"{_RDF}li")] or [element.text]
        found += [text for text in items if text and text.strip()]
    return [storable(text)[0] for text in found[:100]]
