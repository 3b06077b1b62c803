"""Rows by key in a Lance table of their own, beside the chunks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from docpipe.index.filters import literal
from docpipe.index.lance_tables import Database, among, upsert
from docpipe.index.memory_tables import DEFAULTS, arrow_schema, check_key, complete, unknown_columns
from docpipe.index.rows import COMPRESSED, PRIMARY_KEY, storable

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS_PER_SCAN = 2_000
_REMOVED = 20_000
"""Rows that go in one commit: it names each of them, which takes a second, and 4 MB of memory a thousand."""
_READ_FOR = timedelta(minutes=2)
"""How long a version stays while the table is written often: no read of one takes longer."""


class LanceKeyedTable:
    """Rows by key; reads see what was committed last."""

    def __init__(self, database: Database, name: str, *, columns: Mapping[str, str], key: str) -> None:
        check_key(columns, key)
        self._database, self._name, self._columns, self._key = database, name, dict(columns), key
        self._complete: Any = None

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows (all columns where none is named), as equally long lists."""
        found = self.arrow(*names)
        return {name: found.column(name).to_pylist() for name in found.column_names}

    def arrow(self, *names: str) -> "pa.Table":
        """The same as one Arrow table."""
        wanted = self._kinds(names)
        return self._database.reading(
            self._name, lambda table: self._read(table, "", wanted), nothing=self._schema(wanted).empty_table()
        )

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(keys), _KEYS_PER_SCAN):
            rows = self._rows(among(self._key, keys[start : start + _KEYS_PER_SCAN]))
            found.update((row[self._key], row) for row in rows)
        return found

    def find(self, column: str, value: str | float | bool, /) -> list[dict[str, Any]]:
        """Whole rows whose column has this value, by key."""
        rows = self._rows(_equal(column, value), column)
        return sorted((row for row in rows if row[column] == value), key=lambda row: row[self._key])

    def _rows(self, condition: str, column: str = "") -> list[dict[str, Any]]:
        """Whole rows; all of them where the condition is on a column that the table lacks yet."""

        def read(table: Any) -> list[dict[str, Any]]:
            lacking = column and column not in self._there(table)
            found: list[dict[str, Any]] = self._read(table, "" if lacking else condition, self._columns).to_pylist()
            return found

        return self._database.reading(self._name, read, nothing=[])

    def _read(self, table: Any, condition: str, wanted: Mapping[str, str]) -> "pa.Table":
        """Columns of the rows that fit; what is null, or not there yet, has its default."""
        import pyarrow as pa

        known = self._there(table)
        there = [name for name in wanted if name in known]
        query = table.search().where(condition) if condition else table.search()
        found = query.select(there or [self._key]).to_arrow()
        arrays = [
            found.column(name).fill_null(DEFAULTS[kind])
            if name in there
            else pa.array([DEFAULTS[kind]] * found.num_rows)
            for name, kind in wanted.items()
        ]
        schema = self._schema(wanted)
        return pa.Table.from_arrays(
            [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema
        )

    def count(self) -> int:
        """How many rows there are."""
        return self._database.reading(self._name, lambda table: int(table.count_rows()), nothing=0)

    def version(self) -> int:
        """A number that rises with every change; 0 while nothing was written."""
        return self._database.reading(self._name, lambda table: int(table.version), nothing=0)

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, in one commit. Of rows with the same key, the last counts."""
        if not rows:
            return
        last = {row[self._key]: complete(row, self._columns) for row in rows}
        table = self._writable()
        batch = self._batch(list(last.values()), table.schema.names)
        self._database.commit(lambda: upsert(table, self._key, batch), doing="write")

    def swap(self, key: str, expected: Mapping[str, Any] | None, row: Mapping[str, Any], /) -> bool:
        """Put a row in one commit, if the one there is as expected; whether it was put."""
        table = self._writable()
        batch = self._batch([complete({**row, self._key: key}, self._columns)], table.schema.names)

        def work() -> bool:
            merge = table.merge_insert(self._key).use_index(False)
            if expected is None:
                merge = merge.when_not_matched_insert_all()
            else:
                wanted = [_equal(f"target.{name}", value) for name, value in expected.items()]
                merge = merge.when_matched_update_all(where=" AND ".join(wanted or ["true"]))
            done = merge.execute(batch)
            return int(done.num_updated_rows) + int(done.num_inserted_rows) == 1

        return self._database.commit(work, doing="write")

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows, in one commit unless they are very many; unknown keys are no error."""
        self.remove_where(self._key, keys)

    def remove_where(self, column: str, values: Sequence[str], /) -> None:
        """Remove the rows whose column has one of these values, in one commit unless they are very many."""
        if self._opened() is None:
            return
        for start in range(0, len(values), _REMOVED):
            self._remove(column, values[start : start + _REMOVED])

    def _remove(self, column: str, values: Sequence[str]) -> None:
        table = self._writable()
        condition = among(column, values)
        if "" in values:
            condition = f"({condition} OR {column} IS NULL)"
        self._database.commit(lambda: table.delete(condition), doing="write")

    def tidy(self) -> None:
        """Join small parts, drop versions that nobody reads any more."""
        table = self._opened()
        if table is not None:
            self._database.commit(lambda: table.optimize(cleanup_older_than=_READ_FOR), doing="optimize")

    def _opened(self) -> Any:
        """The table's handle, or None."""
        table = self._database.table(self._name)
        if table is not None:
            with self._database.failing("read"):
                self._there(table)
        return table

    def _writable(self) -> Any:
        """The table's handle; made where there is none, and given the columns that it lacks."""
        table = self._opened()
        if table is None:
            table = self._database.create(self._name, self._schema(self._columns))
        there = self._there(table)
        lacking = {name: kind for name, kind in self._columns.items() if name not in there}
        if lacking:
            self._database.commit(lambda: table.add_columns(self._schema(lacking)), doing="write")
        return table

    def _there(self, table: Any) -> Sequence[str]:
        """The names of the table's columns.

        Raises:
            IndexMismatch: there are some that this docpipe does not know.
        """
        if table is self._complete:
            return tuple(self._columns)
        names: list[str] = table.schema.names
        if self._key not in names or set(names) - set(self._columns):
            raise unknown_columns(self._name, ", ".join(names), ", ".join(self._columns), index=self._database.uri)
        if len(names) == len(self._columns):
            self._complete = table
        return names

    def _kinds(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self._columns[name] for name in names or self._columns}

    def _schema(self, columns: Mapping[str, str]) -> "pa.Schema":
        import pyarrow as pa

        fields = []
        for field in arrow_schema(columns, key=self._key):
            facts = PRIMARY_KEY if field.name == self._key else COMPRESSED if columns[field.name] == "bytes" else None
            fields.append(field.with_metadata(facts) if facts else field)
        return pa.schema(fields)

    def _batch(self, rows: Sequence[Mapping[str, Any]], order: Sequence[str]) -> "pa.Table":
        import pyarrow as pa

        schema = self._schema({name: self._columns[name] for name in order})
        arrays = []
        for field in schema:
            values = [row[field.name] for row in rows]
            try:
                arrays.append(pa.array(values, type=field.type))
            except UnicodeEncodeError:
                arrays.append(pa.array([storable(value) for value in values], type=field.type))
        return pa.Table.from_arrays(arrays, schema=schema)


def _equal(column: str, value: Any) -> str:
    """SQL: the column has this value; null stands for the default. (The condition of a merge knows no functions.)"""
    told = literal(storable(value)) if isinstance(value, str) else str(value).lower()
    same = f"{column} = {told}"
    return same if value else f"({same} OR {column} IS NULL)"
