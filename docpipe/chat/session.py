"""Flows -> answers: the drivers that give a flow what it needs, for code without an event loop and for code with one.

Searches and other CPU work of asynchronous callers go to a few shared threads, and searches that wait together are made
together; calls to services run on docpipe's own loop. No question costs a thread.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from docpipe._http import loop
from docpipe._zai.values import ChatDelta, ChatReply, ChatRequest, WebPage, WebResult
from docpipe.chat.needs import Begin, Complete, Compute, Flow, Next, ReadPages, Retrieve, SearchWeb
from docpipe.errors import ServiceError
from docpipe.protocols import Retriever
from docpipe.types import Answer, Hit, Query

if TYPE_CHECKING:
    from typing import Protocol

    class Model(Protocol):
        """A chat model: `docpipe._zai.chat.Chat`."""

        async def complete(self, request: ChatRequest) -> ChatReply:
            """The whole answer."""
            ...

        def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
            """The answer as it comes."""
            ...

    class Pages(Protocol):
        """Web search and reader: `docpipe.chat.web.Web`."""

        async def search(self, query: str) -> list[WebResult]:
            """What is found."""
            ...

        async def read(self, urls: tuple[str, ...]) -> "list[WebPage | ServiceError]":
            """The pages, in order; in place of one that cannot be read, why."""
            ...


T = TypeVar("T")
_MOST_TOGETHER = 32
"""Searches in one call of the retriever."""
_SEARCHES_AT_ONCE = 2
_THREADS = max(2, min(4, os.cpu_count() or 2))


class World:
    """What a pipeline can ask: its documents, a model, the web."""

    def __init__(
        self,
        retriever: Retriever,
        chat: "Model | None" = None,
        web: "Pages | None" = None,
        *,
        mode: Literal["hybrid", "vector", "text"] | None = None,
    ) -> None:
        self.retriever = retriever
        self.chat = chat
        self.web = web
        self.mode = mode
        """How documents are searched, whatever a flow says; None: as it says."""
        self.searches = Searches(retriever)

    def query(self, need: Retrieve) -> Query:
        """What is searched for."""
        return replace(need.query, mode=self.mode) if self.mode else need.query


class Searches:
    """Searches of one retriever: those that wait together are made together. For any thread."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._lock = threading.Lock()
        self._waiting: list[tuple[Query, Future[list[Hit]]]] = []
        self._working = 0

    def search(self, query: Query) -> "Future[list[Hit]]":
        """The hits of a query, when they are there; raises what the retriever raises."""
        future: Future[list[Hit]] = Future()
        with self._lock:
            self._waiting.append((query, future))
            if self._working == _SEARCHES_AT_ONCE:
                return future
            self._working += 1
        submit(self._work)
        return future

    def _work(self) -> None:
        while batch := self._next():
            wanted = [(query, future) for query, future in batch if future.set_running_or_notify_cancel()]
            if not wanted or self._answered(wanted):
                continue
            for one in wanted:  # an error may be one query's own: a wrong filter, say
                self._answered([one])

    def _next(self) -> "list[tuple[Query, Future[list[Hit]]]]":
        with self._lock:
            batch, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
            if not batch:
                self._working -= 1
            return batch

    def _answered(self, wanted: "list[tuple[Query, Future[list[Hit]]]]") -> bool:
        """Whether these are settled; several are not where their common search failed."""
        try:
            found = self._retriever.search_many([query for query, _ in wanted])
        except BaseException as error:
            if len(wanted) == 1:
                wanted[0][1].set_exception(error)
            return len(wanted) == 1
        for (_, future), hits in zip(wanted, found, strict=True):
            future.set_result(hits)
        return True


def run(flow: Flow, world: World) -> Answer:
    """The answer of a flow; what it says on the way is dropped. Raises what the flow raises."""
    *_, answer = stream(flow, world)
    assert isinstance(answer, Answer)
    return answer


def stream(flow: Flow, world: World) -> Generator[Any, None, None]:
    """What a flow says, piece by piece, then its Answer. Closing it early ends the calls that are under way."""
    line = _Line(world)
    try:
        said, answer = _advanced(flow)
        while answer is None:
            if _is_need(said):
                said, answer = _answered(flow, partial(_given, said, world, line))
            else:
                yield said
                said, answer = _advanced(flow)
        yield answer
    finally:
        flow.close()
        if line.is_open:
            loop.wait(line.close())


