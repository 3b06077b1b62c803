"""How much the index adds to LanceDB's own calls, over clustered vectors and made-up texts.

python benchmarks/query_speed.py [--rows 200000] [--dim 384] [--queries 200] [--folder FOLDER]
"""

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from docpipe._ids import chunk_id, document_id
from docpipe.geometry import PageBox
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import DocumentRows
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Query, Source, Span

CHUNKS_PER_DOCUMENT = 40
DOCUMENTS_PER_BATCH = 50
WORDS = np.array([f"word{number}" for number in range(30_000)])
FREQUENCIES = (weights := 1 / np.arange(1, len(WORDS) + 1)) / weights.sum()


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def documents(rows: int, dim: int, generator: np.random.Generator) -> Iterator[DocumentRows]:
    """Documents whose vectors lie in clusters, and whose words are as unequal as a language's."""
    centres = generator.normal(size=(500, dim)).astype(np.float32)
    for number in range(rows // CHUNKS_PER_DOCUMENT):
        picked = centres[generator.integers(len(centres), size=CHUNKS_PER_DOCUMENT)]
        vectors = unit(picked + 0.8 * generator.normal(size=picked.shape).astype(np.float32))
        words = generator.choice(WORDS, size=(CHUNKS_PER_DOCUMENT, 80), p=FREQUENCIES)
        yield document(f"folder/{number}.pdf", [" ".join(some) for some in words], vectors)


def document(uri: str, texts: list[str], vectors: np.ndarray) -> DocumentRows:
    """One document's rows."""
    key = document_id(uri)
    source = Source(uri=uri, media_type="application/pdf", digest="0" * 64, size=1, modified=0)
    rows = [
        EmbeddedChunk(
            chunk=Chunk(
                id=chunk_id(key, text, position),
                document_id=key,
                source=source,
                span=Span(0, len(text)),
                text=text,
                context="Report > Part\n",
                headings=("Report", "Part"),
                block_ids=("b1",),
                kind=BlockKind.PARAGRAPH,
                pages=(position + 1,),
                boxes=(PageBox(position + 1, 0.1, 0.1, 0.9, 0.2),) * 4,
                token_count=120,
                position=position,
                title="Report",
                language="zh" if position % 10 == 0 else "en",
            ),
            vector=vector.astype(np.float32),
            model="synthetic",
        )
        for position, (text, vector) in enumerate(zip(texts, vectors, strict=True))
    ]
    return DocumentRows(document_id=key, chunks=tuple(rows))


def cpu() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def fill(index: LanceIndex, rows: int, dim: int) -> None:
    """Write the documents in batches, then do the upkeep; print what it cost."""
    index.open(model="synthetic", dim=dim)
    batch: list[DocumentRows] = []
    spent = 0.0
    for one in documents(rows, dim, np.random.default_rng(0)):
        batch.append(one)
        if len(batch) == DOCUMENTS_PER_BATCH:
            start = cpu()
            index.replace(batch)
            spent += cpu() - start
            batch = []
    index.replace(batch)
    print(f"write      {rows / max(spent, 1e-9):10.0f} rows per CPU s, {spent:.1f} CPU s")
    for name in ("upkeep", "upkeep again"):
        start, wall = cpu(), time.perf_counter()
        index.optimize()
        print(f"{name:12s} {cpu() - start:8.2f} CPU s, {time.perf_counter() - wall:.2f} s")
    print(index.stats())


class KnownVectors:
    """An embedder that knows the vectors of its questions, so that only the search is timed."""

    languages: tuple[str, ...] = ()

    def __init__(self, vectors: dict[str, np.ndarray]) -> None:
        self._vectors = vectors

    def embed_queries(self, texts: list[str]) -> np.ndarray:
        """The known vectors."""
        return np.stack([self._vectors[text] for text in texts])


def compared(name: str, calls: list[Callable[[int], Any]], count: int) -> None:
    """Median milliseconds of ours and of the bare call, taken in turns, and the ratio."""
    times: list[list[float]] = [[] for _ in calls]
    order = random.Random(0)
    pairs = list(zip(times, calls, strict=True))
    for number in range(count):
        order.shuffle(pairs)  # whoever asks second finds the pages in memory
        for taken, call in pairs:
            start = time.perf_counter()
            call(number)
            taken.append(1000 * (time.perf_counter() - start))
    medians = [statistics.median(taken) for taken in times]
    ratio = f"ratio {medians[0] / medians[1]:.3f}" if len(medians) > 1 else ""
    print(f"{name:28s} " + " ".join(f"p50 {median:7.2f} ms" for median in medians) + f"  {ratio}")


def measure(index: LanceIndex, dim: int, count: int) -> None:
    """Print the table of queries."""
    import lancedb
    from lancedb.query import MatchQuery

    table = lancedb.connect(index.uri).open_table("chunks")
    generator = np.random.default_rng(1)
    offsets = sorted(generator.choice(table.count_rows(), size=count, replace=False).tolist())
    column = table.take_offsets(offsets).select(["vector"]).to_arrow().column("vector").combine_chunks()
    questions = column.flatten().to_numpy().reshape(-1, dim)
    questions = unit(questions + 0.02 * generator.normal(size=questions.shape)).astype(np.float32)
    words = [" ".join(some) for some in generator.choice(WORDS, size=(count, 5), p=FREQUENCIES)]
    facts = index.stats().facts
    refine, probes = int(facts.get("refine_factor", "1")), int(facts.get("nprobes", "20"))

    def bare_vector(number: int) -> Any:
        query = table.search(questions[number]).distance_type("cosine").refine_factor(refine).nprobes(probes)
        return query.select(["id", "_distance"]).limit(10).to_arrow()

    def bare_text(number: int) -> Any:
        return table.search(MatchQuery(words[number], "content")).select(["id", "_score"]).limit(10).to_arrow()

    def vector(number: int, where: str = "") -> Any:
        return index.search_vector(questions[number : number + 1], limit=10, where=where)

    compared("vector: ours, bare", [vector, bare_vector], count)
    compared("text: ours, bare", [lambda n: index.search_text(words[n], limit=10), bare_text], count)
    compared("vector, language = zh", [lambda n: vector(n, "language = zh")], count)
    compared("vector, one document", [lambda n: vector(n, "uri = folder/7.pdf")], count)
    compared("64 vectors in one call", [lambda _: index.search_vector(questions[:64], limit=10)], 5)
    retriever = IndexRetriever(index, KnownVectors(dict(zip(words, questions, strict=True))))  # type: ignore[arg-type]

    def search(number: int, mode: Literal["hybrid", "vector", "text"]) -> Any:
        return retriever.search(Query(text=words[number], limit=8, mode=mode))

    compared("hybrid, its vector leg", [lambda n: search(n, "hybrid"), lambda n: search(n, "vector")], count)
    compared("hybrid, its text leg", [lambda n: search(n, "hybrid"), lambda n: search(n, "text")], count)
    ids = [key for key, _ in vector(0)[0]]
    compared("fetch 10 chunks", [lambda _: index.fetch(ids)], count)
    compared("version", [lambda _: index.versions()], count)
    with ThreadPoolExecutor(4) as pool:
        start = time.perf_counter()
        list(pool.map(vector, range(count)))
        print(f"{'vector from 4 threads':28s} {1000 * (time.perf_counter() - start) / count:.2f} ms each")


def main() -> None:
    """Build the index where there is none, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", help="keep the index here, and use it again if it exists")
    options = parser.parse_args()
    os.environ.setdefault("LANCE_LOG", "error")
    with tempfile.TemporaryDirectory() as scratch:
        index = LanceIndex(uri=str(Path(options.folder or scratch) / "index"))
        if not index.versions():
            fill(index, options.rows, options.dim)
        measure(index, options.dim, options.queries)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
