"""Parsed documents -> vectors -> rows of the index, a batch of documents at a time."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from docpipe._ids import text_key
from docpipe.errors import EmbedError
from docpipe.pipeline.ingest.ledger import Ledger, Row, Stamp
from docpipe.pipeline.processes.work import Parsed
from docpipe.protocols import DocumentRows, Embedder, Index
from docpipe.types import Chunk, EmbeddedChunk, Status

if TYPE_CHECKING:
    from docpipe.types import type_vector

_SLICE = 256
"""Texts embedded between two looks at whether the run was stopped."""
_REMEMBERED = 16_384
"""Vectors of this run kept at hand, so that a text that comes again is not embedded again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What one batch cost."""

    chunks: int
    embedded: int
    """Texts the embedder was given."""
    reused: int
    """Chunks whose vector was there already."""
    embed_seconds: float
    index_seconds: float


class BatchWriter:
    """Embeds and commits: chunks first, ledger last, so that a kill in between only means doing it again."""

    def __init__(self, *, index: Index, embedder: Embedder, ledger: Ledger, stamp: Stamp) -> None:
        self._index = index
        self._embedder = embedder
        self._ledger = ledger
        self._stamp = stamp
        self._stopped = False
        self._remembered: OrderedDict[str, type_vector] = OrderedDict()

    def write(self, batch: Sequence[tuple[Parsed, Row]], *, now: int) -> Written:
        """Replace these documents in the index, then in the ledger.

        Args:
            batch: each document with the ledger's row of its source.
            now: seconds since 1970.
        """
        started = time.monotonic()
        keys = [[text_key(chunk.content) for chunk in parsed.chunks] for parsed, _ in batch]
        known = self._index.vectors([parsed.document_id for parsed, row in batch if row.chunks])
        vectors, embedded = self._vectors(batch, keys, known)
        middle = time.monotonic()
        documents = [self._rows(parsed, own, vectors) for (parsed, _), own in zip(batch, keys, strict=True)]
        self._index.replace(documents)
        self._ledger.keep_documents([self._stored(parsed) for parsed, _ in batch if parsed.stored])
        self._ledger.put([self._ledger_row(parsed, row, now=now) for parsed, row in batch])
        _give_back()
        total = sum(map(len, keys))
        return Written(
            chunks=total,
            embedded=embedded,
            reused=total - embedded,
            embed_seconds=middle - started,
            index_seconds=time.monotonic() - middle,
        )

    def _vectors(
        self,
        batch: Sequence[tuple[Parsed, Row]],
        keys: Sequence[Sequence[str]],
        known: "Mapping[str, type_vector]",
    ) -> "tuple[dict[str, type_vector], int]":
        """The vector of every key, and how many texts had to be embedded for it."""
        texts: dict[str, str] = {}
        vectors: dict[str, type_vector] = {}
        for (parsed, _), own in zip(batch, keys, strict=True):
            for chunk, key in zip(parsed.chunks, own, strict=True):
                vector = known.get(key)
                if vector is None:
                    vector = self._remembered.get(key)
                if vector is not None:
                    vectors[key] = vector
                else:
                    texts[key] = chunk.content
        if texts:
            fresh = self._embed(texts)
            self._remember(fresh)
            vectors.update(fresh)
        return vectors, len(texts)

    def _embed(self, texts: Mapping[str, str]) -> "dict[str, type_vector]":
        """Embed by falling length, in slices between which the work can be given up."""
        keys = sorted(texts, key=lambda key: (-len(texts[key]), key))
        vectors: dict[str, type_vector] = {}
        for start in range(0, len(keys), _SLICE):
            if self._stopped:
                raise EmbedError("given up, because the run ends", stage="embed", remedy="run again")
            some = keys[start : start + _SLICE]
            vectors.update(zip(some, self._embedder.embed_passages([texts[key] for key in some]), strict=True))
        return vectors

    def stop(self) -> None:
        """Give up what is being embedded; a commit that has begun is finished."""
        self._stopped = True

    def _remember(self, vectors: "Mapping[str, type_vector]") -> None:
        for key, vector in vectors.items():
            self._remembered[key] = vector.copy()  # a view would keep its whole batch alive
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    def _rows(self, parsed: Parsed, keys: Iterable[str], vectors: "Mapping[str, type_vector]") -> DocumentRows:
        model = self._embedder.model
        pairs: Iterable[tuple[Chunk, str]] = zip(parsed.chunks, keys, strict=True)
        return DocumentRows(
            document_id=parsed.document_id,
            chunks=tuple(EmbeddedChunk(chunk=chunk, vector=vectors[key], model=model) for chunk, key in pairs),
        )

    def _stored(self, parsed: Parsed) -> dict[str, object]:
        return {
            "document_id": parsed.document_id,
            "digest": parsed.source.digest,
            "parsed_by": self._stamp.parse,
            "data": parsed.stored,
        }

    def _ledger_row(self, parsed: Parsed, row: Row, *, now: int) -> Row:
        source = parsed.source
        return replace(
            row,
            document_id=parsed.document_id,
            status=Status.INDEXED.value,
            size=source.size,
            modified=source.modified,
            digest=source.digest,
            media_type=source.media_type,
            parsed_by=self._stamp.parse,
            chunked_by=self._stamp.chunk,
            chunks=len(parsed.chunks),
            tokens=sum(chunk.token_count for chunk in parsed.chunks),
            pages=parsed.pages,
            ocr_pages=",".join(map(str, parsed.ocr_pages)),
            stage="",
            error="",
            message="",
            remedy="",
            retryable=False,
            attempts=0,
            first_failed=0,
            last_tried=now,
        )


@cache
def _trim() -> Callable[[int], int] | None:
    """The C library's call that gives freed memory back to the system, where it has one (glibc)."""
    import ctypes

    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


def _give_back() -> None:
    """Freed memory would stay with each of LanceDB's many threads otherwise: 50 to 80 MB of a long run."""
    if trim := _trim():
        trim(0)
