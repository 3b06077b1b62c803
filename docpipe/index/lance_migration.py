"""Vectors of another model, kept beside the chunks until there is one for each text -> the column that readers use.

Rows are never touched before the switch: vectors go to a table of their own, by the key of their text. The switch
holds readers at the version before it, brings the vectors in, says in one commit which column counts, folds, and lets
readers go on. Where it is killed, readers stay where they were, and the next switch does it again.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from docpipe.index import rows
from docpipe.index.lance_child import optimize
from docpipe.index.lance_pin import Pin
from docpipe.index.lance_reading import IDS_PER_SCAN, LanceSnapshot, Snapshots
from docpipe.index.lance_tables import SMALL_TABLES, Database, among
from docpipe.index.lance_upkeep import Upkeep
from docpipe.index.lance_vectors import VectorIndexes, indexes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

FILLING = SMALL_TABLES + "filling_"
"""How the names of the tables begin that hold vectors until the switch."""
_FILLS_PER_TIDYING = 100
"""Each commit costs more, the more parts there are."""
_BYTES_PER_MERGE = 128 * 2**20


class Migration:
    """Moves one table of chunks to another model."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        snapshots: Snapshots,
        pin: Pin,
        upkeep: Upkeep,
        vectors: VectorIndexes,
    ) -> None:
        self._database, self._name, self._snapshots = database, name, snapshots
        self._pin, self._upkeep, self._vectors = pin, upkeep, vectors

    def begin(self, *, model: str, dim: int) -> int:
        """Begin or continue; returns how many distinct texts still lack a vector."""
        head = self._snapshots.latest()
        if not head.version or (model, dim) == (head.model, head.dim):
            return 0
        for other in self._database.names():
            if other.startswith(FILLING) and (other != filling(model) or self.dim(model) != dim):
                self._database.drop(other)
        if self._database.table(filling(model)) is None:
            self._database.create(filling(model), _filling_schema(model, dim))
        return len(self._missing(model, head))

    def dim(self, model: str) -> int:
        """Length of the vectors that are being gathered; 0 where none are."""
        table = self._database.table(filling(model))
        return 0 if table is None else int(table.schema.field(rows.VECTOR).type.list_size)

    def missing(self, model: str, *, limit: int) -> list[tuple[str, str]]:
        """`(chunk id, content)` of texts without a vector, each text once, at most `limit`."""
        head = self._snapshots.latest()
        wanted = list(self._missing(model, head).values())[:limit]
        found: list[tuple[str, str]] = []
        for start in range(0, len(wanted), IDS_PER_SCAN):
            part = head.select(among("id", wanted[start : start + IDS_PER_SCAN]), ("id", "content"))
            if part is not None:
                found += zip(part.column("id").to_pylist(), part.column("content").to_pylist(), strict=True)
        return found

    def _missing(self, model: str, head: LanceSnapshot) -> dict[str, str]:
        """A chunk id for each key of a text that has no vector yet."""
        if model == head.model:
            return {}
        import pyarrow.compute as pc

        table = head.select("", ("id", "text_key"))
        if table is None:
            return {}
        known = self._database.reading(
            filling(model), lambda one: one.search().select(["text_key"]).to_arrow().column("text_key"), nothing=None
        )
        if known is not None:
            table = table.filter(pc.invert(pc.is_in(table.column("text_key"), value_set=known.combine_chunks())))
        return dict(zip(table.column("text_key").to_pylist(), table.column("id").to_pylist(), strict=True))

    def fill(self, model: str, chunk_ids: Sequence[str], matrix: "NDArray[np.float32]") -> None:
        """Keep vectors by the text of these chunks; chunks that are gone are left out.

        Raises:
            ValueError: the shape is another, something is no finite number, or no migration was begun.
        """
        import numpy as np
        import pyarrow as pa

        table = self._database.table(filling(model))
        if table is None:
            raise ValueError(f"no migration to {model!r} was begun")
        dim = self.dim(model)
        rows.check_matrix(matrix, shape=(len(chunk_ids), dim))
        keys = self._text_keys(chunk_ids)
        places = {keys[one]: number for number, one in enumerate(chunk_ids) if one in keys}
        if not places:
            return
        flat = np.ascontiguousarray(matrix[list(places.values())], dtype=np.float32).ravel()
        arrays = [pa.array(list(places)), pa.FixedSizeListArray.from_arrays(pa.array(flat), dim)]
        batch = pa.Table.from_arrays(arrays, schema=_filling_schema(model, dim))
        self._database.commit(lambda: table.add(batch), doing="write")
        if int(table.version) % _FILLS_PER_TIDYING == 0:
            self._database.commit(lambda: optimize(table, timedelta(0)), doing="optimize")

    def _text_keys(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """Of these chunks, by id, as they were stored: what the index made of their text may have another key."""
        head, found = self._snapshots.latest(), dict[str, str]()
        for start in range(0, len(chunk_ids), IDS_PER_SCAN):
            part = head.select(among("id", chunk_ids[start : start + IDS_PER_SCAN]), ("id", "text_key"))
            if part is not None:
                found.update(zip(part.column("id").to_pylist(), part.column("text_key").to_pylist(), strict=True))
        return found

    def switch(self, *, model: str, made_by: str) -> int:
        """Let readers use this model's vectors; returns the version.

        Raises:
            IndexMismatch: texts still lack a vector; nothing was changed.
        """
        head = self._snapshots.latest()
        if model == head.model or not head.version:
            return head.version
        missing, dim = len(self._missing(model, head)), self.dim(model)
        if missing or not dim:
            raise rows.not_complete(self._database.uri, found=head.model, wanted=model, missing=missing)
        own = not self._pin.held()
        self._pin.hold()
        self.tidy()
        column = self._bring_in(model, dim)
        self._activate(column, model=model, made_by=made_by)
        self._vectors.forget()
        self.tidy()
        self._upkeep.fold_all()
        self._database.drop(filling(model))
        if own:
            self._pin.publish()
            self._upkeep.fold_all()  # the version that held readers saw goes
        return self._snapshots.latest().version

    def _bring_in(self, model: str, dim: int) -> str:
        """Add the column and fill it, some rows at a time; returns its name."""
        table: Any = self._database.table(self._name)
        column = column_of(model, active=rows.facts(table.schema).column)
        field = rows.vector_field(column, model=model, dim=dim)
        self._database.commit(lambda: table.add_columns(_schema(field)), doing="write")
        ids = self._snapshots.latest().select("", ("id", "text_key"))
        at_once = max(1, _BYTES_PER_MERGE // (4 * dim))
        if ids is None:
            return column
        for start in range(0, ids.num_rows, at_once):
            batch = self._batch(table, ids.slice(start, at_once), model=model, column=column)
            merge = table.merge_insert("id").when_matched_update_all().use_index(False)
            self._database.commit(partial(merge.execute, batch), doing="write")
        return column

    def _batch(self, table: Any, ids: "pa.Table", *, model: str, column: str) -> "pa.Table":
        """`id`, `model` and the vector of some rows."""
        import pyarrow as pa

        keys = list(dict.fromkeys(ids.column("text_key").to_pylist()))
        parts = [
            self._database.reading(
                filling(model),
                partial(_filled, keys=keys[start : start + IDS_PER_SCAN]),
                nothing=_filling_schema(model, 1).empty_table(),
            )
            for start in range(0, len(keys), IDS_PER_SCAN)
        ]
        known = pa.concat_tables(parts).combine_chunks()
        place = {key: number for number, key in enumerate(known.column("text_key").to_pylist())}
        vectors = known.column(rows.VECTOR).take(pa.array([place[key] for key in ids.column("text_key").to_pylist()]))
        schema = table.schema
        fields = [schema.field("id"), schema.field("model"), schema.field(column)]
        arrays = [ids.column("id"), pa.array([rows.storable(model)] * ids.num_rows), vectors]
        arrays = [array.cast(field.type) for array, field in zip(arrays, fields, strict=True)]
        return pa.Table.from_arrays(arrays, schema=_schema(*fields))

    def _activate(self, column: str, *, model: str, made_by: str) -> None:
        """Say which column counts: the one commit that readers will see."""
        table: Any = self._database.table(self._name)
        says = {rows.MODEL_KEY: rows.storable(model), rows.MADE_BY_KEY: rows.storable(made_by)}
        self._database.commit(
            lambda: table.update_field_metadata(
                {"path": "id", "metadata": {rows.ACTIVE_KEY: column}}, {"path": column, "metadata": says}
            ),
            doing="write",
        )

    def tidy(self) -> None:
        """Drop columns of vectors that do not count: what a switch left, or one that was killed."""
        table: Any = self._database.table(self._name)
        if table is None:
            return
        with self._database.failing("write"):
            schema = table.schema
            active = rows.facts(schema).column
            others = [name for name in schema.names if name != active and rows.is_vectors(name)]
            if not others:
                return
            for name in others:
                if name in indexes(table):
                    table.drop_index(indexes(table)[name].name)
        self._database.commit(lambda: table.drop_columns(others), doing="write")

    def sweep(self) -> None:
        """Drop the gathered vectors of the model that is in use already: a switch that was killed at its end."""
        left = filling(self._snapshots.latest().model)
        if self._database.table(left) is not None:
            self._database.drop(left)


def _filled(table: Any, *, keys: Sequence[str]) -> "pa.Table":
    return table.search().where(among("text_key", keys)).to_arrow()


def filling(model: str) -> str:
    """The table that gathers a model's vectors."""
    return FILLING + _short(model)


def column_of(model: str, *, active: str) -> str:
    """The name of a model's column; never that of the one that is in use."""
    name = f"{rows.VECTOR}_{_short(model)}"
    return f"{name}_b" if name == active else name


def _short(model: str) -> str:
    return blake2b(model.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _filling_schema(model: str, dim: int) -> "pa.Schema":
    import pyarrow as pa

    key = pa.field("text_key", pa.string(), nullable=False, metadata=rows.PRIMARY_KEY)
    return _schema(key, rows.vector_field(rows.VECTOR, model=model, dim=dim))


def _schema(*fields: "pa.Field") -> "pa.Schema":
    import pyarrow as pa

    return pa.schema(fields)
