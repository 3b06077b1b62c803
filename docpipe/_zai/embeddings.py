"""Embeddings: texts -> vectors, from the platform or any service that speaks as OpenAI's does."""

from collections.abc import Mapping, Sequence
from typing import Any

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.chat import tokens
from docpipe._zai.codes import classify
from docpipe._zai.values import Tokens
from docpipe.errors import BadReply

CAPABILITY = Capability(
    name="embeddings",
    base_url="https://open.bigmodel.cn/api/paas/v4",
    base_url_variable="ZAI_EMBEDDINGS_URL",
    classify=classify,
    concurrency=4,
    read_seconds=60.0,
    request_ids=False,
)
"""Documented on the mainland platform only, whose keys are its own."""


class Embeddings:
    """Embeddings at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(CAPABILITY, endpoint)

    @property
    def base_url(self) -> str:
        """Where it is."""
        return self._service.base_url

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._service.require_key()

    async def embed(
        self, texts: Sequence[str], *, model: str, dimensions: int | None = None
    ) -> tuple[list[list[float]], Tokens]:
        """The vectors, in the order of the texts, as long as the service makes them.

        Raises:
            BadReply: not one vector for each text, or not all of one length.
            ServiceError: after all attempts that make sense.
        """
        sent = await self._service.post("embeddings", body(texts, model=model, dimensions=dimensions))
        return vectors(sent.payload, count=len(texts)), tokens(sent.payload.get("usage")) or Tokens()


def body(texts: Sequence[str], *, model: str, dimensions: int | None = None) -> dict[str, Any]:
    """What is sent."""
    form: dict[str, Any] = {"model": model, "input": list(texts)}
    if dimensions:
        form["dimensions"] = dimensions
    return form


def vectors(payload: Mapping[str, Any], *, count: int) -> list[list[float]]:
    """The vectors of a reply by their `index`.

    Raises:
        BadReply: not one for each text, or not all of one length.
    """
    rows = payload.get("data")
    found: dict[int, list[float]] = {}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        vector = row.get("embedding") if isinstance(row, Mapping) else None
        index = row.get("index", place) if isinstance(row, Mapping) else place
        if isinstance(index, int) and isinstance(vector, list) and vector:
            found[index] = vector
    lengths = {len(vector) for vector in found.values()}
    if sorted(found) != list(range(count)) or len(lengths) > 1:
        raise BadReply(
            f"asked for {count} vectors, got {len(found)} of the lengths {sorted(lengths)}",
            service=CAPABILITY.name,
            remedy="check `model` and `service.base_url`; try again",
        )
    return [found[index] for index in range(count)]
