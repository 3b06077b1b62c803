"""A complaint of a service -> what to do about it (pure)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from docpipe.errors import BadReply, OutOfCredit, RateLimited, Refused, ServiceError, Unauthorized, Unavailable

Kind = Literal["retry", "slow_down", "wait", "account", "wrong", "content"]

PACE = 1.0
"""Every delay is multiplied by it; tests make it small."""
LONGEST_RETRY_AFTER = 120.0
"""Seconds that a service may ask us to wait within a call; where it asks for more, the call fails and says so."""

UNREACHABLE = "check the connection, and `service.base_url`; run again later: what is done is kept"
LATER = "run again later: what is done is kept"


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """What went wrong with one attempt."""

    service: str
    """Name of the capability."""
    status: int = 0
    """HTTP status; 0: there was no whole reply."""
    code: str = ""
    """The service's own code."""
    message: str = ""
    """In the service's words, or the begin of whatever it sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    transport: str = ""
    """Why there was no whole reply."""
    timed_out: bool = False
    """The reply took too long; the service may have done the work, and count it."""
    malformed: bool = False
    """There was one, and it is not what was promised."""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What a code or a status means, as a row of a table."""

    kind: Kind
    meaning: str
    remedy: str
    tries: int = 0
    """Most attempts; 0: as many as the endpoint says."""
    delay: float = 1.0
    """Before the second attempt, in seconds; it doubles each time."""
    delay_cap: float = 30.0
    """Longest delay between two attempts, in seconds."""
    renew: bool = False
    """A signed token may have run out: make a new one and try once more."""
    error: type[ServiceError] | None = None
    """None: what the kind says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What to do."""

    kind: Kind
    error: ServiceError
    """To be raised when nothing more is tried."""
    delay: float = 1.0
    delay_cap: float = 30.0
    tries: int = 0
    at: datetime | None = None
    """When it will be possible again, where the service said so."""
    after: float = 0.0
    """Seconds that the service asked us to wait."""
    renew: bool = False

    @property
    def again(self) -> bool:
        """Whether the same call may be sent again at all."""
        return self.kind in ("retry", "slow_down") and self.after <= LONGEST_RETRY_AFTER


Classify = Callable[[Complaint], Verdict]

ERRORS: Mapping[Kind, type[ServiceError]] = {
    "retry": Unavailable,
    "slow_down": RateLimited,
    "wait": OutOfCredit,
    "account": Unauthorized,
    "wrong": Refused,
    "content": Refused,
}

STATUS: Mapping[int, Rule] = {
    400: Rule(kind="wrong", meaning="bad request", remedy="look at the message: an option or the input is not allowed"),
    401: Rule(
        kind="account",
        meaning="the key was not accepted",
        remedy="check the key, and that it belongs to this base_url",
        renew=True,
    ),
    403: Rule(kind="account", meaning="no permission", remedy="the key may not use this service: ask its owner"),
    404: Rule(kind="wrong", meaning="no such address", remedy="check `service.base_url`: it ends before the path"),
    405: Rule(kind="wrong", meaning="no such method", remedy="check `service.base_url`: it ends before the path"),
    408: Rule(kind="retry", meaning="the service waited too long", remedy=LATER),
    409: Rule(kind="retry", meaning="conflict", remedy=LATER),
    413: Rule(kind="wrong", meaning="too large", remedy="send smaller pieces"),
    425: Rule(kind="retry", meaning="too early", remedy=LATER),
    429: Rule(
        kind="retry", meaning="too many requests", remedy="lower `service.concurrency`, or wait", error=RateLimited
    ),
    500: Rule(kind="retry", meaning="error within the service", remedy=LATER),
    502: Rule(kind="retry", meaning="the gateway got no answer", remedy=LATER),
    503: Rule(kind="retry", meaning="unavailable or overloaded", remedy=LATER),
    504: Rule(kind="retry", meaning="the gateway waited too long", remedy=LATER),
}
REDIRECT = Rule(kind="wrong", meaning="it points to another address", remedy="set `service.base_url` to the final one")
OTHER_WRONG = Rule(kind="wrong", meaning="refused", remedy="look at the message")
OTHER_BROKEN = Rule(kind="retry", meaning="error within the service", remedy=LATER)
NO_REPLY = Rule(kind="retry", meaning="no answer", remedy=UNREACHABLE)
TIMED_OUT = Rule(kind="retry", meaning="no answer", remedy=f"raise `service.read_seconds`, or {LATER}", tries=3)
NOT_TRUSTED = Rule(
    kind="wrong",
    meaning="no trusted connection",
    remedy="check `service.base_url`; for a certificate of your own set SSL_CERT_FILE",
    error=Unavailable,
)
MALFORMED = Rule(
    kind="retry",
    meaning="a reply that cannot be read",
    remedy="check that `service.base_url` is this kind of service",
    tries=3,
    error=BadReply,
)


def by_status(complaint: Complaint) -> Verdict:
    """The verdict of a service without codes of its own."""
    return verdict(status_rule(complaint), complaint)


