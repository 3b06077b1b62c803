"""Limits that the operating system keeps for a process: some for its life, some for each call (where it has them)."""

import os
import signal
import sys

OPEN_FILES = 256
FILE_BYTES = 2 * 2**30
"""Of each file that is written."""


def install() -> bool:
    """Limit open files and written files, and leave no core dump; whether the system can."""
    try:
        import resource
    except ImportError:
        return False
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    return True


def limit_call(*, seconds: float, memory: int) -> None:
    """Backstops of one call, should the parent be gone: an alarm, processor seconds, and a cap on address space."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds * 1.5 + 5)
        _set_soft("RLIMIT_CPU", int(_processor_seconds() + seconds * 1.5 + 5))
    if memory and (now := _address_space()):
        _set_soft("RLIMIT_AS", now + memory)


def lift_call_limits() -> None:
    """Take the backstops of a call away: waiting for the next one is not limited."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        _set_soft("RLIMIT_CPU", None)
    if _address_space():
        _set_soft("RLIMIT_AS", None)


def _lower(which: int, limit: int) -> None:
    import resource

    held = [one for one in resource.getrlimit(which) if one != resource.RLIM_INFINITY]
    lowest = min([limit, *held])
    resource.setrlimit(which, (lowest, lowest))


def _set_soft(name: str, limit: int | None) -> None:
    """Up to the hard limit; None: that."""
    import resource

    which = getattr(resource, name)
    _, hard = resource.getrlimit(which)
    soft = hard if limit is None or (hard != resource.RLIM_INFINITY and limit > hard) else limit
    resource.setrlimit(which, (soft, hard))


def _processor_seconds() -> float:
    used = os.times()
    return used.user + used.system


def _address_space() -> int:
    """Bytes of address space in use, where the system tells (Linux)."""
    if sys.platform != "linux":
        return 0
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0
