"""A page as a layout service replies it -> elements with boxes in fractions (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from docpipe.types import BBox

_MOST_ELEMENTS = 3_000
"""On one page; what comes after is left out."""
_FRACTIONS = 1.5
"""No larger value on the whole page: boxes are fractions, some reaching a little beyond the page."""
_THOUSANDTHS = 1_000.0
_BEYOND = 1.02
"""Thousandths may reach beyond the page by this factor."""


class Element(NamedTuple):
    """One thing that the service saw on a page, in reading order. `box` is None where none can be trusted."""

    label: str
    """The finest name given, lower case: `doc_title`, `table`, `text` ..."""
    text: str
    box: BBox | None


def elements(raw: Sequence[Any], size: tuple[float, float] | None) -> list[Element]:
    """The elements of a page in the order of their index; whatever is no element is left out.

    Args:
        raw: mappings of `label`, `native_label`, `bbox_2d`, `content`, `index`, `width`, `height`, all optional.
        size: width and height of the page in the space of its boxes, where the reply tells them apart from elements.

    Source: boxes are fractions in the platform's own document, pixels in its replies, thousandths from its
    self-hosted server; the largest value of the page tells which.
    """
    found = [item for item in raw[:_MOST_ELEMENTS] if isinstance(item, Mapping)]
    if all(_is_number(item.get("index")) for item in found):
        found.sort(key=lambda item: float(item["index"]))
    quads = [_quad(item.get("bbox_2d")) for item in found]
    sizes = [_own_size(item) for item in found]
    known = size or next((own for own in sizes if own), None)
    scales = _scales(quads, sizes, known)
    return [
        Element(_label(item), _content(item.get("content")), _box(quad, scale))
        for item, quad, scale in zip(found, quads, scales, strict=True)
    ]


def _label(item: Mapping[str, Any]) -> str:
    for name in ("native_label", "label"):
        value = item.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip().lower()[:60]
    return "text"


def _content(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _quad(value: Any) -> tuple[float, float, float, float] | None:
    """Four finite numbers, out of a list, a list in a list, or a polygon's points."""
    if not isinstance(value, (list, tuple)) or not value:
        return None
    if all(isinstance(part, (list, tuple)) for part in value):
        if len(value) == 1:
            return _quad(value[0])
        if any(len(point) != 2 or not all(map(_is_number, point)) for point in value):
            return None
        xs, ys = [point[0] for point in value], [point[1] for point in value]
        return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))
    if len(value) != 4 or not all(map(_is_number, value)):
        return None
    left, top, right, bottom = (float(part) for part in value)
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e7


def _own_size(item: Mapping[str, Any]) -> tuple[float, float] | None:
    return page_size(item.get("width"), item.get("height"))


def page_size(width: Any, height: Any) -> tuple[float, float] | None:
    """A page's size, or None where one side is missing or none."""
    if not _is_number(width) or not _is_number(height) or width <= 0 or height <= 0:
        return None
    return float(width), float(height)


def _scales(
    quads: Sequence[tuple[float, float, float, float] | None],
    sizes: Sequence[tuple[float, float] | None],
    known: tuple[float, float] | None,
) -> list[tuple[float, float] | None]:
    """By what each box is divided; None drops it."""
    largest = max((max(map(abs, quad)) for quad in quads if quad), default=0.0)
    if largest <= _FRACTIONS:
        return [(1.0, 1.0)] * len(quads)
    thousandths = (_THOUSANDTHS, _THOUSANDTHS) if largest <= _BEYOND * _THOUSANDTHS else None
    usual = known if known and max(known) > _FRACTIONS else thousandths
    return [own if own and max(own) > _FRACTIONS else usual for own in sizes]


def _box(quad: tuple[float, float, float, float] | None, scale: tuple[float, float] | None) -> BBox | None:
    """In fractions, cut at the page's edges; one without any area is dropped."""
    if quad is None or scale is None:
        return None
    width, height = scale
    left, top, right, bottom = (
        min(1.0, max(0.0, value / side)) for value, side in zip(quad, (width, height, width, height), strict=True)
    )
    return BBox(left, top, right, bottom) if right > left and bottom > top else None
