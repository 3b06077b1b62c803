"""PDFs drawn in tests: what stands where is known."""

from typing import Any

from docpipe import _ids
from docpipe.types import Blob, Block, BlockKind, Document, Source

BODY = 10.0
LOREM = (
    "The harbour office keeps a ledger of every vessel that enters the bay. Each entry names the master, the cargo and "
    "the hour of arrival. When the tide is low the pilot waits at the outer buoy until the channel is deep enough. "
)


def blob(data: bytes, uri: str = "harbour.pdf") -> Blob:
    """A PDF's bytes as a loader gives them."""
    source = Source(uri=uri, media_type="application/pdf", digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


def new() -> Any:
    """An empty PDF."""
    import pymupdf

    return pymupdf.open()


def finished(document: Any, **options: Any) -> Blob:
    """The PDF's bytes, as a blob."""
    data = document.tobytes(**options)
    document.close()
    return blob(data)


def flow(
    page: Any, box: tuple[float, float, float, float], text: str, *, size: float = BODY, font: str = "helv"
) -> None:
    """Text that is broken into lines within a box; fails if it does not fit."""
    left = page.insert_textbox(box, text, fontsize=size, fontname=font, lineheight=1.25)
    assert left >= 0, f"the text needs {-left} points more"


def put(page: Any, x: float, y: float, text: str, *, size: float = BODY, font: str = "helv", rotate: int = 0) -> None:
    """One line with its base line at y."""
    page.insert_text((x, y), text, fontsize=size, fontname=font, rotate=rotate)


def of(document: Document, kind: BlockKind) -> list[str]:
    """Texts of the blocks of a kind."""
    return [block.span.of(document.text) for block in document.blocks if block.kind is kind]


def containing(document: Document, words: str) -> Block:
    """The first block with these words."""
    return next(block for block in document.blocks if words in block.span.of(document.text))
