"""A call -> its attempts: a place in the queue, a new id, what the service says, whether to try again."""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from docpipe._http import retrying
from docpipe._http.exchange import Broken, Exchange, Limits, Silent, TooLarge, decoded, encoded, exchange, extended
from docpipe._http.retrying import Complaint, Verdict

if TYPE_CHECKING:
    from docpipe._http.service import Service

T = TypeVar("T")
Payload = Mapping[str, Any]

log = logging.getLogger("docpipe.http")


class Rejected(Exception):
    """An attempt that failed, on its way to the decision whether there will be another."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(verdict.error))
        self.verdict = verdict


class Attempts:
    """All attempts of one call to a service."""

    def __init__(self, service: "Service", path: str, body: Payload | None, read_seconds: float) -> None:
        self._service, self._path = service, path.strip("/")
        endpoint, capability = service.endpoint, service.capability
        self._name = capability.name
        self._limits = Limits(
            connect=endpoint.connect_seconds,
            silence=endpoint.read_seconds or read_seconds or capability.read_seconds,
        )
        self._model = str(body.get("model", "")) if body is not None else ""
        self._data = None if body is None else encoded(body)
        self._id = f"docpipe-{uuid.uuid4().hex}"
        self._renewed = False
        self.made = 0

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What an attempt gives, tried as often as the verdicts on its failures allow.

        Raises:
            ServiceError: the last attempt's.
        """
        from tenacity import AsyncRetrying, retry_if_exception

        self._service.require_key()
        again = AsyncRetrying(
            retry=retry_if_exception(self._goes_on),
            wait=lambda state: self._delay(state.outcome.exception() if state.outcome else None),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            async for state in again:
                with state:
                    return await attempt()
            raise AssertionError("tenacity ends with a result or an error")
        except Rejected as rejected:
            raise rejected.verdict.error from rejected.__cause__

    def _goes_on(self, error: BaseException) -> bool:
        if not isinstance(error, Rejected):
            return False
        verdict, most = error.verdict, self._service.endpoint.attempts
        if verdict.renew and not self._renewed and self._service.renew():
            self._renewed = True
            return True
        return verdict.again and self.made < min(verdict.tries or most, most)

    def _delay(self, error: BaseException | None) -> float:
        if not isinstance(error, Rejected) or error.verdict.renew:
            return 0.0
        return retrying.delay(error.verdict, self.made, random.random)

    async def whole(self) -> tuple[Payload, str]:
        """One attempt: the reply and its id. Raises: Rejected."""
        async with self._sent() as (answer, request_id):
            payload = self._checked(answer, await answer.read(), request_id)
            own = payload.get("request_id")
            return payload, own if isinstance(own, str) and own else request_id

    async def opened(self, begins: Callable[[Payload], bool]) -> AsyncGenerator[Payload, None]:
        """One attempt: a stream, when its first event that matters has come. Raises: Rejected."""
        stream = self._streamed()
        held: list[Payload] = []
        try:
            async for payload in stream:
                held.append(payload)
                if begins(payload):
                    return _joined(held, stream)
            raise self._rejected(transport="the stream ended before it began")
        except BaseException:
            await stream.aclose()
            raise

    async def _streamed(self) -> AsyncGenerator[Payload, None]:
        async with self._sent() as (answer, request_id):
            kind = answer.headers.get("content-type", "")
            if answer.status >= 300 or "json" in kind or "html" in kind:
                self._checked(answer, await answer.read(), request_id)
                raise self._rejected(status=answer.status, malformed=True, message="a reply that is no event stream")
            async for payload in answer.events():
                if retrying.complains(payload):
                    raise self._told(answer, payload, request_id)
                yield payload

    @asynccontextmanager
    async def _sent(self) -> AsyncIterator[tuple[Exchange, str]]:
        """Wait for a place, send, and make of every failure a verdict; the place is given back at the end."""
        service = self._service
        ticket = await service.limiter.acquire(again=self.made > 0)
        well, begun, told = False, time.monotonic(), "no reply"
        try:
            service.sent(self._model)
            self.made += 1
            request_id = f"{self._id}-{self.made}"
            url = f"{service.base_url}/{self._path}"
            headers = {**service.headers(), **({} if self._data is None else {"Content-Type": "application/json"})}
            data = self._data
            if data is not None and service.capability.request_ids:
                data = extended(data, "request_id", request_id)
            with service.client() as client:
                async with exchange(client, url, data=data, headers=headers, limits=self._limits) as answer:
                    told = f"HTTP {answer.status}"
                    yield answer, request_id
            well = True
        except Rejected as rejected:
            told += f", code {rejected.verdict.error.code}" if rejected.verdict.error.code else ", rejected"
            if rejected.verdict.kind == "slow_down":
                service.limiter.slow_down(ticket)
            raise
        except Broken as broken:
            slow = isinstance(broken, Silent)
            raise self._rejected(transport=str(broken), timed_out=slow, request_id=request_id) from broken.__cause__
        except TooLarge as large:
            raise self._rejected(status=200, malformed=True, message=str(large), request_id=request_id) from None
        except GeneratorExit:
            well = True
            raise
        finally:
            service.limiter.release(ticket, well=well)
            milliseconds = round((time.monotonic() - begun) * 1000)
            log.debug("%s %s: %s, %s-%d, %d ms", self._name, self._path, told, self._id, self.made, milliseconds)

    def _checked(self, answer: Exchange, data: bytes, request_id: str) -> Payload:
        payload = decoded(data)
        if answer.status >= 300 or (payload is not None and retrying.complains(payload)):
            raise self._told(answer, payload, request_id, text=data[:5_000].decode("utf-8", "replace"))
        if payload is None:
            excerpt = retrying.readable(data[:500].decode("utf-8", "replace")) if data.lstrip()[:1] == b"<" else ""
            message = excerpt or f"{len(data):,} bytes that are no JSON object"
            raise self._rejected(status=answer.status, malformed=True, message=message, request_id=request_id)
        return payload

    def _told(self, answer: Exchange, payload: Payload | None, request_id: str, *, text: str = "") -> Rejected:
        code, message, own = retrying.told_by(payload, text)
        return self._rejected(
            status=answer.status, code=code, message=message, headers=answer.headers, request_id=own or request_id
        )

    def _rejected(
        self,
        *,
        status: int = 0,
        code: str = "",
        message: str = "",
        headers: Mapping[str, str] | None = None,
        transport: str = "",
        timed_out: bool = False,
        malformed: bool = False,
        request_id: str = "",
    ) -> Rejected:
        complaint = Complaint(
            service=self._name,
            status=status,
            code=self._service.hidden(code),
            message=self._service.hidden(message),
            headers=headers or {},
            transport=transport,
            timed_out=timed_out,
            malformed=malformed,
            request_id=self._service.hidden(request_id),
        )
        return Rejected(self._service.capability.classify(complaint))


async def _joined(held: list[Payload], stream: AsyncGenerator[Payload, None]) -> AsyncGenerator[Payload, None]:
    try:
        for payload in held:
            yield payload
        async for payload in stream:
            yield payload
    finally:
        await stream.aclose()
