"""An index -> one writer at a time, on this machine or any other: a lease in a table beside the chunks."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from docpipe.errors import RunLocked
from docpipe.pipeline.schedule.lock import run_lock
from docpipe.protocols import Index


class LeaseLost(RunLocked):
    """Another process took the lease over, because this one gave no sign of life; nothing more may be written."""


class Guard:
    """Proof that this process is still the one that may write."""

    def check(self) -> None:
        """Do nothing while the lease is ours; called before every commit.

        Raises:
            LeaseLost: it is somebody else's now.
        """


@contextlib.contextmanager
def hold(index: Index, folder: Path | None, *, run_id: str, purpose: str = "run", wait: float = 0.0) -> Iterator[Guard]:
    """Be the only writer of an index while the body runs.

    Args:
        folder: where the index lies on this machine; None for a bucket or memory.
        run_id: of the run that writes, for messages on other machines.
        purpose: what is being done: `run`, `restore`, `doctor --fix`.
        wait: seconds to wait for another holder to finish.

    Raises:
        RunLocked: another process holds it; says which.
        IndexFailed: the index or its folder cannot be written.
    """
    with run_lock(folder, index=index.name) if folder else contextlib.nullcontext():
        yield Guard()
