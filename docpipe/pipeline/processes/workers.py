"""Calls -> replies through isolated processes with limits on time and memory.

A call that crashes, hangs or swells costs its own process only: it comes back as an error, the process is replaced.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO, Self

from docpipe._http import meter
from docpipe.errors import ConfigError, OutOfMemory, StageError, TimedOut, WorkerDied, WorkerKilled
from docpipe.pipeline.processes.worker import read_frame, write_frame

_START = 60.0
"""Seconds a process may take to start: a busy machine must not count against a document."""
_STARTING = "start"
"""What stands for the method's name until the process is ready."""
_PROGRAM = "docpipe.pipeline.processes.worker"
"""Run with -P, so that no module of the folder we stand in is taken for one of its own."""
_TICK = 0.1
"""Seconds between two looks at a worker's memory."""
_RETIRE = 300 * 2**20
"""Resident bytes after a call beyond which a worker is replaced, so that leaks cannot add up."""
_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)})
"""Signals that no crash of a file's own raises."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one call may use."""

    seconds: float = 120.0
    memory: int = 1536 * 2**20
    """Resident bytes of the worker process, its libraries included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What became of a call: a value, or the error it ended with."""

    key: Any
    value: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    started: bool = True
    """Whether there was a process to work on it; where there was none, the call is not to blame."""
    last: bool = True
    """Whether it ends what was expected; else it only tells how far that is."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Something to do, and who is told: the future, or whoever takes the replies."""

    key: Any
    method: str
    arguments: tuple[Any, ...]
    future: "Future[Any] | None" = None


_AT_ONCE, _FIRST, _LATER = 0, 1, 2
"""The order in which calls are taken; equal ones as they came."""


