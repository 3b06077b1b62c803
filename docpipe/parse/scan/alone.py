"""A parser that a service assists, used by itself: the caller's thread makes what is sent, and waits."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import NamedTuple

from docpipe._http import loop
from docpipe.protocols import AssistedParser, Payload, Wanted
from docpipe.types import Blob


class _Order(NamedTuple):
    """Something to be made. Without pages: there is nothing more to make."""

    pages: tuple[int, ...]
    way: str
    done: "asyncio.Future[Payload] | None"


def recognised(parser: AssistedParser, blob: Blob, wanted: Sequence[Wanted]) -> Mapping[str, bytes]:
    """Replies by key. The file is opened on this thread only: its library is not made for several.

    Raises:
        ServiceError: as the recogniser does; what stops this thread (Ctrl-C) also stops the calls.
    """
    orders: SimpleQueue[_Order] = SimpleQueue()
    recogniser = parser.recogniser()

    async def make(pages: tuple[int, ...], way: str) -> Payload:
        done: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        orders.put(_Order(pages, way, done))
        return await done

    async def ask() -> Mapping[str, bytes]:
        try:
            return await recogniser.recognise(wanted, make, lambda finished: None)
        finally:
            orders.put(_Order((), "", None))

    answer = loop.submit(ask())
    try:
        while (order := orders.get()).done is not None:
            _serve(parser, blob, order)
        return answer.result()
    finally:
        answer.cancel()


def _serve(parser: AssistedParser, blob: Blob, order: _Order) -> None:
    done = order.done
    assert done is not None
    owner = done.get_loop()
    try:
        payload = parser.payload(blob, order.pages, order.way)
    except Exception as error:
        owner.call_soon_threadsafe(_settle, done, None, error)
        return
    with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
        owner.call_soon_threadsafe(_settle, done, payload, None)


def _settle(done: "asyncio.Future[Payload]", payload: Payload | None, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    elif payload is not None:
        done.set_result(payload)
