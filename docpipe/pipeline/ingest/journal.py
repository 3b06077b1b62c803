"""Rows to keep -> a table, at once and in the background: a kill loses a moment's rows and no more."""

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from docpipe.protocols import KeyedTable

_TIDY_AFTER = 200
"""Commits after which the table is tidied."""
_MOST_BYTES = 256 * 2**20
"""Of rows that wait to be written; who brings more waits."""


class Journal:
    """Writes rows down in the order in which they come, and finds them again. `keep` may be called from any thread."""

    def __init__(self, table: KeyedTable, *, key: str) -> None:
        self._table, self._key = table, key
        self._guard = threading.Condition()
        self._unsaved: dict[str, Mapping[str, Any]] = {}
        self._keys: set[str] | None = None
        self._bytes = 0
        self._writer = ThreadPoolExecutor(1, "docpipe-journal")
        self._writing: Future[None] | None = None
        self._busy = False
        self._hurry = threading.Event()
        self._commits = 0

    @property
    def has_written(self) -> bool:
        """Whether anything came."""
        return self._writing is not None

    @property
    def known(self) -> set[str]:
        """The keys of all rows; they are read when they are asked for first."""
        with self._guard:
            if self._keys is None:
                self._keys = {*self._table.columns(self._key)[self._key], *self._unsaved}
            return self._keys

    def find(self, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The rows with these keys, written or still to be; unknown keys are left out."""
        with self._guard:
            found = {key: self._unsaved[key] for key in keys if key in self._unsaved}
        known = self.known
        stored = [key for key in keys if key not in found and key in known]
        return {**found, **(self._table.get(stored) if stored else {})}

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows down at once, or with all that comes while others are written."""
        with self._guard:
            self._unsaved.update((row[self._key], row) for row in rows)
            if self._keys is not None:
                self._keys.update(row[self._key] for row in rows)
            self._bytes += _size(rows)
            waiting = self._bytes
            if not self._busy:
                self._busy = True
                self._writing = self._writer.submit(self._write)
        if waiting > _MOST_BYTES:
            self.wait([row[self._key] for row in rows])

    def wait(self, keys: Collection[str]) -> None:
        """Wait until these rows are written; at once where they are not among those that came.

        Raises:
            IndexFailed: they could not be written.
        """
        self._hurry.set()
        try:
            with self._guard:
                self._guard.wait_for(lambda: not self._busy or not any(key in self._unsaved for key in keys))
        finally:
            self._hurry.clear()
        if self._writing is not None and self._writing.done():
            self._writing.result()

    def close(self) -> None:
        """`wait`, for the last time; raises as it does."""
        self._hurry.set()
        self._writer.shutdown()
        if self._writing is not None:
            self._writing.result()

    def _write(self) -> None:
        try:
            while some := self._next():
                begun = time.monotonic()
                self._table.put(list(some.values()))
                with self._guard:
                    for key, row in some.items():
                        if self._unsaved.get(key) is row:
                            del self._unsaved[key]
                    self._bytes = _size(self._unsaved.values())
                    self._guard.notify_all()
                self._commits += 1
                if self._commits % _TIDY_AFTER == 0:
                    self._table.tidy()
                self._hurry.wait(time.monotonic() - begun)  # half of the time is for others
        except BaseException:
            with self._guard:
                self._busy = False
                self._guard.notify_all()
            raise

    def _next(self) -> dict[str, Mapping[str, Any]]:
        with self._guard:
            self._busy = bool(self._unsaved)
            return dict(self._unsaved)


def _size(rows: Iterable[Mapping[str, Any]]) -> int:
    return sum(len(row.get("data", b"")) for row in rows)
