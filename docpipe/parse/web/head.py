"""The head of an HTML page -> title, author, date, language, encoding (pure)."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w:.-]{1,40})", re.I)
_NAMES = {
    "title": ("og:title", "citation_title", "dc.title", "dcterms.title"),
    "author": ("author", "article:author", "citation_author", "dc.creator", "dcterms.creator", "parsely-author"),
    "date": ("article:published_time", "citation_publication_date", "date", "dc.date", "dcterms.date", "pubdate",
             "parsely-pub-date", "publish-date", "datepublished"),
    "description": ("description", "og:description"),
    "site": ("og:site_name",),
}  # fmt: skip
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def declared_encoding(data: bytes) -> str:
    """What `<meta charset>` or the XML declaration says, within the first 4 KB; nothing where there is none."""
    match = _CHARSET.search(data[:4096])
    return match.group(1).decode("ascii") if match else ""


def of(tree: "HtmlElement") -> dict[str, str]:
    """What a page says about itself: `title`, `author`, `date` (ISO 8601 day), `language`, `description`, `url`."""
    said = _meta(tree)
    found = {name: next((said[key] for key in keys if said.get(key)), "") for name, keys in _NAMES.items()}
    for name, value in _linked_data(tree).items():
        found[name] = found[name] or value
    if found["author"].startswith(("http://", "https://")):
        found["author"] = ""
    found["date"] = _day(found["date"] or _first_time(tree))
    found["title"] = found["title"] or _text_of(tree, "title")
    found["language"] = _language(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "")
    found["url"] = next((link.get("href", "") for link in tree.iter("link") if link.get("rel") == "canonical"), "")
    return found


def _meta(tree: "HtmlElement") -> dict[str, str]:
    said: dict[str, str] = {}
    for element in tree.iter("meta"):
        key = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = element.get("content")
        if key and content:
            said.setdefault(key.lower(), content[:1000])
    return said


def article_body(tree: "HtmlElement") -> str:
    """The text of a schema.org article that the page carries as data, for pages that are drawn by scripts."""
    bodies = (item.get("articleBody") for item in _linked_objects(tree))
    return next((body for body in bodies if isinstance(body, str)), "")


def _linked_data(tree: "HtmlElement") -> dict[str, str]:
    """Headline, author and day of a schema.org article."""
    for item in _linked_objects(tree):
        if "datePublished" in item and ("headline" in item or "author" in item):
            author = _name(item.get("author"))
            values = {"title": item.get("headline"), "date": item["datePublished"], "author": author}
            return {key: value for key, value in values.items() if isinstance(value, str)}
    return {}


def _linked_objects(tree: "HtmlElement") -> Iterator[dict[str, Any]]:
    """The objects of a page's JSON-LD scripts; what is no JSON is passed over."""
    for script in tree.iter("script"):
        if script.get("type") != "application/ld+json" or not script.text or len(script.text) > 200_000:
            continue
        try:
            data = json.loads(script.text)
        except (ValueError, RecursionError):
            continue
        yield from _objects(data)


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
        data = data.get("@graph", [])
    if isinstance(data, list):
        yield from (item for item in data[:50] if isinstance(item, dict))


def _name(author: Any) -> str:
    if isinstance(author, list):
        return ", ".join(filter(None, map(_name, author[:10])))
    if isinstance(author, dict):
        author = author.get("name")
    return author if isinstance(author, str) else ""


def _first_time(tree: "HtmlElement") -> str:
    return next((time.get("datetime", "") for time in tree.iter("time") if time.get("datetime")), "")


def _day(text: str) -> str:
    match = _DATE.match(text.strip())
    return match.group() if match else ""


def _text_of(tree: "HtmlElement", tag: str) -> str:
    element = next(tree.iter(tag), None)
    return " ".join("".join(element.itertext()).split())[:500] if element is not None else ""


def _language(tag: str) -> str:
    return tag.strip().replace("_", "-") if _LANGUAGE.fullmatch(tag.strip()) else ""
