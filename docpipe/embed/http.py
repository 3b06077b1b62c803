"""Texts -> vectors of a service: the platform's embeddings, or any that speak as OpenAI's do."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._http.meter import OWN
from docpipe.embed.batches import batches, shortened
from docpipe.errors import BadReply, EmbedError, InvalidOption, Refused
from docpipe.protocols import Expected
from docpipe.split.tokenizers import check_name, tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe._zai.embeddings import Embeddings

    type_matrix = NDArray[np.float32]
    type_vector = NDArray[np.float32]

_log = logging.getLogger("docpipe.embed")
_KEPT = 20_000
"""Vectors of a call that failed, kept for the next try."""
_ABOUT_THE_CALL = frozenset({"1001", "1211", "1212", "1215", "1220", "1221", "1222"})
"""Codes of refusals that another text would not change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownModel:
    """Facts about a model (source: its maker's documentation)."""

    family: str
    dim: int
    """Length of its vectors, unless others are asked for."""
    max_tokens: int
    chooses: tuple[int, ...] = ()
    """Lengths that may be asked for; empty: none, or any below `dim` where `any_below`."""
    any_below: bool = False


MODELS: Mapping[str, KnownModel] = {
    "embedding-3": KnownModel(family="zai", dim=2048, max_tokens=3072, chooses=(256, 512, 1024, 2048)),
    "embedding-2": KnownModel(family="zai", dim=1024, max_tokens=512),
    "text-embedding-3-small": KnownModel(family="openai", dim=1536, max_tokens=8191, any_below=True),
    "text-embedding-3-large": KnownModel(family="openai", dim=3072, max_tokens=8191, any_below=True),
    "text-embedding-ada-002": KnownModel(family="openai", dim=1536, max_tokens=8191),
}
"""Others are allowed: they need `dimensions`, the length of their vectors."""


