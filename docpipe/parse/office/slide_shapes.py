"""The shapes of a slide, its layout or its master -> flat lists with their places (pure)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.office.names import MC, A, P, local, number, value

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_DEEPEST = 12


class Area(NamedTuple):
    """A box in EMU (914,400 to the inch) on the slide."""

    left: float
    top: float
    right: float
    bottom: float


class Scale(NamedTuple):
    """From the units inside a group to those of the slide."""

    x: float = 1.0
    y: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def area(self, transform: "Element | None") -> Area | None:
        """Where an `a:xfrm` puts its shape; None where it says nothing."""
        offset = transform.find(A + "off") if transform is not None else None
        extent = transform.find(A + "ext") if transform is not None else None
        if offset is None or extent is None:
            return None
        left = self.left + self.x * number(value(offset, "x"))
        top = self.top + self.y * number(value(offset, "y"))
        return Area(left, top, left + self.x * number(value(extent, "cx")), top + self.y * number(value(extent, "cy")))


class Shape(NamedTuple):
    """A shape that is no group."""

    element: "Element"
    kind: str
    """`sp`, `pic`, `graphicFrame` or `cxnSp`."""
    role: str
    """Type of its placeholder (`title`, `body` ...); nothing where it is none."""
    key: str
    """What a placeholder is known by on its layout."""
    area: Area | None


def shapes(tree: "Element") -> list[Shape]:
    """All shapes of a slide, those inside groups in their group's place."""
    root = tree.find(f"{P}cSld/{P}spTree")
    return list(_shapes(root, Scale(), _DEEPEST)) if root is not None else []


def _shapes(parent: "Element", scale: Scale, depth: int) -> Iterator[Shape]:
    for element in parent:
        name = local(element)
        if name == "grpSp" and depth:
            yield from _shapes(element, _inner_scale(element, scale), depth - 1)
        elif name == "AlternateContent" and depth:
            form = element.find(MC + "Choice")
            yield from _shapes(form if form is not None and len(form) else element, scale, depth - 1)
        elif name == "Fallback" and depth:
            yield from _shapes(element, scale, depth - 1)
        elif name in ("sp", "pic", "graphicFrame", "cxnSp"):
            yield _shape(element, name, scale)


def _shape(element: "Element", name: str, scale: Scale) -> Shape:
    placeholder = element.find(f"./*/{P}nvPr/{P}ph")
    role = "" if placeholder is None else value(placeholder, "type", "obj")
    transform = element.find(f"{P}xfrm") if name == "graphicFrame" else element.find(f"{P}spPr/{A}xfrm")
    return Shape(element, name, role, value(placeholder, "idx", "0"), scale.area(transform))


def _inner_scale(group: "Element", scale: Scale) -> Scale:
    transform = group.find(f"{P}grpSpPr/{A}xfrm")
    area = scale.area(transform)
    offset = transform.find(A + "chOff") if transform is not None else None
    extent = transform.find(A + "chExt") if transform is not None else None
    if area is None or offset is None or extent is None:
        return scale
    x = (area.right - area.left) / max(1, number(value(extent, "cx"), 1))
    y = (area.bottom - area.top) / max(1, number(value(extent, "cy"), 1))
    return Scale(x, y, area.left - x * number(value(offset, "x")), area.top - y * number(value(offset, "y")))
