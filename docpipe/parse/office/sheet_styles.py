"""The styles of a workbook -> how cells are shown by the number of their style (pure)."""

import re
from typing import TYPE_CHECKING

from docpipe.parse.office.names import S, number, value
from docpipe.parse.office.number_formats import BUILT_IN
from docpipe.parse.office.sheet_cells import Formats

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WHITE = re.compile(r"(?:[0-9A-F]{2})?(?:F[0-9A-F]){3}", re.I)
_PAPER = frozenset({"9", "65"})
"""Numbers of white, and of the window's background, among the fixed colours."""
_SMALLEST = 2.0
"""In points; what is not larger cannot be read."""


def read_formats(styles: "Element | None", *, from_1904: bool) -> Formats:
    """All styles of `styles.xml`.

    Args:
        from_1904: whether days are counted from 1904.
    """
    if styles is None:
        return Formats((), from_1904)
    own = {number(value(item, "numFmtId"), -1): value(item, "formatCode") for item in styles.iter(S + "numFmt")}
    fonts = list(styles.iterfind(f"{S}fonts/{S}font"))
    white = {place for place, font in enumerate(fonts) if _is_white(font.find(S + "color"))}
    tiny = {place for place, font in enumerate(fonts) if _is_tiny(font)}
    bare = {place for place, fill in enumerate(styles.iterfind(f"{S}fills/{S}fill")) if _shows_paper(fill)}
    cells = list(styles.iterfind(f"{S}cellXfs/{S}xf"))
    places = [number(value(item, "numFmtId")) for item in cells]
    font_of = [number(value(item, "fontId")) for item in cells]
    fill_of = [number(value(item, "fillId")) for item in cells]
    return Formats(
        [own.get(place) or BUILT_IN.get(place, "") for place in places],
        from_1904,
        tiny=frozenset(style for style, font in enumerate(font_of) if font in tiny),
        pale=frozenset(
            style
            for style, (font, fill) in enumerate(zip(font_of, fill_of, strict=True))
            if font in white and (fill in bare or not fill)
        ),
    )


def _is_tiny(font: "Element") -> bool:
    try:
        return float(value(font.find(S + "sz"), "val", "11")) <= _SMALLEST
    except ValueError:
        return False


def _is_white(colour: "Element | None") -> bool:
    """Whether a colour is the paper's own. A theme's first colour is that of the window: white."""
    if colour is None:
        return False
    rgb = value(colour, "rgb")
    darker = value(colour, "tint", "0").startswith("-")
    return (
        bool(_WHITE.fullmatch(rgb))
        or (value(colour, "theme") == "0" and not darker)
        or value(colour, "indexed") in _PAPER
    )


def _shows_paper(fill: "Element") -> bool:
    pattern = fill.find(S + "patternFill")
    if pattern is None:
        return len(fill) == 0
    kind = value(pattern, "patternType", "none")
    return kind == "none" or (kind == "solid" and _is_white(pattern.find(S + "fgColor")))
