"""Vectors that were paid for, or took long -> a journal beside the chunks, until the run that wanted them has ended."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from docpipe._ids import chain
from docpipe.pipeline.ingest.journal import Journal
from docpipe.protocols import Index, KeyedTable

if TYPE_CHECKING:
    from docpipe.types import type_vector

VECTORS = "vectors"
_COLUMNS = {"key": "str", "data": "bytes"}


class PaidVectors:
    """Vectors by the key of their text and their model. `keep` may be called from any thread and returns at once."""

    def __init__(self, index: Index, *, model: str) -> None:
        self._model = model
        self._table: KeyedTable = index.table(VECTORS, columns=_COLUMNS, key="key")
        self._journal = Journal(self._table, key="key")

    def find(self, keys: Sequence[str]) -> "dict[str, type_vector]":
        """The vectors that an interrupted run, or this one, kept of these texts, by `_ids.text_key`."""
        import numpy as np

        own = {self._key(key): key for key in keys}
        rows = self._journal.find(list(own))
        return {own[key]: np.frombuffer(row["data"], dtype="<f4").astype(np.float32) for key, row in rows.items()}

    def keep(self, vectors: "Mapping[str, type_vector]") -> None:
        """Write them down at once."""
        import numpy as np

        pairs = ((self._key(key), np.asarray(vector, dtype="<f4").tobytes()) for key, vector in vectors.items())
        self._journal.keep([{"key": key, "data": data} for key, data in pairs])

    def close(self) -> None:
        """Wait until all is written.

        Raises:
            IndexFailed: it could not be written.
        """
        self._journal.close()

    def forget(self) -> None:
        """Let go of all: whatever was wanted of them is in the index now."""
        self._table.remove(self._table.columns("key")["key"])

    def _key(self, text_key: str) -> str:
        return chain(text_key, self._model)
