"""Recorded calls -> how well a client used the service (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from standin.answers import Call


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How calls of one path lay in time. Without calls all is 0."""

    calls: int
    refused: float
    """Share of the calls that were refused for being too many at once (1302); in [0, 1]."""
    most: int
    """Most good calls at once."""
    busy: float
    """Share of the slots' time, from the first start to the last end, in which good calls were under way; in [0, 1]."""
    seconds: float
    """From the first start to the last end."""


def use(calls: Sequence[Call], *, slots: int) -> Use:
    """What a service with so many slots was used for; calls that are still under way are left out."""
    over = [call for call in calls if call.ended]
    good = [call for call in over if call.status == 200]
    if not good:
        return Use(calls=len(over), refused=0.0, most=0, busy=0.0, seconds=0.0)
    span = max(call.ended for call in good) - min(call.started for call in good)
    spent = sum(call.ended - call.started for call in good)
    return Use(
        calls=len(over),
        refused=sum(call.code == "1302" for call in over) / len(over),
        most=_most(good),
        busy=min(1.0, spent / (slots * span)) if span else 0.0,
        seconds=span,
    )


def sent_twice(calls: Sequence[Call]) -> list[str]:
    """Marks of pages that were read more than once in good calls, in order."""
    marks = sorted(mark for call in calls if call.status == 200 for mark in call.pages)
    return sorted({one for one, next_ in pairwise(marks) if one == next_})


def _most(calls: Sequence[Call]) -> int:
    changes = sorted([(call.ended, -1) for call in calls] + [(call.started, 1) for call in calls])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
