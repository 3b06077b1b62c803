"""Calls to one capability at one endpoint: its key, limiter, budget and figures. Runs on the I/O loop."""

import hashlib
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from docpipe._http import meter, retrying
from docpipe._http.attempts import Attempts, Rejected
from docpipe._http.endpoint import Endpoint, fault_of
from docpipe._http.limiter import Limiter
from docpipe._http.meter import Tally
from docpipe._http.retrying import Classify
from docpipe._http.signing import Signer
from docpipe.errors import BudgetSpent, ConfigError, Unauthorized

if TYPE_CHECKING:
    import ssl

    import httpx


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """Something that services offer, whatever endpoint serves it."""

    name: str
    base_url: str = "https://api.z.ai/api/paas/v4"
    """Where it is by default."""
    base_url_variable: str = "ZAI_BASE_URL"
    """Environment variable that may say otherwise; empty: none."""
    classify: Classify = retrying.by_status
    concurrency: int = 4
    """Calls in flight at once, where the endpoint does not say."""
    read_seconds: float = 120.0
    """How long a service may be silent, where neither the endpoint nor the call says."""
    needs_key: bool = True
    """False: it is sent a key only where the endpoint names a variable of its own, never the platform's key."""
    request_ids: bool = True
    """Every attempt carries a new `request_id` in its body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A reply that is no error."""

    payload: Mapping[str, Any]
    request_id: str
    """The service's own, or the one that was sent."""
    attempts: int


_IDLE = 30.0
"""Seconds after which a connection that nobody used is not used again."""
_services: dict[tuple[str, str, Capability, Endpoint], "Service"] = {}

_of_parents: list[object] = []
"""Connections that belong to a parent's loop: neither used nor closed."""


def _leave_to_parent() -> None:
    """A fork has the services, but not the loop that their connections and queues belong to."""
    for one in _services.values():
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def service(capability: Capability, endpoint: Endpoint) -> "Service":
    """The one of this process for this capability, endpoint, address and key; reads the environment."""
    base_url = endpoint.base_url or _of_environment(capability.base_url_variable) or capability.base_url
    name = key_name(capability, endpoint)
    key = os.environ.get(name, "").strip() if name else ""
    identity = (base_url, hashlib.sha256(key.encode()).hexdigest(), capability, endpoint)
    return _services.setdefault(identity, Service(capability, endpoint, base_url=base_url, key=key))


def _of_environment(variable: str) -> str:
    base_url = os.environ.get(variable, "").strip() if variable else ""
    if base_url and (fault := fault_of(base_url)):
        raise ConfigError(
            f"it {fault}", where=variable, remedy=f"export {variable}=https://api.z.ai/api/paas/v4, or unset it"
        )
    return base_url


def key_name(capability: Capability, endpoint: Endpoint) -> str:
    """The variable that holds the key; nothing where none is sent."""
    return endpoint.key if capability.needs_key or endpoint.key != Endpoint().key else ""