async def arun(flow: Flow, world: World) -> Answer:
    """`run` on any event loop; cancelling it cancels the call that is under way."""
    answer = None
    async with aclosing(astream(flow, world)) as pieces:
        async for piece in pieces:
            answer = piece
    assert isinstance(answer, Answer)
    return answer


async def astream(flow: Flow, world: World) -> AsyncGenerator[Any, None]:
    """`stream` on any event loop."""
    line = _Line(world)
    try:
        said, answer = _advanced(flow)
        while answer is None:
            if _is_need(said):
                try:
                    reply = await _awaited(said, world, line)
                except Exception as error:
                    said, answer = _advanced(flow, error=error)
                else:
                    said, answer = _advanced(flow, reply)
            else:
                yield said
                said, answer = _advanced(flow)
        yield answer
    finally:
        flow.close()
        if line.is_open:
            await loop.arrive(line.close())


class _Line:
    """The calls of one flow to services, and the stream that is open. Its coroutines run on docpipe's loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stream: Any = None
        self._reading = asyncio.Lock()
        """A reader who was interrupted has left the stream before it is closed."""

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def call(self, need: Any) -> Coroutine[Any, Any, Any]:
        match need:
            case Complete(request):
                return self._model().complete(request)
            case Begin(request):
                return self._begin(request)
            case Next():
                return self._next()
            case SearchWeb(query):
                return self._pages().search(query)
            case ReadPages(urls):
                return self._pages().read(urls)
        raise TypeError(f"a flow needs {need!r}, which no driver knows")

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            async with self._reading:
                await stream.aclose()

    async def _begin(self, request: ChatRequest) -> None:
        await self.close()
        self._stream = self._model().stream(request)

    async def _next(self) -> ChatDelta | None:
        async with self._reading:
            found: ChatDelta | None = await anext(self._stream, None)
        return found

    def _model(self) -> "Model":
        if self._world.chat is None:
            raise TypeError("a flow asks a chat model, and this pipeline has none")
        return self._world.chat

    def _pages(self) -> "Pages":
        if self._world.web is None:
            raise TypeError("a flow asks the web, and this pipeline has none")
        return self._world.web


_NEEDS = (Retrieve, Compute, Complete, Begin, Next, SearchWeb, ReadPages)


def _is_need(said: Any) -> bool:
    return isinstance(said, _NEEDS)


def _given(need: Any, world: World, line: _Line) -> Any:
    """A need's reply, here and now."""
    if isinstance(need, Retrieve):
        return world.retriever.search(world.query(need))
    return need.work() if isinstance(need, Compute) else loop.wait(line.call(need))


async def _awaited(need: Any, world: World, line: _Line) -> Any:
    """A need's reply, without keeping the loop."""
    if isinstance(need, Retrieve):
        return await asyncio.wrap_future(world.searches.search(world.query(need)))
    if isinstance(need, Compute):
        return await on_pool(need.work)
    return await loop.arrive(line.call(need))


def _answered(flow: Flow, give: Callable[[], Any]) -> tuple[Any, Answer | None]:
    try:
        reply = give()
    except Exception as error:
        return _advanced(flow, error=error)
    return _advanced(flow, reply)


def _advanced(flow: Flow, reply: Any = None, *, error: Exception | None = None) -> tuple[Any, Answer | None]:
    """What the flow says next, or its answer."""
    try:
        return (flow.send(reply) if error is None else flow.throw(error)), None
    except StopIteration as end:
        return None, end.value


_guard = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def submit(work: Callable[[], T]) -> "Future[T]":
    """CPU work of asynchronous callers, on one of a few threads that the whole process shares."""
    global _pool
    with _guard:
        if _pool is None:
            _pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="docpipe-work")
        return _pool.submit(work)


async def on_pool(work: Callable[[], T]) -> T:
    """What CPU work gives, on any event loop."""
    return await asyncio.wrap_future(submit(work))


def _forget() -> None:
    """A fork has the pool, but not its threads."""
    global _guard, _pool
    _guard, _pool = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
