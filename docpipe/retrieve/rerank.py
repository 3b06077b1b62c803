"""Question + texts -> scores of a cross-encoder that ships inside an installed package."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docpipe._onnx import each, network, run_errors
from docpipe._weights import RERANKER_EN_MODEL, RERANKER_EN_TOKENIZER
from docpipe.errors import StageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_ids = NDArray[np.int64]

_MODEL_LIMIT = 512
_QUESTION_SHARE = 4
"""A question may take one part in this many of the input; what it leaves is the text's."""


@dataclass(frozen=True, kw_only=True)
class LocalReranker:
    """Reads the question beside each text (MiniLM-L12 trained on MS MARCO, 8 bit). English only."""

    VERSION = 1

    depth: int = 20
    """How many hits it reads; its cost grows with it."""

    max_tokens: int = 256
    """Tokens of question and text together that it reads, at most 512; what is beyond is cut."""

    threads: int = field(default=0, compare=False)
    """Threads that read; 0 takes one per core."""

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be positive, got {self.depth}")
        if not 16 <= self.max_tokens <= _MODEL_LIMIT:
            raise ValueError(f"max_tokens must lie in 16 .. {_MODEL_LIMIT}, got {self.max_tokens}")
        if self.threads < 0:
            raise ValueError(f"threads must not be negative, got {self.threads}")

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary languages it is good at."""
        return ("en",)

    def score(self, question: str, texts: Sequence[str], /) -> list[float]:
        """Log odds that each text answers the question (above 0: rather yes), in the order given.

        Raises:
            StageError: the model failed.
            MissingWeights, DamagedWeights: on first use, its file is not there or is another one.
        """
        loaded = network(RERANKER_EN_MODEL, RERANKER_EN_TOKENIZER, max_tokens=_MODEL_LIMIT)
        asked, *read = loaded.token_ids([question, *texts])
        scores = [0.0] * len(texts)

        def work(position: int) -> None:
            ids, segments = _pair(asked, read[position], limit=self.max_tokens)
            try:
                scores[position] = float(loaded.first_row(ids, segments)[0])
            except run_errors() as error:
                raise StageError(
                    f"the reranker failed on {len(ids)} tokens: {error}",
                    stage="rerank.local",
                    remedy="set `retrieve: {rerank: none}` to go without it",
                ) from error

        each(work, [len(ids) for ids in read], threads=self.threads)
        return scores


def _pair(question: "type_ids", text: "type_ids", *, limit: int) -> "tuple[type_ids, type_ids]":
    """`[CLS] question [SEP] text [SEP]` and segment numbers, at most `limit` long; both inputs have their own marks."""
    import numpy as np

    asked = question[: max(limit // _QUESTION_SHARE, limit - len(text) + 1)].copy()
    asked[-1] = question[-1]
    read = text[1 : limit - len(asked) + 1].copy()
    read[-1] = text[-1]
    segments = np.zeros(len(asked) + len(read), np.int64)
    segments[len(asked) :] = 1
    return np.concatenate((asked, read)), segments
