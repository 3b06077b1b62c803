"""EmbeddedChunks -> a LanceDB table -> chunk ids by vector and by words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from docpipe.errors import IndexFailed, IndexMismatch
from docpipe.index import filters, rows
from docpipe.index.lance_tables import SMALL_TABLES, Database, LanceKeyedTable, among, upsert
from docpipe.index.lance_upkeep import Upkeep
from docpipe.index.questions import question_words
from docpipe.protocols import DocumentRows, IndexStats, KeyedTable
from docpipe.types import Chunk, EmbeddedChunk

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

CHUNKS = "chunks"
FACTS = "facts"
_IDS_PER_SCAN = 2_000
_MOST_PLACES = 50_000
_MERGES = 5


@dataclass(frozen=True, kw_only=True)
class LanceIndex:
    """Chunks in LanceDB: searched by vector and by words, replaced by document, one commit at a time."""

    VERSION = 1

    uri: str
    """A folder, or a bucket as LanceDB names it (`s3://bucket/path`). Relative paths count from the working folder."""

    vector_index_rows: int = 25_000
    """From how many rows on a vector index is made; below it every search is exact (docs/decisions/0052)."""

    min_recall: float = 0.95
    """Least recall@10 of the vector index against exact search; where it cannot be reached, search stays exact."""

    keep_minutes: int = 60
    """How long superseded versions stay readable, for readers that are at work on them."""

    refresh_seconds: float = 0.0
    """How old a reader's view may be; raise it for a bucket, where looking for a newer version costs a request."""

    cache_megabytes: int = field(default=512, compare=False)
    """How much of the indexes one process keeps in memory."""

    max_question_characters: int = 2_000
    """How much of a question's distinct words the full-text search looks for."""

    def __post_init__(self) -> None:
        if self.keep_minutes < 1:
            raise ValueError(f"keep_minutes must be at least 1, got {self.keep_minutes}: readers are at work")
        if not self.uri:
            raise ValueError("uri must not be empty: name a folder for the index")
        for option in ("vector_index_rows", "refresh_seconds", "cache_megabytes", "max_question_characters"):
            if getattr(self, option) < 0:
                raise ValueError(f"{option} must not be negative, got {getattr(self, option)}")

    def __getstate__(self) -> dict[str, Any]:
        """The options only: connections are not sent to other processes."""
        return {name: value for name, value in self.__dict__.items() if name in self.__dataclass_fields__}

    @cached_property
    def _database(self) -> Database:
        return Database(
            self.uri,
            refresh_seconds=self.refresh_seconds,
            cache_megabytes=self.cache_megabytes,
            check=self._check_version,
        )

    @cached_property
    def _places(self) -> "_Places":
        return _Places()

    @cached_property
    def _upkeep(self) -> Upkeep:
        return Upkeep(
            self._database,
            table=CHUNKS,
            facts=self.table(FACTS, columns={"name": "str", "value": "str"}, key="name"),
            vector_index_rows=self.vector_index_rows,
            min_recall=self.min_recall,
            keep_minutes=self.keep_minutes,
        )

    @property
    def name(self) -> str:
        """Where it is, for messages."""
        return self.uri

    def open(self, *, model: str, dim: int) -> None:
        """Make sure that it exists, and that it is of this model.

        Raises:
            IndexMismatch: another model, dimension or a newer schema; nothing was changed.
        """
        self._database.forget()  # whoever opens wants what is there now, even if the folder was made anew
        table = self._database.table(CHUNKS) or self._database.create(CHUNKS, rows.schema(model=model, dim=dim))
        self._check(table.schema, model=model, dim=dim)

    def _check_version(self, table: str, schema: "pa.Schema") -> None:
        version = rows.facts(schema).get(rows.VERSION_KEY, "0")
        if table == CHUNKS and version != str(rows.SCHEMA_VERSION):
            newer = version.isdigit() and int(version) > rows.SCHEMA_VERSION
            raise IndexMismatch(
                f"the index {self.uri!r} has schema {version}, this docpipe reads {rows.SCHEMA_VERSION}",
                found=version,
                wanted=str(rows.SCHEMA_VERSION),
                index=self.uri,
                remedy="upgrade docpipe" if newer else "point `index.uri` at a new folder and run again",
            )

    def _check(self, schema: "pa.Schema", *, model: str, dim: int) -> None:
        facts = rows.facts(schema)
        found, wanted = (facts.get(rows.MODEL_KEY, ""), facts.get(rows.DIM_KEY, "")), (model, str(dim))
        if found != wanted:
            raise IndexMismatch(
                f"the index {self.uri!r} holds vectors of {found[0]!r} ({found[1]}), "
                f"this pipeline makes {wanted[0]!r} ({wanted[1]})",
                found=f"{found[0]} ({found[1]})",
                wanted=f"{wanted[0]} ({wanted[1]})",
                index=self.uri,
                remedy=f"set the embedder back to {found[0]!r}, or point `index.uri` at a new folder and run again",
            )

    def replace(self, documents: Sequence[DocumentRows], /) -> int:
        """Replace each document's rows by these, all in one commit; returns the version.

        Raises:
            IndexMismatch: the rows are of another model or dimension than the index.
            ValueError: a vector is not made of finite numbers.
        """
        last = {document.document_id: document for document in documents}
        new = [row for document in last.values() for row in document.chunks]
        table = self._database.table(CHUNKS)
        if not last or (table is None and not new):
            return self.versions()
        if table is None:
            self.open(model=new[0].model, dim=len(new[0].vector))
            table = self._database.table(CHUNKS)
        batch = self._batch(table, new)
        gone = among("document_id", list(last))
        version = self._database.commit(lambda: _merge(table, batch, gone), doing="write")
        if new:
            self._upkeep.ensure_text_index()
        return version

    def _batch(self, table: Any, new: Sequence[EmbeddedChunk]) -> "pa.Table":
        facts = rows.facts(table.schema)
        model, dim = facts[rows.MODEL_KEY], int(facts[rows.DIM_KEY])
        for other in {(row.model, row.vector.shape[-1]) for row in new} - {(model, dim)}:
            self._check(table.schema, model=other[0], dim=other[1])
        return rows.table(new, model=model, dim=dim)

    def delete(self, document_ids: Sequence[str], /) -> int:
        """Remove documents in one commit; returns the version. Unknown ids are no error."""
        table = self._database.table(CHUNKS)
        if table is None or not document_ids:
            return self.versions()
        gone = among("document_id", list(document_ids))
        return int(self._database.commit(lambda: table.delete(gone), doing="write").version)

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        condition = filters.where(filters.parse(where)) if where else ""
        table = self._database.table(CHUNKS)
        if table is None or limit < 1 or not len(vectors):
            return [[] for _ in vectors]
        try:
            with self._database.failing("search"):
                return self._nearest(table, vectors, limit=limit, condition=condition)
        except IndexFailed:
            self._check_length(vectors)
            raise

    def _nearest(
        self, table: Any, vectors: "type_matrix", *, limit: int, condition: str
    ) -> list[list[tuple[str, float]]]:
        # One row alone skips the plan that joins many searches into one.
        query = table.search(vectors[0] if len(vectors) == 1 else vectors, vector_column_name="vector")
        query = query.distance_type("cosine").select(["id", "_distance"]).with_row_id(True).limit(limit)
        for option, value in self._upkeep.probing(filtered=bool(condition)).items():
            query = getattr(query, option)(value)
        if condition:
            query = query.where(condition, prefilter=True)
        return _by_query(self._places.noted(query.to_arrow()), len(vectors))

    def _check_length(self, vectors: "type_matrix") -> None:
        """Looked at after a search failed only: reading the schema takes as long as a tenth of a search."""
        table = self._database.table(CHUNKS)
        found = 0 if table is None else int(rows.facts(table.schema)[rows.DIM_KEY])
        if found not in (0, vectors.shape[-1]):
            raise IndexMismatch(
                f"the index {self.uri!r} holds vectors of length {found}, the question's has {vectors.shape[-1]}",
                found=str(found),
                wanted=str(vectors.shape[-1]),
                index=self.uri,
                remedy="ask with the embedder that the index was made with",
            )

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score. Any text is a valid question; no word of it is syntax."""
        condition = filters.where(filters.parse(where)) if where else ""
        table = self._database.table(CHUNKS)
        words = rows.storable(question_words(text, limit=self.max_question_characters))
        if table is None or limit < 1 or not words:
            return []
        from lancedb.query import MatchQuery

        with self._database.failing("search"):
            query = table.search(MatchQuery(words, "content")).select(["id", "_score"]).with_row_id(True).limit(limit)
            if condition:
                query = query.where(condition, prefilter=True)
            found = self._places.noted(query.to_arrow())
            pairs = zip(found.column("id").to_pylist(), found.column("_score").to_pylist(), strict=True)
            return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        found = self._at_known_places(chunk_ids)
        rest = [chunk_id for chunk_id in dict.fromkeys(chunk_ids) if chunk_id not in found]
        for start in range(0, len(rest), _IDS_PER_SCAN):
            some = self._chunks(among("id", rest[start : start + _IDS_PER_SCAN]))
            found.update((chunk.id, chunk) for chunk in some)
        return found

    def _at_known_places(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """The chunks that still stand where a search saw them; this spares a scan over all ids."""
        table, places = self._database.table(CHUNKS), self._places.of(chunk_ids)
        if table is None or not places:
            return {}
        with self._database.failing("read"):
            found = rows.chunks(table.take_row_ids(places).select(list(rows.CHUNK_COLUMNS)).to_arrow())
        wanted = set(chunk_ids)
        return {chunk.id: chunk for chunk in found if chunk.id in wanted}

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        near = f"position >= {chunk.position - before} AND position <= {chunk.position + after}"
        found = self._chunks(f"{among('document_id', [chunk.document_id])} AND {near}")
        return sorted((other for other in found if other.position != chunk.position), key=lambda other: other.position)

    def _chunks(self, condition: str) -> list[Chunk]:
        found = self._select(condition, rows.CHUNK_COLUMNS)
        return [] if found is None else rows.chunks(found)

    def _select(self, condition: str, columns: Sequence[str]) -> "pa.Table | None":
        table = self._database.table(CHUNKS)
        if table is None:
            return None
        with self._database.failing("read"):
            return table.search().where(condition).select(list(columns)).to_arrow()

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors, shape (dim,), of these documents' rows by `_ids.text_key(content)`."""
        found: dict[str, Any] = {}
        for start in range(0, len(document_ids), _IDS_PER_SCAN):
            condition = among("document_id", document_ids[start : start + _IDS_PER_SCAN])
            part = self._select(condition, ("text_key", "vector"))
            if part is not None and part.num_rows:
                column = part.column("vector")
                matrix = rows.matrix(column, dim=column.type.list_size)
                found.update(zip(part.column("text_key").to_pylist(), matrix, strict=True))
        return found

    def versions(self) -> int:
        """The current version's number; 0 while nothing was written."""
        table = self._database.table(CHUNKS)
        if table is None:
            return 0
        with self._database.failing("read"):
            return int(table.version)

    def stats(self) -> IndexStats:
        """Figures for `status`."""
        return self._upkeep.stats()

    def optimize(self, *, force: bool = False) -> None:
        """Bounded upkeep after writing: full-text index over all rows, vector index when it pays, compaction."""
        self._upkeep.run(force=force)

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> KeyedTable:
        """A small table beside the chunks, made when first written."""
        return LanceKeyedTable(self._database, SMALL_TABLES + name, columns=columns, key=key)


def _merge(table: Any, batch: "pa.Table", gone: str) -> int:
    """Merge, and again while another writer's commit came between reading and writing; returns the version.

    Lance lets both commits through where their chunk ids differ, though each was to delete the other's rows.
    Whoever was later sees the gap between the versions, and its second merge deletes them.
    """
    for _ in range(_MERGES):
        before = int(table.version)
        version = upsert(table, "id", batch, delete_others=gone)
        if version == before + 1:
            break
    return version


class _Places:
    """Where searches saw rows. A place may be out of date: what is read there must be looked at."""

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
