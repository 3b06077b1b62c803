"""A question and the texts found for it -> how much of it one row of a table in each text holds (pure)."""

from collections import Counter
from collections.abc import Sequence
from math import log

from docpipe.retrieve.phrases import words

_CELL_MARK = " | "


def shared_rows(question: str, texts: Sequence[str]) -> list[float]:
    """The part of the question's words that stand in one row of each text's tables.

    What stands outside of the rows, and the names of the columns, hold for each row. A word counts the more, the fewer
    rows hold it; words that no row holds are left out.

    Returns:
        One figure per text, 0 to 1; 0 for a text without rows.
    """
    wanted = frozenset(words(question))
    held = [_held(text, wanted) for text in texts]
    rows = [row for some in held for row in some]
    counts = Counter(word for row in rows for word in row)
    weights = {word: log(1 + (len(rows) - count + 0.5) / (count + 0.5)) for word, count in counts.items()}
    total = sum(weights.values())
    return [
        max((sum(weights[word] for word in row) / total for row in some), default=0.0) if total else 0.0
        for some in held
    ]


def _held(text: str, wanted: frozenset[str]) -> list[frozenset[str]]:
    """The question's words that hold for each row of a text."""
    if _CELL_MARK not in text:
        return []
    lines = text.split("\n")
    rows = [line for line in lines if _CELL_MARK in line]
    above = wanted.intersection(words("\n".join([*(line for line in lines if _CELL_MARK not in line), rows[0]])))
    return [above | wanted.intersection(words(row)) for row in rows]
