"""XML names of OpenDocument, and its lengths (pure)."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
OFFICE = _OASIS + "office:1.0}"
TEXT = _OASIS + "text:1.0}"
TABLE = _OASIS + "table:1.0}"
DRAW = _OASIS + "drawing:1.0}"
STYLE = _OASIS + "style:1.0}"
SHOW = _OASIS + "presentation:1.0}"
SVG = _OASIS + "svg-compatible:1.0}"
FO = _OASIS + "xsl-fo-compatible:1.0}"
META = _OASIS + "meta:1.0}"
MANIFEST = _OASIS + "manifest:1.0}"
XLINK = "{http://www.w3.org/1999/xlink}"
DC = "{http://purl.org/dc/elements/1.1/}"

_LENGTH = re.compile(r"(-?\d{1,7}(?:\.\d{1,9})?)(cm|mm|in|pt|pc|px)")
_POINTS = {"cm": 72 / 2.54, "mm": 72 / 25.4, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}


def points(element: "Element | None", name: str) -> float:
    """A length in points; 0 where there is none."""
    match = _LENGTH.fullmatch(element.get(name, "") if element is not None else "")
    return float(match[1]) * _POINTS[match[2]] if match else 0.0
