"""What the network says of each step along a line -> its text, and how much of the ink it accounts for (numpy only)."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_line = NDArray[np.uint8]
    type_likelihoods = NDArray[np.float32]

STEP = 8
"""Pixels of a line, which is 48 high, to a step of the network."""
_DARKER = 60
"""Of 256 greys: what differs from the ground by more is ink."""
_EDGE = 6
"""Pixels above and below, where letters of the neighbouring lines may reach in."""
_STROKE = 9
"""Pixels of ink in a column: letters have strokes that high, dots and dashes do not."""
_REACH, _WIDE_REACH = 2, 4
"""Steps around the place of a letter that it accounts for; those of Chinese letters, which are as wide as high."""
_PATTERN = 0.7
"""Of 1: how much a line is like itself, moved by the width of one sign, where it is an ornament."""
_WIDTHS = (6, 64)
"""Pixels of a sign of an ornament."""
_FAR = 2.0
"""Distance of two letters, in usual ones, between which another one may have been lost."""
_FEWEST = 4
"""Distances from which the usual one can be told."""


class Reading(NamedTuple):
    """What stands on a line."""

    text: str
    score: float
    """From 0 to 1: how sure the letters are, times the share of the line's ink that they account for."""
    edges: tuple[float, ...]
    """Left and right of each word, from 0 to 1 of the line's length."""
    letters: int = 0
    """Number of signs that are no blanks."""
    ink: int = 0
    """How long the line is where letters are printed, in steps (sixths of its height), ornaments left out."""
    lost: int = 0
    """Places between its letters where another one is printed that the network does not know."""


NOTHING = Reading("", 0.0, ())


def reading(said: "type_likelihoods", letters: Sequence[str], line: "type_line") -> Reading:
    """The text of a line.

    A network that was never taught a script says, and is sure of it, that there is nothing: what tells is the ink.

    Args:
        said: how likely each class is at each step, shape (steps, classes); class 0 stands between letters.
        letters: what each class stands for.
        line: shape (48, width, 3); steps beyond its width are empty.
    """
    import numpy as np

    dark = _dark(line)
    inked = (dark >= _STROKE).reshape(-1, STEP).any(axis=1)
    best = said.argmax(axis=1)
    new = best != 0
    new[1:] &= best[1:] != best[:-1]
    steps = np.flatnonzero(new)
    signs = [letters[best[step]] for step in steps]
    places = [(int(step), sign) for step, sign in zip(steps, signs, strict=True) if sign.strip()]
    unread = _unread(inked, places)
    if _is_ornament(dark, unread):
        inked, unread = inked & ~unread, unread & False
    ink = int(inked.sum())
    if not places:
        return NOTHING._replace(ink=ink)
    return Reading(
        text="".join(signs),
        score=float(said[steps, best[steps]].mean()) * (1 - int(unread.sum()) / max(1, ink)),
        edges=tuple(column / line.shape[1] for column in _edges(line, list(zip(steps.tolist(), signs, strict=True)))),
        letters=len(places),
        ink=ink,
        lost=_lost(inked, list(zip(steps.tolist(), signs, strict=True))),
    )


def _edges(line: "type_line", signs: Sequence[tuple[int, str]]) -> list[int]:
    """First column and the one behind the last of each word: between two words the widest stretch without ink."""
    import numpy as np

    empty = _dark(line) == 0
    inked = np.flatnonzero(~empty)
    cuts = [cut for (_, end), (start, _) in pairwise(_words(signs)) for cut in _widest(empty, end, start)]
    return [int(inked[0]) if len(inked) else 0, *cuts, int(inked[-1]) + 1 if len(inked) else line.shape[1]]


def _words(signs: Sequence[tuple[int, str]]) -> list[tuple[int, int]]:
    """The middles of the first and of the last sign of each word, as columns."""
    found: list[tuple[int, int]] = []
    blank = True
    for step, sign in signs:
        middle = step * STEP + STEP // 2
        if sign.strip():
            found.append((middle, middle)) if blank else found.append((found.pop()[0], middle))
        blank = not sign.strip()
    return found


def _widest(empty: Any, start: int, stop: int) -> tuple[int, int]:
    """The longest stretch of empty columns between two; the middle where there is none."""
    import numpy as np

    framed = np.concatenate([[False], empty[start:stop], [False]]).astype(np.int8)
    steps = np.diff(framed)
    first, end = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(first):
        return (start + stop) // 2, (start + stop) // 2
    best = int(np.argmax(end - first))
    return start + int(first[best]), start + int(end[best])


def _dark(line: "type_line") -> Any:
    """Number of inked pixels of each column, of whole steps only."""
    import numpy as np

    grey = line.mean(axis=2)
    dark = (np.abs(grey - np.median(grey)) > _DARKER)[_EDGE:-_EDGE].sum(axis=0)
    return dark[: len(dark) // STEP * STEP]


def _unread(inked: Any, places: Sequence[tuple[int, str]]) -> Any:
    """For each step whether something is printed there that is far from every letter."""
    import numpy as np

    if not places:
        return inked
    at = np.array([step for step, _ in places])
    reach = np.array([_WIDE_REACH if _is_wide(sign) else _REACH for _, sign in places])
    near = np.abs(np.arange(len(inked))[:, None] - at[None]) <= reach[None]
    return inked & ~near.any(axis=1)


def _is_ornament(dark: Any, unread: Any) -> bool:
    """Whether what is not read is one sign over and over: stars, hatching."""
    import numpy as np

    steps = np.flatnonzero(unread)
    if not len(steps):
        return False
    profile = dark[steps[0] * STEP : (steps[-1] + 1) * STEP]
    profile = profile - profile.mean()
    power = float((profile * profile).sum())
    widest = min(_WIDTHS[1], len(profile) // 6)
    if widest <= _WIDTHS[0] or not power:
        return False
    alike = [float((profile[width:] * profile[:-width]).sum()) / power for width in range(_WIDTHS[0], widest)]
    return max(alike[int(np.argmin(alike)) :]) > _PATTERN


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"


def _lost(inked: Any, signs: Sequence[tuple[int, str]]) -> int:
    """Places between two letters that are far apart and have ink half way."""
    import numpy as np

    pairs = [(one, other) for (one, a), (other, b) in pairwise(signs) if a.strip() and b.strip()]
    if len(pairs) < _FEWEST:
        return 0
    steps = sorted(other - one for one, other in pairs)
    usual = float(np.mean(steps[: 3 * len(steps) // 4]))
    far = [(one + other) // 2 for one, other in pairs if other - one >= _FAR * usual]
    return sum(1 for middle in far if middle < len(inked) and inked[middle])
