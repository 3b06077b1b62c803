"""A folder or bucket -> Lance tables: connection, commits, versions, and the errors of all of these."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from docpipe.errors import DocpipeError, IndexDamaged, IndexFailed
from docpipe.index.filters import literal

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa
    from tenacity import RetryCallState

Result = TypeVar("Result")

_ATTEMPTS = 8
"""Commits tried before another writer's conflict becomes an error; Lance itself tries ten times within each."""
_LAST_VERSION = 2**64 - 1
"""Lance's names of versions count down from it."""
_CLEANED = 7
"""Attempts after which what cannot be found is no longer taken for cleaned away."""
_READS = 4
"""How often something is read again whose files were cleaned away meanwhile, before that is an error."""
SMALL_TABLES = "docpipe_"
"""How the names of keyed tables begin."""

_DAMAGED = "it is damaged"
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
    (
        ("os error 5)", "os error 107", "os error 116", "stale file", "input/output error", "timed out", "connect"),
        "its disk, mount or network does not answer",
        "check it, then run again",
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
            "out of range",
            "overflowing position",
            "decompression",
            "protobuf",
            "panicked",
            "trailing bytes",
            "size is too small",
            "does not exist in schema",
        ),
        _DAMAGED,
        "`docpipe doctor` with --fix takes out what is damaged; or move its folder away and run again: the sources are "
        "read anew",
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
        self.refresh_seconds = refresh_seconds
        self._cache_bytes = cache_megabytes * 2**20
        self._lock = threading.Lock()
        self._connection: Any = None
        self._tables: dict[str, Any] = {}
        self.commits = 0
        """How many were begun here: who writes reads what it wrote."""

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
        except Exception as error:
            if type(error).__name__ != "RustPanic":  # a class that no module exports
                raise
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
            found = self._open(name)
            if found is None:
                return None
            if self._check is not None:
                self._check(name, found.schema)
            self._tables[name] = found
            return found

    def _open(self, name: str) -> Any:
        """A new handle; None where a killed writer left a folder without a version.

        Between the look for the newest version and its opening, upkeep may have taken it away: then look again.
        """
        for left in reversed(range(_READS)):
            try:
                return self._connected().open_table(name)
            except (ValueError, RuntimeError) as error:
                if "not found" not in str(error).lower():
                    raise
                if not self._has_versions(name, error):
                    return None
                if not left:
                    raise
        raise AssertionError("the last look returns or raises")

    def _has_versions(self, name: str, error: Exception) -> bool:
        """Whether the table is there, though it could not be opened; of a bucket, Lance's own words tell."""
        if "://" in self.uri:
            return "manifest" in str(error)
        return any(Path(self.location, f"{name}.lance", "_versions").glob("*.manifest"))

    def at(self, name: str, version: int) -> Any:
        """A handle of its own that reads this version and no other; None where the version is gone."""
        with self._lock:
            found = self._open(name)
        if found is None:
            return None
        try:
            found.checkout(version)
        except ValueError as error:
            if "no longer exists" in str(error):
                return None
            raise
        if self._check is not None:
            self._check(name, found.schema)
        return found

    def written_at(self, name: str, version: int) -> int:
        """When a version was written, in nanoseconds; 0 in a bucket, or where there is none.

        It tells versions with the same number apart, where a table was made anew.
        """
        if "://" in self.uri:
            return 0
        file = os.path.join(self.location, f"{name}.lance", "_versions", f"{_LAST_VERSION - version:020}.manifest")  # noqa: PTH118 - speed
        try:
            return os.stat(file).st_mtime_ns  # noqa: PTH116 - speed
        except OSError:
            return 0

    def reading(self, name: str, work: "Callable[[lancedb.table.Table], Result]", *, nothing: Result) -> Result:
        """What `work` reads of a table's newest version; again where upkeep cleaned that one away meanwhile.

        Args:
            nothing: the result where the table was not made yet.
        """
        for left in reversed(range(_READS)):
            table = self.table(name)
            if table is None:
                return nothing
            before = 0
            try:
                with self.failing("read"):
                    if self.refresh_seconds:
                        table.checkout_latest()
                    before = int(table.version)
                    return work(table)
            except IndexFailed:
                # The first time, the handle may be of a table that was made anew since.
                if not left or (left < _READS - 1 and not self._newer(name, before)):
                    raise
        raise AssertionError("the last round returns or raises")

    def _newer(self, name: str, version: int) -> bool:
        """Whether there is a newer version than the one that could not be read."""
        table = self.table(name)
        with self.failing("read"):
            return table is None or int(table.version) > version

    def drop(self, name: str) -> None:
        """Remove a table with all its versions."""
        with self.failing("drop"), self._lock:
            self._tables.pop(name, None)
            if self._exists(name):
                self._connected().drop_table(name, ignore_missing=True)

    def folder(self, name: str) -> Path | None:
        """Where a table's files are; None in a bucket, or where there are none."""
        found = None if "://" in self.uri else Path(self.location, f"{name}.lance")
        return found if found is not None and found.is_dir() else None

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
        from tenacity import Retrying, stop_after_attempt, wait_random_exponential

        attempts = Retrying(
            retry=_may_succeed,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=2.0),
            reraise=True,
        )
        self.commits += 1
        with self.failing(doing):
            return attempts(work)

    @property
    def location(self) -> str:
        """The folder, absolute, or the bucket."""
        if "://" in self.uri:
            return self.uri
        return str(Path(os.path.expanduser(self.uri)).absolute())  # noqa: PTH111 - an unknown user's name stays

    def _exists(self, table: str = "") -> bool:
        """Whether the folder is there, or a table's own within it; of a bucket it is not asked."""
        own = f"{table}.lance" if table else ""
        return "://" in self.uri or os.path.isdir(os.path.join(self.location, own))  # noqa: PTH112, PTH118 - speed

    def _connected(self, *, make: bool = False) -> Any:
        """The connection; a folder is made only to write, so that looking leaves nothing behind."""
        if make and "://" not in self.uri:
            Path(self.location).mkdir(parents=True, exist_ok=True)
        if self._connection is None:
            # Its warnings go straight to stderr, into progress bars; it reads this name once, when imported.
            os.environ.setdefault("LANCEDB_LOG", "error")
            import lancedb

            interval = timedelta(seconds=self.refresh_seconds)
            # Lance would let its caches grow to 7 GB in a process that serves for long.
            session = lancedb.Session(
                index_cache_size_bytes=self._cache_bytes, metadata_cache_size_bytes=self._cache_bytes // 4
            )
            self._connection = lancedb.connect(self.location, read_consistency_interval=interval, session=session)
        return self._connection


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


def _may_succeed(state: "RetryCallState") -> bool:
    """Whether a commit failed because of another writer, or of one who cleaned away what it began with."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, (RuntimeError, OSError, ValueError)):
        return False
    text = str(error).lower()
    cleaned = "not found" in text and state.attempt_number < _CLEANED
    return cleaned or "conflict" in text or "concurrent" in text


def _failed(error: BaseException, *, doing: str, index: str) -> IndexFailed:
    text = str(error).lower()
    _, cause, remedy = next((entry for entry in _CAUSES if any(word in text for word in entry[0])), _OTHER)
    detail = " ".join(str(error).split())[:300] or type(error).__name__
    kind = IndexDamaged if cause is _DAMAGED else IndexFailed
    return kind(f"cannot {doing} the index: {cause} ({detail})", stage="index", item=index, remedy=remedy)
