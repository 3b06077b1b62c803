"""This process -> who it is, in words that another machine can weigh."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A process that may hold a lease."""

    host: str
    """Its machine's name, for messages: two machines may have the same."""
    boot: str
    """One start of one operating system; empty where the system does not tell."""
    space: str
    """Within which numbers of processes count: a container has its own."""
    pid: int
    started: str
    """When the process began, in the system's own units: a number is given to another process some day."""

    @property
    def words(self) -> str:
        """For messages."""
        return f"process {self.pid} on {self.host}"

    def shares_kernel(self, other: "Holder") -> bool:
        """Whether both certainly run on the same machine, and since the same start of it."""
        return bool(self.boot) and self.boot == other.boot

    def sees(self, other: "Holder") -> bool:
        """Whether this process can tell if the other one lives."""
        return self.shares_kernel(other) and self.space == other.space


def this_process() -> Holder:
    """The process that asks."""
    return Holder(
        host=socket.gethostname(), boot=_boot(), space=_space(), pid=os.getpid(), started=_started(os.getpid())
    )


def lives(holder: Holder) -> bool:
    """Whether this process is still there; only for one that `this_process().sees`."""
    return bool(holder.started) and _started(holder.pid) == holder.started


def _boot() -> str:
    if sys.platform == "linux":
        return _read(Path("/proc/sys/kernel/random/boot_id"))
    return ""


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Field 22 of /proc/PID/stat, in clock ticks since boot; nothing where there is no such process, or a dead one."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
