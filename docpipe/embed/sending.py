"""Batches of texts -> vectors of length 1 of a service, some at once; a refused batch is divided until the text that is
refused stands alone."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docpipe.errors import BadReply, EmbedError, OutOfCredit, Refused, ServiceError, Unauthorized

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe._zai.embeddings import Embeddings

    type_vector = NDArray[np.float32]

_log = logging.getLogger("docpipe.embed")
_ABOUT_THE_CALL = frozenset({"1001", "1211", "1212", "1215", "1220", "1221", "1222", "1231"})
"""Codes of refusals that another text would not change."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """How texts are sent. A batch is text -> what is sent of it; `found` gets the vector of each text."""

    client: "Embeddings"
    model: str
    dim: int
    dimensions: int | None
    """The length to ask for; None: what the model gives by itself."""
    max_tokens: int
    at_once: int
    keep: "Callable[[Mapping[str, type_vector]], None]"
    """Is told of the vectors of each reply."""

    async def every(self, batches: Iterable[Mapping[str, str]], found: "dict[str, type_vector]") -> None:
        """Send all. After an error of the service no batch is begun; those under way are waited for.

        Raises:
            EmbedError: the service will not embed one of the texts.
            ServiceError: it cannot be used now, or not with this key, or refuses the call whatever the texts.
        """
        waiting, failed = iter(batches), list[Exception]()

        async def work() -> None:
            for batch in waiting:
                try:
                    await self._batch(batch, found)
                except Exception as error:  # told when the others have ended
                    failed.append(error)
                if any(isinstance(error, ServiceError) for error in failed):
                    return

        await asyncio.gather(*(work() for _ in range(self.at_once)))
        if failed:
            raise min(failed, key=_rank)

    async def _batch(
        self, texts: Mapping[str, str], found: "dict[str, type_vector]", *, surely_a_text: bool = False
    ) -> None:
        try:
            await self._request(texts, found)
        except Refused as error:
            if error.code in _ABOUT_THE_CALL or error.status in (401, 403, 404, 405):
                raise
            if len(texts) == 1:
                await self._alone(texts, found, error)
            else:
                await self._divided(texts, found, surely_a_text=surely_a_text or _about_a_text(error))

    async def _request(self, texts: Mapping[str, str], found: "dict[str, type_vector]") -> None:
        vectors, _ = await self.client.embed(list(texts.values()), model=self.model, dimensions=self.dimensions)
        wrong: EmbedError | None = None
        sound: dict[str, type_vector] = {}
        for text, vector in zip(texts, vectors, strict=True):
            try:
                sound[text] = unit(vector, dim=self.dim, model=self.model)
            except EmbedError as error:  # the others of the batch are paid for too
                wrong = error
        found.update(sound)
        self.keep(sound)
        if wrong is not None:
            raise wrong

    async def _divided(self, texts: Mapping[str, str], found: "dict[str, type_vector]", *, surely_a_text: bool) -> None:
        """Both halves; before, one usual text alone: where that is refused too, it is not because of a text."""
        rest = dict(texts)
        if not surely_a_text:
            usual = sorted(rest, key=lambda text: len(rest[text]))[len(rest) // 2]
            await self._request({usual: rest.pop(usual)}, found)
        items = list(rest.items())
        halves = [dict(half) for half in (items[: len(items) // 2], items[len(items) // 2 :]) if half]
        calls = [self._batch(half, found, surely_a_text=True) for half in halves]
        for result in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _alone(self, texts: Mapping[str, str], found: "dict[str, type_vector]", error: Refused) -> None:
        """Half of a text that may be too long, since counts are estimates; any other is told."""
        ((text, sent),) = texts.items()
        if not error.content_policy and len(sent.encode("utf-8", "replace")) > self.max_tokens:
            _log.warning("a text of %d characters was refused (%s): half of it is embedded", len(sent), error.code)
            await self._batch({text: sent[: len(sent) // 2]}, found)
            return
        raise EmbedError(
            f"the service will not embed a text of {len(sent)} characters: {error.message}",
            stage="embed.http",
            remedy=error.remedy or "leave the document out, or choose another model",
        ) from error


def _about_a_text(error: Refused) -> bool:
    return error.content_policy or error.code == "1261" or error.status == 413


def _rank(error: Exception) -> int:
    """Which of several errors is told: those that end a run first, then those of the service."""
    return 0 if isinstance(error, (Unauthorized, OutOfCredit)) else 1 if isinstance(error, ServiceError) else 2


def unit(vector: Sequence[float], *, dim: int, model: str) -> "type_vector":
    """The vector with length 1.

    Raises:
        BadReply: it has not `dim` numbers.
        EmbedError: it has no direction.
    """
    import numpy as np

    try:
        row = np.asarray(vector, np.float64)
    except (TypeError, ValueError):
        row = np.empty(0)
    if row.shape != (dim,):
        raise BadReply(
            f"{model} gave a vector of {len(vector)} numbers, {dim} were expected",
            service="embeddings",
            remedy=f"set `dimensions: {len(vector)}` of embed.http, if all have so many",
        )
    length = float(np.linalg.norm(row))
    if not np.isfinite(length) or length == 0:
        raise EmbedError(
            f"{model} gave a vector without a direction",
            stage="embed.http",
            remedy="try again; check the model at the service",
        )
    scaled: type_vector = (row / length).astype(np.float32)
    return scaled
