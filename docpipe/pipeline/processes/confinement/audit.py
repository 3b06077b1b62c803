"""What Python code of a worker wants of the system -> allowed, or `NotAllowed` (on every system).

A guard against what a library does by mistake or on a file's word, not a wall: native code passes it by. Where the
kernel can help, `landlock` and `seccomp` are the wall.
"""

import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from docpipe.errors import NotAllowed

Hook = Callable[[str, tuple[Any, ...]], None]

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NETWORK = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
    }
)
_PROGRAMS = frozenset({"os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.startfile/2", "subprocess.Popen"})
_PROCESSES = frozenset({"os.fork", "os.forkpty", "os.system", "pty.spawn"})
_SIGNALS = frozenset({"os.kill", "os.killpg"})
_PATHS = {
    "os.chmod": (0, None),
    "os.chown": (0, None),
    "os.mkdir": (0, 2),
    "os.remove": (0, 1),
    "os.removexattr": (0, None),
    "os.rmdir": (0, 1),
    "os.setxattr": (0, None),
    "os.truncate": (0, None),
    "os.utime": (0, 3),
}
"""Event -> where its arguments have the path, and the folder that a relative path starts from."""
_TWO_PATHS = frozenset({"os.link", "os.rename", "os.symlink"})
_OF_THE_NAME = _TWO_PATHS | {"os.mkdir", "os.remove", "os.rmdir"}
"""Events that are about a name in its folder, not about what a link of that name leads to."""


def guard(*, scratch: str, programs: Collection[str]) -> Hook:
    """An audit hook for a process that writes below `scratch` only.

    Args:
        scratch: a real path.
        programs: what may be started: names, or paths.
    """
    beneath = scratch.rstrip(os.sep) + os.sep

    def may_write(path: Any, folder: Any = None, *, follow: bool = True) -> bool:
        if isinstance(path, int):
            return True  # it was opened before
        real = _real(path, folder, follow=follow)
        return real == os.devnull or real == scratch or real.startswith(beneath)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and not may_write(path):
                raise _refused(f"write {_shown(path)}")
        elif event in _NETWORK:
            raise _refused("use the network")
        elif event in _PATHS or event in _TWO_PATHS:
            for path, folder in _touched(event, arguments):
                if not may_write(path, folder, follow=event not in _OF_THE_NAME):
                    raise _refused(f"change {_shown(path)}")
        elif event in _PROGRAMS and not _is_granted(arguments, programs):
            raise _refused(f"start {_shown(arguments[0])}")
        elif event in _PROCESSES or (event in _SIGNALS and not programs):
            raise _refused("start or end processes")

    return hook


def _touched(event: str, arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    if event == "os.symlink":
        return [(arguments[1], arguments[2])]
    if event in _TWO_PATHS:
        return [(arguments[0], arguments[2]), (arguments[1], arguments[3])]
    path_at, folder_at = _PATHS[event]
    return [(arguments[path_at], arguments[folder_at] if folder_at is not None else None)]


def _real(path: Any, folder: Any, *, follow: bool) -> str:
    """Where a path leads: links of its folder are followed, and where asked to, it itself."""
    text = Path(os.fsdecode(path))
    if isinstance(folder, int) and folder >= 0:
        text = _folder_of(folder) / text
    if follow or text.name in ("", ".."):
        return os.path.realpath(text)
    return os.path.realpath(text.parent) + os.sep + text.name


def _folder_of(handle: int) -> Path:
    if sys.platform == "darwin":
        import fcntl

        return Path(os.fsdecode(fcntl.fcntl(handle, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0")))
    return Path(os.path.realpath(f"/proc/self/fd/{handle}"))


def _is_granted(arguments: tuple[Any, ...], programs: Collection[str]) -> bool:
    try:
        path = os.fsdecode(arguments[0])
    except (TypeError, IndexError):
        return False
    return path in programs or os.path.basename(path) in programs  # noqa: PTH119


def _shown(path: Any) -> str:
    return repr(path)[:200]


def _refused(what: str) -> NotAllowed:
    return NotAllowed(
        f"a stage wanted to {what}, which worker processes may not",
        stage="worker",
        remedy="read what it needs in a loader that says `fetches = True`; programs that it must start are named in "
        "`STARTS_PROGRAMS`; what it writes goes below `tempfile.gettempdir()`",
    )
