"""A page's number as a row of black and white squares along its top and its bottom margin (pure).

Sizes are in widths of the page, so that a half of a page reads like a whole one.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

_SYNC = (1, 0, 1, 1, 0, 0, 1, 0)
_BITS = 32
_CELLS = len(_SYNC) + _BITS + 8
_LEFT, _CELL, _MARGIN = 0.1, 0.8 / _CELLS, 1 / 75


def _check(number: int) -> int:
    return hashlib.blake2b(number.to_bytes(4, "big"), digest_size=1).digest()[0]


def _row(number: int) -> list[int]:
    value = (number << 8) | _check(number)
    return [*_SYNC, *((value >> place) & 1 for place in range(_BITS + 7, -1, -1))]


def squares(number: int, width: float, height: float) -> Iterator[tuple[float, float, float, float]]:
    """The black squares of a page, in the unit of its size."""
    size = _CELL * width
    for top in (_MARGIN * width, height - _MARGIN * width - size):
        for place, bit in enumerate(_row(number)):
            if bit:
                left = _LEFT * width + place * size
                yield left, top, left + size, top + size


def read(grey: Any) -> tuple[int | None, int | None]:
    """The numbers along the top and the bottom margin of a picture (rows of grey values); None where there is none."""
    height, width = grey.shape
    middle = (_MARGIN + _CELL / 2) * width
    return _read_row(grey, middle), _read_row(grey, height - middle)


def _read_row(grey: Any, middle: float) -> int | None:
    height, width = grey.shape
    reach = max(1, int(_CELL * width * 0.2))
    rows = slice(max(0, int(middle) - reach), min(height, int(middle) + reach))
    values = []
    for place in range(_CELLS):
        at = int((_LEFT + (place + 0.5) * _CELL) * width)
        values.append(float(grey[rows, max(0, at - reach) : at + reach].mean()))
    dark, light = min(values), max(values)
    if not light - dark > 60:
        return None
    found = [int(value < (dark + light) / 2) for value in values]
    number = int("".join(map(str, found[len(_SYNC) :])), 2) >> 8
    return number if found == _row(number) else None
