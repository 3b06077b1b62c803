"""Hits and citations -> the same, marked where their file fails now, or where their text stands elsewhere too."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import TypeVar

from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.protocols import Index, Retriever
from docpipe.types import Answer, Chunk, Citation, Elsewhere, Hit, Query

Piece = TypeVar("Piece")
_LOOK_SECONDS = 1.0
"""To ask for the ledger's version takes a fifth of a search."""
_MOST_REMEMBERED = 4_096
"""Hits whose text stands in other places too."""


class Stale:
    """The documents of which the index holds an older version than the file that fails now."""

    def __init__(self, index: Index) -> None:
        self._ledger = Ledger(index)
        self._lock = Lock()
        self._version = -1
        self._looked = -_LOOK_SECONDS
        self._uris: frozenset[str] = frozenset()
        self._also: OrderedDict[str, tuple[Elsewhere, ...]] = OrderedDict()

    def uris(self) -> frozenset[str]:
        """Which they are; read again when the ledger has changed, for which it is looked at once a second."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= _LOOK_SECONDS:
                self._looked = now
                version = self._ledger.table.version()
                if version != self._version:
                    self._uris, self._version = self._ledger.stale(), version
            return self._uris

    def hits(self, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits, marked."""
        uris = self.uris() if hits else frozenset()
        for hit in hits:
            self._remember(hit)
        return [replace(hit, stale=True) if hit.chunk.source.uri in uris else hit for hit in hits]

    def piece(self, piece: Piece) -> Piece:
        """A piece of an answer, or the whole, its citations marked by what was known when its sources were searched."""
        if isinstance(piece, Citation):
            return replace(piece, stale=piece.uri in self._uris, also_in=self._also.get(piece.chunk_id, ()))
        if isinstance(piece, Answer) and piece.citations:
            return replace(piece, citations=tuple(map(self.piece, piece.citations)))
        return piece

    def _remember(self, hit: Hit) -> None:
        """Where else the text of a hit stands: an answer's citations name its chunk only."""
        with self._lock:
            self._also.pop(hit.chunk.id, None)
            if hit.also_in:
                self._also[hit.chunk.id] = hit.also_in
            while len(self._also) > _MOST_REMEMBERED:
                self._also.popitem(last=False)


class MarkingRetriever:
    """Another retriever's hits, marked."""

    def __init__(self, retriever: Retriever, stale: Stale) -> None:
        self._retriever, self._stale = retriever, stale

    def search(self, query: Query, /) -> list[Hit]:
        """The best hits, best first."""
        return self._stale.hits(self._retriever.search(query))

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        """The same for several questions."""
        return [self._stale.hits(hits) for hits in self._retriever.search_many(queries)]

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """What stands around a hit in its document."""
        return self._retriever.neighbours(hit, before=before, after=after)
