"""A series of figures -> a small line plot as SVG (pure)."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT = 320, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 6, 8, 8


class Point(NamedTuple):
    """One run in a plot."""

    label: str
    value: float
    failing: bool


def line_plot(title: str, points: Sequence[Point], *, shown: Callable[[float], str]) -> str:
    """A figure: the title, the last value in large, the line with one dot per run, and the range.

    Args:
        points: oldest first; at least one.
        shown: a value as people read it, with its unit.
    """
    values = [point.value for point in points]
    low, high = min(values), max(values)
    places = list(zip(_across(len(points)), (_down(value, low, high) for value in values), strict=True))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(_dot(x, y, point, shown) for (x, y), point in zip(places, points, strict=True))
    span = f"{shown(low)} to {shown(high)}" if low < high else f"always {shown(high)}"
    label = f"{title}: {shown(values[-1])}; in {len(points)} runs {span}"
    return (
        f"<figure><figcaption>{escape(title)}<b>{escape(shown(values[-1]))}</b></figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<line class="base" x1="0" x2="{_WIDTH}" y1="{_HEIGHT - 1}" y2="{_HEIGHT - 1}"/>'
        f'<polyline points="{line}"/>{dots}</svg><small>{escape(span)}</small></figure>'
    )


def _across(count: int) -> list[float]:
    """Where the points stand from left to right; a single one stands in the middle."""
    wide = _WIDTH - _LEFT - _RIGHT
    return [_LEFT + wide * at / (count - 1) for at in range(count)] if count > 1 else [_WIDTH / 2]


def _down(value: float, low: float, high: float) -> float:
    """Where a value stands from the top. The foot is 0, so that what hardly grew looks as if it hardly grew."""
    foot = min(low, 0.0)
    share = (value - foot) / (high - foot) if high > foot else 0.0
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _dot(x: float, y: float, point: Point, shown: Callable[[float], str]) -> str:
    kind = ' class="bad"' if point.failing else ""
    return (
        f'<circle{kind} cx="{x:.1f}" cy="{y:.1f}" r="{3 if point.failing else 2}">'
        f"<title>{escape(point.label)}: {escape(shown(point.value))}</title></circle>"
    )