@dataclass(frozen=True, kw_only=True)
class HttpEmbedder:
    """Texts -> vectors of length 1. Batches go out at once, as many as the service takes."""

    VERSION = 1

    model: str = "embedding-3"
    """Name of the model; becomes its identity, `family:name:dimensions`, which is accepted too."""
    dimensions: int = 0
    """Length of the vectors; 0: what the model gives by itself. Must be told for a model that docpipe does not know."""
    service: Endpoint = field(default_factory=Endpoint, compare=False)
    """Where it is; by default the mainland platform, or what `ZAI_EMBEDDINGS_URL` says."""
    tokenizer: str = "cl100k_base"
    """Counts the tokens of a text before it is sent."""
    max_tokens: int = 0
    """The longest text the model reads; 0: what is known of the model, else 512. What is longer is cut."""
    query_prefix: str = ""
    """Put before each question, where the model was trained with one."""
    passage_prefix: str = ""
    """The same before each text."""
    batch_texts: int = field(default=64, compare=False)
    """Most texts in one request."""
    batch_tokens: int = field(default=16_384, compare=False)
    """Most tokens in one request, about."""
    _finished: "dict[str, type_vector]" = field(default_factory=dict, init=False, compare=False, repr=False)
    """Vectors of a call that failed elsewhere: the next try does not pay for them again."""

    def __post_init__(self) -> None:
        for name in ("batch_texts", "batch_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("dimensions", "max_tokens"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        check_name(self.tokenizer)
        object.__setattr__(self, "model", self._identity())
        object.__setattr__(self, "max_tokens", self.max_tokens or (self._known.max_tokens if self._known else 512))

    @property
    def name(self) -> str:
        """What the service calls the model."""
        family, _, rest = self.model.partition(":")
        return rest.rpartition(":")[0] if family else self.model

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.model.rpartition(":")[2])

    @property
    def languages(self) -> tuple[str, ...]:
        """Any."""
        return ()

    @property
    def batch_size(self) -> int:
        """Texts it likes to get at once: enough for every call that may be in flight."""
        return self.batch_texts * 4 * (self.service.concurrency or 4)

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._client.require_key()

    def expected_of_tokens(self, tokens: int, /) -> Expected:
        """Calls and tokens; more calls where texts are short."""
        capability = "embeddings" if self.service.key else OWN
        requests = -(-tokens // self.batch_tokens)
        return Expected(capability=capability, model=self.name, requests=requests, prompt_tokens=tokens)

    def embed_passages(self, texts: Sequence[str], /) -> "type_matrix":
        """Vectors of texts to find: shape (len(texts), dim); equal texts are asked for once.

        Raises:
            EmbedError: the service will not embed one of the texts.
            ServiceError: it cannot be used now, or not with this key. What was finished is not asked for again.
        """
        return self._embed([self.passage_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str], /) -> "type_matrix":
        """The same for questions."""
        return self._embed([self.query_prefix + text for text in texts])

    @property
    def _known(self) -> KnownModel | None:
        return MODELS.get(self.name)

    @cached_property
    def _client(self) -> "Embeddings":
        from docpipe._zai.embeddings import Embeddings

        return Embeddings(self.service)

    def _identity(self) -> str:
        """`family:name:dimensions`, from the name and the dimensions or from itself."""
        family, _, rest = self.model.partition(":")
        name, _, dim = rest.rpartition(":")
        if family in ("zai", "openai", "own") and name and dim.isdecimal():
            return self._checked(name, self.dimensions or int(dim))
        return self._checked(self.model, self.dimensions)

    def _checked(self, name: str, dim: int) -> str:
        known = MODELS.get(name)
        if known is None:
            if not dim:
                raise InvalidOption(
                    f"embed.http does not know the model {name!r}",
                    where="dimensions",
                    remedy="tell the length of its vectors with `dimensions`",
                )
            return f"own:{name}:{dim}"
        dim = dim or known.dim
        if dim != known.dim and dim not in known.chooses and not (known.any_below and dim < known.dim):
            wanted = ", ".join(map(str, known.chooses or (known.dim,)))
            raise InvalidOption(
                f"{name} gives no vectors of {dim} numbers", where="dimensions", remedy=f"choose one of {wanted}"
            )
        return f"{known.family}:{name}:{dim}"

    def _embed(self, texts: Sequence[str]) -> "type_matrix":
        import numpy as np

        distinct = list(dict.fromkeys(texts))
        missing = [text for text in distinct if text not in self._finished]
        found = dict(self._finished)
        if missing:
            counts = [count + 2 for count in tokenizer(self.tokenizer).count_many(missing)]
            loop.wait(self._ask(missing, counts, found))
        rows = np.empty((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            rows[row] = found[text]
        self._finished.clear()
        return rows

    async def _ask(self, texts: Sequence[str], counts: Sequence[int], found: "dict[str, type_vector]") -> None:
        """Fill `found`, all batches at once. After a failure none is begun; those in flight are waited for."""
        failed: list[BaseException] = []

        async def one(positions: Sequence[int]) -> None:
            sent = {at: shortened(texts[at], tokens=counts[at], most=self.max_tokens) for at in positions}
            if not failed:
                try:
                    await self._batch({texts[at]: sent[at] or " " for at in positions}, found)
                except Exception as error:  # told when the others have ended
                    failed.append(error)

        groups = batches(
            [min(count, self.max_tokens) for count in counts],
            most_texts=self.batch_texts,
            most_tokens=self.batch_tokens,
        )
        await asyncio.gather(*map(one, groups))
        if failed:
            self._keep(found)
            raise failed[0]

    async def _batch(self, texts: Mapping[str, str], found: "dict[str, type_vector]") -> None:
        """One request; a refused one is divided until the text that is refused stands alone."""
        asked = self.dim if self._known and self.dim != self._known.dim else None
        try:
            vectors, _ = await self._client.embed(list(texts.values()), model=self.name, dimensions=asked)
        except Refused as error:
            if error.code in _ABOUT_THE_CALL or error.status in (401, 403, 404, 405):
                raise
            await self._divided(texts, found, error)
            return
        for text, vector in zip(texts, vectors, strict=True):
            found[text] = self._of_length_one(vector)

    async def _divided(self, texts: Mapping[str, str], found: "dict[str, type_vector]", error: Refused) -> None:
        items = list(texts.items())
        if len(items) > 1:
            middle = len(items) // 2
            halves = [self._batch(dict(half), found) for half in (items[:middle], items[middle:])]
            for result in await asyncio.gather(*halves, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            return
        ((text, sent),) = items
        if len(sent) > 200 and not error.content_policy:
            _log.warning("a text of %d characters was refused (%s): half of it is embedded", len(sent), error.code)
            await self._batch({text: sent[: len(sent) // 2]}, found)
            return
        raise EmbedError(
            f"the service will not embed a text of {len(sent)} characters: {error.message}",
            stage="embed.http",
            remedy=error.remedy or "leave the document out, or choose another model",
        ) from error

    def _of_length_one(self, vector: Sequence[float]) -> "type_vector":
        import numpy as np

        try:
            row = np.asarray(vector, np.float64)
        except (TypeError, ValueError):
            row = np.empty(0)
        if row.shape != (self.dim,):
            raise BadReply(
                f"{self.name} gave a vector of {len(vector)} numbers, {self.dim} were expected",
                service="embeddings",
                remedy=f"set `dimensions: {len(vector)}` of embed.http",
            )
        length = float(np.linalg.norm(row))
        if not np.isfinite(length) or length == 0:
            raise EmbedError(
                f"{self.name} gave a vector without a direction",
                stage="embed.http",
                remedy="try again; check the model at the service",
            )
        scaled: type_vector = (row / length).astype(np.float32)
        return scaled

    def _keep(self, found: "Mapping[str, type_vector]") -> None:
        self._finished.clear()
        for text in list(found)[-_KEPT:]:
            self._finished[text] = found[text]
