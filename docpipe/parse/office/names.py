"""XML names of Office's formats, as lxml writes them (`{namespace}name`), and how attributes are read (pure)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_OFFICE = "{http://schemas.openxmlformats.org/"
W = _OFFICE + "wordprocessingml/2006/main}"
A = _OFFICE + "drawingml/2006/main}"
P = _OFFICE + "presentationml/2006/main}"
S = _OFFICE + "spreadsheetml/2006/main}"
M = _OFFICE + "officeDocument/2006/math}"
R = _OFFICE + "officeDocument/2006/relationships}"
C = _OFFICE + "drawingml/2006/chart}"
DIAGRAM = _OFFICE + "drawingml/2006/diagram}"
WP = _OFFICE + "drawingml/2006/wordprocessingDrawing}"
MC = _OFFICE + "markup-compatibility/2006}"


def local(element: "Element") -> str:
    """An element's name without its namespace; nothing for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def value(element: "Element | None", name: str, default: str = "") -> str:
    """An attribute's text."""
    return default if element is None else element.get(name, default)


def number(text: str | None, default: int = 0) -> int:
    """A whole number within 32 bits, or the default where it is none."""
    try:
        found = int(text or "")
    except ValueError:
        return default
    return found if abs(found) < 1 << 31 else default


def switched_on(parent: "Element | None", name: str) -> bool | None:
    """What a child says that is on by being there (`<w:vanish/>`, `<w:b w:val="0"/>`); None where it is not there."""
    child = parent.find(name) if parent is not None else None
    if child is None:
        return None
    return child.get(W + "val", "1") not in ("0", "false", "off")
