"""The key, as it is or as a signed token (pure)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from standin.refusals import Refusal


def check(headers: Mapping[str, str], key: str, *, now_ms: float) -> None:
    """Let only the account's key pass, or a JWT that was signed with it and has not expired (milliseconds).

    Raises:
        Refusal: 1001, 1000, 1002 or 1003.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise Refusal(code="1001")
    given = given.strip()
    if hmac.compare_digest(given, key):
        return
    if given.count(".") != 2:
        raise Refusal(code="1000")
    _check_token(given, key, now_ms)


def _check_token(token: str, key: str, now_ms: float) -> None:
    head, payload, signature = token.split(".")
    identity, _, secret = key.partition(".")
    wanted = hmac.new(secret.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
    try:
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
        genuine = hmac.compare_digest(wanted, _decoded(signature)) and claims["api_key"] == identity
        right = genuine and header["alg"] == "HS256" and header["sign_type"] == "SIGN"
        expires = float(claims["exp"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(code="1002") from error
    if not right:
        raise Refusal(code="1002")
    if expires <= now_ms or float(claims.get("timestamp", 0)) < now_ms - 86_400_000:
        raise Refusal(code="1003")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
