"""One version of a table of chunks -> chunk ids by vector and by words, and the chunks."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from docpipe.errors import IndexFailed, IndexMismatch, SnapshotGone
from docpipe.index import filters, rows
from docpipe.index.lance_figures import unfolded
from docpipe.index.lance_tables import Database, among
from docpipe.index.questions import question_words
from docpipe.types import Chunk

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

IDS_PER_SCAN = 2_000
_MOST_PLACES = 50_000
_UNFOLDED = 200
"""Rows outside the indexes, each of which costs a search 0.03 ms, for which readers stay at the version before."""
_PATIENCE = 600.0
"""Seconds that they stay: if the indexes are not folded by then, the rows are searched one by one."""
_LOOKS = 4
"""How often a version is looked up whose manifest was cleaned away meanwhile."""


class LanceSnapshot:
    """One version, read through a handle of its own that never looks for a newer one.

    Args:
        table: checked out at the version; None while nothing was written.
        probing: how hard to look in the vector index, given whether a filter holds.
        max_question_characters: how much of a question's words is looked for.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        table: Any,
        *,
        version: int,
        probing: "Callable[..., dict[str, int]]",
        max_question_characters: int,
    ) -> None:
        self._database, self._name, self._table, self._version = database, name, table, version
        self.written_at = database.written_at(name, version)
        self._probing, self._max_question_characters = probing, max_question_characters
        self._places = _Places()
        schema = None if table is None else table.schema
        self.facts = rows.NOTHING if schema is None else rows.facts(schema)
        self._columns = [] if schema is None else rows.chunk_columns(schema)
        self._has_metadata = schema is not None and all(name in schema.names for name in rows.LATER_COLUMNS)

    @cached_property
    def unfolded(self) -> int:
        """Rows that some index does not cover: they are searched one by one."""
        if self._table is None:
            return 0
        with self._failing("read"):
            return unfolded(self._table)

    @property
    def version(self) -> int:
        """Its number; 0 while nothing was written."""
        return self._version

    @property
    def model(self) -> str:
        """With which model its vectors were made."""
        return self.facts.model

    @property
    def dim(self) -> int:
        """Length of its vectors."""
        return self.facts.dim

    @property
    def made_by(self) -> str:
        """What was said of the embedder."""
        return self.facts.made_by

    @contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        try:
            with self._database.failing(doing):
                yield
        except IndexFailed as error:
            if not isinstance(error, SnapshotGone) and self._is_past():
                raise SnapshotGone(
                    f"version {self._version} of the index {self._database.uri!r} was cleaned away while it was read",
                    stage="index",
                    item=self._database.uri,
                    remedy="ask again: the newest version is read then",
                ) from error
            raise

    def _is_past(self) -> bool:
        """Whether there is another version to read instead of one that cannot be read."""
        table = self._database.table(self._name)
        with self._database.failing("read"):
            return (
                table is None
                or int(table.version) != self._version
                or self._database.written_at(self._name, self._version) != self.written_at
            )

    def _condition(self, where: str) -> str:
        """A filter as SQL.

        Raises:
            InvalidOption: it is not well formed.
            IndexMismatch: it asks for metadata, and this version was written before they were kept.
        """
        wanted = filters.parse(where) if where else None
        if wanted is None:
            return ""
        if self._table is not None and not self._has_metadata and filters.asks_metadata(wanted):
            raise IndexMismatch(
                f"the index {self._database.uri!r} was made before documents' own metadata were kept",
                found="no metadata",
                wanted="metadata",
                index=self._database.uri,
                remedy="run once more: they are added, from what is kept of the documents; then ask again",
            )
        return filters.where(wanted)

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        condition = self._condition(where)
        if self._table is None or limit < 1 or not len(vectors):
            return [[] for _ in vectors]
        if vectors.shape[-1] != self.dim:
            raise IndexMismatch(
                f"the index {self._database.uri!r} holds vectors of length {self.dim}, "
                f"the question's has {vectors.shape[-1]}",
                found=str(self.dim),
                wanted=str(vectors.shape[-1]),
                index=self._database.uri,
                remedy="ask with the embedder that the index was made with",
            )
        with self._failing("search"):
            # One row alone skips the plan that joins many searches into one.
            asked = vectors[0] if len(vectors) == 1 else vectors
            query = self._table.search(asked, vector_column_name=self.facts.column)
            query = query.distance_type("cosine").select(["id", "_distance"]).with_row_id(True).limit(limit)
            for option, value in self._probing(filtered=bool(condition)).items():
                query = getattr(query, option)(value)
            if condition:
                query = query.where(condition, prefilter=True)
            return _by_query(self._places.noted(query.to_arrow()), len(vectors))

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score. Any text is a valid question; no word of it is syntax."""
        condition = self._condition(where)
        words = rows.storable(question_words(text, limit=self._max_question_characters))
        if self._table is None or limit < 1 or not words:
            return []
        from lancedb.query import MatchQuery

        with self._failing("search"):
            query = self._table.search(MatchQuery(words, "content")).select(["id", "_score"])
            query = query.with_row_id(True).limit(limit)
            if condition:
                query = query.where(condition, prefilter=True)
            found = self._places.noted(query.to_arrow())
            pairs = zip(found.column("id").to_pylist(), found.column("_score").to_pylist(), strict=True)
            return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        found = self._at_known_places(chunk_ids)
        rest = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in found]
        for start in range(0, len(rest), IDS_PER_SCAN):
            some = self._chunks(among("id", rest[start : start + IDS_PER_SCAN]))
            found.update((chunk.id, chunk) for chunk in some)
        return found

    def _at_known_places(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """The chunks that stand where a search saw them; this spares a scan over all ids."""
        places = self._places.of(chunk_ids)
        if self._table is None or not places:
            return {}
        with self._failing("read"):
            found = rows.chunks(self._table.take_row_ids(places).select(self._columns).to_arrow())
        wanted = set(chunk_ids)
        return {chunk.id: chunk for chunk in found if chunk.id in wanted}

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        near = f"position >= {chunk.position - before} AND position <= {chunk.position + after}"
        found = self._chunks(f"{among('document_id', [chunk.document_id])} AND {near}")
        return sorted((other for other in found if other.position != chunk.position), key=lambda other: other.position)

    def _chunks(self, condition: str) -> list[Chunk]:
        found = self.select(condition, self._columns)
        return [] if found is None else rows.chunks(found)

    def select(self, condition: str, columns: Sequence[str]) -> "pa.Table | None":
        """Columns of the rows that fit a condition in SQL (of all rows, where it is empty), or None without a table."""
        if self._table is None:
            return None
        with self._failing("read"):
            query = self._table.search().where(condition) if condition else self._table.search()
            return query.select(list(columns)).to_arrow()

    def whole(self, condition: str) -> "pa.Table | None":
        """All columns of the rows that fit, with all that the schema says; vectors that do not count are left out."""
        if self._table is None:
            return None
        import pyarrow as pa

        schema = self._table.schema
        fields = [field for field in schema if field.name == self.facts.column or not rows.is_vectors(field.name)]
        found = self.select(condition, [field.name for field in fields])
        return None if found is None else found.cast(pa.schema(fields, metadata=schema.metadata))

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors, shape (dim,), of these documents' rows by `_ids.text_key(content)`."""
        found: dict[str, Any] = {}
        for start in range(0, len(document_ids), IDS_PER_SCAN):
            condition = among("document_id", document_ids[start : start + IDS_PER_SCAN])
            part = self.select(condition, ("text_key", self.facts.column))
            if part is not None and part.num_rows:
                matrix = rows.matrix(part.column(self.facts.column), dim=self.dim)
                found.update(zip(part.column("text_key").to_pylist(), matrix, strict=True))
        return found


