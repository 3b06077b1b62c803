"""A key `id.secret` -> a token of a few minutes that is signed with it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

LIFETIME = 210
"""Seconds that a token is valid."""
REUSE = 180
"""Seconds for which it is sent."""


def token(key: str, *, now: float) -> str:
    """A JWT (HS256) whose times are milliseconds.

    Args:
        now: seconds since 1970.

    Raises:
        ValueError: the key has not the form `id.secret`; the message does not show it.
    """
    identity, dot, secret = key.partition(".")
    if not (identity and dot and secret):
        raise ValueError("the key has not the form id.secret, which auth: jwt needs")
    milliseconds = round(now * 1000)
    head = _part({"alg": "HS256", "sign_type": "SIGN"})
    body = _part({"api_key": identity, "exp": milliseconds + LIFETIME * 1000, "timestamp": milliseconds})
    signature = hmac.new(secret.encode(), head + b"." + body, hashlib.sha256).digest()
    return (head + b"." + body + b"." + _plain(signature)).decode()


def _part(value: dict[str, Any]) -> bytes:
    return _plain(json.dumps(value, separators=(",", ":")).encode())


def _plain(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Signer:
    """Gives a token, the same one for three minutes."""

    def __init__(self, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._token, self._made = "", 0.0

    def token(self) -> str:
        """A token that is valid for another 30 seconds at least."""
        now = self._clock()
        if not self._token or not 0 <= now - self._made < REUSE:
            self._token, self._made = token(self._key, now=now), now
        return self._token

    def renew(self) -> None:
        """The next one is a new one."""
        self._token = ""

    def __repr__(self) -> str:
        return "Signer(...)"
