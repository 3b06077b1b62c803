"""Text -> the places where it may be cut, from paragraph ends down to code points, in English and Chinese (pure)."""

import re
import unicodedata
from enum import IntEnum

SPACES = " \t\r\n\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space on which every tokenizer parts words (form feeds and their kin are control characters to some)."""

RUN = 16
"""Code points that a word is cut into where it has to be cut."""


class Level(IntEnum):
    """Kinds of places to cut at, best first."""

    PARAGRAPH = 0
    SENTENCE = 1
    LINE = 2
    CLAUSE = 3
    WORD = 4
    RUN = 5
    CLUSTER = 6
    CODE_POINT = 7


def cuts(text: str, start: int, end: int, level: Level) -> list[int]:
    """Where `text[start:end]` may be cut at this level: strictly inside, rising, white space left before the cut.

    Levels down to WORD cut only beside white space or a Chinese mark; RUN and CLUSTER keep together what is shown
    as one character.
    """
    if level is Level.SENTENCE:
        return _sentence_cuts(text, start, end)
    pattern = _PATTERNS.get(level)
    if pattern is not None:
        return [match.end() for match in pattern.finditer(text, start, end) if start < match.end() < end]
    if level is Level.RUN:
        return _run_cuts(text, start, end)
    if level is Level.CLUSTER:
        return [at for at in range(start + 1, end) if not joined(text, at)]
    return list(range(start + 1, end))


def joined(text: str, at: int) -> bool:
    """Whether the code points before and after `at` are shown as one character (most of Unicode's rules, UAX 29)."""
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return before == "\r" and after == "\n"
    if after in "\u200c\u200d" or _MODIFIERS.match(after) or unicodedata.category(after)[0] == "M":
        return before not in "\r\n"
    if before == "\u200d":
        return unicodedata.category(after) == "So"
    if _FLAG.match(before) and _FLAG.match(after):
        return _flags_before(text, at) % 2 == 1
    return bool(_HANGUL.match(before + after))


def _sentence_cuts(text: str, start: int, end: int) -> list[int]:
    found = []
    for match in _SENTENCE.finditer(text, start, end):
        at = match.end()
        if at < end and not _goes_on(text, start, match.start(), at):
            found.append(at)
    return found


def _goes_on(text: str, start: int, mark: int, at: int) -> bool:
    """Whether the mark ends no sentence: an abbreviation, an initial, a list number, or a small letter follows."""
    if text[mark] in _MARKS:
        return False
    if text[at].islower():
        return True
    if text[mark] != "." or not text[mark + 1].isspace():
        return False
    head = text[max(start, mark - _LONGEST) : mark]
    words = head.split()
    if not words or head[-1].isspace():
        return False
    word = words[-1].lstrip("([\"'“‘")
    if word.isdigit():
        return len(word) < 3 and (mark - len(word) == start or text[mark - len(word) - 1] == "\n")
    if (len(word) == 1 and word.isupper()) or "." in word or word.lower() in _ABBREVIATIONS:
        return True
    return word.lower() in _BEFORE_NUMBERS and (text[at].isdigit() or text[at] in "([")


def _run_cuts(text: str, start: int, end: int) -> list[int]:
    found, last = [], start
    while end - last > RUN:
        at = last + RUN
        while at > last and joined(text, at):
            at -= 1
        if at == last:
            at += RUN
            while at < end and joined(text, at):
                at += 1
        if at >= end:
            break
        found.append(at)
        last = at
    return found


def _flags_before(text: str, at: int) -> int:
    """How many regional indicators stand before `at`, looked for over a short stretch only."""
    count = 0
    while count < 4 * RUN and count < at and _FLAG.match(text[at - 1 - count]):
        count += 1
    return count


_CLOSERS = "\"'”’)\\]）」』】》"
_MARKS = "。！？；｡"
_COMMAS = "，、；：）】》"
# Patterns begin with one set of characters, because the engine looks for that much quicker than for alternatives.
_SENTENCE = re.compile(
    f"[.!?…{_MARKS}](?:(?<=[{_MARKS}])[.!?…{_MARKS}]*[{_CLOSERS}]*[{SPACES}]*"
    f"|[.!?…]*[{_CLOSERS}]*[{SPACES}]+|(?<=…)[…」』”）]+[{_CLOSERS}]*)"
)
_PATTERNS = {
    Level.PARAGRAPH: re.compile(f"\\n[ \\t\\r\u3000]*\\n[{SPACES}]*"),
    Level.LINE: re.compile("[\\r\\n][ \\t\\r\\n\u3000]*"),
    Level.CLAUSE: re.compile(f"[,;:—–){_COMMAS}](?:(?<=[{_COMMAS}])[{_COMMAS}]*[{SPACES}]*|[,;:—–)]*[{SPACES}]+)"),
    Level.WORD: re.compile(f"[{SPACES}][{SPACES}]*"),
}
_MODIFIERS = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_HANGUL = re.compile(
    "[\u1100-\u115f\ua960-\ua97c][\u1100-\u11a7\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7c6]"
    "|[\uac00-\ud7a3\u1160-\u11ff\ud7b0-\ud7fb][\u1160-\u11ff\ud7b0-\ud7fb]"
)
_TITLES = (
    "dr mr mrs ms messrs prof st rev gen gov sen hon mt cf vs viz approx fig figs eq eqs ref refs vol vols pp nr univ"
    " dept bros ch chap resp"
)
_ABBREVIATIONS = frozenset(_TITLES.split())
"""After these a sentence goes on."""
_COUNTED = (
    "no nos p art ex sec sect tab v op max min ed eds rep et al etc suppl para inc co corp ltd jr sr lt"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_BEFORE_NUMBERS = frozenset(_COUNTED.split())
"""After these it goes on where a number or a bracket follows."""
_LONGEST = 12
"""Code points before a full stop that are looked at; longer than any abbreviation."""