class Service:
    """A capability at an endpoint. Made by `service`; the calls are coroutines of the I/O loop."""

    def __init__(self, capability: Capability, endpoint: Endpoint, *, base_url: str, key: str) -> None:
        self.capability, self.endpoint = capability, endpoint
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._signer = Signer(key) if endpoint.auth == "jwt" and key else None
        self._tally = Tally()
        self._free: list[httpx.AsyncClient] = []
        self.limiter = self._limiter()

    def begin_anew(self) -> None:
        """In the child of a fork: no connection and no call of the parent is its own."""
        _of_parents.append(self._free)
        self._free, self.limiter = [], self._limiter()

    def _limiter(self) -> Limiter:
        return Limiter(self.endpoint.concurrency or self.capability.concurrency)

    def __repr__(self) -> str:
        return f"Service({self.capability.name!r}, {self.base_url!r})"

    @property
    def tally(self) -> Tally:
        """What this process sent to it so far."""
        return self._tally

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set, or the key has not the form that is needed."""
        name = key_name(self.capability, self.endpoint)
        if name and not self._key:
            raise Unauthorized(
                f"{name} is not set: {self.capability.name} needs a key",
                service=self.capability.name,
                remedy=f"export {name}=..., or use pipelines/quickstart.yaml, which needs no key and no network",
            )
        if not self._key.isprintable() or not self._key.isascii() or " " in self._key:
            raise Unauthorized(
                f"{name} holds characters that no key has",
                service=self.capability.name,
                remedy=f"export {name} again, without quotes, blanks and line breaks",
            )
        if self._signer is not None:
            try:
                self._signer.token()
            except ValueError as error:
                raise Unauthorized(
                    str(error), service=self.capability.name, remedy="set `service.auth: bearer`"
                ) from None

    async def post(self, path: str, body: Mapping[str, Any], *, read_seconds: float = 0.0) -> Reply:
        """Send a body, get a reply.

        Args:
            path: what follows the base url, without a slash at its begin.
            read_seconds: how long the service may be silent, where the endpoint's options leave that open.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        call = Attempts(self, path, body, read_seconds)
        payload, request_id = await call.run(call.whole)
        self._count(str(body.get("model", "")), replace(meter.counted(payload), requests=1))
        return Reply(payload=payload, request_id=request_id, attempts=call.made)

    async def events(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        read_seconds: float = 0.0,
        begins: Callable[[Mapping[str, Any]], bool] = bool,
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """Send a body, get the JSON objects of an event stream as they come; ends where the stream ends.

        Args:
            begins: whether an event is the first that matters. Until then events are held back, and a stream that
                breaks is asked for again; later it is not, since what came is already with the reader.

        Raises:
            ServiceError: it did not begin, or broke off.
        """
        call = Attempts(self, path, body, read_seconds)
        stream = await call.run(lambda: call.opened(begins))
        tally, well = Tally(), 1
        try:
            async for payload in stream:
                tally = latest if (latest := meter.counted(payload)).tokens else tally
                yield payload
        except Rejected as rejected:
            well = 0
            raise rejected.verdict.error from rejected.__cause__
        finally:
            await stream.aclose()
            self._count(str(body.get("model", "")), replace(tally, requests=well))

    async def get(self, path: str, *, read_seconds: float = 0.0) -> Mapping[str, Any]:
        """A small reply to a question without a body (a server's health), asked as often as `post` asks.

        Raises:
            ServiceError: there is none.
        """
        call = Attempts(self, path, None, read_seconds)
        return (await call.run(call.whole))[0]

    def _count(self, model: str, tally: Tally) -> None:
        self._tally += tally
        meter.add(self.capability.name if self._key and self.capability.needs_key else meter.OWN, model, tally)

    def sent(self, model: str) -> None:
        """Count an attempt. Raises: BudgetSpent: the endpoint's options allow no more."""
        limits = (("max_requests", self._tally.attempts), ("max_tokens", self._tally.tokens))
        for option, used in limits:
            limit = getattr(self.endpoint, option)
            if limit and used >= limit:
                raise BudgetSpent(
                    f"{self.capability.name}: {used:,} of service.{option} = {limit:,} are used",
                    service=self.capability.name,
                    remedy=f"raise `service.{option}`, or run again: what is done is kept",
                )
        self._count(model, Tally(attempts=1))

    def headers(self) -> dict[str, str]:
        """What carries the key; nothing where there is none."""
        if not self._key:
            return {}
        return {"Authorization": f"Bearer {self._signer.token() if self._signer else self._key}"}

    def renew(self) -> bool:
        """Sign anew; False where keys are sent as they are."""
        if self._signer is None:
            return False
        self._signer.renew()
        return True

    def hidden(self, text: str) -> str:
        """The text without the key."""
        for secret in (self._key, self._key.partition(".")[2]):
            text = text.replace(secret, "***") if len(secret) >= 6 else text
        return text

    @contextmanager
    def client(self) -> "Iterator[httpx.AsyncClient]":
        """An open connection for one call, the one that was used last if any is free.

        Each has a client of its own: one client with many connections looks at all of them in each call. HTTP/2 needs
        only one connection for all.
        """
        client = self._free.pop() if self._free else open_client(self.endpoint, self.base_url)
        if self.endpoint.http2:
            self._free.append(client)
        try:
            yield client
        finally:
            if not self.endpoint.http2:
                self._free.append(client)


def open_client(endpoint: Endpoint, base_url: str) -> "httpx.AsyncClient":
    """A connection that asks no proxy for this machine itself and follows no redirect. Whoever opens it closes it."""
    import httpx

    from docpipe import __version__

    try:
        host = httpx.URL(base_url).host
    except httpx.InvalidURL:
        host = ""
    if endpoint.http2 and find_spec("h2") is None:
        raise ConfigError("HTTP/2 needs the package h2", where="service.http2", remedy="pip install 'httpx[http2]'")
    return httpx.AsyncClient(
        verify=_nobody() if base_url.startswith("http://") else _certificates(),
        http2=endpoint.http2,
        follow_redirects=False,
        trust_env=not (host in ("localhost", "::1") or host.startswith("127.")),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE),
        headers={"User-Agent": f"docpipe/{__version__}", "Accept-Language": "en-US,en"},
    )


@cache
def _certificates() -> "ssl.SSLContext":
    """What servers are recognised by: reading it takes 50 ms, and all connections share it."""
    import httpx

    return httpx.create_ssl_context()


@cache
def _nobody() -> "ssl.SSLContext":
    """Trusts no server; for addresses without TLS."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
