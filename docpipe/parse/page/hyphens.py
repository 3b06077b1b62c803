"""Two printed lines -> how they are joined: hyphens of line ends mended, no blanks inside Chinese (pure)."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_HYPHENS = ("-", "\u2010", "\u00ad")
_LAST = re.compile(r"([^\W\d_]+(?:[-\u2010'’][^\W\d_]+)*)[-\u2010\u00ad]$")
_FIRST = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*(?![-\u2010\u00ad]?$)", re.M)
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u201c\u201d\u2018\u2019\u2014\u2026]")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]")
_LINKS = re.compile(r"(?:https?://|www\.|doi\.org)\S*$")

_HEADS = frozenset(
    ("cross", "full", "high", "large", "long", "low", "open", "real", "self", "short", "single", "small", "well")
)
_TAILS = frozenset(
    {
        "aware",
        "based",
        "defined",
        "dependent",
        "driven",
        "efficient",
        "formatted",
        "free",
        "friendly",
        "generated",
        "intensive",
        "known",
        "level",
        "like",
        "oriented",
        "quality",
        "related",
        "scale",
        "sensitive",
        "separated",
        "shaped",
        "sized",
        "specific",
        "style",
        "term",
        "time",
        "trained",
        "wide",
    }
)
"""Parts of English compounds, for words that the document itself says nothing about."""


class Join(NamedTuple):
    """How a line is followed: so many characters are dropped at its end, and this is put between."""

    drop: int
    between: str


class Vocabulary:
    """The words of a document, as far as no line end parts them. Hyphened words count as they are written."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._counts: Counter[str] | None = None

    def count(self, word: str) -> int:
        """How often a word stands in the document, whatever its case."""
        if self._counts is None:
            self._counts = Counter(_WORD.findall("\n".join(self._lines).lower()))
            for found, times in list(self._counts.items()):
                if "-" in found:
                    self._counts.update(dict.fromkeys(found.split("-"), times))
        return self._counts[word.lower()]


def join(before: str, after: str, vocabulary: Vocabulary) -> Join:
    """How `before` at a line's end goes on with `after`."""
    if before.endswith(_HYPHENS) and after:
        return _hyphened(before, after, vocabulary)
    if not before or not after or (before.isascii() and after.isascii()):
        return Join(0, _address(before, after))
    last, first = before[-1], after[0]
    if _HAN.match(last) or _HAN.match(first):
        return Join(0, "" if _WIDE.match(last) or _WIDE.match(first) else " ")
    return Join(0, " ")


def _address(before: str, after: str) -> str:
    """Nothing where an address of the web is parted at one of its own signs, else a blank."""
    parted = before[-1:] in "/=&_?" and _LINKS.search(before)
    return "" if parted or (after[:2] == "//" and before.endswith(("http:", "https:"))) else " "


def _hyphened(before: str, after: str, vocabulary: Vocabulary) -> Join:
    soft = before.endswith("\u00ad")
    first, last = _FIRST.match(after), _LAST.search(before)
    if soft:
        return Join(1, "")
    if not last:
        return Join(0, "" if before[-2:-1].isdigit() and after[0].isdigit() else " ")
    if not first or first.group()[0].isupper():
        return Join(0, "" if first else " ")
    return Join(0 if _compound(last.group(1), first.group(), after, vocabulary) else 1, "")


def _compound(head: str, tail: str, after: str, vocabulary: Vocabulary) -> bool:
    """Whether the hyphen is part of the word rather than of the line end."""
    if after[len(tail) : len(tail) + 1] == "-":
        return True
    whole, hyphened = vocabulary.count(head + tail), vocabulary.count(f"{head}-{tail}")
    if whole or hyphened:
        return hyphened > whole
    if "-" in head:
        return True
    if head.lower() in _HEADS or tail.lower() in _TAILS:
        return True
    known = vocabulary.count(head) and vocabulary.count(tail)
    return bool(known) and len(tail) > 2 and len(head) > 2
