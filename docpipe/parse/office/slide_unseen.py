"""The shapes of a slide and what is behind them -> the texts that nobody sees (pure but for taking them out)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docpipe.parse.office.names import A, P, local, number, value
from docpipe.parse.office.slide_shapes import Area, Shape

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WHITE = re.compile(r"(?:[Ff][A-Fa-f0-9]){3}")
_SMALLEST = 200
"""Hundredths of a point; letters that are not larger cannot be read."""
_CLEAR = 5_000
"""Thousandths of a per cent; a colour that covers no more cannot be seen."""
_MOST_BEHIND = 200
"""With more coloured shapes than this a slide is a drawing: its letters count as seen."""
_FILLS = frozenset({"solidFill", "gradFill", "blipFill", "pattFill", "grpFill"})
_PAPER = frozenset({"bg1", "lt1"})


def has_white_paper(slide: "Element", layers: Sequence["Element"], theme: "Element | None") -> bool:
    """Whether the background of a slide is white.

    Args:
        layers: its layout and its master.
        theme: that of the master; white and black where there is none.
    """
    white = _is_light(layers[-1] if layers else None, theme)
    for layer in (slide, *layers):
        background = layer.find(f"{P}cSld/{P}bg")
        if background is not None:
            colour = next((child for child in background.iter() if local(child) in ("srgbClr", "schemeClr")), None)
            plain = background.find(f"{P}bgRef") is not None or background.find(f"{P}bgPr/{A}solidFill") is not None
            return plain and colour is not None and _is_white(colour, white=white)
    return white


def _is_light(master: "Element | None", theme: "Element | None") -> bool:
    """Whether the theme's colour for the background is white."""
    mapped = master.find(P + "clrMap") if master is not None else None
    if value(mapped, "bg1", "lt1") != "lt1":
        return False
    light = theme.find(f".//{A}lt1") if theme is not None else None
    colour = next(iter(light), None) if light is not None else None
    return colour is None or bool(_WHITE.fullmatch(value(colour, "lastClr") or value(colour, "val")))


def _is_white(colour: "Element", *, white: bool) -> bool:
    if len(colour):  # made darker or lighter
        return False
    if local(colour) == "schemeClr":
        return white and value(colour, "val") in _PAPER
    return bool(_WHITE.fullmatch(value(colour, "val")))


def coloured(drawn: Sequence[Shape]) -> list[Shape]:
    """The shapes that something may stand on: those with a colour, pictures, tables and charts."""
    return [shape for shape in drawn if shape.area and (shape.kind in ("pic", "graphicFrame") or is_filled(shape))]


def stands_on_paper(shape: Shape, behind: Sequence[Shape]) -> bool:
    """Whether nothing but the slide is behind the text of a shape.

    Args:
        behind: the coloured shapes of the slide, its layout and its master.
    """
    area = shape.area
    if area is None or len(behind) > _MOST_BEHIND:
        return False
    return not any(other.area is not None and _overlap(area, other.area) for other in behind)


def is_filled(shape: Shape) -> bool:
    """Whether a shape has a colour or a picture of its own; one of its style counts."""
    about = shape.element.find(P + "spPr")
    for child in about if about is not None else ():
        if local(child) in _FILLS:
            return True
        if local(child) == "noFill":
            return False
    return number(value(shape.element.find(f"{P}style/{A}fillRef"), "idx")) > 0


def is_switched_off(shape: Shape) -> bool:
    """Whether a shape is hidden as a whole."""
    about = next(shape.element.iter(P + "cNvPr"), None)
    return value(about, "hidden") in ("1", "true")


def _overlap(one: Area, other: Area) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def take_unseen(body: "Element", *, on_white: bool, white: bool) -> str:
    """Take the runs out of a text that nobody sees, and give their text.

    Args:
        on_white: whether nothing but white is behind the text.
        white: whether the theme's colour for the background is white.
    """
    taken: list[str] = []
    for paragraph in body.iterchildren(A + "p"):
        for run in list(paragraph.iterchildren(A + "r", A + "fld")):
            if _is_unseen(run.find(A + "rPr"), on_white=on_white, white=white):
                taken.append(run.findtext(A + "t") or "")
                paragraph.remove(run)
    return "".join(taken)


def _is_unseen(about: "Element | None", *, on_white: bool, white: bool) -> bool:
    if about is None:
        return False
    if 0 < number(value(about, "sz")) <= _SMALLEST:
        return True
    if about.find(A + "noFill") is not None:
        return about.find(A + "ln") is None
    colour = next(iter(about.findall(f"{A}solidFill/*")), None)
    if colour is None:
        return False
    if number(value(colour.find(A + "alpha"), "val"), _CLEAR + 1) <= _CLEAR:
        return True
    return on_white and _is_white(colour, white=white)
