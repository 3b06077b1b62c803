"""PyMuPDF page -> the straight lines drawn on it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from docpipe.parse.content import Rule

if TYPE_CHECKING:
    import pymupdf

_THIN = 3.0
"""A filled box at most this thick, in points, is a line."""
_SHORTEST = 3.0
"""Shorter strokes are parts of signs and drawings; dashes of this length are joined later, in points."""
_MOST_RULES = 6_000
"""A page with more is a drawing, not tables: it is given up."""
_MOST_CONTENT = 500_000
"""Compressed bytes of a page's content above which its drawings are not even looked at."""


def page_rules(page: "pymupdf.Page") -> tuple[Rule, ...]:
    """Horizontal and vertical lines of a page, in points on the page as shown.

    Strokes, thin filled boxes, the sides of stroked boxes, and the sides of filled boxes that are no larger than a
    table's row or column. Nothing for a page that is so full of strokes that it must be a drawing.
    """
    if content_size(page) > _MOST_CONTENT:
        return ()
    rules = []
    for rule in _rules(page.get_cdrawings()):
        rules.append(rule)
        if len(rules) > _MOST_RULES:
            return ()
    if page.rotation and rules:
        matrix = tuple(page.rotation_matrix)
        return tuple(_turned(rule, matrix) for rule in rules)
    return tuple(rules)


def content_size(page: "pymupdf.Page") -> int:
    """Compressed bytes of what a page draws: known without drawing it."""
    document = page.parent
    sizes = (document.xref_get_key(xref, "Length")[1] for xref in page.get_contents())
    return sum(int(size) for size in sizes if size.isdigit())


def _rules(drawings: Iterable[Mapping[str, Any]]) -> Iterator[Rule]:
    for drawing in drawings:
        stroked = "s" in drawing["type"]
        for item in drawing["items"]:
            if item[0] == "re":
                yield from _of_box(*item[1], stroked=stroked)
            elif item[0] == "l" and stroked:
                (x0, y0), (x1, y1) = item[1], item[2]
                yield from _of_line(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            elif item[0] == "qu":
                xs, ys = [point[0] for point in item[1]], [point[1] for point in item[1]]
                yield from _of_box(min(xs), min(ys), max(xs), max(ys), stroked=stroked)


def _of_line(left: float, top: float, right: float, bottom: float) -> Iterator[Rule]:
    width, height = right - left, bottom - top
    if min(width, height) <= 1.0 and max(width, height) >= _SHORTEST:
        yield Rule(left, top, right, bottom)


def _of_box(left: float, top: float, right: float, bottom: float, *, stroked: bool) -> Iterator[Rule]:
    width, height = right - left, bottom - top
    if min(width, height) <= _THIN:
        if max(width, height) >= _SHORTEST:
            yield Rule(left, top, right, bottom)
    elif stroked:
        yield Rule(left, top, right, top)
        yield Rule(left, bottom, right, bottom)
        yield Rule(left, top, left, bottom)
        yield Rule(right, top, right, bottom)


def _turned(rule: Rule, matrix: tuple[float, ...]) -> Rule:
    a, b, c, d, e, f = matrix
    xs = (a * rule.left + c * rule.top + e, a * rule.right + c * rule.bottom + e)
    ys = (b * rule.left + d * rule.top + f, b * rule.right + d * rule.bottom + f)
    return Rule(min(xs), min(ys), max(xs), max(ys))
