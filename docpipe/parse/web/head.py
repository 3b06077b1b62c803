"""The head of an HTML page -> title, authors, dates, language, encoding (pure)."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from docpipe._dates import iso_date
from docpipe.parse.properties import people, words

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w:.-]{1,40})", re.I)
_TITLES = ("og:title", "citation_title", "dc.title", "dcterms.title")
_AUTHORS = ("author", "article:author", "citation_author", "dc.creator", "dcterms.creator", "parsely-author")
_CREATED = (
    "article:published_time", "citation_publication_date", "date", "dc.date", "dcterms.date", "dcterms.created",
    "pubdate", "parsely-pub-date", "publish-date", "datepublished",
)  # fmt: skip
_MODIFIED = ("article:modified_time", "dcterms.modified", "og:updated_time", "last-modified", "datemodified", "revised")
_KEYWORDS = ("keywords", "news_keywords", "citation_keywords", "article:tag", "dc.subject", "parsely-tags")
_DESCRIPTIONS = ("description", "og:description")
_MOST_VALUES = 100
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def declared_encoding(data: bytes) -> str:
    """What `<meta charset>` or the XML declaration says, within the first 4 KB; nothing where there is none."""
    match = _CHARSET.search(data[:4096])
    return match.group(1).decode("ascii") if match else ""


def of(tree: "HtmlElement") -> dict[str, str]:
    """What a page says about itself.

    `title`, `authors` (parted by `; `), `created` and `modified` (ISO 8601), `language`, `keywords` (parted by `, `),
    `description`, `site`, `url`; empty where it does not say.
    """
    said, linked = _meta(tree), _linked_data(tree)
    created = _first(said, _CREATED) or linked.get("datePublished", "") or _first_time(tree)
    return {
        "title": _first(said, _TITLES) or linked.get("headline", "") or _text_of(tree, "title"),
        "authors": _joined(said, _AUTHORS, people) or people([linked.get("author", "")]),
        "created": iso_date(created),
        "modified": iso_date(_first(said, _MODIFIED) or linked.get("dateModified", "")),
        "language": _language(tree),
        "keywords": _joined(said, _KEYWORDS, words) or words([linked.get("keywords", "")]),
        "description": _first(said, _DESCRIPTIONS),
        "site": _first(said, ("og:site_name",)),
        "url": next((link.get("href", "") for link in tree.iter("link") if link.get("rel") == "canonical"), ""),
    }


def _meta(tree: "HtmlElement") -> dict[str, list[str]]:
    """Names of `<meta>` in small letters -> what stands there, in order."""
    said: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        about = element.attrib
        key = about.get("property") or about.get("name") or about.get("itemprop") or about.get("http-equiv") or ""
        content = (about.get("content") or "").strip()
        if key and content and len(said.get(key.lower(), ())) < _MOST_VALUES:
            said.setdefault(key.lower(), []).append(content[:1000])
    return said


def _first(said: dict[str, list[str]], keys: Sequence[str]) -> str:
    return next((said[key][0] for key in keys if key in said), "")


def _joined(said: dict[str, list[str]], keys: Sequence[str], form: Callable[[Sequence[str]], str]) -> str:
    """All values of the first name that says anything, in the form of authors or of keywords."""
    return next(filter(None, (form(said.get(key, ())) for key in keys)), "")


def article_body(tree: "HtmlElement") -> str:
    """The text of a schema.org article that the page carries as data, for pages that are drawn by scripts."""
    bodies = (item.get("articleBody") for item in _linked_objects(tree))
    return next((body for body in bodies if isinstance(body, str)), "")


def _linked_data(tree: "HtmlElement") -> dict[str, str]:
    """Texts of a schema.org article by their names; several authors or keywords are one text, parted by `;`."""
    for item in _linked_objects(tree):
        if "datePublished" in item and ("headline" in item or "author" in item):
            values = {**item, "author": _name(item.get("author")), "keywords": _name(item.get("keywords"))}
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
        return "; ".join(filter(None, map(_name, author[:_MOST_VALUES])))
    if isinstance(author, dict):
        author = author.get("name")
    return author if isinstance(author, str) else ""


def _first_time(tree: "HtmlElement") -> str:
    return next((time.get("datetime", "") for time in tree.iter("time") if time.get("datetime")), "")


def _text_of(tree: "HtmlElement", tag: str) -> str:
    element = next(tree.iter(tag), None)
    return " ".join("".join(element.itertext()).split())[:500] if element is not None else ""


def _language(tree: "HtmlElement") -> str:
    tag = (tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip()
    return tag.replace("_", "-") if _LANGUAGE.fullmatch(tag) else ""
