"""One run at a time on an index: a lock that the operating system frees when its holder dies."""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from docpipe.errors import IndexFailed, RunLocked


@contextlib.contextmanager
def run_lock(folder: Path, *, index: str) -> Iterator[None]:
    """Hold the lock of an index while the body runs.

    Args:
        folder: where `run.lock` is kept; made if it is missing.
        index: its name, for messages.

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
        if not _try_lock(file):
            raise RunLocked(index=index, holder=_holder(path))
        file.seek(0)
        file.truncate()
        with contextlib.suppress(OSError):  # a full disk must not stop what may free it
            json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}, file)
            file.flush()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                file.truncate(0)


def _holder(path: Path) -> str:
    try:
        facts = json.loads(path.read_text("utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(facts["since"]))
        return f"process {facts['pid']} on {facts['host']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has only just begun"


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1024)  # beyond the words that `_holder` reads
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
