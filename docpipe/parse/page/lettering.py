"""Characters and font names -> clean text and style (pure)."""

import re
import unicodedata
from functools import lru_cache

from docpipe.parse.page.printed import BOLD, ITALIC, MATH, MONO, RAISED

_BOLD = re.compile(r"bold|black|heavy|semibold|demi|-medi\b|-medi(?=[a-z])|cmbx|cmssbx|sfbx|ecbx|w[6-9]\b", re.I)
_ITALIC = re.compile(r"italic|oblique|-ital|cmti|cmsl|slanted", re.I)
_MONO = re.compile(
    r"mono(?!type)|courier|consol|cmtt|typewriter|menlo|inconsolata|sftt|ectt|lmtt|cousine|(?<!uni)code(?!x)", re.I
)
_MATH = re.compile(r"cmmi|cmsy|cmex|cmbsy|msam|msbm|math|symbol(?!a)|eufm|rsfs|stix.*(?:two|gen)", re.I)
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff\u00ad\u200e\u200f]"
)
_UNREADABLE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SYMBOL_BULLETS = str.maketrans(dict.fromkeys("\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf06e\uf0a8\uf071", "•"))
"""Bullets of Symbol and Wingdings, which have no Unicode of their own in many files."""
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z]")
_VOWEL = re.compile(r"[AEIOUYaeiouy]")
_WESTERN = re.compile("[\u00c0-\u00ff]")
_TELLING = 200
"""Letters from which their shares say something."""
_FEWEST_VOWELS = 0.28
"""Of the Latin letters: on 446 pages of several kinds at least 0.30, mostly 0.36 to 0.45."""
_MOST_WESTERN = 0.6
"""Of the letters: words of any language have fewer with accents, other alphabets taken for Latin-1 hardly others."""


@lru_cache(maxsize=4096)
def style_of(font: str, flags: int) -> int:
    """Style bits of a font by its name and by PyMuPDF's flags (1 raised, 2 italic, 8 monospaced, 16 bold)."""
    style = 0
    if flags & 16 or _BOLD.search(font):
        style |= BOLD
    if flags & 2 or _ITALIC.search(font):
        style |= ITALIC
    if flags & 8 or _MONO.search(font):
        style |= MONO
    if _MATH.search(font):
        style |= MATH
    return style | (RAISED if flags & 1 else 0)


def storable(text: str, *, keep_blanks: bool = False) -> tuple[str, int]:
    """A line's text in NFC, without control characters and with plain blanks, and its number of words.

    A soft hyphen stays at the end, where it parts a word, and goes elsewhere.
    """
    if not text.isascii() or not text.isprintable():
        text = text.translate(_SYMBOL_BULLETS)
        soft = text.rstrip().endswith("\u00ad")
        text = _CONTROL.sub("", text) + ("\u00ad" if soft else "")
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if text.startswith("\ufffd ") and len(text) > 2:  # a sign without Unicode before words: a bullet
            text = "•" + text[1:]
    words = text.split()
    return (text.strip() if keep_blanks else " ".join(words)), len(words)


def unreadable_share(text: str) -> float:
    """Share of the characters that say nothing: unknown, private, control."""
    return len(_UNREADABLE.findall(text)) / len(text) if text and not text.isascii() else 0.0


def scrambled(text: str) -> bool:
    """Whether a text that looks like letters is none: a font's codes taken for characters, another code page's text."""
    latin, western = len(_LATIN.findall(text)), len(_WESTERN.findall(text))
    if western > max(_TELLING / 2, _MOST_WESTERN * (latin + western)):
        return True
    return latin >= _TELLING and len(_VOWEL.findall(text)) + western / 2 < _FEWEST_VOWELS * latin


def readable(text: str) -> bool:
    """Whether a text is worth keeping although its page needs OCR."""
    return bool(text) and unreadable_share(text) <= 0.5 and bool(_LETTER.search(text))
