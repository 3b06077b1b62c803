"""One event loop for all network calls of a process, with a face for code without a loop and one for code with its own.

Everything that talks to a service is written once, as a coroutine. `wait` and `iterate` are how code without an event
loop gets its result, `arrive` and `aiterate` how code on any other loop does; neither starts a thread.
"""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_guard = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def _forget() -> None:
    """A fork has the loop, but not its thread."""
    global _guard, _loop
    _guard, _loop = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def loop() -> asyncio.AbstractEventLoop:
    """The process's loop, started on first use in a daemon thread `docpipe-io`."""
    global _loop
    with _guard:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="docpipe-io", daemon=True).start()
        return _loop


def on_loop() -> bool:
    """Whether the caller itself runs on that loop."""
    try:
        return asyncio.get_running_loop() is _loop
    except RuntimeError:
        return False


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start it there; cancelling the future cancels the work."""
    return asyncio.run_coroutine_threadsafe(work, loop())


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Its result, for code without an event loop. An interrupt (Ctrl-C) cancels the work.

    Raises:
        RuntimeError: called on the loop itself, where waiting would never end.
    """
    if on_loop():
        work.close()
        raise RuntimeError("wait() was called on docpipe's own event loop: await the coroutine instead")
    future = submit(work)
    try:
        while not concurrent.futures.wait((future,), timeout=1.0).done:  # Windows hears Ctrl-C only between two waits
            pass
    except BaseException:
        future.cancel()
        raise
    return future.result()


async def arrive(work: Coroutine[Any, Any, T]) -> T:
    """Its result, on any event loop. Cancelling the one who waits cancels the work."""
    if on_loop():
        return await work
    return await asyncio.wrap_future(submit(work))


_END: Any = object()


async def _next(source: AsyncIterator[T]) -> T:
    return await anext(source, _END)


async def _close(source: AsyncIterator[Any]) -> None:
    """Close a source, also one whose last step was cancelled and is still being wound up."""
    while getattr(source, "ag_running", False):
        await asyncio.sleep(0.001)
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()


def iterate(source: AsyncIterator[T]) -> Iterator[T]:
    """What a source on the loop gives, for code without one; leaving early closes the source."""
    try:
        while (item := wait(_next(source))) is not _END:
            yield item
    finally:
        wait(_close(source))


async def aiterate(source: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same for code on any event loop."""
    try:
        while (item := await arrive(_next(source))) is not _END:
            yield item
    finally:
        await arrive(_close(source))
