"""Tokenizer: messages -> how many tokens the platform counts, its template's own included."""

from collections.abc import Mapping, Sequence
from typing import Any

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.codes import classify
from docpipe.errors import BadReply

CAPABILITY = Capability(name="tokenizer", classify=classify, concurrency=4, read_seconds=20.0)
COUNTED = ("glm-4.6", "glm-4.6v", "glm-4.5")
"""Models that it knows; all others are counted as the first."""


class TokenCounter:
    """The tokenizer at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(CAPABILITY, endpoint)

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._service.require_key()

    async def count(self, messages: Sequence[Mapping[str, str]], *, model: str = COUNTED[0]) -> int:
        """Tokens of a conversation; one message at least is a user's.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        sent = await self._service.post("tokenizer", body(messages, model=model))
        return counted(sent.payload)


def body(messages: Sequence[Mapping[str, str]], *, model: str) -> dict[str, Any]:
    """What is sent."""
    return {"model": model if model in COUNTED else COUNTED[0], "messages": [dict(message) for message in messages]}


def counted(payload: Mapping[str, Any]) -> int:
    """The count of a reply.

    Raises:
        BadReply: it holds none.
    """
    usage = payload.get("usage")
    for name in ("prompt_tokens", "total_tokens"):
        count = usage.get(name) if isinstance(usage, Mapping) else None
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            return count
    raise BadReply("the reply holds no count", service=CAPABILITY.name, remedy="check `service.base_url`; try again")
