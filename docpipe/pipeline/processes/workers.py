"""Calls -> replies through isolated processes with limits on time and memory.

A call that crashes, hangs or swells costs its own process only: it comes back as an error, the process is replaced.
"""

import pickle
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

from docpipe.pipeline.processes.child import Answer, Child, Limits, not_sent
from docpipe.pipeline.processes.grants import Grants
from docpipe.pipeline.processes.scratch import Scratch

__all__ = ["Limits", "Reply", "WorkerPool"]


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
        work: picklable; calls name one of its methods. Its `grants`, if it has them, say what its processes may use
            beyond the rest; its `answer`, if it has one, answers here what it asks there.
        size: how many processes.

    Raises:
        ConfigError: `work` cannot be sent to another process.
    """

    def __init__(self, work: object, *, size: int, limits: Limits) -> None:
        self._limits = limits
        try:
            self._work = pickle.dumps(work, protocol=5)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise not_sent(error) from error
        self._grants: Grants = getattr(work, "grants", None) or Grants()
        self._answer_worker: Answer = getattr(work, "answer", None) or _nothing_to_ask
        self._scratch: Scratch | None = None
        self._calls: queue.PriorityQueue[tuple[int, int, _Call | None]] = queue.PriorityQueue()
        self._numbers = count()
        self._guard = threading.Lock()
        self._asked = 0
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._size = size
        self._threads: list[threading.Thread] = []
        self._children: list[Child] = []
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
        if self._scratch is not None:
            self._scratch.close()
        while not self._calls.empty():
            _, _, call = self._calls.get()
            if call is not None and call.future is not None:
                call.future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        child: Child | None = None
        try:
            while not self._closed and (call := self._calls.get()[2]) is not None:
                started = time.monotonic()
                alive = child is not None
                try:
                    if child is None:
                        child = self._start()
                        alive, started = True, time.monotonic()
                    value, error = child.ask(call.method, call.arguments)
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

    def _start(self) -> Child:
        with self._guard:
            self._scratch = self._scratch or Scratch()
        child = Child(
            self._work, limits=self._limits, grants=self._grants, scratch=self._scratch, answer=self._answer_worker
        )
        self._children.append(child)
        if self._closed:
            child.kill()
        try:
            child.start()
        except BaseException:
            self._end(child)
            raise
        return child

    def _end(self, child: Child) -> None:
        child.kill()
        self._children.remove(child)


def _nothing_to_ask(question: str, given: tuple[Any, ...], arguments: tuple[Any, ...]) -> Any:
    raise LookupError(f"nobody answers a worker that asks for {question!r}")
