"""A folder or bucket -> Lance tables: connection, commits, keyed tables, and the errors of all of these."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from docpipe.errors import DocpipeError, IndexFailed, IndexMismatch
from docpipe.index.filters import literal
from docpipe.index.rows import COMPRESSED, PRIMARY_KEY, storable

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa

Result = TypeVar("Result")

_ATTEMPTS = 8
"""Commits tried before another writer's conflict becomes an error; Lance itself tries ten times within each."""
_KEYS_PER_SCAN = 2_000
_READ_FOR = timedelta(minutes=2)
"""How long a version of a keyed table stays while it is written often: no read of one takes longer."""
SMALL_TABLES = "docpipe_"
"""How the names of keyed tables begin."""

_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        (
            "no space left",
            "disk full",
            "quota exceeded",
            "file too large",
            "os error 28",
            "os error 122",
            "os error 27)",
        ),
        "the disk is full",
        "free some space, then run again",
    ),
    (
        ("permission denied", "access denied", "read-only file system", "forbidden", "os error 13", "os error 30"),
        "there is no permission",
        "check the owner and the mode of the folder, or the bucket's policy",
    ),
    (("conflict", "too many concurrent"), "other writers keep changing it", "run again when they are done"),
    (
        (
            "not found",
            "corrupt",
            "magic",
            "manifest",
            "invalid range",
            "decode",
            "unexpected end",
            "fill whole buffer",
            "sufficient data",
            "out of bounds",
        ),
        "it is damaged",
        "run again; if it stays so, move its folder away and run again: the sources are read anew",
    ),
)
"""Words of the message, the cause, the remedy: the first that fits."""
_OTHER = ((), "LanceDB gave an error", "run again; if it comes back, report it with this message")


class Database:
    """Lance tables of one folder or bucket; the connection is made on first use.

    Args:
        refresh_seconds: how old a reader's view may be.
        cache_megabytes: how much of the indexes is kept in memory; descriptions of files get a quarter of it more.
        check: is given the name and the schema of each table when it is opened, and raises where it does not fit.
    """

    def __init__(
        self,
        uri: str,
        *,
        refresh_seconds: float = 0.0,
        cache_megabytes: int = 512,
        check: "Callable[[str, pa.Schema], None] | None" = None,
    ) -> None:
        self.uri = uri
        self._check = check
        self._refresh_seconds = refresh_seconds
        self._cache_bytes = cache_megabytes * 2**20
        self._lock = threading.Lock()
        self._connection: Any = None
        self._tables: dict[str, Any] = {}

    @contextmanager
    def failing(self, doing: str) -> Iterator[None]:
        """Turn what Lance raises into IndexFailed, with the cause and a remedy; forget the tables' handles."""
        try:
            yield
        except DocpipeError:
            raise
        except (RuntimeError, OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
            self.forget()
            raise _failed(error, doing=doing, index=self.uri) from error

    def forget(self) -> None:
        """Drop the connection and all handles; the next use makes them anew."""
        with self._lock:
            self._tables, self._connection = {}, None

    def table(self, name: str) -> "lancedb.table.Table | None":
        """The table's handle, or None where it was not made yet."""
        found = self._tables.get(name)
        if found is not None and self._exists(name):
            return found
        with self.failing("open"), self._lock:
            self._tables.pop(name, None)  # its folder may be gone: who deletes an index starts anew
            if not self._exists(name):
                return None
            try:
                found = self._connected().open_table(name)
            except ValueError as error:
                if "was not found" in str(error):
                    return None
                raise
            if self._check is not None:
                self._check(name, found.schema)
            self._tables[name] = found
            return found

    def create(self, name: str, schema: "pa.Schema") -> "lancedb.table.Table":
        """Make an empty table, or open the one that another process made first. It appears whole or not at all."""
        with self.failing("create"):
            with self._lock:
                self._connected(make=True).create_table(name, schema=schema, exist_ok=True)
            found = self.table(name)
            if found is None:
                raise RuntimeError(f"the table {name!r} vanished while it was made: not found")
            return found

    def names(self) -> list[str]:
        """Names of the tables that exist."""
        with self.failing("list"), self._lock:
            return list(self._connected().list_tables().tables) if self._exists() else []

    def commit(self, work: Callable[[], Result], *, doing: str) -> Result:
        """Do a commit, again if another writer was quicker, a bounded number of times."""
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

        attempts = Retrying(
            retry=retry_if_exception(_is_conflict),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=2.0),
            reraise=True,
        )
        with self.failing(doing):
            return attempts(work)

    @property
    def _location(self) -> str:
        if "://" in self.uri:
            return self.uri
        return str(Path(os.path.expanduser(self.uri)).absolute())  # noqa: PTH111 - an unknown user's name stays

    def _exists(self, table: str = "") -> bool:
        """Whether the folder is there, or a table's own within it; of a bucket it is not asked."""
        own = f"{table}.lance" if table else ""
        return "://" in self.uri or os.path.isdir(os.path.join(self._location, own))  # noqa: PTH112, PTH118 - speed

    def _connected(self, *, make: bool = False) -> Any:
        """The connection; a folder is made only to write, so that looking leaves nothing behind."""
        if make and "://" not in self.uri:
            Path(self._location).mkdir(parents=True, exist_ok=True)
        if self._connection is None:
            # Its warnings go straight to stderr, into progress bars; it reads this name once, when imported.
            os.environ.setdefault("LANCEDB_LOG", "error")
            import lancedb

            interval = timedelta(seconds=self._refresh_seconds)
            # Lance would let its caches grow to 7 GB in a process that serves for long.
            session = lancedb.Session(
                index_cache_size_bytes=self._cache_bytes, metadata_cache_size_bytes=self._cache_bytes // 4
            )
            self._connection = lancedb.connect(self._location, read_consistency_interval=interval, session=session)
        return self._connection


