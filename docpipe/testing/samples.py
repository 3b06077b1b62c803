"""Documents, chunks and vectors to write into an index, for its tests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from docpipe._ids import chunk_id, document_id
from docpipe.errors import DocpipeError
from docpipe.geometry import Geometry, Line, PageBox
from docpipe.protocols import DocumentRows, Index
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Source, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_vector = NDArray[np.float32]

MODEL, DIM = "contract-model", 4
AWKWARD = (
    'it\'s "here".pdf',
    "a\nb\tc.md",
    "资料/第一章 100%_x.pdf",
    "back\\slash.txt",
    "'; DROP TABLE chunks; --",
    "e\u0301.md",
)
"""Uris that a careless filter or delete stumbles over."""


def chunk(text: str, *, uri: str = "a.md", position: int = 0, language: str = "en", page: int = 1) -> Chunk:
    """A chunk with something in every field."""
    document, start = document_id(uri), 100 * position
    box = PageBox(page, 0.1, 0.2, 0.9, 0.3)
    return Chunk(
        id=chunk_id(document, text, position),
        document_id=document,
        source=Source(uri=uri, media_type="text/markdown", digest="d" * 64, size=7, modified=1_714_521_600_000_000_000),
        span=Span(start, start + len(text)),
        text=text,
        context="Part > ",
        headings=("Part", "第一章"),
        block_ids=("b1", "b2"),
        kind=BlockKind.PARAGRAPH,
        pages=(page, page + 1),
        boxes=(box, box._replace(page=page + 1)),
        token_count=len(text),
        position=position,
        title="It's a title",
        language=language,
        geometry=Geometry.of([Line(start, start + len(text), page, 0.1, 0.2, 0.9, 0.3, (0.1, 0.9))]),
        metadata={"title": "It's a title", "authors": "Ann Li; 王伟", "created": "2024-05-31", "subject": "100%_x"},
    )


def embedded(chunk: Chunk, vector: Sequence[float] = (1, 0, 0, 0), *, model: str = MODEL) -> EmbeddedChunk:
    """A chunk with this vector, made to length 1."""
    import numpy as np

    array = np.asarray(vector, dtype=np.float32)
    return EmbeddedChunk(chunk=chunk, vector=array / np.linalg.norm(array), model=model)


def document(uri: str, *texts: str, language: str = "en") -> DocumentRows:
    """One document's rows: a chunk per text, on pages 1, 2, 3 ..., with vectors that turn from the first axis away."""
    rows = [
        embedded(chunk(text, uri=uri, position=n, page=n + 1, language=language), (1, 0.1 * n, 0, 0.01))
        for n, text in enumerate(texts)
    ]
    return DocumentRows(document_id=document_id(uri), chunks=tuple(rows))


def vectors(*rows: Sequence[float]) -> "NDArray[np.float32]":
    """Question vectors, float32, shape (len(rows), dim)."""
    import numpy as np

    return np.asarray(rows, dtype=np.float32)


def refused(kind: type[DocpipeError], work: object) -> DocpipeError:
    """The error that `work()` raises; it must be of this kind and say what to try."""
    try:
        work()  # type: ignore[operator]
    except kind as error:
        assert error.remedy, f"{kind.__name__} says nothing of what to try"
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


class Opened:
    """Says what to make. Subclass it and define `make`, which gives a new index at each call."""

    def make(self) -> Index:
        """A new, empty index."""
        raise NotImplementedError

    def opened(self, *documents: DocumentRows) -> Index:
        """A new index that holds these documents."""
        index = self.make()
        index.open(model=MODEL, dim=DIM)
        if documents:
            index.replace(documents)
        return index
