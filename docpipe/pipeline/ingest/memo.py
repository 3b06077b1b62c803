"""What a service read of a page, kept beside the chunks: no page is paid for twice, in whatever file or run."""

import time
from collections.abc import Mapping, Sequence

from docpipe.pipeline.ingest.journal import Journal
from docpipe.protocols import Index, KeyedTable

MEMO = "memo"
_COLUMNS = {"key": "str", "data": "bytes", "kept": "int"}
_MOST_PAGES = 500_000
"""About a gigabyte; what was kept first is forgotten first."""
_TRIM_TO = 0.9


class Memo:
    """Replies by the key of their page. `keep` may be called from any thread and returns at once."""

    def __init__(self, index: Index) -> None:
        self._table: KeyedTable = index.table(MEMO, columns=_COLUMNS, key="key")
        self._journal = Journal(self._table, key="key")

    def known_keys(self) -> set[str]:
        """The pages that are known."""
        return set(self._journal.known)

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What is known of these pages."""
        return {key: row["data"] for key, row in self._journal.find(keys).items()}

    def keep(self, replies: Mapping[str, bytes]) -> None:
        """Write them down at once, or with all that comes while others are written: a kill loses a moment's replies."""
        now = int(time.time())
        self._journal.keep([{"key": key, "data": data, "kept": now} for key, data in replies.items()])

    def close(self) -> None:
        """Wait until all is written, and forget the oldest where it is too much.

        Raises:
            IndexFailed: it could not be written.
        """
        self._journal.close()
        if self._journal.has_written and self._table.count() > _MOST_PAGES:
            self._trim()

    def _trim(self) -> None:
        columns = self._table.columns("key", "kept")
        oldest = sorted(zip(columns["kept"], columns["key"], strict=True))
        self._table.remove([key for _, key in oldest[: len(oldest) - int(_MOST_PAGES * _TRIM_TO)]])