class LanceKeyedTable:
    """Rows by key in a Lance table of their own."""

    def __init__(self, database: Database, name: str, *, columns: Mapping[str, str], key: str) -> None:
        if key not in columns:
            raise ValueError(f"the key {key!r} is not one of the columns {', '.join(columns)}")
        self._database, self._name, self._columns, self._key = database, name, dict(columns), key
        self._known: Any = None

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows (all columns where none is named), as equally long lists."""
        wanted = list(names or self._columns)
        table = self._opened()
        if table is None:
            return {name: [] for name in wanted}
        with self._database.failing("read"):
            found = table.search().select(wanted).to_arrow()
            return {name: found.column(name).to_pylist() for name in wanted}

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        table = self._opened()
        found: dict[str, dict[str, Any]] = {}
        if table is None:
            return found
        with self._database.failing("read"):
            for start in range(0, len(keys), _KEYS_PER_SCAN):
                some = keys[start : start + _KEYS_PER_SCAN]
                rows = table.search().where(among(self._key, some)).select(list(self._columns)).to_arrow()
                found.update((row[self._key], row) for row in rows.to_pylist())
        return found

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, in one commit. Of rows with the same key, the last counts."""
        if not rows:
            return
        last = {row[self._key]: row for row in rows}
        table = self._opened() or self._database.create(self._name, self._schema())
        batch = self._batch(list(last.values()))
        self._database.commit(lambda: upsert(table, self._key, batch), doing="write")

    def swap(self, key: str, expected: Mapping[str, Any] | None, row: Mapping[str, Any], /) -> bool:
        """Put the row if what stands there is as expected (None: nothing); returns whether it was put."""
        table = self._opened() or (self._database.create(self._name, self._schema()) if expected is None else None)
        if table is None:
            return False
        batch = self._batch([row])
        merge = table.merge_insert(self._key)
        if expected is None:
            merge = merge.when_not_matched_insert_all()
        else:
            conditions = (
                f"target.{name} = {_sql(value)}" for name, value in ({self._key: key} | dict(expected)).items()
            )
            merge = merge.when_matched_update_all(where=" AND ".join(conditions))
        done = self._database.commit(lambda: merge.use_index(False).execute(batch), doing="write")
        return bool(done.num_inserted_rows + done.num_updated_rows)

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows, in one commit; unknown keys are no error."""
        table = self._opened()
        if table is not None and keys:
            self._database.commit(lambda: table.delete(among(self._key, keys)), doing="write")

    def tidy(self) -> None:
        """Join small parts, drop versions that nobody reads any more."""
        table = self._opened()
        if table is not None:
            self._database.commit(lambda: table.optimize(cleanup_older_than=_READ_FOR), doing="optimize")

    def _opened(self) -> Any:
        """The table's handle, or None.

        Raises:
            IndexMismatch: another version of docpipe made the table, with other columns.
        """
        table = self._database.table(self._name)
        if table is None or table is self._known:
            return table
        with self._database.failing("read"):
            found, wanted = ", ".join(table.schema.names), ", ".join(self._columns)
        if found != wanted:
            raise IndexMismatch(
                f"the table {self._name!r} of the index {self._database.uri!r} has the columns {found}, not {wanted}",
                found=found,
                wanted=wanted,
                index=self._database.uri,
                remedy="use the docpipe that made it, or point `index.uri` at a new folder and run again",
            )
        self._known = table
        return table

    def _schema(self) -> "pa.Schema":
        import pyarrow as pa

        kinds = {
            "str": pa.string(),
            "int": pa.int64(),
            "float": pa.float64(),
            "bytes": pa.large_binary(),
            "bool": pa.bool_(),
        }
        fields = []
        for name, kind in self._columns.items():
            facts = PRIMARY_KEY if name == self._key else COMPRESSED if kind == "bytes" else None
            fields.append(pa.field(name, kinds[kind], nullable=name != self._key, metadata=facts))
        return pa.schema(fields)

    def _batch(self, rows: Sequence[Mapping[str, Any]]) -> "pa.Table":
        import pyarrow as pa

        schema = self._schema()
        arrays = []
        for field in schema:
            values = [row.get(field.name) for row in rows]
            try:
                arrays.append(pa.array(values, type=field.type))
            except UnicodeEncodeError:
                arrays.append(pa.array([storable(value) if value else value for value in values], type=field.type))
        return pa.Table.from_arrays(arrays, schema=schema)


def among(column: str, values: Sequence[str]) -> str:
    """SQL: the column is one of these texts."""
    return f"{column} IN ({', '.join(literal(value) for value in values)})"


def upsert(table: Any, key: str, batch: "pa.Table", *, delete_others: str = "") -> int:
    """Insert or replace rows by key in one commit; returns the version.

    Args:
        delete_others: SQL; rows that fit it and are not in the batch are deleted in the same commit.
    """
    merge = table.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
    if delete_others:
        merge = merge.when_not_matched_by_source_delete(delete_others)
    # An index on the key would let two writers insert the same key twice: see docs/decisions/0050.
    return int(merge.use_index(False).execute(batch).version)


def _sql(value: str | int | bool) -> str:
    return literal(value) if isinstance(value, str) else str(value)


def _is_conflict(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError, ValueError)) and ("conflict" in text or "concurrent" in text)


def _failed(error: BaseException, *, doing: str, index: str) -> IndexFailed:
    text = str(error).lower()
    _, cause, remedy = next((entry for entry in _CAUSES if any(word in text for word in entry[0])), _OTHER)
    detail = " ".join(str(error).split())[:300] or type(error).__name__
    return IndexFailed(f"cannot {doing} the index: {cause} ({detail})", stage="index", item=index, remedy=remedy)
