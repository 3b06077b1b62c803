"""One worker process as its parent sees it: a call -> its value, or the error it ended with."""

import contextlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from docpipe.errors import ConfigError, OutOfMemory, StageError, TimedOut, TooMuchOutput, WorkerDied, WorkerKilled
from docpipe.pipeline.processes.frames import FrameTooLarge, Setup, read_frame, values, write_frame
from docpipe.pipeline.processes.grants import Grants, environment
from docpipe.pipeline.processes.scratch import Scratch

_START = 60.0
"""Seconds a process may take to start: a busy machine must not count against a document."""
_STARTING = "start"
"""What stands for the method's name until the process is ready."""
_PROGRAM = "docpipe.pipeline.processes.worker"
"""Run with -P, so that no module of the folder we stand in is taken for one of its own."""
_TICK = 0.1
"""Seconds between two looks at a worker's memory and folder."""
_RETIRE = 300 * 2**20
"""Resident bytes after a call beyond which a worker is replaced, so that leaks cannot add up."""
_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)})
"""Signals that no crash of a file's own raises."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
_FRAME = 4096
"""Bytes around what a frame holds, about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one call may use."""

    seconds: float = 120.0
    memory: int = 1536 * 2**20
    """Resident bytes of the worker process, its libraries included."""
    output: int = 512 * 2**20
    """Bytes of what it makes, as they cross to this process."""
    written: int = 3 * 2**30
    """Bytes of all files in the worker's own folder."""


Answer = Callable[[str, tuple[Any, ...], tuple[Any, ...]], Any]
"""What a worker asks, its arguments, and those of the call it works on -> the answer; raises what it ends with."""