class Snapshots:
    """The snapshots of one table: the newest and the one that readers are held at, made once for each version."""

    def __init__(
        self, database: Database, name: str, *, probing: "Callable[..., dict[str, int]]", max_question_characters: int
    ) -> None:
        self._database, self._name, self._probing = database, name, probing
        self._max_question_characters = max_question_characters
        self._lock = threading.Lock()
        self._head: Any = None
        self._made: dict[int, LanceSnapshot] = {}
        self._read: tuple[LanceSnapshot, int] | None = None
        """What was read last, and how many commits this process had made by then."""
        self._stays_until = 0.0
        self._empty = self._new(None, 0)

    def latest(self) -> LanceSnapshot:
        """Of the version written last."""
        for _ in range(_LOOKS):
            table = self._database.table(self._name)
            if table is None:
                return self._empty
            with self._database.failing("open"):
                version = int(table.version)
            found = self._of(version, head=table)
            if found is not None:
                return found
        raise IndexFailed(
            f"the index {self._database.uri!r} changes faster than it can be opened",
            stage="index",
            item=self._database.uri,
            remedy="run again; if it stays so, look which processes write to it",
        )

    def published(self) -> LanceSnapshot:
        """Of the version that readers are held at, else of the one written last, once its indexes are folded."""
        latest = self.latest()
        pinned = latest.facts.pinned
        held = self._of(pinned, head=self._head) if pinned else self._before(latest)
        found = held or latest
        self._read = found, self._database.commits
        return found

    def _before(self, latest: LanceSnapshot) -> LanceSnapshot | None:
        """The version read before, while another process has yet to fold many new rows into the indexes; else None."""
        before, commits = self._read or (latest, 0)
        wrote = commits != self._database.commits
        if before.version in (0, latest.version) or wrote or not _is_unfolded(latest):
            self._stays_until = 0.0
            return None
        now = time.monotonic()
        self._stays_until = self._stays_until or now + _PATIENCE
        return self._of(before.version, head=self._head) if now < self._stays_until else None

    def _of(self, version: int, *, head: Any) -> LanceSnapshot | None:
        """The snapshot of a version; None where it is gone."""
        with self._lock:
            if head is not self._head:
                self._head, self._made = head, {}
            found = self._made.pop(version, None)
            if found is not None and found.written_at == self._database.written_at(self._name, version):
                self._made[version] = found  # used last, so kept longest
                return found
        if found is not None:  # another index stands here by now
            self._database.forget()
        with self._database.failing("open"):
            table = self._database.at(self._name, version)
            if table is None:
                return None
            made = self._new(table, version)
        with self._lock:
            while len(self._made) > 2:
                del self._made[next(iter(self._made))]
            self._made[version] = made
        return made

    def _new(self, table: Any, version: int) -> LanceSnapshot:
        return LanceSnapshot(
            self._database,
            self._name,
            table,
            version=version,
            probing=self._probing,
            max_question_characters=self._max_question_characters,
        )


