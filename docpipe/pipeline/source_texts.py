"""Chunk -> what was parsed where it was taken from, out of what the index keeps of its document."""

from dataclasses import replace
from threading import Lock

from docpipe import _codec
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.protocols import Index, Snapshot
from docpipe.types import Chunk

_MOST = 8_000_000
"""Code points of texts that are held; the one read last is always held."""
_NEAR = 16
"""Chunks of a document that are looked at to see which version of it the index holds."""


class SourceTexts:
    """Looks quotes up. Texts that were read lately are held until the index changes: answers quote the same few."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = Lock()
        self._version = -1
        self._held: dict[str, tuple[str, tuple[str, ...]]] = {}

    def __call__(self, chunk: Chunk) -> str | None:
        """The text; None where readers see the document in another version than the chunk's, or not at all."""
        snapshot = self._index.snapshot()
        version = snapshot.version
        with self._lock:
            if version != self._version:
                self._held, self._version = {}, version
            found = self._held.pop(chunk.document_id, None)
        if found is None:
            digest = seen_digest(snapshot, chunk)
            found = (digest, tuple(map(_codec.text_of, Ledger(self._index).parsed_from(digest))))
        self._hold(chunk.document_id, found, version)
        digest, texts = found
        if digest != chunk.source.digest or not texts:
            return None
        # The same bytes may have been parsed by another parser before: the chunk tells which text is its own.
        return next((text for text in map(chunk.span.of, texts) if text == chunk.text), chunk.span.of(texts[0]))

    def _hold(self, document_id: str, found: tuple[str, tuple[str, ...]], version: int) -> None:
        """Keep it as the newest; the oldest go."""
        with self._lock:
            if version != self._version:
                return
            self._held[document_id] = found
            held = sum(map(_size, self._held.values()))
            while held > _MOST and len(self._held) > 1:
                oldest = next(iter(self._held))
                held -= _size(self._held.pop(oldest))


def seen_digest(snapshot: Snapshot, chunk: Chunk) -> str:
    """The bytes that the chunk's document was made of, as readers see it now; nothing where they do not see it."""
    seen = snapshot.fetch([chunk.id]).get(chunk.id)
    before_all = replace(chunk, position=-1)
    near = [seen] if seen is not None else snapshot.neighbours(before_all, before=0, after=_NEAR)
    return near[0].source.digest if near else ""


def _size(found: tuple[str, tuple[str, ...]]) -> int:
    return sum(map(len, found[1]))
