"""One page or file of the web -> its bytes, from an address that was checked, never more than asked for.

The connection goes to the very IP address that was looked at, so that a name cannot lead elsewhere the second time it
is looked up; TLS still asks for the name's certificate. A proxy would look the name up by itself: proxies of the
environment are not used here.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from docpipe._http.addresses import SERVICE, Address, address, check_url, is_public, redirected, shown
from docpipe._http.unpacking import TooLong, Unpacker
from docpipe.errors import BadReply, Refused, SourceTooLarge, Unavailable

if TYPE_CHECKING:
    import ssl

    import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port -> IP addresses. Raises OSError."""

_REDIRECTS = 5
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_TRIED_ADDRESSES = 3
_CONNECT_SECONDS = 10.0
_HEADERS = {
    "accept": "text/html,application/xhtml+xml,text/markdown,text/plain,application/pdf;q=0.9,*/*;q=0.5",
    "accept-encoding": "gzip, deflate",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What an address gave."""

    url: str
    """The last one, behind all redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: bytes
    """Unpacked; nothing where the status is not 2xx or only the head was asked for."""

    @property
    def media_type(self) -> str:
        """As the server says, without parameters, in lower case; it may say nothing or be wrong."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The encoding that the server names; it may name none, or a wrong one."""
        found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", self.headers.get("content-type", ""), re.I)
        return found[1].lower() if found else ""


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the operating system knows a name as."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def fetch(
    url: str,
    *,
    max_bytes: int,
    seconds: float,
    allow_private: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
    method: Literal["GET", "HEAD"] = "GET",
    resolve: Resolve | None = None,
) -> Fetched:
    """Ask for an address, follow up to five redirects, each checked as the first one was.

    Args:
        max_bytes: most bytes of the body, unpacked.
        seconds: for all of it: names, redirects, body.
        allow_private: also addresses of private networks, for an intranet. Never for addresses that others chose.
        headers: added to ours, such as `if-none-match`.
        resolve: None: as the operating system does.

    Returns:
        The reply, whatever its status.

    Raises:
        Refused: an address may not be asked (`.code` is `address`), or leads on too often (`redirects`).
        SourceTooLarge: more than `max_bytes`; reading stopped there.
        Unavailable: no such name (`.code` is `name`), no connection, cut off, too slow, or not HTTP.
        BadReply: the body is not packed as it says.
    """
    asked = {**_HEADERS, "user-agent": _user_agent(), **{name.lower(): value for name, value in headers.items()}}
    try:
        async with asyncio.timeout(seconds):
            at = address(url)
            for _ in range(_REDIRECTS + 1):
                ips = await _checked(at, resolve or system_addresses, allow_private=allow_private)
                reply = await _asked(at, ips, method, asked, max_bytes)
                location = reply.headers.get("location", "")
                if reply.status not in _REDIRECTING or not location:
                    return reply
                at = redirected(at, location)
    except TimeoutError as error:
        raise _unavailable(url, f"did not arrive within {seconds:g} s", "raise the time limit, or try later") from error
    message = f"{shown(url)} leads on more than {_REDIRECTS} times"
    raise Refused(message, service=SERVICE, code="redirects", remedy="give the address where the page is")


async def _checked(at: Address, resolve: Resolve, *, allow_private: bool) -> Sequence[str]:
    """The IP addresses to connect to. One private address among them is enough to refuse."""
    if not allow_private:
        check_url(at.url)
    if at.ip is not None:
        return [at.host]
    try:
        found = list(dict.fromkeys(await resolve(at.host, at.port)))
    except (OSError, UnicodeError) as error:
        raise _unavailable(at.url, "has a name that is not known", "check its spelling", code="name") from error
    if not allow_private and not all(is_public(ip_address(ip)) for ip in found):
        message = f"the address {shown(at.url)} is not asked: its name leads into a private or reserved network"
        raise Refused(message, service=SERVICE, code="address", remedy="give an address of the open internet")
    return [ip for ip in found if "%" not in ip][:_TRIED_ADDRESSES]


async def _asked(at: Address, ips: Sequence[str], method: str, headers: Mapping[str, str], max_bytes: int) -> Fetched:
    """One request, to the first of these IP addresses that answers."""
    import httpx

    failed: httpx.HTTPError | None = None
    for ip in ips:
        try:
            return await _asked_there(at, ip, method, headers, max_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failed = error
        except httpx.HTTPError as error:
            raise _unavailable(at.url, f"broke off ({type(error).__name__})", "try later") from error
    why = f"cannot be reached ({_reason(failed)})" if failed else "has a name without an address"
    raise _unavailable(at.url, why, "check the address, or try later") from failed


async def _asked_there(at: Address, ip: str, method: str, headers: Mapping[str, str], max_bytes: int) -> Fetched:
    """One request over a connection of its own: one that is kept could serve another name behind the same address."""
    import httpx

    there = f"[{ip}]" if ":" in ip else ip
    timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=timeout, limits=limits) as client:
        request = client.build_request(
            method,
            f"{at.scheme}://{there}:{at.port}{at.target}",
            headers={**headers, "host": at.authority, "connection": "close"},
            extensions={"timeout": timeout.as_dict(), "sni_hostname": at.host},
        )
        reply = await client.send(request, stream=True, follow_redirects=False)
        try:
            wanted = method == "GET" and 200 <= reply.status_code < 300
            data = await _body(reply, at, max_bytes) if wanted else b""
        finally:
            await reply.aclose()
    kept = {name.lower(): value for name, value in reply.headers.items()}
    return Fetched(url=at.url, status=reply.status_code, headers=MappingProxyType(kept), data=data)


async def _body(reply: "httpx.Response", at: Address, max_bytes: int) -> bytes:
    said = reply.headers.get("content-length", "")
    if said.isdigit() and len(said) < 20 and int(said) > max_bytes:
        raise _too_large(at, max_bytes)
    pieces: list[bytes] = []
    try:
        unpacker = Unpacker(reply.headers.get("content-encoding", ""), max_bytes)
        async for piece in reply.aiter_raw():
            pieces.append(unpacker.feed(piece))
    except TooLong as error:
        raise _too_large(at, max_bytes) from error
    except ValueError as error:
        raise BadReply(f"{shown(at.url)} cannot be unpacked: {error}", service=SERVICE, remedy="try later") from error
    if not unpacker.complete:
        raise _unavailable(at.url, "was cut off", "try later")
    return b"".join(pieces)


@cache
def _tls() -> "ssl.SSLContext":
    """Certificates as httpx and the environment (`SSL_CERT_FILE`) have them; made once, for it takes 20 ms."""
    import httpx

    return httpx.create_ssl_context()


@cache
def _user_agent() -> str:
    from docpipe import __version__

    return f"docpipe/{__version__}"


def _reason(error: Any) -> str:
    """Of a failed connection: refused, timed out, no certificate."""
    text = str(error)
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid"
    return "no answer in time" if "Timeout" in type(error).__name__ else "no connection"


def _unavailable(url: str, why: str, remedy: str, *, code: str = "") -> Unavailable:
    return Unavailable(f"{shown(url)} {why}", service=SERVICE, code=code, remedy=remedy)


def _too_large(at: Address, max_bytes: int) -> SourceTooLarge:
    message = f"it has more than {max_bytes:,} bytes"
    return SourceTooLarge(message, source=at.url, remedy="raise the limit, or leave this address out")
