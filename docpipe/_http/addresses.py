"""Web addresses: one spelling of each, and which of them may be asked (pure).

Source: WHATWG URL (hosts, numbers that stand for IPv4 addresses), RFC 3986 (paths), RFC 5891 and UTS 46 (names), and
the IANA special-purpose address registries.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NoReturn
from urllib.parse import quote, urljoin, urlsplit

from docpipe.errors import Refused

SERVICE = "web"
"""What errors about pages of the web name as their service."""

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192
_BLANK = re.compile(r"[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060\ufeff\ud800-\udfff\\]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_BRACKETED = re.compile(r"\[[^\[\]]*\](?::\d*)?")
_PERCENT = re.compile("%(?:[0-9a-fA-F]{2})?")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LOCAL_NAMES = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
    "localdomain",
)
_CLOSED_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
"""168.63.129.16 is a public number behind which a cloud keeps its own services."""
_OPEN_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_HOLDS_IPV4 = tuple(IPv6Network(network) for network in ("::ffff:0:0/96", "64:ff9b::/96"))
"""Mapped and NAT64 addresses: as public as the IPv4 address at their end."""
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A web address in its one spelling, and its parts."""

    url: str
    scheme: str
    host: str
    """A name in ASCII, or an IP address, IPv6 without brackets."""
    port: int
    target: str
    """Path and query."""

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The host where it is an IP address."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """The `Host` header."""
        return _authority(self.scheme, self.host, self.port)


def address(url: str) -> Address:
    """Read a web address.

    Law: `address(address(url).url) == address(url)`. Letter case of scheme and host, escapes that need not be, dots in
    the path, the scheme's own port and the fragment make no difference; names outside ASCII become Punycode, numbers
    that stand for an IPv4 address (`0x7f.1`, `2130706433`) are written out.

    Raises:
        Refused: it is not http or https, holds a user's name, or cannot be read; `.code` is `address`.
    """
    url = url.strip(" \t\r\n")
    if not url or len(url) > _LONGEST or _BLANK.search(url):
        _refuse(url, "it is empty, too long, or holds blanks, backslashes or hidden characters")
    try:
        parts = urlsplit(url)
        scheme, name, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise _refused(url, f"it cannot be read: {error}") from error
    if scheme not in _PORTS:
        _refuse(url, "only http:// and https:// are asked")
    if "@" in parts.netloc:
        _refuse(url, "it holds a user's name or password")
    if port == 0:
        _refuse(url, "0 is no port")
    bracketed = "[" in parts.netloc
    if bracketed and not _BRACKETED.fullmatch(parts.netloc):
        _refuse(url, "its host is no IPv6 address")
    host = _host(name, url, bracketed=bracketed)
    port, target = port or _PORTS[scheme], _target(parts.path, parts.query)
    return Address(
        url=f"{scheme}://{_authority(scheme, host, port)}{target}", scheme=scheme, host=host, port=port, target=target
    )


def normal_url(url: str) -> str:
    """The one spelling of a web address; raises as `address` does."""
    return address(url).url


def check_url(url: str) -> Address:
    """A web address that may be given away: http or https, and no name or number of a private network.

    No name is looked up: it is for addresses that somebody else, such as the platform's reader, is asked to open.

    Raises:
        Refused: it may not.
    """
    found = address(url)
    if (ip := found.ip) is not None:
        if not is_public(ip):
            _refuse(found.url, "it is an address of a private or reserved network")
    elif "." not in found.host or any(found.host == name or found.host.endswith(f".{name}") for name in _LOCAL_NAMES):
        _refuse(found.url, "it is a name of a private network")
    if found.port not in _PORTS.values() and found.port < 1024:
        _refuse(found.url, f"port {found.port} is no port of the web")
    return found


def redirected(base: Address, location: str) -> Address:
    """Where a `Location` header leads; raises as `address` does."""
    try:
        return address(urljoin(base.url, location.strip(" \t\r\n")))
    except ValueError as error:
        raise _refused(location, f"it cannot be read: {error}") from error


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open internet; false for those that hide a private IPv4 address, too."""
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _CLOSED_4)
    if ip.scope_id is not None:
        return False
    low = int(ip) & 0xFFFFFFFF
    if any(ip in network for network in _HOLDS_IPV4):
        return is_public(IPv4Address(low))
    if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP and not is_public(IPv4Address(low)):
        return False
    return ip in _OPEN_6 and not any(ip in network for network in _CLOSED_6)


def _authority(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == _PORTS[scheme] else f"{name}:{port}"


def _host(name: str, url: str, *, bracketed: bool) -> str:
    if bracketed or ":" in name:
        try:
            ip = IPv6Address(name)
        except ValueError as error:
            raise _refused(url, "its host is no IPv6 address") from error
        if ip.scope_id is not None:
            _refuse(url, "an address with a zone belongs to one machine")
        return str(ip)
    host = (_ascii(name, url) if not name.isascii() else name.lower()).removesuffix(".")
    labels = host.split(".")
    if _is_number(labels[-1]):
        return str(_ipv4(labels, url))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse(url, "its host is no name")
    return host


def _ascii(name: str, url: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise _refused(url, f"its host is no name: {error}") from error


def _is_number(label: str) -> bool:
    return label.isdigit() or re.fullmatch("0x[0-9a-f]*", label) is not None


def _ipv4(labels: list[str], url: str) -> IPv4Address:
    """One to four numbers, decimal, octal (`017`) or hexadecimal (`0x1f`); the last one fills what is left."""
    try:
        numbers = [_number(label) for label in labels]
        *first, last = numbers
        if len(numbers) > 4 or any(number > 255 for number in first):
            raise ValueError("too large")
        value = sum(number << (24 - 8 * place) for place, number in enumerate(first))
        if last >= 1 << (8 * (4 - len(first))):
            raise ValueError("too large")
        return IPv4Address(value + last)
    except ValueError as error:
        raise _refused(url, "its host is no IPv4 address") from error


def _number(label: str) -> int:
    if not _is_number(label):
        raise ValueError("no number")
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)


def _target(path: str, query: str) -> str:
    made = _without_dots(_escaped(path, "/:@!$&'()*+,;=")) or "/"
    return f"{made}?{_escaped(query, '/:@!$&()*+,;=?')}" if query else made


def _escaped(text: str, safe: str) -> str:
    """Percent escapes in capitals; none for letters that need none."""

    def plain(match: re.Match[str]) -> str:
        if match[0] == "%":
            return "%25"
        letter = chr(int(match[0][1:], 16))
        return letter if letter in _UNRESERVED else match[0].upper()

    return quote(_PERCENT.sub(plain, text), safe=safe + "%~")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")[1:]
    for place, part in enumerate(parts):
        if part not in (".", ".."):
            kept.append(part)
            continue
        if part == ".." and kept:
            kept.pop()
        if place == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _refused(url: str, why: str) -> Refused:
    return Refused(
        f"the address {shown(url)} is not asked: {why}",
        service=SERVICE,
        code="address",
        remedy="give an http:// or https:// address of the open internet, without a user's name in it",
    )


def _refuse(url: str, why: str) -> NoReturn:
    raise _refused(url, why)


def shown(url: str) -> str:
    """An address for a message: without user, password, query and fragment, and not too long."""
    plain = re.sub(r"//[^/?#]*@", "//", url).partition("?")[0].partition("#")[0]
    return repr(plain if len(plain) <= 200 else plain[:200] + "...")
