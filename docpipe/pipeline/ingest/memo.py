"""What a service read of a page, kept beside the chunks: no page is paid for twice, in whatever file or run."""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

from docpipe.protocols import Index, KeyedTable

MEMO = "memo"
_COLUMNS = {"key": "str", "data": "bytes", "kept": "int"}
_MOST_PAGES = 500_000
"""About a gigabyte; what was kept first is forgotten first."""
_TRIM_TO = 0.9
_TIDY_AFTER = 200
"""Commits after which the table is tidied."""


class Memo:
    """Replies by the key of their page. `keep` may be called from any thread and returns at once."""

    def __init__(self, index: Index) -> None:
        self._table: KeyedTable = index.table(MEMO, columns=_COLUMNS, key="key")
        self._guard = threading.Lock()
        self._unsaved: dict[str, bytes] = {}
        self._writer = ThreadPoolExecutor(1, "docpipe-memo")
        self._writing: Future[None] | None = None
        self._busy = False
        self._closing = threading.Event()
        self._commits = 0

    def known_keys(self) -> set[str]:
        """The pages that are known."""
        return set(self._known)

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What is known of these pages."""
        with self._guard:
            found = {key: self._unsaved[key] for key in keys if key in self._unsaved}
        stored = [key for key in keys if key in self._known and key not in found]
        rows = self._table.get(stored) if stored else {}
        return found | {key: row["data"] for key, row in rows.items()}

    def keep(self, replies: Mapping[str, bytes]) -> None:
        """Write them down at once, or with all that comes while others are written: a kill loses a moment's replies."""
        with self._guard:
            self._unsaved.update(replies)
            self._known.update(replies)
            if not self._busy:
                self._busy = True
                self._writing = self._writer.submit(self._write)

    def close(self) -> None:
        """Wait until all is written, and forget the oldest where it is too much.

        Raises:
            IndexFailed: it could not be written.
        """
        self._closing.set()
        self._writer.shutdown()
        if self._writing is None:  # nothing came: the keys need not be read to see that it is no more than before
            return
        self._writing.result()
        if len(self._known) > _MOST_PAGES:
            self._trim()

    @cached_property
    def _known(self) -> set[str]:
        return set(self._table.columns("key")["key"])

    def _write(self) -> None:
        try:
            while some := self._next():
                now, begun = int(time.time()), time.monotonic()
                self._table.put([{"key": key, "data": data, "kept": now} for key, data in some.items()])
                with self._guard:
                    for key in some:
                        self._unsaved.pop(key, None)
                self._commits += 1
                if self._commits % _TIDY_AFTER == 0:
                    self._table.tidy()
                self._closing.wait(time.monotonic() - begun)  # half of the time is for others
        except BaseException:
            self._busy = False
            raise

    def _next(self) -> dict[str, bytes]:
        with self._guard:
            self._busy = bool(self._unsaved)
            return dict(self._unsaved)

    def _trim(self) -> None:
        columns = self._table.columns("key", "kept")
        oldest = sorted(zip(columns["kept"], columns["key"], strict=True))
        self._table.remove([key for _, key in oldest[: len(oldest) - int(_MOST_PAGES * _TRIM_TO)]])
