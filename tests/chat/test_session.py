"""The drivers: a flow gets what it needs, with an event loop and without."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from docpipe._zai.values import ChatDelta, ChatReply, ChatRequest, Message, WebResult
from docpipe.chat import session
from docpipe.chat.needs import Begin, Complete, Compute, Flow, Next, ReadPages, Retrieve, SearchWeb
from docpipe.chat.session import World, arun, astream, run, stream
from docpipe.errors import InvalidOption, ServiceError, Unavailable
from docpipe.types import Answer, Hit, Query, TextPiece

REQUEST = ChatRequest(model="m", messages=(Message(role="user", content="q"),))
DONE = Answer(question="q", text="done", origin="none")


@dataclass
class Shelf:
    """A retriever that counts its calls and knows a wrong filter."""

    seconds: float = 0.0
    batches: list[list[Query]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def search(self, query: Query, /) -> list[Hit]:
        return self.search_many([query])[0]

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        self.batches.append(list(queries))
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        if any(query.where == "wrong" for query in queries):
            raise InvalidOption("the filter is wrong", where="where", remedy="write it right")
        return [[] for _ in queries]

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Any]:
        return []


@dataclass
class Talker:
    """A model that says what it is told to."""

    pieces: tuple[Any, ...] = ("a", "b")
    seconds: float = 0.0
    open: int = 0
    closed: int = 0
    cancelled: int = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return ChatReply(text="whole", finish="stop")

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        self.open += 1
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield ChatDelta(text=piece)
        finally:
            self.closed += 1


class Pages:
    async def search(self, query: str) -> list[WebResult]:
        return [WebResult(title=query, link="l", content="c")]

    async def read(self, urls: tuple[str, ...]) -> list[Any]:
        return list(urls)


def all_needs(got: list[Any]) -> Flow:
    got.append((yield Retrieve(Query(text="q"))))
    got.append((yield Compute(lambda: 7)))
    got.append((yield Complete(REQUEST)))
    yield TextPiece(text="shown")
    got.append((yield Begin(REQUEST)))
    while (event := (yield Next())) is not None:
        got.append(event.text)
    got.append((yield SearchWeb("w")))
    got.append((yield ReadPages(("u",))))
    return DONE


def play(flow: Flow, world: World, *, loop: bool) -> list[Any]:
    if not loop:
        return list(stream(flow, world))

    async def collected() -> list[Any]:
        return [piece async for piece in astream(flow, world)]

    return asyncio.run(collected())


both = pytest.mark.parametrize("loop", [False, True], ids=["without a loop", "on a loop"])


@both
def test_every_need_gets_its_reply(loop: bool) -> None:
    got: list[Any] = []
    talker = Talker()
    said = play(all_needs(got), World(Shelf(), talker, Pages()), loop=loop)
    assert said == [TextPiece(text="shown"), DONE]
    assert got[:2] == [[], 7]
    assert got[2].text == "whole"
    assert got[3:6] == [None, "a", "b"]
    assert (got[6][0].title, got[7]) == ("w", ["u"])
    assert (talker.open, talker.closed) == (1, 1)


@both
def test_an_error_is_thrown_into_the_flow_which_may_go_on(loop: bool) -> None:
    def flow() -> Flow:
        yield Begin(REQUEST)
        yield Next()
        try:
            yield Next()
        except ServiceError as error:
            yield TextPiece(text=error.message)
        try:
            yield Retrieve(Query(text="q", where="wrong"))
        except InvalidOption as error:
            yield TextPiece(text=error.message)
        return DONE

    talker = Talker(pieces=("a", Unavailable("cut off", service="chat")))
    said = play(flow(), World(Shelf(), talker), loop=loop)
    assert [piece.text for piece in said[:-1]] == ["cut off", "the filter is wrong"]


@both
def test_what_the_flow_raises_is_raised(loop: bool) -> None:
    def flow() -> Flow:
        yield Retrieve(Query(text="q", where="wrong"))
        return DONE

    with pytest.raises(InvalidOption, match="the filter is wrong"):
        play(flow(), World(Shelf()), loop=loop)


@both
def test_a_pipeline_without_a_model_is_told_as_such(loop: bool) -> None:
    def flow(need: Any) -> Flow:
        yield need
        return DONE

    with pytest.raises(TypeError, match="has none"):
        play(flow(Complete(REQUEST)), World(Shelf()), loop=loop)
    with pytest.raises(TypeError, match="has none"):
        play(flow(SearchWeb("w")), World(Shelf()), loop=loop)


@both
def test_the_pipelines_mode_is_searched_in(loop: bool) -> None:
    shelf = Shelf()
    play(all_needs([]), World(shelf, Talker(), Pages(), mode="text"), loop=loop)
    assert [query.mode for batch in shelf.batches for query in batch] == ["text"]


def open_stream(ended: list[bool]) -> Flow:
    try:
        yield Begin(REQUEST)
        yield Next()
        while True:
            yield TextPiece(text="x")
    finally:
        ended.append(True)


def test_leaving_early_closes_flow_and_stream() -> None:
    ended: list[bool] = []
    talker = Talker()
    pieces = stream(open_stream(ended), World(Shelf(), talker))
    next(pieces)
    pieces.close()
    assert (ended, talker.closed) == ([True], 1)


def test_leaving_early_closes_them_on_a_loop_too() -> None:
    ended: list[bool] = []
    talker = Talker()

    async def leave() -> None:
        pieces = astream(open_stream(ended), World(Shelf(), talker))
        await anext(pieces)
        await pieces.aclose()

    asyncio.run(leave())
    assert (ended, talker.closed) == ([True], 1)


def test_cancelling_a_question_cancels_its_call() -> None:
    talker = Talker(seconds=30)

    def flow() -> Flow:
        yield Complete(REQUEST)
        return DONE

    async def cancelled() -> None:
        task = asyncio.create_task(arun(flow(), World(Shelf(), talker)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if talker.cancelled:
                return
            await asyncio.sleep(0.01)

    asyncio.run(cancelled())
    assert talker.cancelled == 1


class Thinker(Talker):
    """A model that thinks for long before its first word, and takes a moment to stop."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        self.open += 1
        try:
            await asyncio.sleep(30)
            yield ChatDelta(text="at last")
        finally:
            await asyncio.sleep(0.02)
            self.closed += 1


