"""One isolated worker process: calls in on standard input, replies out on standard output.

The parent starts it with `python -m docpipe.pipeline.processes.worker`, so nothing of the parent's program is imported
again (no `if __name__ == "__main__"` is asked of users). Frames are a length and a pickle, both ways.
"""

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from struct import Struct
from typing import Any, BinaryIO

LENGTH = Struct("<Q")


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame's bytes; None where the other side is gone."""
    head = stream.read(LENGTH.size)
    if head is None or len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if body is not None and len(body) == length else None


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Send one frame."""
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


_NO_CALLS: Mapping[Any, Any] = {}
_NOT_NEEDED = ("pymupdf.layout",)
"""PyMuPDF does without it; its models would cost each worker half a second of CPU and 50 MB."""


def main() -> None:
    """Serve calls until standard input ends."""
    calls, replies = _take_standard_streams()
    sys.modules.update(dict.fromkeys(_NOT_NEEDED))  # type: ignore[arg-type]
    for ended in (signal.SIGINT, signal.SIGTERM):  # the parent's to handle: what is in hand is finished
        signal.signal(ended, signal.SIG_IGN)
    path_frame, setup_frame = read_frame(calls), read_frame(calls)
    if path_frame is None or setup_frame is None:
        return
    sys.path[:] = pickle.loads(path_frame)
    try:
        work, seconds, memory = pickle.loads(setup_frame)
    except Exception as error:  # a stage whose module cannot be imported here: the parent tells
        write_frame(replies, _error_frame(error))
        return
    write_frame(replies, pickle.dumps(("value", None, {})))
    while (frame := read_frame(calls)) is not None:
        method, arguments = pickle.loads(frame)
        write_frame(replies, _reply(work, method, arguments, seconds=seconds, memory=memory))


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Our own ends of the pipes; whatever libraries print goes nowhere."""
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return calls, replies


def _reply(work: Any, method: str, arguments: tuple[Any, ...], *, seconds: float, memory: int) -> bytes:
    _limit(seconds=seconds, memory=memory)
    before = _calls()
    try:
        value = getattr(work, method)(*arguments)
        return pickle.dumps(("value", value, _calls_since(before)), protocol=5)
    except MemoryError:
        return pickle.dumps(("memory", None, {}))
    except RecursionError as error:
        return _error_frame(RuntimeError(f"nested too deeply: {error}"), _calls_since(before))
    except Exception as error:  # the parent decides what it means
        return _error_frame(error, _calls_since(before))
    finally:
        _lift_limits()


def _error_frame(error: Exception, calls: Mapping[Any, Any] = _NO_CALLS) -> bytes:
    try:
        frame = pickle.dumps(("error", error, calls))
        pickle.loads(frame)
    except Exception:  # an exception that cannot travel goes as its words
        frame = pickle.dumps(("error", RuntimeError(f"{type(error).__name__}: {error}"), calls))
    return frame


def _calls() -> Mapping[Any, Any]:
    """What this process had services do, by the meter; nothing where no stage asks one."""
    meter = sys.modules.get("docpipe._http.meter")
    return meter.totals() if meter else {}


def _calls_since(before: Mapping[Any, Any]) -> Mapping[Any, Any]:
    meter = sys.modules.get("docpipe._http.meter")
    return meter.difference(meter.totals(), before) if meter else {}


def _limit(*, seconds: float, memory: int) -> None:
    """Backstops inside the process, should the parent be gone: an alarm, and a cap on address space."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds * 1.5 + 5)
    if memory and (now := _address_space()):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, hard))


def _lift_limits() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    if _address_space():
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _address_space() -> int:
    """Bytes of address space in use, where the system tells (Linux)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


if __name__ == "__main__":
    main()
