"""Texts -> vectors of a service: the platform's embeddings, or any that speak as OpenAI's do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._http.meter import OWN
from docpipe.embed.batches import batches, shortened
from docpipe.embed.sending import Sending
from docpipe.errors import InvalidOption
from docpipe.protocols import Expected
from docpipe.split.tokenizers import check_name, tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe._zai.embeddings import Embeddings

    type_matrix = NDArray[np.float32]
    type_vector = NDArray[np.float32]

_KEPT_NUMBERS = 16_000_000
"""Numbers in the vectors that are kept of calls that failed: 64 MB."""
_NOTHING = "-"
"""Sent for a blank text, which a service refuses."""
CONCURRENCY = 4
"""Requests in flight at once, unless `service.concurrency` says otherwise."""
_AHEAD = 2
"""Requests that wait for a place, so that none stays empty."""


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
    together: int = 300_000
    """Most tokens in one request."""


MODELS: Mapping[str, KnownModel] = {
    "embedding-3": KnownModel(family="zai", dim=2048, max_tokens=3072, chooses=(256, 512, 1024, 2048)),
    "embedding-2": KnownModel(family="zai", dim=1024, max_tokens=512, together=8_000),
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
    """By what chunks for this model are measured; what is sent to the platform is counted more carefully."""
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
        return self.batch_texts * 4 * (self.service.concurrency or CONCURRENCY)

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

    def embed_keeping(
        self, texts: Sequence[str], keep: "Callable[[Mapping[str, type_vector]], None]", /
    ) -> "type_matrix":
        """`embed_passages`, with `keep` told of each reply as soon as it is there."""
        prefix = self.passage_prefix

        def told(vectors: "Mapping[str, type_vector]") -> None:
            keep({text.removeprefix(prefix): vector for text, vector in vectors.items()})

        return self._embed([prefix + text for text in texts], keep=told)

    def embed_queries(self, texts: Sequence[str], /) -> "type_matrix":
        """The same for questions."""
        return self._embed([self.query_prefix + text for text in texts])

    @property
    def _known(self) -> KnownModel | None:
        return MODELS.get(self.name)

    @property
    def _counted_by(self) -> str:
        """The tokenizer for what is sent: too much is refused, so for the platform it is counted on the safe side."""
        return "zai" if self._known and self._known.family == "zai" else self.tokenizer

    @cached_property
    def _client(self) -> "Embeddings":
        from docpipe._zai.embeddings import CAPABILITY, Embeddings

        made = Embeddings(self.service)
        if made.base_url == CAPABILITY.base_url and not self.model.startswith("zai:"):
            raise InvalidOption(
                f"{made.base_url} has no model {self.name!r}",
                where="service.base_url",
                remedy="tell where the model is: `service: {base_url: https://api.openai.com/v1, key: OPENAI_API_KEY}`",
            )
        return made

    def _sending(self, keep: "Callable[[Mapping[str, type_vector]], None]") -> Sending:
        return Sending(
            client=self._client,
            model=self.name,
            dim=self.dim,
            dimensions=self.dim if self._known and self.dim != self._known.dim else None,
            max_tokens=self.max_tokens,
            at_once=(self.service.concurrency or CONCURRENCY) + _AHEAD,
            keep=keep,
        )

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

    def _embed(
        self, texts: Sequence[str], *, keep: "Callable[[Mapping[str, type_vector]], None]" = lambda vectors: None
    ) -> "type_matrix":
        import numpy as np

        found: dict[str, type_vector] = {}
        for text in texts:
            if text in self._finished:
                found[text] = self._finished[text]
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        try:
            if missing:
                loop.wait(self._sending(keep).every(self._batches(missing), found))
        except BaseException:
            self._keep(found)
            raise
        for text in found:
            self._finished.pop(text, None)
        return np.stack([found[text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def _batches(self, texts: Sequence[str]) -> list[dict[str, str]]:
        """Text -> what is sent of it: its begin where it is too long, and something where it is blank."""
        counts = tokenizer(self._counted_by).count_many(texts)
        sent = [shortened(text, tokens=count, most=self.max_tokens) for text, count in zip(texts, counts, strict=True)]
        groups = batches(
            [min(count, self.max_tokens) for count in counts],
            most_texts=self.batch_texts,
            most_tokens=min(self.batch_tokens, self._known.together if self._known else self.batch_tokens),
        )
        return [{texts[at]: sent[at] if sent[at].strip() else _NOTHING for at in group} for group in groups]

    def _keep(self, found: "Mapping[str, type_vector]") -> None:
        self._finished.update(found)
        for text in list(self._finished)[: max(0, len(self._finished) - _KEPT_NUMBERS // self.dim)]:
            self._finished.pop(text, None)