def test_an_interrupt_while_a_stream_is_awaited_is_an_interrupt() -> None:
    thinker = Thinker()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(stream(open_stream([]), World(Shelf(), thinker)))
    assert (thinker.open, thinker.closed) == (1, 1)


def test_cancelling_while_a_stream_is_awaited_is_a_cancellation() -> None:
    thinker = Thinker()

    async def cancelled() -> None:
        async def read() -> None:
            async for _ in astream(open_stream([]), World(Shelf(), thinker)):
                pass

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.1)

    asyncio.run(cancelled())
    assert (thinker.open, thinker.closed) == (1, 1)


def test_a_hundred_questions_search_together_and_start_no_threads() -> None:
    shelf = Shelf(seconds=0.005)
    world = World(shelf, Talker(seconds=0.05), Pages())

    async def asked() -> int:
        answers = asyncio.gather(*(arun(all_needs([]), world) for _ in range(100)))
        most = 0
        while not answers.done():
            most = max(most, threading.active_count())
            await asyncio.sleep(0.002)
        assert len(await answers) == 100
        return most

    before = threading.active_count()
    assert asyncio.run(asked()) - before <= 6
    assert sum(len(batch) for batch in shelf.batches) == 100
    assert len(shelf.batches) <= 12
    assert max(len(batch) for batch in shelf.batches) <= 32


def test_one_wrong_filter_does_not_fail_the_searches_beside_it() -> None:
    world = World(Shelf(seconds=0.01))

    def flow(where: str) -> Flow:
        yield Retrieve(Query(text="q", where=where))
        return DONE

    async def asked() -> list[Any]:
        wheres = ["", "", "wrong", "", "wrong", ""]
        return await asyncio.gather(*(arun(flow(where), world) for where in wheres), return_exceptions=True)

    found = asyncio.run(asked())
    assert [isinstance(one, InvalidOption) for one in found] == [False, False, True, False, True, False]


def test_run_drops_what_is_said_on_the_way() -> None:
    assert run(all_needs([]), World(Shelf(), Talker(), Pages())) is DONE


def test_cpu_work_does_not_keep_the_loop() -> None:
    def flow() -> Flow:
        yield Compute(lambda: time.sleep(0.2))
        return DONE

    async def ticks() -> int:
        task = asyncio.create_task(arun(flow(), World(Shelf())))
        count = 0
        while not task.done():
            count += 1
            await asyncio.sleep(0.01)
        return count

    assert asyncio.run(ticks()) > 5


def test_pool_gives_results_and_errors() -> None:
    def fail() -> None:
        raise ValueError("no")

    work: list[Callable[[], Any]] = [lambda: 1, fail]
    done, failed = (session.submit(one) for one in work)
    assert done.result() == 1
    assert isinstance(failed.exception(), ValueError)
