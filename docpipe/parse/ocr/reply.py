"""What is kept of a page that was read <-> bytes (pure)."""

import json
import zlib
from collections.abc import Sequence

from docpipe.parse.ocr.layout import Element
from docpipe.types import BBox

FORMAT = 1
"""Rises when what is kept changes; it is part of every page's key."""
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
