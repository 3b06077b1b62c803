"""An index -> its documents, or their pages, that are nearly the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docpipe.copies import Group, Sketch, groups, sketch
from docpipe.protocols import Index, Reading
from docpipe.types import Chunk, Elsewhere

_AT_ONCE = 200
"""Documents read in one go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicates:
    """What is held more than once."""

    pipeline: str
    compared: int
    """Documents or pages with enough words to be compared."""
    groups: tuple[Group[Elsewhere], ...]


def duplicates(index: Index, *, pipeline: str, pages: bool = False) -> Duplicates:
    """Compare all documents that the index holds, by the words of their chunks.

    Args:
        pages: compare single pages, of whichever documents; documents without pages are left out.
    """
    snapshot = index.snapshot()
    sketches: dict[Elsewhere, Sketch] = {}
    known = sorted((shelved.uri, key) for key, shelved in index.document_ids().items())
    for some in _slices([key for _, key in known]):
        for place, texts in sorted(_texts(index, snapshot, some, pages=pages).items()):
            made = sketch(texts)
            if made is not None:
                sketches[place] = made
    return Duplicates(pipeline=pipeline, compared=len(sketches), groups=tuple(groups(sketches)))


def _slices(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def _texts(index: Index, reading: Reading, documents: Sequence[str], *, pages: bool) -> dict[Elsewhere, list[str]]:
    """The texts of some documents by where they stand; a chunk over a page break counts to its first page."""
    ids = [chunk for chunks in index.chunk_ids(documents).values() for chunk in chunks]
    found: dict[Elsewhere, list[str]] = {}
    for chunk in reading.fetch(ids).values():
        place = _place(chunk, pages=pages)
        if place is not None:
            found.setdefault(place, []).append(chunk.text)
    return found


def _place(chunk: Chunk, *, pages: bool) -> Elsewhere | None:
    if not pages:
        return Elsewhere(chunk.source.uri)
    return Elsewhere(chunk.source.uri, chunk.pages[:1]) if chunk.pages else None