class WorkerPool:
    """A fixed number of worker processes, started when the first call needs them.

    Args:
        work: picklable; calls name one of its methods.
        size: how many processes.

    Raises:
        ConfigError: `work` cannot be sent to another process.
    """

    def __init__(self, work: object, *, size: int, limits: Limits) -> None:
        self._limits = limits
        try:
            setup = pickle.dumps((work, limits.seconds, limits.memory), protocol=5)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise _not_sent(error) from error
        self._setup = (pickle.dumps(sys.path), setup)
        self._calls: queue.PriorityQueue[tuple[int, int, _Call | None]] = queue.PriorityQueue()
        self._numbers = count()
        self._guard = threading.Lock()
        self._asked = 0
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._size = size
        self._threads: list[threading.Thread] = []
        self._children: list[_Child] = []
        self._closed = False
        self.pending = 0
        """Calls whose replies were not taken yet."""

    def submit(self, key: Any, method: str, *arguments: Any) -> None:
        """Ask for `work.method(*arguments)`; the reply carries `key`."""
        self.pending += 1
        self._queue(_Call(key, method, arguments), _LATER)

    def ask(self, method: str, *arguments: Any) -> "Future[Any]":
        """The same for any thread: before what was submitted, and the result comes in a future, not among `replies`."""
        future: Future[Any] = Future()
        with self._guard:
            if self._closed:
                future.cancel()
                return future
            self._asked += 1
        self._queue(_Call(None, method, arguments, future), _FIRST)
        return future

    def expect(self) -> None:
        """A reply will be delivered that no worker makes: `replies` goes on until it is there."""
        self.pending += 1

    def deliver(self, reply: Reply) -> None:
        """The reply that was expected, or before it how far things are; from any thread."""
        self._replies.put(reply)

    def _queue(self, call: "_Call", priority: int) -> None:
        self._calls.put((priority, next(self._numbers), call))
        with self._guard:
            if not self._closed and len(self._threads) < min(self._size, self.pending + self._asked):
                thread = threading.Thread(target=self._serve, name=f"docpipe-worker-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def replies(self) -> Iterator[Reply]:
        """Replies in the order they come, until none is pending. More may be submitted meanwhile.

        Raises:
            ConfigError, StageError, OSError: no process can be started, whatever is to be done in it.
        """
        while self.pending:
            reply = self._replies.get()
            self.pending -= reply.last
            if reply.error is not None and not reply.started:
                raise reply.error
            yield reply

    def close(self) -> None:
        """Kill whatever still runs. Replies not taken are lost, futures that wait are cancelled."""
        with self._guard:
            self._closed = True
        for _ in self._threads:
            self._calls.put((_AT_ONCE, next(self._numbers), None))
        for child in list(self._children):
            child.kill()
        for thread in self._threads:
            thread.join(timeout=10)
        while not self._calls.empty():
            _, _, call = self._calls.get()
            if call is not None and call.future is not None:
                call.future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        child: _Child | None = None
        try:
            while not self._closed and (call := self._calls.get()[2]) is not None:
                started = time.monotonic()
                alive = child is not None
                try:
                    if child is None:
                        child = self._start()
                        alive, started = True, time.monotonic()
                    value, error = child.ask(call.method, call.arguments, self._limits)
                except Exception as problem:  # pickling our own values, starting a process: told, not swallowed
                    value, error = None, problem
                if child is not None and child.worn():
                    self._end(child)
                    child = None
                seconds = time.monotonic() - started
                self._answer(call, Reply(key=call.key, value=value, error=error, seconds=seconds, started=alive))
        finally:
            if child is not None:
                self._end(child)

    def _answer(self, call: "_Call", reply: Reply) -> None:
        if call.future is None:
            self._replies.put(reply)
            return
        with self._guard:
            self._asked -= 1
        if call.future.set_running_or_notify_cancel():
            if reply.error is not None:
                call.future.set_exception(reply.error)
            else:
                call.future.set_result(reply.value)

    def _start(self) -> "_Child":
        child = _Child(self._setup)
        self._children.append(child)
        if self._closed:
            child.kill()
        _, error = child.reply(_STARTING, Limits(seconds=max(_START, self._limits.seconds), memory=0))
        if error is not None:
            self._end(child)
            raise error if isinstance(error, StageError) else _not_sent(error)
        return child

    def _end(self, child: "_Child") -> None:
        child.kill()
        self._children.remove(child)


class _Child:
    """One worker process as its parent sees it."""

    def __init__(self, setup: tuple[bytes, bytes]) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "docpipe.pipeline.processes.worker",
            ],  # -P: no module of the folder we stand in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self._cause = ""
        self._spent = False
        with contextlib.suppress(OSError):  # a child that is dead already is told by the first call
            for frame in setup:
                write_frame(self._stdin, frame)

    @property
    def _stdin(self) -> BinaryIO:
        assert self._process.stdin is not None
        return self._process.stdin  # type: ignore[return-value]

    def ask(self, method: str, arguments: tuple[Any, ...], limits: Limits) -> tuple[Any, BaseException | None]:
        """Value, or the error that the call ended with."""
        frame = pickle.dumps((method, arguments), protocol=5)
        with contextlib.suppress(OSError):  # a process that is gone is told of by its missing reply
            write_frame(self._stdin, frame)
        return self.reply(method, limits)

    def reply(self, method: str, limits: Limits) -> tuple[Any, BaseException | None]:
        """The next reply, or why there is none."""
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done, limits), daemon=True)
        watch.start()
        try:
            assert self._process.stdout is not None
            reply = read_frame(self._process.stdout)  # type: ignore[arg-type]
        finally:
            done.set()
            watch.join()
        if reply is None:
            self._spent = True
            return None, self._death(method, limits)
        kind, value, calls = pickle.loads(reply)
        for (capability, model), tally in calls.items():
            meter.add(capability, model, tally)
        if kind == "value":
            return value, None
        self._spent = kind == "memory"
        return None, _out_of_memory(method, limits) if kind == "memory" else value

    def worn(self) -> bool:
        """Whether the process is gone, or has grown so much that a new one is better."""
        return self._spent or self._process.poll() is not None or _resident(self._process.pid) > _RETIRE

    def kill(self) -> None:
        """End the process and its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _watch(self, done: threading.Event, limits: Limits) -> None:
        end = time.monotonic() + limits.seconds
        while not done.wait(min(_TICK, max(0.001, end - time.monotonic()))):
            if time.monotonic() >= end:
                self._cause = "time"
            elif limits.memory and _resident(self._process.pid) > limits.memory:
                self._cause = "memory"
            if self._cause:
                self._process.kill()
                return

    def _death(self, method: str, limits: Limits) -> BaseException:
        code = self._process.wait()
        if self._cause == "memory":
            return _out_of_memory(method, limits)
        if self._cause == "time":
            return TimedOut(
                f"took longer than {limits.seconds:g} s and was stopped",
                stage=method,
                remedy="raise `run.timeout`, or leave the file out with the source's `exclude`",
            )
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        if method == _STARTING:
            return WorkerDied(
                f"a worker process ended before it could work ({how})",
                stage=method,
                remedy=f"see what `{sys.executable} -P -m docpipe.pipeline.processes.worker < /dev/null` says",
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


def _not_sent(error: BaseException) -> ConfigError:
    return ConfigError(
        f"the pipeline's stages cannot be sent to a worker process: {error}",
        remedy="define each stage's class at the top level of a module that can be imported, "
        "not in the script that is run or inside a function",
    )


def _out_of_memory(method: str, limits: Limits) -> OutOfMemory:
    return OutOfMemory(
        f"needed more than {limits.memory // 2**20} MB of memory and was stopped",
        stage=method,
        remedy="raise `run.memory_mb`, or leave the file out with the source's `exclude`",
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
