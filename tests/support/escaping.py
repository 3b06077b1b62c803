"""Work that wants what a worker may not have (a module, so that workers can import it)."""

import ctypes
import os
import pickle
import resource
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe import _parent
from docpipe.pipeline.processes.grants import Grants


class Trap:
    """Runs a program where it is unpickled, as a worker would have its parent do that somebody took over."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/docpipe-trap",)


class Foreign(Exception):
    """An exception of a module that the parent does not have."""


@dataclass(frozen=True)
class Escaping:
    """Each method is one way out."""

    programs: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    @property
    def grants(self) -> Grants:
        return Grants(programs=self.programs, environment=self.environment)

    def answer(self, question: str, given: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
        if question == "fail":
            raise ValueError(given[0])
        return question, given, arguments

    def ask_parent(self, *arguments: Any) -> Any:
        return _parent.answer(*arguments)

    def connect(self, port: int) -> None:
        socket.create_connection(("127.0.0.1", port), timeout=2)

    def look_up(self) -> None:
        socket.getaddrinfo("localhost", 80)

    def socket_by_the_kernel(self) -> int:
        """What the C library says, with no event that Python would hear of."""
        libc = ctypes.CDLL(None, use_errno=True)
        return -ctypes.get_errno() if libc.socket(2, 1, 0) < 0 else 0

    def fork_by_the_kernel(self) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        child = libc.fork()
        if child == 0:
            os._exit(0)
        return -ctypes.get_errno() if child < 0 else 0

    def signal_by_the_kernel(self, process: int) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        return -ctypes.get_errno() if libc.kill(process, 0) < 0 else 0

    def write_by_the_kernel(self, path: str) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        handle = libc.open(path.encode(), os.O_WRONLY | os.O_CREAT, 0o644)
        return -ctypes.get_errno() if handle < 0 else 0

    def remove_by_the_kernel(self, path: str) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        return -ctypes.get_errno() if libc.unlink(path.encode()) < 0 else 0

    def run(self, *command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def fork(self) -> None:
        os.fork()

    def write(self, path: str) -> None:
        Path(path).write_text("here", encoding="utf-8")

    def remove(self, path: str) -> None:
        Path(path).unlink()

    def rename(self, path: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a").write_text("a", encoding="utf-8")
            (Path(folder) / "a").rename(path)

    def link_out(self, path: str) -> None:
        """Write through a link in the own folder."""
        link = Path(tempfile.gettempdir()) / "link"
        link.symlink_to(path)
        link.write_text("through a link", encoding="utf-8")

    def use_scratch(self) -> str:
        """What libraries do with temporary files."""
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as file:
            (Path(folder) / "deep").mkdir()
            (Path(folder) / "deep" / "one").write_text("one", encoding="utf-8")
            (Path(folder) / "deep" / "one").rename(Path(folder) / "two")
            file.write(b"three")
        (Path(tempfile.gettempdir()) / "stays").write_text("until the worker ends", encoding="utf-8")
        return tempfile.gettempdir()

    def fill_scratch(self) -> None:
        for number in range(20_000):
            (Path(tempfile.gettempdir()) / str(number)).touch()
        threading.Event().wait()

    def large_file(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.truncate(resource.getrlimit(resource.RLIMIT_FSIZE)[0] + 1)

    def many_files(self) -> int:
        kept = []
        try:
            while True:
                kept.append(open(os.devnull, "rb"))  # noqa: PTH123, SIM115
        except OSError:
            return len(kept)

    def limits(self) -> dict[str, tuple[int, int]]:
        return {name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_CORE", "RLIMIT_CPU")}

    def use_processor(self) -> None:
        """Set the soft limit near, as a call that used it up would find it."""
        resource.setrlimit(resource.RLIMIT_CPU, (1, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        while True:
            sum(range(100_000))

    def variables(self) -> dict[str, str]:
        return dict(os.environ)

    def threads(self) -> int:
        found: list[int] = []
        thread = threading.Thread(target=found.append, args=(1,))
        thread.start()
        thread.join()
        return len(found)

    def much(self, count: int) -> bytes:
        return b"x" * count

    def much_in_a_frame(self) -> None:
        """As a worker that was taken over would do it: a length that the parent should set memory aside for."""
        os.write(_standard_output(), (1 << 40).to_bytes(8, "little"))
        threading.Event().wait()

    def trap(self) -> Any:
        return Trap()

    def trap_in_a_frame(self) -> None:
        frame = pickle.dumps(("value", Trap()))
        os.write(_standard_output(), len(frame).to_bytes(8, "little") + frame)
        threading.Event().wait()

    def nonsense_in_a_frame(self, frame: bytes) -> None:
        os.write(_standard_output(), len(frame).to_bytes(8, "little") + frame)
        threading.Event().wait()

    def foreign_error(self) -> None:
        kind = type("Strange", (Exception,), {"__module__": "nowhere_else"})
        sys.modules["nowhere_else"] = type(sys)("nowhere_else")
        sys.modules["nowhere_else"].Strange = kind  # type: ignore[attr-defined]
        raise kind("of a library")


def _standard_output() -> int:
    """The pipe to the parent."""
    return _parent._ask.replies.fileno()  # type: ignore[union-attr]
