"""EmbeddedChunks -> dictionaries -> chunk ids by vector and by words, all exact: the reference for other indexes."""

import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from docpipe._ids import text_key
from docpipe.errors import IndexMismatch
from docpipe.index import filters
from docpipe.index.questions import question_words
from docpipe.protocols import DocumentRows, IndexStats, KeyedTable
from docpipe.types import Chunk, EmbeddedChunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

_HAN = "\\u2e80-\\u9fff\\uf900-\\ufaff\\uac00-\\ud7af\\U00020000-\\U0003ffff"
_TERM = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_K1, _B = 1.2, 0.75


class _State:
    """What was written. One lock guards it: searches of one commit see all of it or nothing."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.rows: dict[str, EmbeddedChunk] = {}
        self.version = 0
        self.model: tuple[str, int] | None = None
        self.tables: dict[str, MemoryTable] = {}

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

    def open(self, *, model: str, dim: int) -> None:
        """Make sure that it is of this model.

        Raises:
            IndexMismatch: it holds vectors of another model or dimension; nothing was changed.
        """
        with self._state.lock:
            found = self._state.model
            if found not in (None, (model, dim)):
                raise IndexMismatch(
                    f"the index {self.name!r} holds vectors of {found}, this pipeline makes {(model, dim)}",
                    found=str(found),
                    wanted=str((model, dim)),
                    index=self.name,
                    remedy="use a new index, or the embedder that this one was made with",
                )
            if found is None:
                self._state.model = (model, dim)
                self._state.version += 1

    def replace(self, documents: Sequence[DocumentRows], /) -> int:
        """Replace each document's rows by these, all at once; returns the version."""
        import numpy as np

        last = {document.document_id: document.chunks for document in documents}
        new = [row for some in last.values() for row in some]
        for row in new:
            if not np.isfinite(row.vector).all():
                raise ValueError("a vector holds something that is not a finite number")
            self.open(model=row.model, dim=len(row.vector))
        with self._state.lock:
            if not last or (not new and not self._state.version):
                return self._state.version
            rows = {key: row for key, row in self._state.rows.items() if row.chunk.document_id not in last}
            self._state.rows = rows | {row.chunk.id: row for row in new}
            self._state.version += 1
            return self._state.version

    def delete(self, document_ids: Sequence[str], /) -> int:
        """Remove documents; returns the version. Unknown ids are no error."""
        return self.replace([DocumentRows(document_id=document_id, chunks=()) for document_id in document_ids])

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        import numpy as np

        rows = self._fitting(where)
        if not rows or limit < 1:
            return [[] for _ in vectors]
        held, asked = rows[0].vector.shape[-1], vectors.shape[-1]
        if held != asked:
            raise IndexMismatch(
                f"the index {self.name!r} holds vectors of length {held}, the question's has {asked}",
                found=str(held),
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
        rows = self._state.rows
        return {key: rows[key].chunk for key in chunk_ids if key in rows}

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        first, last = chunk.position - before, chunk.position + after
        same = (row.chunk for row in self._state.rows.values() if row.chunk.document_id == chunk.document_id)
        near = (other for other in same if first <= other.position <= last and other.position != chunk.position)
        return sorted(near, key=lambda other: other.position)

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors, shape (dim,), of these documents' rows by `_ids.text_key(content)`."""
        wanted = set(document_ids)
        rows = (row for row in self._state.rows.values() if row.chunk.document_id in wanted)
        return {text_key(row.chunk.content): row.vector for row in rows}

    def versions(self) -> int:
        """The current version's number; 0 while nothing was written."""
        return self._state.version

    def stats(self) -> IndexStats:
        """Figures for `status`."""
        rows = self._state.rows.values()
        return IndexStats(
            rows=len(rows),
            documents=len({row.chunk.document_id for row in rows}),
            version=self._state.version,
            bytes=sum(row.vector.nbytes + len(row.chunk.text) for row in rows),
            text_rows=len(rows),
            vector_index="",
            vector_recall=1.0,
        )

    def optimize(self, *, force: bool = False) -> None:
        """Nothing to do: every search is exact."""

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> KeyedTable:
        """A small table beside the chunks."""
        with self._state.lock:
            return self._state.tables.setdefault(name, MemoryTable(columns, key=key))

    def _fitting(self, where: str) -> list[EmbeddedChunk]:
        wanted = filters.parse(where) if where else None
        rows = self._state.rows.values()
        return [row for row in rows if wanted is None or filters.matches(wanted, row.chunk)]


class MemoryTable:
    """Rows by key."""

    def __init__(self, columns: Mapping[str, str], *, key: str) -> None:
        if key not in columns:
            raise ValueError(f"the key {key!r} is not one of the columns {', '.join(columns)}")
        self._columns, self._key = tuple(columns), key
        self._rows: dict[str, dict[str, Any]] = {}

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows (all columns where none is named), as equally long lists."""
        rows = list(self._rows.values())
        return {name: [row[name] for row in rows] for name in names or self._columns}

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        return {key: dict(self._rows[key]) for key in keys if key in self._rows}

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, all at once."""
        new = {row[self._key]: {name: row.get(name) for name in self._columns} for row in rows}
        self._rows = self._rows | new

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows; unknown keys are no error."""
        gone = set(keys)
        self._rows = {key: row for key, row in self._rows.items() if key not in gone}

    def tidy(self) -> None:
        """Nothing to do."""


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