class Child:
    """A process that works.

    Args:
        work: pickled; calls name one of its methods.
        grants: what it may use beyond the rest.
        answer: answers what it asks in the middle of a call.

    Raises:
        ConfigError: the work cannot be loaded there.
        StageError: it cannot start.
    """

    def __init__(self, work: bytes, *, limits: Limits, grants: Grants, scratch: Scratch, answer: Answer) -> None:
        self._limits, self._scratch, self._answer = limits, scratch, answer
        self._folder = scratch.folder()
        self._cause = ""
        self._spent = False
        own = environment(os.environ, grants.environment)
        temporary = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), self._folder)
        path = os.pathsep.join(part for part in sys.path if part)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**own, **_ONE_THREAD, **temporary, "PYTHONPATH": path},
            process_group=0 if os.name == "posix" else None,
        )
        programs = tuple(program for program in grants.programs if shutil.which(program))
        self._resident = _resident_with_children if programs else _resident
        setup = Setup(
            path=tuple(sys.path),
            scratch=self._folder,
            programs=programs,
            parent=os.getpid(),
            seconds=limits.seconds,
            memory=limits.memory,
            output=limits.output,
        )
        with contextlib.suppress(OSError):  # a process that is gone is told of by its missing reply
            write_frame(self._stdin, pickle.dumps(setup))
            write_frame(self._stdin, work)

    def start(self) -> None:
        """Wait until it is ready."""
        seconds = max(_START, self._limits.seconds)
        _, error = self._reply(_STARTING, (), seconds=seconds, memory=0)
        if error is not None:
            raise error if isinstance(error, StageError) else not_sent(error)

    def ask(self, method: str, arguments: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
        """Have one call done."""
        frame = pickle.dumps((method, arguments), protocol=5)
        with contextlib.suppress(OSError):
            write_frame(self._stdin, frame)
        return self._reply(method, arguments, seconds=self._limits.seconds, memory=self._limits.memory)

    def worn(self) -> bool:
        """Whether the process is gone, or has grown so much that a new one is better."""
        return self._spent or self._process.poll() is not None or self._resident(self._process.pid) > _RETIRE

    def kill(self) -> None:
        """End the process, what it started, its pipes and its folder."""
        self._end()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._scratch.remove(self._folder)

    @property
    def _stdin(self) -> BinaryIO:
        return cast(BinaryIO, self._process.stdin)

    def _end(self) -> None:
        self._process.kill()
        if os.name == "posix":
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _reply(
        self, method: str, arguments: tuple[Any, ...], *, seconds: float, memory: int
    ) -> tuple[Any, BaseException | None]:
        """The next reply, or why there is none."""
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done, seconds, memory), daemon=True)
        watch.start()
        try:
            reply = self._next(arguments)
        except (FrameTooLarge, pickle.UnpicklingError) as error:
            self._spent = True
            return None, self._strange(method, error)
        finally:
            done.set()
            watch.join()
        if reply is None:
            self._spent = True
            return None, self._death(method, seconds)
        return self._understood(method, reply)

    def _next(self, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The reply, after all that the worker asked on its way; None where it is gone."""
        most = self._limits.output + _FRAME
        while True:
            frame = read_frame(cast(BinaryIO, self._process.stdout), most=most)
            if frame is None:
                return None
            reply = _sound(values(frame))
            if reply[0] != "asks":
                return reply
            _, question, given = reply
            with contextlib.suppress(OSError):
                write_frame(self._stdin, self._answered(question, given, arguments))

    def _answered(self, question: str, given: tuple[Any, ...], arguments: tuple[Any, ...]) -> bytes:
        try:
            return pickle.dumps(("value", self._answer(question, given, arguments)), protocol=5)
        except Exception as error:  # it ends the call in the worker, as it would if it had come up there
            return pickle.dumps(("error", error))

    def _understood(self, method: str, reply: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
        kind, *rest = reply
        if kind == "value":
            return rest[0], None
        if kind == "error":
            return None, _error(*rest)
        self._spent = True
        return None, _out_of_memory(method, self._limits) if kind == "memory" else _too_much(method, self._limits)

    def _watch(self, done: threading.Event, seconds: float, memory: int) -> None:
        end = time.monotonic() + seconds
        while not done.wait(min(_TICK, max(0.001, end - time.monotonic()))):
            if time.monotonic() >= end:
                self._cause = "time"
            elif memory and self._resident(self._process.pid) > memory:
                self._cause = "memory"
            elif self._scratch.bytes_in(self._folder) > self._limits.written:
                self._cause = "written"
            if self._cause:
                self._end()
                return

    def _strange(self, method: str, error: Exception) -> BaseException:
        """What a reply that cannot be taken means."""
        if isinstance(error, FrameTooLarge):
            return _too_much(method, self._limits)
        return WorkerDied(
            f"the reply of a worker process cannot be understood: {error}",
            stage=method,
            remedy="stages may return dataclasses, enums and plain values only",
        )

    def _death(self, method: str, seconds: float) -> BaseException:
        code = self._process.wait()
        if self._cause == "memory":
            return _out_of_memory(method, self._limits)
        if self._cause == "written":
            return _too_much(method, self._limits)
        if self._cause == "time" or -code == getattr(signal, "SIGXCPU", None):
            return TimedOut(
                f"took longer than {seconds:g} s and was stopped",
                stage=method,
                remedy="raise `run.timeout`, or leave the file out with the source's `exclude`",
            )
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        if method == _STARTING:
            return WorkerDied(
                f"a worker process ended before it could work ({how})",
                stage=method,
                remedy=f"see what `{sys.executable} -P -m {_PROGRAM} < /dev/null` says",
            )
        if -code in _FROM_OUTSIDE:
            return WorkerKilled(
                f"the worker process was killed from outside ({how})",
                stage=method,
                remedy="it is tried again later; if it stays so, see whether the system runs out of memory, lower "
                "`run.workers` or `run.memory_mb`",
            )
        return WorkerDied(
            f"the worker process died ({how})",
            stage=method,
            remedy="the file crashes its parser: save it again with another program, or try another parser",
        )


_SHAPES: Mapping[str, tuple[type, ...]] = {
    "value": (object,),
    "error": (bytes, str),
    "memory": (),
    "output": (),
    "asks": (str, tuple),
}
"""Kind of a reply -> what it has besides."""


def _sound(reply: Any) -> tuple[Any, ...]:
    """A reply that has the form of one.

    Raises:
        pickle.UnpicklingError: it has not.
    """
    if isinstance(reply, tuple) and reply and isinstance(reply[0], str):
        kind, *rest = reply
        shape = _SHAPES.get(kind)
        if shape is not None and len(rest) == len(shape) and all(map(isinstance, rest, shape)):
            return reply
    raise pickle.UnpicklingError("it is no reply")


def not_sent(error: BaseException) -> ConfigError:
    """Why work does not get to a worker."""
    return ConfigError(
        f"the pipeline's stages cannot be sent to a worker process: {error}",
        remedy="define each stage's class at the top level of a module that can be imported, "
        "not in the script that is run or inside a function",
    )


def _error(itself: bytes, words: str) -> BaseException:
    """The error of a call; as its words where its class is not known here."""
    try:
        found = values(itself)
    except pickle.UnpicklingError:
        return RuntimeError(words)
    return found if isinstance(found, Exception) else RuntimeError(words)


def _out_of_memory(method: str, limits: Limits) -> OutOfMemory:
    return OutOfMemory(
        f"needed more than {limits.memory // 2**20} MB of memory and was stopped",
        stage=method,
        remedy="raise `run.memory_mb`, or leave the file out with the source's `exclude`",
    )


def _too_much(method: str, limits: Limits) -> TooMuchOutput:
    return TooMuchOutput(
        f"gave more than {limits.output // 2**20} MB of output, or wrote more than {limits.written // 2**20} MB",
        stage=method,
        remedy="divide the file, or leave it out with the source's `exclude`",
    )


def _resident(pid: int) -> int:
    """Resident bytes of a process; 0 where it is gone or the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return _resident_elsewhere(pid)
    except (OSError, ValueError, IndexError):
        return 0


def _resident_with_children(pid: int) -> int:
    """The same, with what the programs have that it started, and they."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123
            children = file.read().split()
    except OSError:
        children = []
    return _resident(pid) + sum(_resident_with_children(int(child)) for child in children)


def _resident_elsewhere(pid: int) -> int:
    if sys.platform == "linux":
        return 0
    try:
        import psutil
    except ImportError:
        return 0
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
