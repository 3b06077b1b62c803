"""A question and the texts found for it -> how much of it one row of a table in each text holds (pure)."""

from collections import Counter
from collections.abc import Sequence
from math import fsum, log

from docpipe.retrieve.phrases import words

_CELL_MARK = " | "


def shared_rows(question: str, texts: Sequence[str]) -> list[float]:
    """The part of the question's words that stand in one row of each text's tables.

    What stands outside of the rows, and the names of the columns, hold for each row. A word counts the more, the fewer
    rows and texts without rows hold it; words that nothing holds are left out.

    Returns:
        One figure per text, 0 to 1; 0 for a text without rows.
    """
    wanted = frozenset(words(question))
    held = [_held(text, wanted) for text in texts]
    units = [unit for some in held for unit in some]
    counts = Counter(word for unit in units for word in unit)
    weights = {word: log(1 + (len(units) - count + 0.5) / (count + 0.5)) for word, count in counts.items()}
    total = fsum(weights.values())
    return [
        max(fsum(weights[word] for word in row) for row in some) / total if total and _CELL_MARK in text else 0.0
        for text, some in zip(texts, held, strict=True)
    ]


def _held(text: str, wanted: frozenset[str]) -> list[frozenset[str]]:
    """The question's words that hold for each row of a text; those of all of it where it has no rows."""
    lines = text.split("\n")
    rows = [line for line in lines if _CELL_MARK in line]
    if not rows:
        return [wanted.intersection(words(text))]
    above = wanted.intersection(words("\n".join([*(line for line in lines if _CELL_MARK not in line), rows[0]])))
    return [above | wanted.intersection(words(row)) for row in rows]
