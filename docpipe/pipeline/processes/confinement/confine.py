"""A worker process before its first call -> one that has no network, starts nothing and writes in its own folder only.

Each part is installed where the system has it; where it refuses, the rest holds all the same.
"""

import os
import signal
import sys
from collections.abc import Collection

from docpipe.pipeline.processes.confinement import audit, landlock, resource_limits, seccomp

_SOCKETS = ("/tmp",)
"""Where LibreOffice makes its socket, whatever TMPDIR says."""
_NO_NEW_PRIVILEGES, _SIGNAL_AT_PARENTS_DEATH = 38, 1


def confine(*, scratch: str, programs: Collection[str] = (), parent: int = 0) -> tuple[str, ...]:
    """Confine this process for good.

    Args:
        scratch: the folder it may write to, a real path.
        programs: what it may start.
        parent: process with which it ends, where the system can do that (Linux); 0: none.

    Returns:
        What holds, of `enforced`.
    """
    sys.dont_write_bytecode = True
    held = ["limits"] if resource_limits.install() else []
    if sys.platform == "linux":
        held += _by_the_kernel(scratch=scratch, programs=programs, parent=parent)
    sys.addaudithook(audit.guard(scratch=scratch, programs=programs))
    return (*held, "audit")


def enforced() -> tuple[str, ...]:
    """What confines workers on this machine, the strongest first.

    `landlock`: the kernel refuses writing outside a worker's folder. `seccomp`: the kernel refuses sockets, other
    programs and signals. `limits`: open files, written bytes, processor time. `audit`: Python's own events, on every
    system; native code passes it by.
    """
    found = ["landlock"] if landlock.version() else []
    if sys.platform == "linux" and seccomp.here() is not None:
        found.append("seccomp")
    return (*found, *(["limits"] if hasattr(os, "getuid") else []), "audit")


def _by_the_kernel(*, scratch: str, programs: Collection[str], parent: int) -> list[str]:
    held: list[str] = []
    if parent:
        _process_control(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
        if os.getppid() != parent:
            raise SystemExit
    if not _process_control(_NO_NEW_PRIVILEGES, 1):
        return held
    if landlock.install(writable=scratch, devices=[os.devnull], sockets=_SOCKETS if programs else ()):
        held.append("landlock")
    machine = seccomp.here()
    if machine is not None and seccomp.install(machine, process=os.getpid(), starts_programs=bool(programs)):
        held.append("seccomp")
    return held


def _process_control(what: int, value: int) -> bool:
    import ctypes

    return bool(ctypes.CDLL(None, use_errno=True).prctl(what, value, 0, 0, 0) == 0)
