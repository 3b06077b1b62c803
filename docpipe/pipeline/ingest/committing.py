"""Documents that are ready -> batches that a thread of its own writes, one after the other, while files are parsed."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from docpipe.errors import EmbedError, ServiceError
from docpipe.pipeline.ingest.in_hand import Commit, Item, Written
from docpipe.pipeline.ingest.ledger import Row
from docpipe.pipeline.ingest.recognition import ENDS_THE_RUN, MOST_IN_A_ROW
from docpipe.pipeline.ingest.writing import BatchWriter

_EARLY_CHUNKS = 512
"""A batch of a slow embedder, so that it works while files are still being parsed."""
_SLOW_SECONDS = 2.0
"""A batch that took longer was slow; quick ones are made large, since each commit has a cost of its own."""
_COMMIT_SECONDS = 20.0
"""A batch is committed after this time even if it is small."""
_MOST_ROWS = 512
"""Ledger rows of other sources that wait for the next commit."""


class Committing:
    """The batches of a run. One is filled while another is written; all calls come from the run's own thread.

    Args:
        most: chunks of a batch, about.
        settle: is told what became of each batch, in the run's own thread.
    """

    def __init__(
        self, writer: BatchWriter, executor: ThreadPoolExecutor, *, most: int, settle: Callable[[Commit], None]
    ) -> None:
        self._writer, self._executor, self._most, self._settle = writer, executor, most, settle
        self._batch: list[Item] = []
        self._chunks = 0
        self._since = time.monotonic()
        self._wanted = min(_EARLY_CHUNKS, most)
        self._writing: Future[list[Commit]] | None = None
        self._rows: list[Row] = []
        self._dropped: list[Row] = []
        self._silent = 0
        """Batches in a row that a service failed to embed."""
        self.ended: ServiceError | None = None
        """Why no batch is written any more: documents that are not written stay as they were."""

    def add(self, item: Item) -> None:
        """Have a document written."""
        self._batch.append(item)
        self._chunks += len(item.parsed.chunks)

    def put(self, row: Row) -> None:
        """Have a ledger row written with the next commit."""
        self._rows.append(row)

    def drop(self, row: Row) -> None:
        """Have what the index holds of a source removed with the next commit."""
        self._dropped.append(row)

    def turn(self) -> None:
        """Account for a batch that was written; begin with the next where it is full."""
        if (self._writing is not None and self._writing.done()) or len(self._rows) >= _MOST_ROWS:
            self._await_writing()
        if self._is_full():
            self._flush()

    def finish(self) -> None:
        """Write what is left, and wait for it."""
        self._flush()
        self._await_writing()

    def _is_full(self) -> bool:
        if not self._batch:
            return False
        if self._chunks >= self._most:
            return True
        waited = time.monotonic() - self._since > _COMMIT_SECONDS
        return self._writing is None and (self._chunks >= self._wanted or waited)

    def _flush(self) -> None:
        self._await_writing()
        batch, self._batch, self._chunks = self._batch, [], 0
        if batch and self.ended is None:
            self._writing = self._executor.submit(self._write, batch)
        elif batch:
            self._settle(Commit(batch, None))
        self._since = time.monotonic()

    def _await_writing(self) -> None:
        """Account for the batch that was being written, and put down what else the ledger should know."""
        if self._writing is not None:
            commits, self._writing = self._writing.result(), None
            for commit in commits:
                self._learn(commit)
                self._settle(commit)
        dropped, self._dropped = self._dropped, []
        if dropped:
            self._writer.drop(dropped)
        rows, self._rows = self._rows, []
        self._writer.put(rows)

    def _write(self, batch: Sequence[Item]) -> list[Commit]:
        """In the writer's thread."""
        try:
            return [Commit(batch, self._writer.write(batch))]
        except (EmbedError, ServiceError) as error:
            if len(batch) == 1 or isinstance(error, ServiceError):
                return [Commit(batch, error)]
            # One text that cannot be embedded must not cost its neighbours.
            return [commit for item in batch for commit in self._write([item])]

    def _learn(self, commit: Commit) -> None:
        """From how a batch went: how large the next should be, and whether there should be one."""
        if isinstance(commit.result, ServiceError):
            self._silent += 1
            if isinstance(commit.result, ENDS_THE_RUN) or self._silent >= MOST_IN_A_ROW:
                self.ended = commit.result
        elif isinstance(commit.result, Written):
            self._silent = 0
            slow = commit.result.embed_seconds + commit.result.index_seconds > _SLOW_SECONDS
            self._wanted = min(_EARLY_CHUNKS, self._most) if slow else self._most
