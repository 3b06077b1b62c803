"""Texts -> vectors of their hashed words (pure): near-zero cost, no model, for tests and for measuring all else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

_BLOCK = 1 << 18
"""Bytes hashed at once: its arrays stay in the processor's cache."""
_LONGEST = 1 << 20
"""Characters of one text that are read."""
_BASE = 0x9E3779B97F4A7C15
_UNBASE = pow(_BASE, -1, 1 << 64)
_MIX = 0xD6E8FEB86659FD93


@dataclass(frozen=True, kw_only=True)
class HashingEmbedder:
    """Texts -> sums of one random direction per word: texts that share words are near, nothing else is."""

    VERSION = 1

    dim: int = 256
    """Length of a vector; more of it means fewer words that fall together."""

    batch_size: int = field(default=1024, compare=False)
    """Texts it likes to get at once."""

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"dim must be positive, got {self.dim}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be positive, got {self.batch_size}")

    @property
    def model(self) -> str:
        """Identity of what makes the vectors."""
        return f"hashing@{self.VERSION}-{self.dim}"

    @property
    def max_tokens(self) -> int:
        """The length to cut chunks to; the vector itself has no use for a limit."""
        return 512

    @property
    def tokenizer(self) -> str:
        """Name of the tokenizer to cut chunks by."""
        return "characters"

    @property
    def languages(self) -> tuple[str, ...]:
        """Any: words are only compared."""
        return ()

    def embed_passages(self, texts: Sequence[str], /) -> "type_matrix":
        """Vectors, shape (len(texts), dim), of length 1; a text without a word gets the first direction."""
        import numpy as np

        sums = np.zeros((len(texts), self.dim), np.float32)
        for start, block in _blocks(texts):
            sums[start : start + len(block)] = _directions(block, dim=self.dim)
        sums[:, 0] += ~sums.any(axis=1)
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        return sums

    def embed_queries(self, texts: Sequence[str], /) -> "type_matrix":
        """The same: questions and passages are words alike."""
        return self.embed_passages(texts)


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, list[bytes]]]:
    """Lowered UTF-8 of consecutive texts, about `_BLOCK` bytes together, each with the number of its first text."""
    start, block, size = 0, [], 0
    for number, text in enumerate(texts):
        data = text[:_LONGEST].lower().encode("utf-8", "replace")
        block.append(data)
        size += len(data) + 1
        if size >= _BLOCK:
            yield start, block
            start, block, size = number + 1, [], 0
    if block:
        yield start, block


def _directions(block: Sequence[bytes], *, dim: int) -> "type_matrix":
    """Signed counts of hashed words, shape (len(block), dim), damped by their square root."""
    import numpy as np

    data = np.frombuffer(b"\n".join(block) + b"\n", np.uint8)
    starts, ends = _word_bounds(data)
    keys = _word_hashes(data, starts, ends)
    text_ends = np.cumsum([len(text) + 1 for text in block])
    rows = np.searchsorted(text_ends, starts, side="right")
    cells = rows * dim + ((keys >> np.uint64(33)) % np.uint64(dim)).astype(np.int64)
    signs = (keys >> np.uint64(32) & np.uint64(1)).astype(np.float32) * 2 - 1
    counts = np.bincount(cells, weights=signs, minlength=len(block) * dim).reshape(len(block), dim)
    damped: NDArray[np.float32] = (np.sign(counts) * np.sqrt(np.abs(counts))).astype(np.float32)
    return damped


def _word_bounds(data: "NDArray[np.uint8]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Start and end offsets of words: runs of letters and digits, and each character of three bytes or more."""
    import numpy as np

    inside, wide, ascii_byte = (table[data] for table in _byte_kinds())
    before = np.concatenate(([False], inside[:-1]))
    ascii_before = np.concatenate(([True], ascii_byte[:-1]))
    starts = inside & (~before | wide | (ascii_byte & ~ascii_before))
    ends = np.concatenate((starts[1:] | ~inside[1:], [True])) & inside
    return np.flatnonzero(starts), np.flatnonzero(ends) + 1


@cache
def _byte_kinds() -> "tuple[NDArray[np.bool_], ...]":
    """Per byte: belongs to a word; begins a character that is a word of its own; is ASCII."""
    import numpy as np

    byte = np.arange(256)
    letters = np.array([value >= 128 or chr(value).isalnum() for value in range(256)])
    return letters, byte >= 0xE0, byte < 128


def _word_hashes(
    data: "NDArray[np.uint8]", starts: "NDArray[np.int64]", ends: "NDArray[np.int64]"
) -> "NDArray[np.uint64]":
    """Polynomial hash of each word modulo 2^64, from prefix sums: no loop over words."""
    import numpy as np

    powers, inverses = _powers((len(data) - 1).bit_length())
    sums = np.zeros(len(data) + 1, np.uint64)
    np.cumsum((data + np.uint64(1)) * powers[: len(data)], out=sums[1:])
    keys = (sums[ends] - sums[starts]) * inverses[starts]
    keys ^= keys >> np.uint64(32)
    keys *= np.uint64(_MIX)
    return keys ^ (keys >> np.uint64(29))


@cache
def _powers(bits: int) -> "tuple[NDArray[np.uint64], NDArray[np.uint64]]":
    """Powers 0 .. 2^bits - 1 of the base and of its inverse, modulo 2^64."""
    import numpy as np

    def table(base: int) -> "NDArray[np.uint64]":
        factors = np.full(1 << bits, base, np.uint64)
        factors[0] = 1
        return np.cumprod(factors, dtype=np.uint64)

    return table(_BASE), table(_UNBASE)
