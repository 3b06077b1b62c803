"""Document <-> bytes: what is kept of a parsed document, so that a new chunker need not parse again (pure)."""

import json
import zlib
from dataclasses import astuple
from struct import Struct

from docpipe.geometry import Geometry
from docpipe.types import BBox, Block, BlockKind, Document, Link, OutlineEntry, Page, Source, Span

_HEAD = Struct("<4sQQQ")
_MAGIC = b"dpd1"


def encode(document: Document) -> bytes:
    """A document as compressed bytes. Law: `decode(encode(document)) == document`."""
    head = {
        "id": document.id,
        "source": astuple(document.source),
        "pages": [astuple(page) for page in document.pages],
        "blocks": [_block_row(block) for block in document.blocks],
        "metadata": dict(document.metadata),
        "outline": document.outline,
        "links": document.links,
    }
    parts = (
        json.dumps(head, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        document.text.encode("utf-8", "surrogatepass"),
        document.geometry.records,
    )
    packed = _HEAD.pack(_MAGIC, *map(len, parts))
    return zlib.compress(packed + b"".join(parts) + document.geometry.edges, level=1)


def decode(data: bytes) -> Document:
    """The document again. Documents that were stored before outlines and links were kept have none.

    Raises:
        ValueError: these bytes were not made by `encode`, or by another version of it.
    """
    (head_part, text, records), edges = _parts(data)
    head = json.loads(head_part.decode("utf-8", "surrogatepass"))
    return Document(
        id=head["id"],
        source=Source(**dict(zip(Source.__dataclass_fields__, head["source"], strict=True))),
        text=text.decode("utf-8", "surrogatepass"),
        pages=tuple(Page(number=n, width=w, height=h, needs_ocr=o) for n, w, h, o in head["pages"]),
        blocks=tuple(_block(row) for row in head["blocks"]),
        metadata=head["metadata"],
        geometry=Geometry(records, edges),
        outline=tuple(OutlineEntry(*row) for row in head.get("outline", ())),
        links=tuple(Link(*row) for row in head.get("links", ())),
    )


def text_of(data: bytes) -> str:
    """The text of a stored document alone, without the cost of its blocks.

    Raises:
        ValueError: as `decode`.
    """
    (_, text, _), _ = _parts(data)
    return text.decode("utf-8", "surrogatepass")


def _parts(data: bytes) -> tuple[list[bytes], bytes]:
    """Head, text and records, and then the edges."""
    try:
        raw = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"not a stored document: {error}") from error
    magic, *lengths = _HEAD.unpack_from(raw) if len(raw) >= _HEAD.size else (b"", 0, 0, 0)
    if magic != _MAGIC:
        raise ValueError("not a stored document of this version")
    parts, at = [], _HEAD.size
    for length in lengths:
        parts.append(raw[at : at + length])
        at += length
    return parts, raw[at:]


def _block_row(block: Block) -> list[object]:
    return [block.id, block.kind.value, *block.span, block.page, block.bbox, block.level, block.native_label]


def _block(row: list[object]) -> Block:
    id_, kind, start, end, page, bbox, level, label = row
    return Block(
        id=str(id_),
        kind=BlockKind(str(kind)),
        span=Span(start, end),  # type: ignore[arg-type]
        page=page,  # type: ignore[arg-type]
        bbox=BBox(*bbox) if bbox is not None else None,  # type: ignore[misc]
        level=level,  # type: ignore[arg-type]
        native_label=str(label),
    )
