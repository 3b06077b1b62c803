"""What was sent to services by this process, and what they counted."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN = "selfhosted"
"""What calls are counted under that carry no key: they go to a server of one's own, and cost nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Figures of one capability and model."""

    requests: int = 0
    """Calls that ended well."""
    attempts: int = 0
    """Requests that were sent, those included that failed and were sent again."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that the service had cached."""
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            requests=self.requests + other.requests,
            attempts=self.attempts + other.attempts,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            requests=self.requests - other.requests,
            attempts=self.attempts - other.attempts,
            prompt_tokens=self.prompt_tokens - other.prompt_tokens,
            cached_tokens=self.cached_tokens - other.cached_tokens,
            completion_tokens=self.completion_tokens - other.completion_tokens,
        )


Totals = Mapping[tuple[str, str], Tally]
"""By name of the capability and of the model."""

_guard = threading.Lock()
_totals: dict[tuple[str, str], Tally] = {}


def add(capability: str, model: str, tally: Tally) -> None:
    """Count it; from any thread."""
    with _guard:
        _totals[capability, model] = _totals.get((capability, model), Tally()) + tally


def totals() -> Totals:
    """All of this process so far; a copy."""
    with _guard:
        return dict(_totals)


def difference(after: Totals, before: Totals) -> Totals:
    """What came in between; without what did not change."""
    changes = {key: tally - before.get(key, Tally()) for key, tally in after.items()}
    return {key: tally for key, tally in changes.items() if tally != Tally()}


def counted(payload: Mapping[str, Any]) -> Tally:
    """The `usage` of a reply; zero wherever it is missing or is no count."""
    usage = payload.get("usage")
    if not isinstance(usage, Mapping):
        return Tally()
    details = usage.get("prompt_tokens_details")
    completion = _count(usage.get("completion_tokens"))
    return Tally(
        prompt_tokens=_count(usage.get("prompt_tokens")) or max(0, _count(usage.get("total_tokens")) - completion),
        cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, Mapping) else 0,
        completion_tokens=completion,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else 0
