"""Question -> the words that full-text search looks for (pure).

Nothing is taken out of the index itself, so that a title made of small words (`To have or not`) can still be
found; only a question that holds other words too is freed of them.
"""

import re

_SMALL = """
    a about above after again against all am an and any are aren as at be because been before being below between
    both but by can could couldn did didn do does doesn doing don down during each few for from further had hadn has
    hasn have haven having he her here him his how i if in into is isn it its just may me might more most must my no
    nor not now of off on once only or other our out over own same shall she should shouldn so some such than that
    the their them then there these they this those through to too under until up very was wasn we were weren what
    when where which while who whom whose why will with won would wouldn you your"""
SMALL_WORDS = frozenset(_SMALL.split())
"""English words that say how a question is put, and not what it is about."""

_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"['’](?:s|t|re|ve|ll|d|m)\W*", re.I)
"""What is left of `what's` and `don't` after the first part."""


def question_words(text: str, *, limit: int) -> str:
    """What to look for: the question's distinct words, in its order; nothing where it has no letter or digit.

    Args:
        limit: how many characters are kept at most.
    """
    if _WORD.search(text) is None:
        return ""
    words = dict.fromkeys(word[:limit] for word in text.split())
    shouted = text.isupper()
    telling = [word for word in words if not _is_small(word, shouted=shouted)]
    return " ".join(telling or words)[:limit]


def _is_small(word: str, *, shouted: bool) -> bool:
    """Whether a word is small, or no word at all. `WHO` among lower-case words is a name."""
    found = _WORD.search(word)
    if found is None:
        return True
    if _WORD.search(word, found.end()) and not _ENDING.fullmatch(word, found.end()):
        return False
    stem = found[0]
    return stem.lower() in SMALL_WORDS and (shouted or len(stem) == 1 or not stem.isupper())
