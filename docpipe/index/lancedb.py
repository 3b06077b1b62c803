"""EmbeddedChunks -> a LanceDB table -> chunk ids by vector and by words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from docpipe.errors import IndexMismatch, SnapshotGone
from docpipe.index import lance_check, lance_repair, rows
from docpipe.index.lance_keyed import LanceKeyedTable
from docpipe.index.lance_migration import Migration
from docpipe.index.lance_pin import Pin
from docpipe.index.lance_reading import IDS_PER_SCAN, LanceSnapshot, Snapshots
from docpipe.index.lance_tables import SMALL_TABLES, Database, among, upsert
from docpipe.index.lance_upkeep import Upkeep
from docpipe.index.lance_vectors import VectorIndexes
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
    import pyarrow as pa
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

Result = TypeVar("Result")

CHUNKS = "chunks"
FACTS = "facts"
_MERGES = 5
_READS = 4
"""How often something is read again whose version was cleaned away meanwhile."""


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

    keep_minutes: int = 0
    """How long superseded versions stay readable. docpipe's own readers do without: they look at the newest again."""

    refresh_seconds: float = 0.0
    """How old a reader's view may be; raise it for a bucket, where looking for a newer version costs a request."""

    cache_megabytes: int = field(default=512, compare=False)
    """How much of the indexes one process keeps in memory."""

    max_question_characters: int = 2_000
    """How much of a question's distinct words the full-text search looks for."""

    def __post_init__(self) -> None:
        if not self.uri:
            raise ValueError("uri must not be empty: name a folder for the index")
        for option in (
            "keep_minutes",
            "vector_index_rows",
            "refresh_seconds",
            "cache_megabytes",
            "max_question_characters",
        ):
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
    def _vectors(self) -> VectorIndexes:
        facts = self.table(FACTS, columns={"name": "str", "value": "str"}, key="name")
        return VectorIndexes(facts, least_rows=self.vector_index_rows, least_recall=self.min_recall)

    @cached_property
    def _snapshots(self) -> Snapshots:
        return Snapshots(
            self._database,
            CHUNKS,
            probing=self._vectors.probing,
            max_question_characters=self.max_question_characters,
        )

    @cached_property
    def _upkeep(self) -> Upkeep:
        return Upkeep(self._database, table=CHUNKS, vectors=self._vectors, keep_minutes=self.keep_minutes)

    @cached_property
    def _pin(self) -> Pin:
        return Pin(self._database, CHUNKS, snapshots=self._snapshots)

    @cached_property
    def _migration(self) -> Migration:
        return Migration(
            self._database,
            CHUNKS,
            snapshots=self._snapshots,
            pin=self._pin,
            upkeep=self._upkeep,
            vectors=self._vectors,
        )

    @property
    def name(self) -> str:
        """Where it is, for messages."""
        return self.uri

    def open(self, *, model: str, dim: int, made_by: str = "") -> None:
        """Make sure that it exists, and that it is of this model or is being moved to it.

        Raises:
            IndexMismatch: another model, dimension or a newer schema; nothing was changed.
        """
        self._database.forget()  # whoever opens wants what is there now, even if the folder was made anew
        table = self._database.table(CHUNKS)
        if table is None:
            table = self._database.create(CHUNKS, rows.schema(model=model, dim=dim, made_by=made_by))
        self._add_later_columns(table)
        with self._database.failing("open"):
            about = rows.facts(table.schema)
        if (model, dim) != (about.model, about.dim) and self._migration.dim(model) == dim:
            return
        self._check(about, model=model, dim=dim)
        if made_by not in ("", about.made_by):
            update = {"path": about.column, "metadata": {rows.MADE_BY_KEY: rows.storable(made_by)}}
            self._database.commit(lambda: table.update_field_metadata(update), doing="write")

    def _add_later_columns(self, table: Any) -> None:
        """Give a table of before the columns that came since; its rows fill as their documents are written anew."""
        with self._database.failing("open"):
            names = table.schema.names
        missing = {name: empty for name, empty in rows.LATER_COLUMNS.items() if name not in names}
        if missing:
            self._database.commit(lambda: table.add_columns(missing), doing="write")

    def _check_version(self, table: str, schema: "pa.Schema") -> None:
        if table != CHUNKS:
            return
        version = rows.facts(schema).schema_version
        if version != str(rows.SCHEMA_VERSION):
            newer = version.isdigit() and int(version) > rows.SCHEMA_VERSION
            raise IndexMismatch(
                f"the index {self.uri!r} has schema {version}, this docpipe reads {rows.SCHEMA_VERSION}",
                found=version,
                wanted=str(rows.SCHEMA_VERSION),
                index=self.uri,
                remedy="upgrade docpipe" if newer else "point `index.uri` at a new folder and run again",
            )

    def _check(self, about: rows.Facts, *, model: str, dim: int) -> None:
        if (about.model, about.dim) != (model, dim):
            found, wanted = f"{about.model!r} ({about.dim})", f"{model!r} ({dim})"
            raise IndexMismatch(
                f"the index {self.uri!r} holds vectors of {found}, this pipeline makes {wanted}",
                found=f"{about.model} ({about.dim})",
                wanted=f"{model} ({dim})",
                index=self.uri,
                remedy=f"set the embedder back to {about.model!r}, or point `index.uri` at a new folder and run again",
            )

    def snapshot(self, *, latest: bool = False) -> LanceSnapshot:
        """The published version, or the one written last; made anew only where there is a newer one."""
        return self._snapshots.latest() if latest else self._snapshots.published()

    def hold(self) -> int:
        """Hold readers at the present version; returns it."""
        return self._pin.hold()

    def publish(self) -> int:
        """Let readers see what was written last; returns its version."""
        return self._pin.publish()

    def held(self) -> int:
        """The version that readers are held at; 0 for none."""
        return self._pin.held()

    def replace(self, documents: Sequence[DocumentRows], /, *, restored: Mapping[str, bytes] | None = None) -> int:
        """Replace each document's rows by these, all in one commit; returns the version.

        Raises:
            IndexMismatch: the rows are of another model, dimension or schema than the index.
            IndexFailed: restored rows are damaged.
            ValueError: a vector is not made of finite numbers.
        """
        last = {document.document_id: document for document in documents}
        new = [row for document in last.values() for row in document.chunks]
        kept = [rows.unpacked(data, index=self.uri) for data in (restored or {}).values()]
        gone = list({**last, **(restored or {})})
        table = self._database.table(CHUNKS)
        if not gone or (table is None and not new and not kept):
            return self.versions()
        self._migration.tidy()
        if table is None:
            self._make_for(new, kept)
        table = self._database.table(CHUNKS)
        self._add_later_columns(table)
        batch = self._batch(table, new, kept)
        version = self._database.commit(lambda: _merge(table, batch, among("document_id", gone)), doing="write")
        if batch.num_rows:
            self._upkeep.ensure_text_index()
            self._upkeep.fold_growth()
        return version

    def _make_for(self, new: Sequence[EmbeddedChunk], kept: "Sequence[pa.Table]") -> None:
        """A new table for the first rows that come."""
        if new:
            self.open(model=new[0].model, dim=len(new[0].vector))
        else:
            about = rows.facts(kept[0].schema)
            self.open(model=about.model, dim=about.dim, made_by=about.made_by)

    def _batch(self, table: Any, new: Sequence[EmbeddedChunk], kept: "Sequence[pa.Table]") -> "pa.Table":
        """New rows and kept ones as one table of the index's own schema."""
        import pyarrow as pa

        schema = table.schema
        about = rows.facts(schema)
        for model, dim in {(row.model, row.vector.shape[-1]) for row in new} - {(about.model, about.dim)}:
            self._check(about, model=model, dim=dim)
        for part in kept:
            was = rows.facts(part.schema)
            self._check(about, model=was.model, dim=was.dim)
            later = set(rows.LATER_COLUMNS)
            if (set(part.schema.names) - {was.column} - later) != (set(schema.names) - {about.column} - later):
                raise IndexMismatch(
                    f"kept rows have other columns than the index {self.uri!r}",
                    found=", ".join(part.schema.names),
                    wanted=", ".join(schema.names),
                    index=self.uri,
                    remedy="run again: the document is read anew",
                )
        parts = [rows.table(new, schema=schema), *(rows.fitted(part, schema) for part in kept)]
        return pa.concat_tables(parts).combine_chunks()  # a merge of a thousand small parts takes twice as long

    def export(self, document_ids: Sequence[str], /) -> dict[str, bytes]:
        """Whole rows by document, for `replace`; documents without rows are left out."""
        found: dict[str, bytes] = {}
        for condition in _scans(list(dict.fromkeys(document_ids))):
            part = self._reading(partial(LanceSnapshot.whole, condition=condition))
            if part is not None:
                found |= {key: rows.packed(own) for key, own in rows.by_document(part).items()}
        return found

    def delete(self, document_ids: Sequence[str], /) -> int:
        """Remove documents in one commit; returns the version. Unknown ids are no error."""
        return self._delete("document_id", document_ids)

    def remove_rows(self, chunk_ids: Sequence[str], /) -> int:
        """Remove single rows in one commit; returns the version. Unknown ids are no error."""
        return self._delete("id", chunk_ids)

    def _delete(self, column: str, values: Sequence[str]) -> int:
        table = self._database.table(CHUNKS)
        if table is None or not values:
            return self.versions()
        gone = among(column, list(values))
        return int(self._database.commit(lambda: table.delete(gone), doing="write").version)

    def document_ids(self) -> dict[str, Shelved]:
        """What is held, by document id."""
        found = self._reading(lambda head: head.select("", ("document_id", "uri")))
        if found is None:
            return {}
        counted = found.group_by(["document_id", "uri"]).aggregate([([], "count_all")])
        names = (counted.column(name).to_pylist() for name in ("document_id", "uri", "count_all"))
        return {key: Shelved(uri, count) for key, uri, count in zip(*names, strict=True)}

    def chunk_ids(self, document_ids: Sequence[str], /) -> dict[str, tuple[str, ...]]:
        """Ids of the chunks of these documents, by position."""
        found: dict[str, list[str]] = {}
        columns = ("document_id", "position", "id")
        for condition in _scans(document_ids):
            part = self._reading(partial(LanceSnapshot.select, condition=condition, columns=columns))
            for key, _, chunk_id in rows.sorted_tuples(part, columns):
                found.setdefault(key, []).append(chunk_id)
        return {key: tuple(ids) for key, ids in found.items()}

    def _reading(self, work: Callable[[LanceSnapshot], Result]) -> Result:
        """What `work` finds in the version written last; again, where that was cleaned away meanwhile."""
        for _ in range(_READS - 1):
            try:
                return work(self._snapshots.latest())
            except SnapshotGone:
                continue
        return work(self._snapshots.latest())

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        return self._reading(lambda head: head.search_vector(vectors, limit=limit, where=where))

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score. Any text is a valid question; no word of it is syntax."""
        return self._reading(lambda head: head.search_text(text, limit=limit, where=where))

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        return self._reading(lambda head: head.fetch(chunk_ids))

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        return self._reading(lambda head: head.neighbours(chunk, before=before, after=after))

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors, shape (dim,), of these documents' rows by `_ids.text_key(content)`."""
        return self._reading(lambda head: head.vectors(document_ids))

    def migration(self, *, model: str, dim: int) -> int:
        """Begin or continue to move to another model; returns how many distinct texts still lack a vector of it."""
        return self._migration.begin(model=model, dim=dim)

    def missing_vectors(self, model: str, /, *, limit: int) -> list[tuple[str, str]]:
        """`(chunk id, content)` of texts without a vector of this model, each text once, at most `limit`."""
        return self._migration.missing(model, limit=limit)

    def fill_vectors(self, model: str, chunk_ids: Sequence[str], matrix: "type_matrix", /) -> None:
        """Keep vectors, shape (len(chunk_ids), dim), of what `missing_vectors` gave. Readers notice nothing."""
        self._migration.fill(model, chunk_ids, matrix)

    def switch(self, *, model: str, made_by: str = "") -> int:
        """Let readers use this model's vectors, from one commit on; returns the version."""
        return self._migration.switch(model=model, made_by=made_by)

    def versions(self) -> int:
        """The number of the version written last; 0 while nothing was written."""
        return self._database.reading(CHUNKS, lambda table: int(table.version), nothing=0)

    def stats(self) -> IndexStats:
        """Figures for `status`, of what was written last."""
        return self._upkeep.stats()

    def optimize(self, budget: Budget = ORDINARY, /) -> Upkept:
        """Upkeep after writing, where the figures say that it pays; then sample rows are asked for."""
        self._pin.tidy()
        self._migration.tidy()
        self._migration.sweep()
        return self._upkeep.run(budget)

    def check(self) -> IndexCheck:
        """Read everything once, and say what is wrong. Changes nothing."""
        return lance_check.check(self._database, CHUNKS, self._vectors)

    def rebuild_indexes(self) -> None:
        """Build the indexes over the rows anew."""
        self._upkeep.rebuild()

    def remove_unreadable(self) -> tuple[Unreadable, ...]:
        """Take out what cannot be read, so that the next run can write it anew; returns what was taken out."""
        return lance_repair.remove_unreadable(self._database)

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> KeyedTable:
        """A small table beside the chunks, made when first written."""
        return LanceKeyedTable(self._database, SMALL_TABLES + name, columns=columns, key=key)


def _scans(document_ids: Sequence[str]) -> list[str]:
    """Conditions on documents, each short enough for one scan."""
    return [
        among("document_id", document_ids[start : start + IDS_PER_SCAN])
        for start in range(0, len(document_ids), IDS_PER_SCAN)
    ]


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
