"""One isolated worker process: calls in on standard input, replies out on standard output.

The parent starts it with `python -m docpipe.pipeline.processes.worker`, so nothing of the parent's program is imported
again (no `if __name__ == "__main__"` is asked of users). Before it sees a file it gives up what parsing does not need:
see `confinement`. What only the parent can ask, it puts to it in the middle of a call.
"""

import importlib
import importlib.util
import os
import pickle
import signal
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from docpipe import _parent
from docpipe._plug_ins import blamed
from docpipe.pipeline.processes.confinement import resource_limits
from docpipe.pipeline.processes.confinement.confine import confine
from docpipe.pipeline.processes.frames import Setup, read_frame, write_frame

_LARGE = ("pymupdf",)
"""Takes seconds to compile."""
_NOT_NEEDED = ("pymupdf.layout",)
"""PyMuPDF does without it; its models would cost each worker half a second of CPU and 50 MB."""


def main() -> None:
    """Serve calls until standard input ends."""
    calls, replies = _take_standard_streams()
    sys.modules.update(dict.fromkeys(_NOT_NEEDED))  # type: ignore[arg-type]
    for ended in (signal.SIGINT, signal.SIGTERM):  # the parent's to handle: what is in hand is finished
        signal.signal(ended, signal.SIG_IGN)
    setup_frame, work_frame = read_frame(calls), read_frame(calls)
    if setup_frame is None or work_frame is None:
        return
    setup: Setup = pickle.loads(setup_frame)
    sys.path[:] = setup.path
    try:
        work = pickle.loads(work_frame)
    except Exception as error:  # a stage whose module cannot be imported here: the parent tells
        write_frame(replies, _error_frame(error))
        return
    _import_uncompiled()
    held = confine(scratch=setup.scratch, programs=setup.programs, parent=setup.parent)
    _parent.connect(_Parent(calls, replies))
    write_frame(replies, pickle.dumps(("value", held)))
    while (frame := read_frame(calls)) is not None:
        method, arguments = pickle.loads(frame)
        write_frame(replies, _reply(work, method, arguments, setup))


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Our own ends of the pipes; whatever libraries print goes nowhere."""
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return calls, replies


def _import_uncompiled() -> None:
    """Import large packages that their installer did not compile: a confined worker cannot keep what it compiles."""
    for name in () if sys.dont_write_bytecode else _LARGE:
        found = importlib.util.find_spec(name)
        if found is not None and found.cached and not os.path.exists(found.cached):  # noqa: PTH110
            importlib.import_module(name)


@dataclass(frozen=True, slots=True)
class _Parent:
    """Puts questions to the parent, which answers before it takes anything else for a reply."""

    calls: BinaryIO
    replies: BinaryIO

    def __call__(self, question: str, arguments: tuple[Any, ...]) -> Any:
        write_frame(self.replies, pickle.dumps(("asks", question, arguments), protocol=5))
        frame = read_frame(self.calls)
        if frame is None:
            raise SystemExit
        kind, value = pickle.loads(frame)
        if kind == "error":
            raise value
        return value


def _reply(work: Any, method: str, arguments: tuple[Any, ...], setup: Setup) -> bytes:
    memory = setup.memory * (_MAPPED if setup.programs else 1)
    resource_limits.limit_call(seconds=setup.seconds, memory=memory)
    try:
        frame = pickle.dumps(("value", getattr(work, method)(*arguments)), protocol=5)
        return frame if len(frame) <= setup.output else pickle.dumps(("output",))
    except MemoryError:
        return pickle.dumps(("memory",))
    except RecursionError as error:
        return _error_frame(RuntimeError(f"nested too deeply: {error}"))
    except Exception as error:  # the parent decides what it means
        return _error_frame(blamed(error))
    finally:
        resource_limits.lift_call_limits()


def _error_frame(error: Exception) -> bytes:
    """The error, and its words for a parent that does not know its class."""
    words = f"{type(error).__name__}: {error}"[:_MOST_WORDS]
    try:
        itself = pickle.dumps(error)
        pickle.loads(itself)
    except Exception:  # an exception that cannot travel goes as its words
        itself = b""
    return pickle.dumps(("error", itself if len(itself) <= _MOST_WORDS else b"", words))


_MOST_WORDS = 100_000
_MAPPED = 4
"""Programs map several times the memory that they use, and inherit the limit of the process that starts them."""

if __name__ == "__main__":
    main()
