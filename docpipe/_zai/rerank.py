"""Rerank: a question and texts -> how well each fits. Documented on the mainland platform only."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.codes import classify
from docpipe.errors import BadReply

CAPABILITY = Capability(
    name="rerank",
    base_url="https://open.bigmodel.cn/api/paas/v4",
    base_url_variable="ZAI_RERANK_URL",
    classify=classify,
    concurrency=4,
    read_seconds=30.0,
)
MODEL = "rerank"
MOST_TEXTS = 128
MOST_CHARACTERS = 4096
"""Of the question, and of each text."""


class Rerank:
    """Rerank at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint, *, model: str = MODEL) -> None:
        self._service = service(CAPABILITY, endpoint)
        self._model = model

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._service.require_key()

    async def scores(self, query: str, documents: Sequence[str]) -> list[float]:
        """One score for each of at most 128 texts; what is too long is cut.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        sent = await self._service.post("rerank", body(query, documents, model=self._model))
        return scores(sent.payload, count=len(documents))


def body(query: str, documents: Sequence[str], *, model: str = MODEL) -> dict[str, Any]:
    """What is sent."""
    texts = [text[:MOST_CHARACTERS] for text in documents]
    return {"model": model, "query": query[:MOST_CHARACTERS], "documents": texts, "top_n": len(texts)}


def scores(payload: Mapping[str, Any], *, count: int) -> list[float]:
    """The scores of a reply by their `index`.

    Raises:
        BadReply: not one for each text.
    """
    rows = payload.get("results")
    found: dict[int, float] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping):
            index, score = row.get("index"), row.get("relevance_score")
            if isinstance(index, int) and isinstance(score, (int, float)) and math.isfinite(score):
                found[index] = float(score)
    if sorted(found) != list(range(count)):
        raise BadReply(
            f"asked for {count} scores, got {len(found)}",
            service=CAPABILITY.name,
            remedy="check `service.base_url`; or set `retrieve: {rerank: none}`",
        )
    return [found[index] for index in range(count)]
