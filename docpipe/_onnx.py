"""Packaged ONNX model + tokenizer -> outputs, one text per run, on all cores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from docpipe._weights import PackagedFile, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_ids = NDArray[np.int64]

_loading = Lock()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Network:
    """A loaded BERT-like model with its tokenizer. Shared by all threads of the process."""

    session: Any
    tokenizer: Any

    def token_ids(self, texts: Sequence[str]) -> "list[type_ids]":
        """Ids of each text with special tokens, cut at the model's limit; half surrogates count as `?`."""
        import numpy as np

        try:
            ids, lengths = self.tokenizer.encode_batch_flat(list(texts))
        except UnicodeEncodeError:
            ids, lengths = self.tokenizer.encode_batch_flat([_without_surrogates(text) for text in texts])
        ends = np.cumsum(lengths.astype(np.int64))
        return np.split(ids.astype(np.int64), ends[:-1]) if len(ends) else []

    def first_row(self, ids: "type_ids", segments: "type_ids | None" = None) -> "NDArray[np.float32]":
        """The model's first output for one text.

        One text per run and no padding: the 8-bit layers take their scale from the whole batch, so that any
        neighbour would move the vector (cosine down to 0.991 measured), and larger batches are slower.
        """
        import numpy as np

        inputs = {
            "input_ids": ids[None, :],
            "attention_mask": np.ones((1, len(ids)), np.int64),
            "token_type_ids": np.zeros((1, len(ids)), np.int64) if segments is None else segments[None, :],
        }
        row: NDArray[np.float32] = self.session.run(None, inputs)[0][0]
        return row


def network(model: PackagedFile, tokenizer: PackagedFile, *, max_tokens: int) -> Network:
    """The model, loaded on first use and then kept for the process.

    Raises:
        MissingWeights, DamagedWeights: a file is not there, or is another one.
    """
    with _loading:
        return _load(model, tokenizer, max_tokens)


@cache
def _load(model: PackagedFile, tokenizer: PackagedFile, max_tokens: int) -> Network:
    import tokie

    reader = tokie.Tokenizer.from_json(str(locate(tokenizer)))
    reader.no_padding()
    reader.enable_truncation(max_tokens)
    return Network(session=session(model), tokenizer=reader)


def session(model: PackagedFile, *, arena: bool = True) -> Any:
    """A model, ready to run on one thread: whole texts or lines are what threads share, not the work inside one.

    Args:
        arena: keep memory, and plans of it, between runs; where inputs are of all shapes, that only ever grows.

    Raises:
        MissingWeights, DamagedWeights: its file is not there, or is another one.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = arena
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(locate(model)), options, providers=["CPUExecutionProvider"])


def each(work: Callable[[int], None], costs: Sequence[int], *, threads: int) -> None:
    """Call `work(position)` for every position, the costliest first, on `threads` threads (0: one per core)."""
    order = sorted(range(len(costs)), key=lambda position: -costs[position])
    workers = min(threads or cores(), len(order))
    if workers <= 1:
        for position in order:
            work(position)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="docpipe-onnx") as pool:
        for _ in pool.map(work, order):
            pass


def run_errors() -> tuple[type[Exception], ...]:
    """What a run may raise; these classes share no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return state.RuntimeException, state.Fail, state.EPFail, state.InvalidArgument


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