def _is_unfolded(snapshot: LanceSnapshot) -> bool:
    """Whether many of its rows are outside its indexes; not where it is past already: who reads it will see."""
    try:
        return snapshot.unfolded > _UNFOLDED
    except SnapshotGone:
        return False


class _Places:
    """Where searches saw rows of this version."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def noted(self, found: "pa.Table") -> "pa.Table":
        """Keep the places of these rows, and forget all others when there are too many."""
        if len(self._rows) > _MOST_PLACES:
            self._rows = {}
        ids, places = found.column("id").to_pylist(), found.column("_rowid").to_pylist()
        self._rows.update(zip(ids, places, strict=True))
        return found

    def of(self, chunk_ids: Sequence[str]) -> list[int]:
        """The known places, each once."""
        known = self._rows
        return list({known[chunk_id] for chunk_id in chunk_ids if chunk_id in known})


def _by_query(found: "pa.Table", count: int) -> list[list[tuple[str, float]]]:
    ids = found.column("id").to_pylist()
    scores = [1.0 - distance for distance in found.column("_distance").to_pylist()]
    hits: list[list[tuple[str, float]]] = [[] for _ in range(count)]
    numbers = found.column("query_index").to_pylist() if "query_index" in found.column_names else [0] * len(ids)
    for number, chunk_id, score in zip(numbers, ids, scores, strict=True):
        hits[number].append((chunk_id, score))
    for some in hits:
        some.sort(key=lambda pair: (-pair[1], pair[0]))
    return hits
