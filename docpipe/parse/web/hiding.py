"""An HTML tree -> which of its elements no reader sees, and what they say."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_END = r"\s*(?:!\s*important\s*)?(?:[;}]|$)"
_HIDING = re.compile(
    rf"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?(?:\.0+|0){_END}"
    r"|(?:left|right|top|text-indent|margin-left)\s*:\s*-\d{3,}(?:\.\d+)?\s*(?:px|pt|r?em|vw|vh|%)"
    r"|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?|clip-path\s*:\s*inset\(\s*(?:50|100)%"
    rf"|(?:^|;|\s)color\s*:\s*(?:transparent|rgba\([^)]*,\s*0?(?:\.0+|0)\s*\)){_END}",
    re.I,
)
_FOLDED = re.compile(rf"(?:^|;|\s)(?:max-)?(?:height|width)\s*:\s*[01](?:px)?{_END}", re.I)
_CUT_OFF = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.I)
_TINY = re.compile(
    rf"font-size\s*:\s*(?:0+(?:\.0+)?\s*(?:px|pt|r?em|%)?|0?\.\d+\s*(?:px|pt)|1(?:\.\d+)?\s*(?:px|pt)){_END}", re.I
)
_WHITE = re.compile(
    r"(?:^|;|\s)color\s*:\s*(?:#f[ef]f[ef]f[ef]\b|#fff\b|white\b|rgba?\(\s*25[0-5]\s*,\s*25[0-5]\s*,\s*25[0-5]\b)", re.I
)
_GROUND = re.compile(r"(?:^|;|\s)background(?:-color|-image)?\s*:\s*([^;]+)", re.I)
_WHITE_GROUND = re.compile(r"\s*(?:#f[ef]f[ef]f[ef]\b|#fff\b|white\b)", re.I)
_CLASSES = frozenset({"sr-only", "visually-hidden", "screen-reader-text", "visuallyhidden"})
_BRACE = re.compile(r"[{}]")
_NAME = re.compile(r"\s*([.#])([A-Za-z_][\w-]{0,100})\s*")
_MOST_COMMENTS = 2_000
_DEEPEST = 50
"""Elements around one, of which the ground is looked for."""
_LONGEST_STYLES = 200_000
_MOST_HIDDEN = 0.3
"""Of a page's text: where its own styles hide more, a script shows it."""


def is_hidden(element: "HtmlElement") -> bool:
    """Whether a reader does not see it: `hidden`, `aria-hidden`, inline styles, classes for screen readers only."""
    attributes = element.attrib
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    style = attributes.get("style")
    if style and _is_hiding(style, element):
        return True
    return "class" in attributes and not _CLASSES.isdisjoint(attributes["class"].split())


def mark(tree: "HtmlElement") -> None:
    """Give elements that the page's own style sheets hide the attribute `hidden`; conditions (`@media`) hide none."""
    sheets = "".join(element.text or "" for element in tree.iter("style"))[:_LONGEST_STYLES]
    names = _hiding_names(sheets) if _HIDING.search(sheets) or _TINY.search(sheets) else set()
    found = list(_outermost(tree, names)) if names else []
    if not found:
        return
    hidden = sum(len(text) for element in found for text in element.itertext())
    if hidden <= _MOST_HIDDEN * sum(map(len, tree.itertext())):
        for element in found:
            element.set("hidden", "")


def unseen(tree: "HtmlElement", text: str) -> Iterator[str]:
    """What hidden elements and `<noscript>` say, and the comments of the page's text."""
    from lxml import etree

    walker = etree.iterwalk(tree, events=("start",), tag=etree.Element)
    for _, element in walker:
        if element.tag == "noscript" or is_hidden(element):
            yield " ".join(etree.tostring(element, method="text", encoding="unicode", with_tail=False).split())
            walker.skip_subtree()
    yield from comments(text)


def comments(text: str) -> Iterator[str]:
    """What the comments of a page's text say."""
    end = 0
    for _ in range(_MOST_COMMENTS):
        start = text.find("<!--", end)
        end = text.find("-->", start + 4) if start >= 0 else -1
        if end < 0:
            return
        yield unescape(text[start + 4 : end])


def _is_hiding(style: str, element: "HtmlElement") -> bool:
    if _HIDING.search(style) or (_CUT_OFF.search(style) and _FOLDED.search(style)):
        return True
    if _TINY.search(style):  # a usual trick against gaps between columns: what is inside has a size of its own
        return not any("style" in inner.attrib or "class" in inner.attrib for inner in element.iterdescendants())
    return _WHITE.search(style) is not None and _is_on_white(element)


def _is_on_white(element: "HtmlElement") -> bool:
    """Whether nothing but white paper is known to be behind an element, and no style sheet says otherwise."""
    for outer in (element, *islice(element.iterancestors(), _DEEPEST)):
        ground = _GROUND.search(outer.get("style") or "")
        if ground:
            return _WHITE_GROUND.match(ground[1]) is not None
        if "class" in outer.attrib or "id" in outer.attrib or "bgcolor" in outer.attrib or "background" in outer.attrib:
            return False
    return True


def _hiding_names(sheet: str) -> set[str]:
    """Classes and ids (`.name`, `#name`) that a rule hides for themselves alone."""
    names: set[str] = set()
    for selectors, rule in _rules(sheet):
        if _HIDING.search(rule) or _TINY.search(rule):
            alone = (_NAME.fullmatch(selector) for selector in selectors.rpartition("*/")[2].split(","))
            names.update(name[1] + name[2] for name in alone if name)
    return names


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations of the rules that stand in no condition (`@media ... {}`)."""
    depth = at = 0
    selectors = ""
    for brace in _BRACE.finditer(sheet):
        if brace[0] == "{":
            if depth == 0:
                selectors, at = sheet[at : brace.start()], brace.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                if not selectors.lstrip().startswith("@"):
                    yield selectors, sheet[at : brace.start()]
                at = brace.end()


def _outermost(tree: "HtmlElement", names: set[str]) -> "Iterator[HtmlElement]":
    from lxml import etree

    walker = etree.iterwalk(tree, events=("start",), tag=etree.Element)
    for _, element in walker:
        if not names.isdisjoint(_names(element)):
            yield element
            walker.skip_subtree()


def _names(element: "HtmlElement") -> Iterator[str]:
    if isinstance(element.tag, str) and element.attrib:
        yield from ("." + name for name in element.get("class", "").split())
        yield "#" + element.get("id", "")
