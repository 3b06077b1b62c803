"""Question + texts -> scores of the platform's rerank endpoint, which reads any language."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe.errors import Refused, ServiceError, Unavailable

if TYPE_CHECKING:
    from docpipe._zai.rerank import Rerank

_REST = 30.0
"""Seconds without a call after one that failed: otherwise every search would wait for a service that is away."""


class _Rest:
    """When the service failed last."""

    error: ServiceError | None = None
    until: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ZaiReranker:
    """Has the platform read the question beside each text. Documented on the mainland only, whose keys are its own."""

    VERSION = 1

    depth: int = 20
    """How many hits it reads."""

    service: Endpoint = field(default_factory=Endpoint)
    """Where it is; by default the mainland platform, or what `ZAI_RERANK_URL` says."""

    seconds: float = 10.0
    """The longest that a search waits for it, all attempts together."""

    _rest: _Rest = field(default_factory=_Rest, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be positive, got {self.depth}")
        if self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds:g}")

    @property
    def languages(self) -> tuple[str, ...]:
        """Any."""
        return ()

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._client.require_key()

    def score(self, question: str, texts: Sequence[str], /) -> list[float]:
        """Relevance of each text, in the order given; what is above 4,096 characters of a text is not read.

        Raises:
            ServiceError: it cannot be used now, or not with this key.
        """
        (found,) = self.score_many([(question, texts)])
        if isinstance(found, ServiceError):
            raise found
        return found

    def score_many(self, asked: Sequence[tuple[str, Sequence[str]]], /) -> list[list[float] | ServiceError]:
        """The same for several questions, all asked at once; an error in the place of what failed."""
        if self._rest.error is not None and time.monotonic() < self._rest.until:
            return [self._rest.error] * len(asked)
        return loop.wait(self._all(asked))

    @cached_property
    def _client(self) -> "Rerank":
        from docpipe._zai.rerank import Rerank

        return Rerank(self.service)

    async def _all(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[list[float] | ServiceError]:
        return list(await asyncio.gather(*(self._one(question, texts) for question, texts in asked)))

    async def _one(self, question: str, texts: Sequence[str]) -> list[float] | ServiceError:
        try:
            async with asyncio.timeout(self.seconds):
                return await self._scores(question, texts)
        except TimeoutError:
            error: ServiceError = Unavailable(
                f"no scores within {self.seconds:g} seconds",
                service="rerank",
                remedy="try later, or set `retrieve: {rerank: none}`",
            )
        except ServiceError as failed:
            if isinstance(failed, Refused) and failed.content_policy:  # because of these texts: others may pass
                return failed
            error = failed
        self._rest.error, self._rest.until = error, time.monotonic() + _REST
        return error

    async def _scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """In calls of as many texts as one takes; a blank text, which the service refuses, gets the least score."""
        from docpipe._zai.rerank import MOST_CHARACTERS, MOST_TEXTS

        scores = [0.0] * len(texts)
        sent = [place for place, text in enumerate(texts) if text[:MOST_CHARACTERS].strip()]
        groups = [sent[start : start + MOST_TEXTS] for start in range(0, len(sent), MOST_TEXTS)]
        calls = [self._client.scores(question, [texts[place] for place in group]) for group in groups]
        for group, found in zip(groups, await asyncio.gather(*calls), strict=True):
            for place, score in zip(group, found, strict=True):
                scores[place] = score
        return scores
