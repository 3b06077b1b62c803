"""Where a service is and how it may be used: the options that every stage with a service has (pure)."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The `service:` option of a stage. What is left empty or 0 is the capability's own default."""

    base_url: str = ""
    """Begin of every address; else what `ZAI_BASE_URL` says, else the capability's own platform."""
    key: str = "ZAI_API_KEY"
    """Name of the environment variable that holds the key; empty: the service needs none."""
    auth: Literal["bearer", "jwt"] = "bearer"
    """Send the key itself, or a token of a few minutes that is signed with it (keys of the form `id.secret`)."""
    concurrency: int = 0
    """Most calls in flight at once; it falls by itself where the service complains, and grows back."""
    attempts: int = 5
    """How often one call is tried, the first time included."""
    connect_seconds: float = 10.0
    """How long a connection may take."""
    read_seconds: float = 0.0
    """How long the service may be silent."""
    max_requests: int = 0
    """Requests that one process may send to it; 0: no limit."""
    max_tokens: int = 0
    """Tokens, in and out, that one process may have it read and write; 0: no limit."""
    http2: bool = False
    """Speak HTTP/2; needs the package `h2`."""

    def __post_init__(self) -> None:
        if self.base_url and (fault := fault_of(self.base_url)):
            raise ValueError(f"base_url {fault}")
        if self.key and not self.key.isidentifier():
            raise ValueError("key must be the name of an environment variable, never the key itself")
        for name in ("concurrency", "read_seconds", "max_requests", "max_tokens"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")
        if self.connect_seconds <= 0:
            raise ValueError(f"connect_seconds must be above 0, got {self.connect_seconds:g}")


def fault_of(base_url: str) -> str:
    """What is wrong with the begin of an address, as the rest of a sentence; empty where it can be used."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        return "holds a host or a port that no address has"
    if "@" in parts.netloc:
        return "must not hold a user or a password: name the key's variable in `key`"
    if parts.scheme not in ("http", "https"):
        return f"must begin with http:// or https://, got {base_url[:200]!r}"
    if not parts.hostname or port == 0 or not base_url.isprintable() or " " in base_url:
        return f"must name a host, without blanks, got {base_url[:200]!r}"
    return f"must end before any ? and #, got {base_url[:200]!r}" if parts.query or parts.fragment else ""
