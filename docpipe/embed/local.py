"""Texts -> vectors of an ONNX model that ships inside an installed package: no download, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docpipe._onnx import Network, each, network, run_errors
from docpipe._weights import BGE_SMALL_EN_MODEL, BGE_SMALL_EN_TOKENIZER, PackagedFile
from docpipe.errors import EmbedError, UnknownName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Model:
    """What has to be known about a model beside its weights."""

    name: str
    weights: PackagedFile
    tokenizer_file: PackagedFile
    tokenizer: str
    dim: int
    max_tokens: int
    query_prefix: str
    languages: tuple[str, ...]

    @property
    def identity(self) -> str:
        """Name and digest: other weights under the same name make another model."""
        return f"{self.name}@{self.weights.sha256[:12]}"


BGE_SMALL_EN = _Model(
    name="bge-small-en",
    weights=BGE_SMALL_EN_MODEL,
    tokenizer_file=BGE_SMALL_EN_TOKENIZER,
    tokenizer="bge-small-en",
    dim=384,
    max_tokens=512,
    query_prefix="Represent this sentence for searching relevant passages: ",
    languages=("en",),
)
_MODELS = (BGE_SMALL_EN,)


@dataclass(frozen=True, kw_only=True)
class LocalEmbedder:
    """Texts -> vectors of length 1. Equal texts get equal vectors, to the bit, whatever stands beside them."""

    VERSION = 1

    model: str = BGE_SMALL_EN.name
    """Name of the model; becomes its identity, `name@digest`, which is accepted too."""

    threads: int = field(default=0, compare=False)
    """Threads that embed; 0 takes one per core."""

    batch_size: int = field(default=256, compare=False)
    """Texts it likes to get at once. They are not put into one run: that is slower and blurs the vectors."""

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise ValueError(f"threads must not be negative, got {self.threads}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be positive, got {self.batch_size}")
        object.__setattr__(self, "model", _find(self.model).identity)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._model.dim

    @property
    def max_tokens(self) -> int:
        """The longest input, special tokens included; what is longer is cut."""
        return self._model.max_tokens

    @property
    def tokenizer(self) -> str:
        """Name of the tokenizer that counts as this model does."""
        return self._model.tokenizer

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary languages it is good at."""
        return self._model.languages

    def embed_passages(self, texts: Sequence[str], /) -> "type_matrix":
        """Vectors of texts to find: shape (len(texts), dim); equal texts are computed once.

        Raises:
            EmbedError: the model failed.
            MissingWeights, DamagedWeights: on first use, its file is not there or is another one.
        """
        import numpy as np

        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = self._embed(list(rows))
        return vectors if len(rows) == len(texts) else vectors[np.array([rows[text] for text in texts])]

    def embed_queries(self, texts: Sequence[str], /) -> "type_matrix":
        """The same for questions, with the instruction that the model was trained with before each."""
        return self.embed_passages([self._model.query_prefix + text for text in texts])

    @property
    def _model(self) -> _Model:
        return _find(self.model)

    def _embed(self, texts: Sequence[str]) -> "type_matrix":
        import numpy as np

        model = self._model
        vectors = np.empty((len(texts), model.dim), np.float32)
        if not texts:
            return vectors
        loaded = network(model.weights, model.tokenizer_file, max_tokens=model.max_tokens)
        sequences = loaded.token_ids(texts)

        def work(position: int) -> None:
            vectors[position] = _first_token(loaded, sequences[position])

        each(work, [len(ids) for ids in sequences], threads=self.threads)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _first_token(loaded: Network, ids: "NDArray[np.int64]") -> "NDArray[np.float32]":
    """The model's summary of a text: its output over the [CLS] token."""
    try:
        first: NDArray[np.float32] = loaded.first_row(ids)[0]
        return first
    except run_errors() as error:
        raise EmbedError(
            f"the model failed on a text of {len(ids)} tokens: {error}",
            stage="embed.local",
            remedy="if memory is short, give `threads: 1`; otherwise please report it with the text",
        ) from error


def _find(name: str) -> _Model:
    for model in _MODELS:
        if name in (model.name, model.identity):
            return model
    known = ", ".join(model.name for model in _MODELS)
    raise UnknownName(
        f"embed.local has no model {name!r}", remedy=f"use one of: {known}; or `embed.http` for a service"
    )
