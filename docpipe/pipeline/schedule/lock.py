"""One run at a time on an index: a lock that the operating system frees when its holder dies."""

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from docpipe.errors import IndexFailed, RunLocked
from docpipe.pipeline.schedule.stopping import Stop

_LOOK = 0.2
"""Seconds between two tries."""
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What a file system answers that knows no locks, as some network shares do."""


@contextlib.contextmanager
def run_lock(
    folder: Path, *, index: str, label: str = "", wait: float = 0.0, stop: Stop | None = None
) -> Iterator[bool]:
    """Hold the lock of an index while the body runs; gives whether it is held: some file systems know no locks.

    Args:
        folder: where `run.lock` is kept; made if it is missing.
        index: its name, for messages.
        label: what is being done, for the messages of others.
        wait: seconds to wait for another process to free it.
        stop: ends the waiting.

    Raises:
        RunLocked: another process holds it; says which.
        IndexFailed: the folder cannot be written.
    """
    path = folder / "run.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise IndexFailed(
            f"cannot write to {folder}: {error.strerror or error}",
            stage="index",
            item=index,
            remedy="check the folder's permissions and the free space, or choose another `index.uri`",
        ) from error
    with file:
        until, stop = time.monotonic() + wait, stop or Stop()
        while (locked := _try_lock(file)) is False:
            if time.monotonic() >= until or stop.wait(_LOOK):
                raise RunLocked(index=index, holder=_holder(path))
        file.seek(0)
        file.truncate()
        with contextlib.suppress(OSError):  # a full disk must not stop what may free it
            facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time(), "label": label}
            json.dump(facts, file)
            file.flush()
        try:
            yield bool(locked)
        finally:
            with contextlib.suppress(OSError):
                file.truncate(0)


def _holder(path: Path) -> str:
    try:
        facts = json.loads(path.read_text("utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(facts["since"]))
        label = f" ({facts['label']})" if facts.get("label") else ""
        return f"process {facts['pid']} on {facts['host']}{label}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has only just begun"


def _try_lock(file: IO[str]) -> bool | None:
    """Whether it is ours now; None where there are no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1024)  # beyond the words that `_holder` reads
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return None if error.errno in _WITHOUT_LOCKS else False
    return True
