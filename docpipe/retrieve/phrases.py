"""A question and the texts found for it -> how much of its wording each text keeps together (pure)."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TERM = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def shared_phrases(question: str, texts: Sequence[str]) -> list[float]:
    """The part of the question's neighbouring words that stand side by side in each text too.

    A pair of words counts the more, the fewer of the texts hold it; pairs that none holds are left out.
    In scripts without blanks each character is a word here: a pair is then mostly a whole word.

    Returns:
        One figure per text, 0 to 1.
    """
    terms = words(question)
    wanted = set(pairwise(terms))
    known = {form: term for term in terms for form in (term, f"{term}s")}
    # Only C loops touch the texts: this runs between a question and its answer.
    held = [wanted.intersection(pairwise(map(known.get, _TERM.findall(text.lower())))) for text in texts]
    counts = Counter(pair for some in held for pair in some)
    weights = {pair: log(1 + (len(texts) - count + 0.5) / (count + 0.5)) for pair, count in counts.items()}
    total = sum(weights.values())
    return [sum(weights[pair] for pair in some) / total if total else 0.0 for some in held]


def words(text: str) -> list[str]:
    """The words of a text in lower case, English plurals as their singulars; a character in scripts without blanks."""
    return [_singular(term) for term in _TERM.findall(text.lower())]


def _singular(term: str) -> str:
    return term[:-1] if len(term) > 3 and term.endswith("s") else term
