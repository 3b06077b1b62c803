"""Tables drawn over several pages: what stands in each row is known."""

from collections.abc import Sequence
from typing import Any

import printed_pages as draw

PITCH = 20.0
TOP, BOTTOM = 100.0, 780.0
LEFTS = (60.0, 150.0, 330.0, 430.0)
RIGHT = 530.0


def ruled(
    page: Any,
    rows: Sequence[Sequence[str]],
    *,
    top: float = TOP,
    lefts: Sequence[float] = LEFTS,
    right: float = RIGHT,
    font: str = "helv",
) -> float:
    """Draw a table with all its lines; gives back where it ends."""
    edges = [*lefts, right]
    for number, row in enumerate(rows):
        for left, end, text in zip(edges, edges[1:], row, strict=False):
            page.draw_rect((left, top + PITCH * number, end, top + PITCH * (number + 1)), width=0.5)
            draw.put(page, left + 4, top + PITCH * number + 14, text, size=9, font=font)
    return top + PITCH * len(rows)


def unruled(page: Any, rows: Sequence[Sequence[str]], *, top: float = TOP, lefts: Sequence[float] = LEFTS) -> float:
    """Draw a table without any line; gives back where it ends."""
    for number, row in enumerate(rows):
        for left, text in zip(lefts, row, strict=True):
            draw.put(page, left, top + 15 * number + 10, text, size=9)
    return top + 15 * len(rows)


HEADER = ("Item", "Part", "Stock", "Price")
PARTS = ("anchor", "buoy", "cable", "davit", "fender", "gasket", "hawser", "lantern", "mast", "oar", "pulley", "rudder")


def goods(first: int, count: int) -> list[tuple[str, str, str, str]]:
    """Rows of a price list, from an item's number on; no two have the same price."""
    return [
        (str(number), f"{PARTS[number % 12]} no. {number % 7 + 1}", str(number * 3 % 101), f"{number * 1.37:.2f}")
        for number in range(first, first + count)
    ]
