"""Ledger -> the lines that stand in many documents, kept beside the chunks for searches."""

import time
from threading import Lock

from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.protocols import Index, KeyedTable
from docpipe.repeated import common_lines

_TABLE, _KEY = "lines", "common"
_LOOK_SECONDS = 30.0
"""How old the answer may be: which lines are boilerplate changes slowly."""


class CommonLines:
    """Written at the end of a run that changed something, from the whole ledger: no order of runs matters."""

    def __init__(self, index: Index) -> None:
        self._table: KeyedTable = index.table(_TABLE, columns={"key": "str", "data": "bytes"}, key="key")
        self._lock = Lock()
        self._looked = -_LOOK_SECONDS
        self._known: frozenset[int] = frozenset()

    def write(self, ledger: Ledger) -> None:
        """Count anew; writes nothing where nothing became different."""
        common = common_lines(ledger.table.arrow("outer_lines")["outer_lines"].to_pylist())
        if common != self._read():
            data = b"".join(mark.to_bytes(4, "big") for mark in sorted(common))
            self._table.put([{"key": _KEY, "data": data}])

    def read(self) -> frozenset[int]:
        """Marks of the lines; looked up again after half a minute."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= _LOOK_SECONDS:
                self._looked, self._known = now, self._read()
            return self._known

    def _read(self) -> frozenset[int]:
        row = self._table.get([_KEY]).get(_KEY)
        data = row["data"] if row else b""
        return frozenset(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))
