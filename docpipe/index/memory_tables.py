"""Rows by key in this process's memory, and what every keyed table says of its columns."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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


def check_key(columns: Mapping[str, str], key: str) -> None:
    """The key must be one of the columns, or ValueError."""
    if key not in columns:
        raise ValueError(f"the key {key!r} is not one of the columns {', '.join(columns)}")


class MemoryTable:
    """Rows by key."""

    def __init__(self, columns: Mapping[str, str], *, key: str) -> None:
        check_key(columns, key)
        self._columns, self._key = dict(columns), key
        self._rows: dict[str, dict[str, Any]] = {}
        self._version = 0
        self._lock = threading.RLock()

    def widened(self, columns: Mapping[str, str], *, key: str) -> "MemoryTable":
        """This table, with columns that were not asked for before; earlier rows have their defaults."""
        check_key(columns, key)
        new = {name: kind for name, kind in columns.items() if name not in self._columns}
        if new:
            self._columns |= new
            self._rows = {name: complete(row, self._columns) for name, row in self._rows.items()}
        return self

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows (all columns where none is named), as equally long lists."""
        rows = list(self._rows.values())
        return {name: [row[name] for row in rows] for name in names or self._columns}

    def arrow(self, *names: str) -> "pa.Table":
        """The same as one Arrow table."""
        import pyarrow as pa

        wanted = {name: self._columns[name] for name in names or self._columns}
        return pa.table(self.columns(*wanted), schema=arrow_schema(wanted, key=self._key))

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        return {key: dict(self._rows[key]) for key in keys if key in self._rows}

    def find(self, column: str, value: str | int | bool, /) -> list[dict[str, Any]]:
        """Whole rows whose column has this value, by key."""
        found = (row for row in self._rows.values() if row[column] == value)
        return sorted((dict(row) for row in found), key=lambda row: row[self._key])

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def version(self) -> int:
        """A number that rises with every change; 0 while nothing was written."""
        return self._version

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, all at once."""
        with self._lock:
            self._rows = self._rows | {row[self._key]: complete(row, self._columns) for row in rows}
            self._version += bool(rows)

    def swap(self, key: str, expected: Mapping[str, Any] | None, row: Mapping[str, Any], /) -> bool:
        """Put the row, if the one there is as expected (None: not there); whether it was put."""
        with self._lock:
            found = self._rows.get(key)
            if (found is None) != (expected is None):
                return False
            if found is not None and any(found[name] != value for name, value in (expected or {}).items()):
                return False
            self.put([row])
            return True

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows; unknown keys are no error."""
        self.remove_where(self._key, keys)

    def remove_where(self, column: str, values: Sequence[str], /) -> None:
        """Remove the rows whose column has one of these values."""
        gone = set(values)
        with self._lock:
            self._rows = {key: row for key, row in self._rows.items() if row[column] not in gone}
            self._version += bool(gone and self._version)

    def tidy(self) -> None:
        """Nothing to do."""
