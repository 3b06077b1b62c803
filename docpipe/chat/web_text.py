"""Markdown of a web page -> what a reader of the page would see of it (pure).

Pages of the web are written by anybody, also for machines: what is hidden from people is taken out before anything else
looks at it. What remains is still a stranger's text, and is treated as data by the prompt.
"""

import re
from html import unescape

LONGEST = 120_000
"""Code points of one page that are looked at; the rest is left out."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff\U0001d173-\U0001d17a]+"
)
"""Controls, marks of width and direction, fillers, variation selectors and tags: nothing of them is seen."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>|<\?[^<>]{0,2000}\?>", re.S)
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[a-zA-Z][\w:-]{0,40}+)"
    r"(?P<rest>(?:[^<>=]++|=[^\S\n]*+(?:\"[^\"]{0,4000}+\"|'[^']{0,4000}+'|)){0,100}+)>"
)
_UNREAD = frozenset(
    ("script", "style", "noscript", "template", "iframe", "object", "svg", "canvas", "head", "title", "textarea", "map")
)
"""Elements whose text is not for reading."""
_EMPTY = frozenset(("area", "base", "col", "embed", "img", "input", "link", "meta", "source", "track"))
_CLOSED_BY_THE_NEXT = frozenset(("p", "li", "dt", "dd", "tr", "td", "th", "option"))
_HIDING = re.compile(
    r"\shidden(?=[\s=/]|$)|\saria-hidden\s*=\s*[\"']?true"
    r"|display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?<![\w-])(?:opacity|font-size|width|height|max-height)\s*:\s*0(?:\.0+)?(?:px|em|rem|pt|%)?\s*(?:[;\"'!]|$)"
    r"|(?<![\w-])(?:left|top|text-indent)\s*:\s*-\d{3,}|(?<![\w-])clip\s*:\s*rect\(|clip-path\s*:\s*inset\(\s*(?:50|100)%",
    re.I,
)
_PICTURE = re.compile(r"!\[[^\[\]]{0,2000}\](?:\([^()\s]{0,20000}(?:\s+[^()]{0,1000})?\)|\[[^\[\]]{0,200}\])?")
_DATA = re.compile(r"data:[\w.+-]{0,80}(?:/[\w.+-]{1,80})?(?:;[\w.=+-]{1,80}){0,8},[^\s()<>\"'\]]*", re.I)
_JAVASCRIPT = re.compile(r"(?:java|vb)script:[^\s()<>\"'\]]*", re.I)
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*){2,}")


def cleaned(markdown: str, *, longest: int = LONGEST) -> str:
    """The text without hidden parts, scripts, pictures, addresses that hold data, and letters that nobody sees.

    Takes time in proportion to the length.

    Args:
        longest: most code points to give; four times as many are looked at.
    """
    text = _UNSEEN.sub("", markdown[: 4 * longest].replace("\r\n", "\n").replace("\r", "\n"))
    text = _without_hidden(_COMMENT.sub(" ", text))
    for pattern in (_PICTURE, _DATA, _JAVASCRIPT):
        text = pattern.sub("", text)
    return _BLANK_LINES.sub("\n\n", text)[:longest].strip()


def one_line(text: str, *, longest: int = 200) -> str:
    """A title as one line of text, cleaned as a page is."""
    return " ".join(cleaned(text[: 4 * longest]).replace("<", " ").replace(">", " ").split())[:longest]


def _without_hidden(text: str) -> str:
    """The text without elements that are hidden or not for reading; a tag that is never closed hides nothing."""
    tags = list(_TAG.finditer(text))
    closing = _closings(tags)
    parts: list[str] = []
    at = number = 0
    while number < len(tags):
        if _is_hidden(tags[number]):
            parts.append(text[at : tags[number].start()])
            number, at = _behind(number, tags, closing)
        else:
            number += 1
    parts.append(text[at:])
    return " ".join(parts) if len(parts) > 1 else text


def _behind(number: int, tags: "list[re.Match[str]]", closing: dict[int, int]) -> tuple[int, int]:
    """The first tag behind an element, and where the text behind the element begins."""
    if number in closing:
        return closing[number] + 1, tags[closing[number]].end()
    if tags[number]["name"].lower() in _CLOSED_BY_THE_NEXT and number + 1 < len(tags):
        return number + 1, tags[number + 1].start()
    return number + 1, tags[number].end()


def _closings(tags: "list[re.Match[str]]") -> dict[int, int]:
    """For each opening tag that is closed, the number of the tag that closes it."""
    found: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        name = tag["name"].lower()
        if not tag["close"]:
            opened.setdefault(name, []).append(number)
        elif opened.get(name):
            found[opened[name].pop()] = number
    return found


def _is_hidden(tag: "re.Match[str]") -> bool:
    if tag["close"]:
        return False
    name = tag["name"].lower()
    return name in _UNREAD or name in _EMPTY or _HIDING.search(unescape(tag["rest"])) is not None
