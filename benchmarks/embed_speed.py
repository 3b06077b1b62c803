"""Ways to run the packaged model -> tokens per CPU second, peak memory, and how far vectors move.

    python benchmarks/embed_speed.py [--texts 120] [--data FOLDER]

Every way runs in a process of its own over the same texts (passages of FOLDER where it is there, otherwise made-up
ones of 4 to 512 tokens). `moved` is the least cosine between a text's vector and the one it gets alone.
`LocalEmbedder / bare` compares the stage with the bare runs that it is made of.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docpipe._onnx import network
from docpipe._weights import locate
from docpipe.embed.hashing import HashingEmbedder
from docpipe.embed.local import BGE_SMALL_EN, LocalEmbedder


@dataclass(frozen=True, kw_only=True)
class Way:
    """How the model is run."""

    budget: int = 1
    """Tokens per run, padding included; 1: one text per run."""
    threads: int = 1
    """Threads inside the runtime."""
    level: str = "ORT_ENABLE_ALL"
    arena: bool = True


WAYS = {
    "one text per run": Way(),
    "batches of 512 tokens": Way(budget=512),
    "batches of 2,048": Way(budget=2048),
    "batches of 8,192": Way(budget=8192),
    "two threads inside": Way(threads=2),
    "graph level extended": Way(level="ORT_ENABLE_EXTENDED"),
    "graph level basic": Way(level="ORT_ENABLE_BASIC"),
    "no memory arena": Way(arena=False),
}
STAGES: dict[str, Callable[[], Any]] = {
    "LocalEmbedder, 1 thread": lambda: LocalEmbedder(threads=1),
    "LocalEmbedder, 2 threads": lambda: LocalEmbedder(threads=2),
    "HashingEmbedder": HashingEmbedder,
}


def passages(data: Path, count: int) -> list[str]:
    """Texts to embed."""
    found = [
        json.loads(line)["text"]
        for path in sorted(data.glob("retrieval-en/*/corpus.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()[:400]
    ]
    if found:
        return found[:: max(1, len(found) // count)][:count]
    dice = random.Random(7)
    words = ["valve", "pressure", "the", "of", "seal", "report", "annual", "is", "measured", "and", "table"]
    return [" ".join(dice.choices(words, k=dice.randint(2, 510))) for _ in range(count)]


def batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    """Positions of texts by falling length, as many at once as fit the budget."""
    order = np.argsort(-lengths, kind="stable")
    while len(order):
        size = max(1, budget // int(lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def bare(way: Way, sequences: list[np.ndarray]) -> np.ndarray:
    """The runtime and nothing else."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = way.threads, 3
    options.enable_cpu_mem_arena = way.arena
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, way.level)
    session = onnxruntime.InferenceSession(str(locate(BGE_SMALL_EN.weights)), options)
    vectors = np.empty((len(sequences), BGE_SMALL_EN.dim), np.float32)
    for some in batches(np.array([len(ids) for ids in sequences]), way.budget):
        ids = np.zeros((len(some), max(len(sequences[one]) for one in some)), np.int64)
        for row, one in zip(ids, some, strict=True):
            row[: len(sequences[one])] = sequences[one]
        inputs = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        vectors[some] = session.run(None, inputs)[0][:, 0]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(name: str, texts: list[str], alone: Path) -> None:
    """One way, in this process: a line of JSON."""
    model = BGE_SMALL_EN
    sequences = network(model.weights, model.tokenizer_file, max_tokens=model.max_tokens).token_ids(texts)
    if name in WAYS:
        run: Callable[[], np.ndarray] = lambda: bare(WAYS[name], sequences)  # noqa: E731
    else:
        stage = STAGES[name]()
        run = lambda: stage.embed_passages(texts)  # noqa: E731
    cpu, wall = time.process_time(), time.perf_counter()
    vectors = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if not alone.exists():
        np.save(alone, vectors)
    moved = float((np.load(alone) * vectors).sum(axis=1).min()) if vectors.shape[1] == model.dim else 1.0
    tokens = sum(map(len, sequences))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": tokens / cpu, "wall": tokens / wall, "peak": peak, "moved": moved}))


def overhead(texts: list[str]) -> float:
    """CPU of the stage in parts of the runs it is made of, in turns, so that other load hits both."""
    model, stage, spent = BGE_SMALL_EN, LocalEmbedder(threads=1), [0.0, 0.0]
    loaded = network(model.weights, model.tokenizer_file, max_tokens=model.max_tokens)
    sequences = loaded.token_ids(texts)

    def runs() -> None:
        for ids in sequences:
            loaded.first_row(ids)

    for _ in range(3):
        for place, work in enumerate((runs, lambda: stage.embed_passages(texts))):
            started = time.process_time()
            work()
            spent[place] += time.process_time() - started
    return spent[1] / spent[0]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=120)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--alone", type=Path, default=Path("embed_speed_alone.npy"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        measure(options.way, passages(options.data, options.texts), options.alone)
        return 0
    print(f"{'':28s}{'tokens/CPU s':>14s}{'tokens/s':>12s}{'peak MB':>10s}{'moved':>9s}")
    alone = Path(os.environ.get("TMPDIR", "/tmp")) / f"embed-speed-{os.getpid()}.npy"
    for name in [*WAYS, *STAGES]:
        command = [sys.executable, __file__, "--texts", str(options.texts), "--data", str(options.data)]
        done = subprocess.run([*command, "--way", name, "--alone", str(alone)], capture_output=True, check=True)
        facts = json.loads(done.stdout)
        print(
            f"{name:28s}{facts['cpu']:14.0f}{facts['wall']:12.0f}{facts['peak']:10.0f}{facts['moved']:9.4f}", flush=True
        )
    alone.unlink()
    ratio = overhead(passages(options.data, options.texts)[::4])
    print(f"LocalEmbedder / bare: {ratio:.3f} (aim: at most 1.05)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
