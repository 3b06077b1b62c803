"""One request over an open client -> its reply, within every limit of size and time; knows no keys, no retries."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docpipe._http import sse

if TYPE_CHECKING:
    import httpx

LARGEST_REPLY = 256_000_000
"""Bytes, after unpacking."""
LARGEST_ERROR = 64_000
"""Bytes of an error's body that are read."""
LARGEST_EVENT = 16_000_000
"""Bytes of one event of a stream."""
TOTAL = 10
"""A request may take this many times the silence that is allowed, however steadily its reply drips."""


class Broken(Exception):
    """There is no whole reply; the message says why, in words that name no address and no content."""


class Silent(Broken):
    """It took too long."""


class TooLarge(Exception):
    """The reply is larger than allowed; it was not read to its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long a request may take."""

    connect: float
    """Seconds for the connection."""
    silence: float
    """Seconds without a byte."""


class Exchange:
    """An answer that has begun: status and headers are known, the body is still to be read."""

    def __init__(self, response: "httpx.Response", limits: Limits, deadline: float) -> None:
        self._response, self._limits, self._deadline = response, limits, deadline
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        """Names in lower case."""

    async def read(self) -> bytes:
        """The whole body; of an error only its begin. Raises: Broken, TooLarge."""
        most = LARGEST_REPLY if self.status < 300 else LARGEST_ERROR
        pieces, size = [], 0
        async for piece in self.pieces():
            pieces.append(piece)
            size += len(piece)
            if size > most and self.status < 300:
                raise TooLarge(f"more than {most:,} bytes")
            if size > most:
                break
        return b"".join(pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises: Broken."""
        source = self._response.aiter_bytes()
        while True:
            with_deadline = asyncio.timeout_at(self._deadline)
            try:
                async with with_deadline:
                    piece = await anext(source, None)
            except TimeoutError:
                raise Silent(f"the reply was not whole after {TOTAL * self._limits.silence:g} seconds") from None
            except _transport_errors() as error:
                raise broken(error, self._limits) from error
            if piece is None:
                return
            yield piece

    async def events(self) -> AsyncIterator[Mapping[str, Any]]:
        """The JSON objects of an event stream, up to `[DONE]` or the end. Raises: Broken, TooLarge."""
        parser = sse.Events(most=LARGEST_EVENT)
        try:
            async for piece in self.pieces():
                for event in parser.feed(piece):
                    for payload in sse.payloads(event):
                        if isinstance(payload, str):
                            return
                        yield payload
        except sse.TooLong as error:
            raise TooLarge(str(error)) from None
        for event in parser.finish():
            for payload in sse.payloads(event):
                if not isinstance(payload, str):
                    yield payload


@asynccontextmanager
async def exchange(
    client: "httpx.AsyncClient", url: str, *, data: bytes | None, headers: Mapping[str, str], limits: Limits
) -> AsyncIterator[Exchange]:
    """Send a request (POST where there is `data`, else GET) and give what comes back; it is closed at the end.

    Raises:
        Broken: nothing came back.
    """
    import httpx

    timeout = httpx.Timeout(connect=limits.connect, read=limits.silence, write=limits.silence, pool=None)
    deadline = asyncio.get_running_loop().time() + TOTAL * limits.silence
    try:
        request = client.build_request(
            "GET" if data is None else "POST", url, content=data, headers=dict(headers), timeout=timeout
        )
        async with asyncio.timeout_at(deadline):
            response = await client.send(request, stream=True)
    except TimeoutError:
        raise Silent(f"no answer within {TOTAL * limits.silence:g} seconds") from None
    except _transport_errors() as error:
        raise broken(error, limits) from error
    try:
        yield Exchange(response, limits, deadline)
    finally:
        await response.aclose()


def _transport_errors() -> tuple[type[Exception], ...]:
    import httpx

    return (httpx.RequestError, httpx.StreamError, httpx.InvalidURL)


def broken(error: Exception, limits: Limits) -> Broken:
    """Why there is no whole reply, without address or content."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return Broken(f"no connection within {limits.connect:g} seconds")
    if isinstance(error, httpx.TimeoutException):
        return Silent(f"the service was silent for {limits.silence:g} seconds")
    if isinstance(error, httpx.ConnectError):
        return Broken(f"no connection: {str(error)[:200] or 'refused'}")
    if isinstance(error, httpx.DecodingError):
        return Broken("the reply was packed in a way that cannot be unpacked")
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return Broken("the address is not valid")
    return Broken("the connection broke off" + (f": {str(error)[:200]}" if isinstance(error, httpx.ProxyError) else ""))


def decoded(data: bytes) -> Mapping[str, Any] | None:
    """A JSON object; None where it is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def encoded(body: Mapping[str, Any]) -> bytes:
    """A JSON object as UTF-8; what is no Unicode (half of a pair) becomes a question mark.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def extended(data: bytes, name: str, value: str) -> bytes:
    """A JSON object in bytes, with one field more, without decoding it."""
    comma = b"" if data == b"{}" else b","
    return data[:-1] + comma + json.dumps({name: value}).encode()[1:]
