"""A request to stop -> work that ends in good order: what is in hand is finished, nothing new is begun."""

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Iterator

TERMINATED = "SIGTERM"
"""Asked by a service manager: an ordered end, nothing went wrong."""
INTERRUPTED = "Ctrl-C"
"""Asked from the terminal."""
_SAME = 5.0
"""Seconds in which another SIGTERM is the same one: service managers send it to all processes, and we pass it on."""


class Stop:
    """Whether somebody asked for an end, and who. May be set from a signal handler and from any thread."""

    def __init__(self) -> None:
        self._reason = ""
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()  # unlike Event, safe within a signal handler

    @property
    def reason(self) -> str:
        """Why to stop, in a word or two; empty while nobody asked."""
        return self._reason

    def set(self, reason: str) -> None:
        """Ask for an end; the first reason counts."""
        self._reason = self._reason or reason
        self._told.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until somebody asks, so many seconds at most; returns whether somebody did."""
        if not self._reason:
            with contextlib.suppress(queue.Empty):
                self._told.get(timeout=max(seconds, 0.0))
                self._told.put(None)  # for others who wait
        return bool(self._reason)


@contextlib.contextmanager
def on_signals() -> Iterator[Stop]:
    """A Stop that the first SIGTERM or Ctrl-C sets while the body runs; the next one raises KeyboardInterrupt.

    Outside the main thread signals cannot be had: there nobody sets it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    first = 0.0

    def handle(number: int, _: object) -> None:
        nonlocal first
        if not stop.reason:
            first = time.monotonic()
            stop.set(INTERRUPTED if number == signal.SIGINT else TERMINATED)
        elif number == signal.SIGINT or stop.reason != TERMINATED or time.monotonic() - first > _SAME:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
