"""Counted texts -> batches that a service takes (pure)."""

from collections.abc import Sequence


def batches(counts: Sequence[int], *, most_texts: int, most_tokens: int) -> list[list[int]]:
    """Positions of texts, grouped by falling length so that a batch is evenly long.

    Args:
        counts: tokens of each text.
        most_texts: in a batch.
        most_tokens: in a batch; a single longer text is a batch of its own.

    Returns:
        Every position exactly once.
    """
    groups: list[list[int]] = []
    room = 0
    for position in sorted(range(len(counts)), key=lambda at: (-counts[at], at)):
        if not groups or len(groups[-1]) >= most_texts or counts[position] > room:
            groups.append([])
            room = most_tokens
        groups[-1].append(position)
        room -= counts[position]
    return groups


def shortened(text: str, *, tokens: int, most: int) -> str:
    """The begin of a text of so many tokens that holds about `most`: a twentieth less, to be safe."""
    return text if tokens <= most else text[: max(1, int(len(text) * most / tokens * 0.95))]
