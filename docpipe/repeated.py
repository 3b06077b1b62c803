"""Lines that stand in many documents: navigation, footers, disclaimers (pure)."""

from collections.abc import Iterable, Sequence
from itertools import islice
from zlib import crc32

__all__ = ["common_lines", "is_boilerplate", "outer_lines"]

_FIRST, _LAST = 12, 20
"""Lines of a document that are compared with those of others: boilerplate stands at its ends."""
_FEWEST_LETTERS = 3
_LEAST_DOCUMENTS, _LEAST_SHARE = 8, 0.05
"""Of all documents: a line that stands in so many, and in such a share of them, belongs to none of them."""
_MOSTLY = 0.8
"""Share of a text's letters in such lines, from which it is boilerplate."""
_DIGITS = 8


def outer_lines(texts: Sequence[str]) -> str:
    """Marks of a document's first and last lines, each once: hexadecimal, eight digits a line.

    Args:
        texts: of its chunks, in order.
    """
    first = list(islice((mark for text in texts for mark, _ in _lines(text)), _FIRST))
    last = list(islice((mark for text in reversed(texts) for mark, _ in reversed(_lines(text))), _LAST))
    return "".join(f"{mark:0{_DIGITS}x}" for mark in sorted({*first, *last}))


def common_lines(documents: Iterable[str]) -> frozenset[int]:
    """The marks that stand in many documents.

    Args:
        documents: what `outer_lines` says of each.
    """
    import numpy as np

    known = [marks for marks in documents if marks]
    found, counts = np.unique(np.frombuffer(bytes.fromhex("".join(known)), dtype=">u4"), return_counts=True)
    least = max(_LEAST_DOCUMENTS, _LEAST_SHARE * len(known))
    return frozenset(found[counts >= least].tolist())


def is_boilerplate(text: str, common: frozenset[int]) -> bool:
    """Whether nearly all of a text are lines that stand in many documents."""
    lines = _lines(text) if common else []
    repeated = sum(letters for mark, letters in lines if mark in common)
    return repeated > 0 and repeated >= _MOSTLY * sum(letters for _, letters in lines)


def _lines(text: str) -> list[tuple[int, int]]:
    """The mark of each line and how many letters and digits it has; lines of next to none are left out."""
    found = []
    for line in text.splitlines():
        folded = "".join(character for character in line.casefold() if character.isalnum())
        if len(folded) >= _FEWEST_LETTERS:
            found.append((crc32(folded.encode("utf-8", "surrogatepass")), len(folded)))
    return found
