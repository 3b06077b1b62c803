"""One event loop for a process, and its faces."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator

import pytest

from docpipe._http import loop


async def double(number: int) -> int:
    await asyncio.sleep(0.001)
    return 2 * number


async def counting(until: int, closed: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(until):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0)
        closed.append(threading.current_thread().name)


async def fails() -> None:
    raise LookupError("as it should")


def test_the_same_work_for_code_without_and_with_a_loop() -> None:
    assert loop.wait(double(4)) == 8
    assert asyncio.run(loop.arrive(double(4))) == 8
    with pytest.raises(LookupError, match="as it should"):
        loop.wait(fails())
    with pytest.raises(LookupError, match="as it should"):
        asyncio.run(loop.arrive(fails()))


def test_everything_runs_on_one_daemon_thread() -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert {loop.wait(where()), asyncio.run(loop.arrive(where()))} == {"docpipe-io"}
    assert sum(thread.name == "docpipe-io" for thread in threading.enumerate()) == 1


def test_a_hundred_that_wait_on_their_own_loop_need_no_thread_each() -> None:
    async def many() -> tuple[list[int], int]:
        tasks = [asyncio.create_task(loop.arrive(double(number))) for number in range(100)]
        await asyncio.sleep(0)
        running = threading.active_count()
        return list(await asyncio.gather(*tasks)), running

    loop.wait(double(1))
    before = threading.active_count()
    results, running = asyncio.run(many())
    assert results == [2 * number for number in range(100)]
    assert running == before


def test_waiting_on_the_loop_itself_is_refused_instead_of_standing_still() -> None:
    async def wrong() -> int:
        return loop.wait(double(1))

    with pytest.raises(RuntimeError, match="await the coroutine"):
        loop.wait(wrong())


def test_work_on_the_loop_arrives_without_a_detour() -> None:
    async def right() -> int:
        return await loop.arrive(double(3))

    assert loop.wait(right()) == 6


def test_cancelling_who_waits_cancels_the_work() -> None:
    ended = threading.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.set()
            raise

    async def impatient() -> None:
        task = asyncio.create_task(loop.arrive(long()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(impatient())
    assert ended.wait(5)


def test_an_interrupt_cancels_the_work() -> None:
    ended = threading.Event()

    async def long() -> None:
        try:
            threading.Timer(0.1, os.kill, (os.getpid(), 2)).start()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.set()
            raise

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        loop.wait(long())
    assert ended.wait(5)
    assert time.monotonic() - begun < 5


def test_a_stream_can_be_read_without_and_with_a_loop() -> None:
    async def all_of(closed: list[str]) -> list[int]:
        return [number async for number in loop.aiterate(counting(4, closed))]

    closed: list[str] = []
    assert list(loop.iterate(counting(4, closed))) == [0, 1, 2, 3]
    assert asyncio.run(all_of(closed)) == [0, 1, 2, 3]
    assert closed == ["docpipe-io"] * 2


def test_leaving_a_stream_early_closes_it() -> None:
    async def first_of(closed: list[str]) -> int:
        stream = loop.aiterate(counting(4, closed))
        found = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    closed: list[str] = []
    stream = loop.iterate(counting(4, closed))
    assert next(stream) == 0
    stream.close()  # type: ignore[attr-defined]
    assert closed == ["docpipe-io"]
    assert asyncio.run(first_of(closed)) == 0
    assert len(closed) == 2


async def stuck(closed: list[str]) -> AsyncIterator[int]:
    try:
        yield 1
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.02)
        closed.append("closed")


def test_who_is_cancelled_within_a_stream_closes_it() -> None:
    async def impatient(closed: list[str]) -> None:
        stream = loop.aiterate(stuck(closed))
        assert await anext(stream) == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.05)

    closed: list[str] = []
    asyncio.run(impatient(closed))
    assert closed == ["closed"]


def test_an_interrupt_within_a_stream_closes_it() -> None:
    closed: list[str] = []
    stream = loop.iterate(stuck(closed))
    assert next(stream) == 1
    threading.Timer(0.1, os.kill, (os.getpid(), 2)).start()
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert closed == ["closed"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_has_a_loop_of_its_own() -> None:
    assert loop.wait(double(1)) == 2
    child = os.fork()
    if child == 0:
        os._exit(loop.wait(double(21)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
