"""An index of another model's vectors -> one of this model's, while readers go on with the old one."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docpipe._ids import text_key
from docpipe.pipeline.ingest.attached import Guard, Stopping
from docpipe.pipeline.ingest.paid_vectors import PaidVectors
from docpipe.pipeline.report.reports import Event
from docpipe.protocols import Embedder, Index, RepliesKept

if TYPE_CHECKING:
    from docpipe.types import type_vector

_SLICE = 256
"""Texts embedded between two looks at whether the run was stopped; a kill costs so many at most."""
_FETCHED = 16_384
"""Texts that are looked up together: to see which are missing, all keys of the index are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """How far a move to another model came."""

    complete: bool
    """Whether readers ask with the new model by now."""
    embedded: int = 0
    """Texts that the embedder was given."""
    seconds: float = 0.0


def move(
    index: Index,
    embedder: Embedder,
    *,
    made_by: str,
    guard: Guard,
    stop: Stopping,
    progress: Callable[[Event], None],
) -> Moved:
    """Fill the vectors that are missing, slice by slice, and switch when all are there.

    An index that is of this model already is left as it is, as is one that was never written. A move that was
    stopped or killed is gone on with by the next run: what it filled stays.

    Raises:
        EmbedError, ServiceError: the embedder failed. What was filled stays.
        LeaseLost: another process took the index over.
    """
    held = index.snapshot(latest=True).model
    if held in ("", embedder.model):
        return Moved(complete=True)
    begun, embedded = time.monotonic(), 0
    index.migration(model=embedder.model, dim=embedder.dim)
    paid = PaidVectors(index, model=embedder.model)
    try:
        for some in _slices(index, embedder.model):
            if stop.reason:
                return Moved(complete=False, embedded=embedded, seconds=time.monotonic() - begun)
            matrix = _matrix(embedder, [content for _, content in some], paid)
            guard.check()
            index.fill_vectors(embedder.model, [chunk_id for chunk_id, _ in some], matrix)
            embedded += len(some)
            progress(Event(kind="embedded", count=len(some)))
    finally:
        paid.close()
    guard.check()
    index.switch(model=embedder.model, made_by=made_by)
    guard.check()
    paid.forget()
    return Moved(complete=True, embedded=embedded, seconds=time.monotonic() - begun)


def _slices(index: Index, model: str) -> Iterator[list[tuple[str, str]]]:
    """`(chunk id, content)` of what lacks a vector of this model, until nothing does; each slice is to be filled."""
    while some := index.missing_vectors(model, limit=_FETCHED):
        yield from (some[start : start + _SLICE] for start in range(0, len(some), _SLICE))


def _matrix(embedder: Embedder, contents: Sequence[str], paid: PaidVectors) -> "type_vector":
    """The vectors of these texts, one below the other."""
    import numpy as np

    keys = [text_key(content) for content in contents]
    found = _vectors(embedder, dict(zip(keys, contents, strict=True)), paid)
    return np.stack([found[key] for key in keys])


def _vectors(embedder: Embedder, texts: dict[str, str], paid: PaidVectors) -> "dict[str, type_vector]":
    """The vectors of some texts by their keys; what was paid for before is not paid for again."""
    found = paid.find(list(texts))
    missing = {text: key for key, text in texts.items() if key not in found}
    if missing and isinstance(embedder, RepliesKept):
        made = embedder.embed_keeping(
            list(missing), lambda replies: paid.keep({missing[text]: vector for text, vector in replies.items()})
        )
        found.update(zip(missing.values(), made, strict=True))
    elif missing:
        found.update(zip(missing.values(), embedder.embed_passages(list(missing)), strict=True))
    return found