def status_rule(complaint: Complaint) -> Rule:
    """What HTTP says about it."""
    status = complaint.status
    if complaint.transport:
        if "certificate" in complaint.transport.lower():
            return NOT_TRUSTED
        return TIMED_OUT if complaint.timed_out else NO_REPLY
    if complaint.malformed:
        return MALFORMED
    if status in STATUS:
        return STATUS[status]
    if 300 <= status < 400:
        return REDIRECT
    return OTHER_BROKEN if status >= 500 or status < 300 else OTHER_WRONG


def verdict(rule: Rule, complaint: Complaint, *, at: datetime | None = None, now: datetime | None = None) -> Verdict:
    """The row, applied: with the error that will be raised if nothing more is tried.

    Args:
        at: when the service will work again, where it said so.
    """
    after = retry_after(complaint.headers, now=now or datetime.now(UTC))
    kind = rule.error or ERRORS[rule.kind]
    facts: dict[str, Any] = {}
    if issubclass(kind, RateLimited):
        facts["retry_after"] = after
    if issubclass(kind, OutOfCredit):
        facts["resets_at"] = at
    if issubclass(kind, Refused):
        facts["content_policy"] = rule.kind == "content"
    error = kind(
        _message(rule, complaint, at, after),
        service=complaint.service,
        status=complaint.status,
        code=complaint.code,
        request_id=complaint.request_id,
        remedy=rule.remedy,
        **facts,
    )
    return Verdict(
        kind=rule.kind,
        error=error,
        delay=rule.delay,
        delay_cap=rule.delay_cap,
        tries=rule.tries,
        at=at,
        after=after,
        renew=rule.renew,
    )


def _message(rule: Rule, complaint: Complaint, at: datetime | None, after: float) -> str:
    told = ", ".join(
        part
        for part in (
            f"HTTP {complaint.status}" if complaint.status else "",
            f"code {complaint.code}" if complaint.code else "",
            f"request {complaint.request_id}" if complaint.request_id else "",
        )
        if part
    )
    words = complaint.transport or complaint.message
    text = f"{complaint.service}: {rule.meaning}"
    text += f" [{told}]" if told else ""
    text += f": {words}" if words else ""
    text += f"; usable again at {at.isoformat(sep=' ', timespec='minutes')}" if at else ""
    return text + (f"; it asks to wait {after:.0f} seconds" if after > LONGEST_RETRY_AFTER else "")


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float:
    """Seconds that `Retry-After` asks for, as a number or as a date; 0 where there is none that can be read."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - now).total_seconds()
    return min(max(seconds, 0.0), 10.0**9) if seconds == seconds else 0.0


def delay(told: Verdict, attempt: int, chance: Callable[[], float]) -> float:
    """Seconds until the next attempt: doubling up to the cap, three quarters of it at least, by chance.

    Args:
        attempt: how many were made, from 1.
        chance: gives numbers in [0, 1).
    """
    grown = min(told.delay * 2.0 ** min(attempt - 1, 30), told.delay_cap)
    return float(max(grown * (0.75 + 0.25 * chance()), told.after) * PACE)


ERROR_FIELDS = {"code", "message", "msg", "success", "request_id", "error", "timestamp", "status", "path", "data"}


def complains(payload: Mapping[str, Any]) -> bool:
    """Whether a reply with HTTP 200 is an error all the same."""
    if payload.get("error"):
        return isinstance(payload["error"], (str, Mapping))
    code = payload.get("code")
    return (
        set(payload) <= ERROR_FIELDS
        and not payload.get("data")
        and str(code) not in ("None", "", "0", "200")
        and isinstance(payload.get("message") or payload.get("msg"), str)
    )


def told_by(payload: Any, text: str) -> tuple[str, str, str]:
    """`(code, message, request id)` of an error's body, in any of the shapes that occur.

    Args:
        payload: the body as JSON, or None where it is none.
        text: begin of the body.
    """
    if not isinstance(payload, Mapping):
        return "", readable(text), ""
    error = payload.get("error")
    request_id = _word(payload.get("request_id"))
    if isinstance(error, Mapping):
        return _word(error.get("code")), _sentence(error), request_id or _word(error.get("request_id"))
    if isinstance(error, str) and error:
        return "", readable(error), request_id
    return _word(payload.get("code")), _sentence(payload) or readable(text), request_id


def _sentence(fields: Mapping[str, Any]) -> str:
    return next((readable(words) for name in ("message", "msg") if isinstance(words := fields.get(name), str)), "")


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return re.sub(r"[^\w.:-]", "", str(value)[:80])


def readable(text: str) -> str:
    """One line of at most 300 characters, without markup, control characters and long encoded data."""
    if re.match(r"\s*<", text):
        text = re.sub(r"(?is)<(style|script)\b.*?</\1\s*>|<[^<>]*>", " ", text[:5_000])
    text = re.sub(r"[A-Za-z0-9+/_=-]{120,}", "...", text[:5_000])
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text[:2_000]).split())
    return text if len(text) <= 300 else text[:297] + "..."
