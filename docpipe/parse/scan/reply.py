"""What is kept of a page that was read <-> bytes (pure)."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence

from docpipe.parse.scan.layout import Element
from docpipe.types import BBox

FORMAT = 1
"""Rises when what is kept changes; it is part of every page's key."""
_ADDRESS = re.compile(r"https://[^\s\"<>\\]{1,2000}")
_LARGEST = 64_000_000


def packed(elements: Sequence[Element]) -> bytes:
    """The elements of a page. Law: `unpacked(packed(elements)) == elements`, boxes to 6 digits."""
    rows = [[e.label, e.text, [round(x, 6) for x in e.box] if e.box else None] for e in elements]
    return zlib.compress(json.dumps(rows, ensure_ascii=True, separators=(",", ":")).encode(), 6)


def unpacked(data: bytes) -> list[Element]:
    """The elements of a page.

    Raises:
        ValueError: these bytes were not made by `packed`.
    """
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, _LARGEST)
        if not unpacking.eof:
            raise ValueError("it is cut short, or too large")
        return [
            Element(str(label), str(text), BBox(*map(float, box)) if box else None)
            for label, text, box in json.loads(text)
        ]
    except (zlib.error, TypeError, ValueError) as error:
        raise ValueError(f"no page that was read: {error}") from error


def figures(replies: Mapping[int, bytes]) -> str:
    """Addresses of the pictures that the service cut out, as JSON: `page`, `box` (fractions), `url`; or nothing.

    Args:
        replies: by page, from 1; empty where a page was not read.
    """
    found = []
    for page, data in sorted(replies.items()):
        for element in _read(data):
            if _ADDRESS.fullmatch(element.text.strip()) and element.label in ("image", "chart", "figure"):
                found.append({"page": page, "box": element.box, "url": element.text.strip()})
    return json.dumps(found, separators=(",", ":")) if found else ""


def _read(data: bytes) -> list[Element]:
    try:
        return unpacked(data) if data else []
    except ValueError:
        return []
