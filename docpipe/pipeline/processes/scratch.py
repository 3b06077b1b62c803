"""Where worker processes may write: a folder for each below one of the pool's, deleted with it.

The pool's folder is locked while it lives. A killed run leaves its folder behind, unlocked: the next one deletes it.
"""

import contextlib
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX, _UNLOCKED = "docpipe-scratch-", "docpipe-new-"
"""A folder gets its name when it is locked, so that nobody takes it for one that was left behind."""


_MOST_FILES = 10_000


class Scratch:
    """The folder of one pool."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        made = Path(tempfile.mkdtemp(prefix=_UNLOCKED))
        self._lock = _locked(str(made))
        self._folder = made.rename(made.with_name(made.name.replace(_UNLOCKED, _PREFIX, 1)))

    def folder(self) -> str:
        """A new folder for one worker: its real path."""
        return os.path.realpath(tempfile.mkdtemp(dir=self._folder))

    def bytes_in(self, folder: str) -> int:
        """What a worker has written: bytes of its files; more than any limit where they are too many."""
        return sum(_sizes(folder, left=_MOST_FILES))

    def remove(self, folder: str) -> None:
        """Delete a worker's folder with all in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sizes(folder: str, *, left: int) -> Iterator[int]:
    """Of so many files at most; one that is too many counts as endless."""
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                found = list(itertools.islice(entries, left + 1))
        except OSError:
            continue
        left -= len(found)
        if left < 0:
            yield sys.maxsize
            return
        for entry in found:
            with contextlib.suppress(OSError):
                yield entry.stat(follow_symlinks=False).st_size
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _sweep(parent: Path) -> None:
    """Delete what runs that were killed left behind."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    for folder in parent.glob(_PREFIX + "*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and (lock := _locked(str(folder))) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: str) -> int | None:
    """A handle that holds the folder; None where another process holds it, or the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
