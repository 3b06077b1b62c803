"""Rows by key in this process's memory, and what every keyed table says of its columns."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docpipe.errors import IndexMismatch

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULTS: Mapping[str, Any] = {"str": "", "int": 0, "float": 0.0, "bytes": b"", "bool": False}
"""What a row has in a column of this kind where nothing was said."""


def complete(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """The row with these columns, defaults where it says nothing."""
    return {name: DEFAULTS[kind] if (value := row.get(name)) is None else value for name, kind in columns.items()}


def arrow_schema(columns: Mapping[str, str], *, key: str) -> "pa.Schema":
    """The columns as Arrow has them; only the key is never null."""
    import pyarrow as pa

    kinds = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bytes": pa.large_binary(),
        "bool": pa.bool_(),
    }
    return pa.schema([pa.field(name, kinds[kind], nullable=name != key) for name, kind in columns.items()])


def unknown_columns(table: str, found: str, wanted: str, *, index: str) -> IndexMismatch:
    """The error of a table that has columns which this docpipe does not know."""
    return IndexMismatch(
        f"the table {table!r} of the index {index!r} has the columns {found}, not {wanted}: "
        "another docpipe made it, newer than this one",
        found=found,
        wanted=wanted,
        index=index,
        remedy="upgrade docpipe, or point `index.uri` at a new folder and run again",
    )


def check_key(columns: Mapping[str, str], key: str) -> None:
    """The key must be one of the columns, or ValueError."""
    if key not in columns:
        raise ValueError(f"the key {key!r} is not one of the columns {', '.join(columns)}")


class Store:
    """The rows of one table, whoever looks at it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.columns: dict[str, str] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.version = 0


class MemoryTable:
    """Rows by key, as somebody who knows these columns sees them."""

    def __init__(self, store: Store, name: str, columns: Mapping[str, str], *, key: str) -> None:
        check_key(columns, key)
        self._store, self._name, self._columns, self._key = store, name, dict(columns), key

    def _rows(self) -> dict[str, dict[str, Any]]:
        """The rows as they are now, with the columns that they lack.

        Raises:
            IndexMismatch: there are columns that are not known here.
        """
        if unknown := ", ".join(name for name in self._store.columns if name not in self._columns):
            raise unknown_columns(self._name, unknown, ", ".join(self._columns), index="memory")
        if len(self._store.columns) == len(self._columns):
            return self._store.rows
        return {key: complete(row, self._columns) for key, row in self._store.rows.items()}

    def _keep(self, rows: dict[str, dict[str, Any]]) -> None:
        self._store.rows, self._store.columns = rows, dict(self._columns)
        self._store.version += 1

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows (all columns where none is named), as equally long lists."""
        rows = list(self._rows().values())
        return {name: [row[name] for row in rows] for name in names or self._columns}

    def arrow(self, *names: str) -> "pa.Table":
        """The same as one Arrow table."""
        import pyarrow as pa

        wanted = {name: self._columns[name] for name in names or self._columns}
        return pa.table(self.columns(*wanted), schema=arrow_schema(wanted, key=self._key))

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        rows = self._rows()
        return {key: dict(rows[key]) for key in keys if key in rows}

    def find(self, column: str, value: str | float | bool, /) -> list[dict[str, Any]]:
        """Whole rows whose column has this value, by key."""
        found = (row for row in self._rows().values() if row[column] == value)
        return sorted((dict(row) for row in found), key=lambda row: row[self._key])

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows())

    def version(self) -> int:
        """A number that rises with every change; 0 while nothing was written."""
        return self._store.version

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, all at once."""
        with self._store.lock:
            if rows:
                self._keep(self._rows() | {row[self._key]: complete(row, self._columns) for row in rows})

    def swap(self, key: str, expected: Mapping[str, Any] | None, row: Mapping[str, Any], /) -> bool:
        """Put the row, if the one there is as expected (None: not there); whether it was put."""
        with self._store.lock:
            found = self._rows().get(key)
            if (found is None) != (expected is None):
                return False
            if found is not None and any(found[name] != value for name, value in (expected or {}).items()):
                return False
            self.put([{**row, self._key: key}])
            return True

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows; unknown keys are no error."""
        self.remove_where(self._key, keys)

    def remove_where(self, column: str, values: Sequence[str], /) -> None:
        """Remove the rows whose column has one of these values."""
        gone = set(values)
        with self._store.lock:
            if gone and self._store.version:
                self._keep({key: row for key, row in self._rows().items() if row[column] not in gone})

    def tidy(self) -> None:
        """Nothing to do."""
