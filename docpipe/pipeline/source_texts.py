"""Chunk -> what was parsed where it was taken from, out of what the index keeps of its document."""

from threading import Lock

from docpipe import _codec
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.protocols import Index
from docpipe.types import Chunk

_MOST = 8_000_000
"""Code points of texts that are held; the one read last is always held."""


class SourceTexts:
    """Looks quotes up. Texts that were read lately are held until the index changes: answers quote the same few."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = Lock()
        self._version = -1
        self._held: dict[str, tuple[str, str]] = {}

    def __call__(self, chunk: Chunk) -> str | None:
        """The text; None where the index holds the document in another version than the chunk's, or not at all."""
        version = self._index.versions()
        with self._lock:
            if version != self._version:
                self._held, self._version = {}, version
            found = self._held.pop(chunk.document_id, None)
        if found is None:
            found = self._read(chunk.document_id)
        if found is None:
            return None
        self._hold(chunk.document_id, found, version)
        digest, text = found
        return chunk.span.of(text) if digest == chunk.source.digest else None

    def _read(self, document_id: str) -> tuple[str, str] | None:
        kept = Ledger(self._index).documents([document_id]).get(document_id)
        return None if kept is None else (kept["digest"], _codec.text_of(kept["data"]))

    def _hold(self, document_id: str, found: tuple[str, str], version: int) -> None:
        """Keep it as the newest; the oldest go."""
        with self._lock:
            if version != self._version:
                return
            self._held[document_id] = found
            held = sum(len(text) for _, text in self._held.values())
            while held > _MOST and len(self._held) > 1:
                oldest = next(iter(self._held))
                held -= len(self._held.pop(oldest)[1])
