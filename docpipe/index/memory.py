"""EmbeddedChunks -> dictionaries -> chunk ids by vector and by words, all exact: the reference for other indexes."""

import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from docpipe._ids import text_key
from docpipe.errors import IndexMismatch
from docpipe.index import filters, rows
from docpipe.index.memory_tables import MemoryTable, Store
from docpipe.index.questions import question_words
from docpipe.protocols import (
    ORDINARY,
    Budget,
    DocumentRows,
    IndexCheck,
    IndexStats,
    KeyedTable,
    Shelved,
    Unreadable,
    Upkept,
)
from docpipe.types import Chunk, EmbeddedChunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

_HAN = "\\u2e80-\\u9fff\\uf900-\\ufaff\\uac00-\\ud7af\\U00020000-\\U0003ffff"
_TERM = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_K1, _B = 1.2, 0.75


@dataclass(frozen=True, kw_only=True)
class MemorySnapshot:
    """One version of the rows. Rows are replaced, never changed, so it costs nothing to keep."""

    name: str = ""
    version: int = 0
    model: str = ""
    dim: int = 0
    made_by: str = ""
    rows: Mapping[str, EmbeddedChunk] = field(default_factory=dict, repr=False)

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        import numpy as np

        rows = self._fitting(where)
        if not rows or limit < 1:
            return [[] for _ in vectors]
        asked = vectors.shape[-1]
        if self.dim != asked:
            raise IndexMismatch(
                f"the index {self.name!r} holds vectors of length {self.dim}, the question's has {asked}",
                found=str(self.dim),
                wanted=str(asked),
                index=self.name,
                remedy="ask with the embedder that the index was made with",
            )
        matrix = _unit(np.stack([row.vector for row in rows]))
        scores = _unit(np.asarray(vectors, dtype=np.float32)) @ matrix.T
        return [_best({row.chunk.id: float(s) for row, s in zip(rows, some, strict=True)}, limit) for some in scores]

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score. Any text is a valid question; no word of it is syntax."""
        rows = self._fitting(where)
        wanted = set(_terms(question_words(text, limit=2_000)))
        if not rows or not wanted or limit < 1:
            return []
        return _best(_bm25(wanted, {row.chunk.id: _terms(row.chunk.content) for row in rows}), limit)

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        return {key: self.rows[key].chunk for key in chunk_ids if key in self.rows}

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        first, last = chunk.position - before, chunk.position + after
        same = (row.chunk for row in self.of([chunk.document_id]))
        return [other for other in same if first <= other.position <= last and other.position != chunk.position]

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors, shape (dim,), of these documents' rows by `_ids.text_key(content)`."""
        return {text_key(row.chunk.content): row.vector for row in self.of(document_ids)}

    def of(self, document_ids: Sequence[str]) -> list[EmbeddedChunk]:
        """These documents' rows, by position."""
        wanted = set(document_ids)
        found = (row for row in self.rows.values() if row.chunk.document_id in wanted)
        return sorted(found, key=lambda row: row.chunk.position)

    def _fitting(self, where: str) -> list[EmbeddedChunk]:
        wanted = filters.parse(where) if where else None
        return [row for row in self.rows.values() if wanted is None or filters.matches(wanted, row.chunk)]


class _State:
    """What was written. One lock guards writers; readers take a snapshot."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.head = MemorySnapshot()
        self.held: MemorySnapshot | None = None
        self.tables: dict[str, Store] = {}
        self.filled: dict[str, tuple[int, dict[str, type_matrix]]] = {}
        """By model: its dimension, and vectors by the key of their text."""

    def __reduce__(self) -> tuple[object, ...]:
        return _State, ()


@dataclass(frozen=True, kw_only=True)
class MemoryIndex:
    """Chunks in this process's memory, searched exactly. For tests and for a few thousand chunks."""

    VERSION = 1

    label: str = "memory"
    """What messages call it."""

    _state: _State = field(default_factory=_State, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Where it is, for messages."""
        return self.label

    def open(self, *, model: str, dim: int, made_by: str = "") -> None:
        """Make sure that it is of this model, or is being moved to it.

        Raises:
            IndexMismatch: it holds vectors of another model or dimension; nothing was changed.
        """
        with self._state.lock:
            head = self._state.head
            if not head.version or ((model, dim) == (head.model, head.dim) and made_by not in ("", head.made_by)):
                self._write(replace(head, name=self.label, model=model, dim=dim, made_by=made_by))
            elif self._state.filled.get(model, (0,))[0] != dim:
                self._check(model, dim)

    def _check(self, model: str, dim: int) -> None:
        head = self._state.head
        if (model, dim) != (head.model, head.dim):
            found, wanted = f"{head.model} ({head.dim})", f"{model} ({dim})"
            raise IndexMismatch(
                f"the index {self.name!r} holds vectors of {found}, this pipeline makes {wanted}",
                found=found,
                wanted=wanted,
                index=self.name,
                remedy="use a new index, or the embedder that this one was made with",
            )

    def _write(self, head: MemorySnapshot) -> int:
        self._state.head = replace(head, version=self._state.head.version + 1)
        return self._state.head.version

    def snapshot(self, *, latest: bool = False) -> MemorySnapshot:
        """The published version, or the one written last."""
        held = None if latest else self._state.held
        return held or self._state.head

    def hold(self) -> int:
        """Hold readers at the present version; returns it."""
        with self._state.lock:
            self._state.held = self._state.held or (self._state.head if self._state.head.version else None)
            return self.held()

    def publish(self) -> int:
        """Let readers see what was written last; returns its version."""
        self._state.held = None
        return self.versions()

    def held(self) -> int:
        """The version that readers are held at; 0 for none."""
        held = self._state.held
        return held.version if held else 0

    def replace(self, documents: Sequence[DocumentRows], /, *, restored: Mapping[str, bytes] | None = None) -> int:
        """Replace each document's rows by these, all at once; returns the version.

        Raises:
            IndexMismatch: rows are of another model or schema than the index; nothing was changed.
        """
        import numpy as np

        last = {document.document_id: document.chunks for document in documents}
        last |= {key: rows.embedded(rows.unpacked(data, index=self.name)) for key, data in (restored or {}).items()}
        new = [row for some in last.values() for row in some]
        if not all(np.isfinite(row.vector).all() for row in new):
            raise ValueError("a vector holds something that is not a finite number")
        with self._state.lock:
            if not last or (not new and not self.versions()):
                return self.versions()
            if not self.versions():
                self.open(model=new[0].model, dim=len(new[0].vector))
            for model, dim in {(row.model, len(row.vector)) for row in new}:
                self._check(model, dim)
            kept = {key: row for key, row in self._state.head.rows.items() if row.chunk.document_id not in last}
            return self._write(replace(self._state.head, rows=kept | {row.chunk.id: row for row in new}))

    def export(self, document_ids: Sequence[str], /) -> dict[str, bytes]:
        """Whole rows by document, for `replace`."""
        head = self._state.head
        found = {key: head.of([key]) for key in dict.fromkeys(document_ids)}
        return {
            key: rows.packed(rows.table(some, schema=rows.schema(model=head.model, dim=head.dim)))
            for key, some in found.items()
            if some
        }

    def delete(self, document_ids: Sequence[str], /) -> int:
        """Remove documents; returns the version. Unknown ids are no error."""
        return self.replace([DocumentRows(document_id=document_id, chunks=()) for document_id in document_ids])

    def remove_rows(self, chunk_ids: Sequence[str], /) -> int:
        """Remove single rows; returns the version. Unknown ids are no error."""
        gone = set(chunk_ids)
        with self._state.lock:
            if not gone or not self.versions():
                return self.versions()
            kept = {key: row for key, row in self._state.head.rows.items() if key not in gone}
            return self._write(replace(self._state.head, rows=kept))

    def document_ids(self) -> dict[str, Shelved]:
        """What is held, by document id."""
        chunks = [row.chunk for row in self._state.head.rows.values()]
        counts = Counter(chunk.document_id for chunk in chunks)
        return {chunk.document_id: Shelved(chunk.source.uri, counts[chunk.document_id]) for chunk in chunks}

    def chunk_ids(self, document_ids: Sequence[str], /) -> dict[str, tuple[str, ...]]:
        """Ids of the chunks of these documents, by position."""
        head = self._state.head
        found = {key: tuple(row.chunk.id for row in head.of([key])) for key in document_ids}
        return {key: ids for key, ids in found.items() if ids}

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        return self._state.head.search_vector(vectors, limit=limit, where=where)

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score."""
        return self._state.head.search_text(text, limit=limit, where=where)

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        return self._state.head.fetch(chunk_ids)

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        return self._state.head.neighbours(chunk, before=before, after=after)

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors of these documents' rows by `_ids.text_key(content)`."""
        return self._state.head.vectors(document_ids)

    def migration(self, *, model: str, dim: int) -> int:
        """Begin or continue to move to another model; returns how many distinct texts still lack a vector of it."""
        with self._state.lock:
            if (model, dim) == (self._state.head.model, self._state.head.dim):
                return 0
            if self._state.filled.get(model, (0, {}))[0] != dim:
                self._state.filled = {model: (dim, {})}
            return len(self._missing(model))

    def missing_vectors(self, model: str, /, *, limit: int) -> list[tuple[str, str]]:
        """`(chunk id, content)` of texts without a vector of this model, each text once, at most `limit`."""
        return [(row.chunk.id, row.chunk.content) for row in islice(self._missing(model).values(), limit)]

    def _missing(self, model: str) -> dict[str, EmbeddedChunk]:
        """Rows whose text has no vector yet, by the key of their text."""
        if model == self._state.head.model:
            return {}
        known = self._state.filled.get(model, (0, {}))[1]
        found = {text_key(row.chunk.content): row for row in self._state.head.rows.values()}
        return {key: row for key, row in found.items() if key not in known}

    def fill_vectors(self, model: str, chunk_ids: Sequence[str], matrix: "type_matrix", /) -> None:
        """Keep vectors, shape (len(chunk_ids), dim), of what `missing_vectors` gave."""
        dim, filled = self._state.filled[model]
        rows.check_matrix(matrix, shape=(len(chunk_ids), dim))
        for chunk_id, vector in zip(chunk_ids, matrix, strict=True):
            if chunk_id in self._state.head.rows:
                filled[text_key(self._state.head.rows[chunk_id].chunk.content)] = vector

    def switch(self, *, model: str, made_by: str = "") -> int:
        """Let readers use this model's vectors, from one commit on; returns the version.

        Raises:
            IndexMismatch: texts still lack a vector; nothing was changed.
        """
        with self._state.lock:
            if model == self._state.head.model:
                return self.versions()
            missing = len(self._missing(model))
            if missing or model not in self._state.filled:
                raise rows.not_complete(self.name, found=self._state.head.model, wanted=model, missing=missing)
            dim, filled = self._state.filled.pop(model)
            new = {
                key: EmbeddedChunk(chunk=row.chunk, vector=filled[text_key(row.chunk.content)], model=model)
                for key, row in self._state.head.rows.items()
            }
            return self._write(replace(self._state.head, model=model, dim=dim, made_by=made_by, rows=new))

    def versions(self) -> int:
        """The number of the version written last; 0 while nothing was written."""
        return self._state.head.version

    def stats(self) -> IndexStats:
        """Figures for `status`."""
        rows = self._state.head.rows.values()
        return IndexStats(
            rows=len(rows),
            documents=len({row.chunk.document_id for row in rows}),
            version=self.versions(),
            bytes=sum(row.vector.nbytes + len(row.chunk.text) for row in rows),
            text_rows=len(rows),
            vector_index="",
            vector_recall=1.0,
        )

    def optimize(self, budget: Budget = ORDINARY, /) -> Upkept:
        """Nothing to do: every search is exact."""
        return Upkept()

    def check(self) -> IndexCheck:
        """Nothing to find: what is wrong is refused when it is written."""
        head = self._state.head
        return IndexCheck(
            rows=len(head.rows),
            model=head.model,
            dim=head.dim,
            text_rows=len(head.rows),
            versions=1 if head.version else 0,
            held=self.held(),
        )

    def rebuild_indexes(self) -> None:
        """Nothing to do: there are none."""

    def remove_unreadable(self) -> tuple[Unreadable, ...]:
        """Nothing is ever unreadable."""
        return ()

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> KeyedTable:
        """A small table beside the chunks."""
        with self._state.lock:
            return MemoryTable(self._state.tables.setdefault(name, Store()), name, columns, key=key)


def _unit(vectors: "type_matrix") -> "type_matrix":
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def _best(scores: Mapping[str, float], limit: int) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _terms(text: str) -> list[str]:
    """Words, and single characters where words are not parted by blanks."""
    return _TERM.findall(text.lower())


def _bm25(wanted: Iterable[str], texts: Mapping[str, list[str]]) -> dict[str, float]:
    """Okapi BM25 (Robertson and Zaragoza, 2009), with Lucene's idf that is never negative."""
    counts = {key: Counter(terms) for key, terms in texts.items()}
    mean = sum(map(len, texts.values())) / len(texts) or 1.0
    scores: dict[str, float] = {}
    for term in wanted:
        holding = [key for key, count in counts.items() if term in count]
        idf = math.log(1 + (len(texts) - len(holding) + 0.5) / (len(holding) + 0.5))
        for key in holding:
            often, size = counts[key][term], len(texts[key]) / mean
            scores[key] = scores.get(key, 0.0) + idf * often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * size))
    return scores
