"""Folders of passages, questions and judgements -> nDCG@10 per set: each leg, their fusion, and the reranker.

    python benchmarks/retrieval_quality.py --data FOLDER [--sets NAME ...] [--rerank N] [--vectors FOLDER]

FOLDER holds groups (`retrieval-en` ...) of sets in BEIR form; the scorer is read from `FOLDER/../score/score.py`.
Every set is indexed with LanceDB and asked through IndexRetriever, as a pipeline does it. `--rerank N` reranks at
most N questions of each set (0: none) and compares on those. `--vectors` keeps vectors between calls.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from evaluation import lines, scorer

from docpipe._ids import digest
from docpipe.embed.local import LocalEmbedder
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget, DocumentRows
from docpipe.retrieve.rerank import LocalReranker
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Query, Source, Span

GROUPS = ("retrieval-en", "retrieval-zh", "retrieval-xl")
COLUMNS = ("text", "vector", "hybrid", "ms/query", "rerank", "of", "ms/query")


def chunk(passage: dict[str, Any]) -> Chunk:
    """A passage as a chunk of its own document."""
    text = f"{passage['title']} {passage['text']}"
    return Chunk(
        id=passage["_id"],
        document_id=passage["_id"],
        source=Source(uri=passage["_id"], media_type="text/plain", digest="", size=0, modified=0),
        span=Span(0, len(text)),
        text=text,
        context="",
        headings=(),
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(),
        boxes=(),
        token_count=0,
        position=0,
    )


def vectors(texts: Sequence[str], *, embedder: LocalEmbedder, keep: Path | None) -> "np.ndarray":
    """Passage vectors, from `keep` where they were made before."""
    name = digest("\x1f".join((embedder.model, *texts)).encode())[:24]
    path = keep / f"{name}.npy" if keep else None
    if path and path.exists():
        return np.load(path)
    made = embedder.embed_passages(texts)
    if path:
        np.save(path, made)
    return made


def indexed(passages: list[dict[str, Any]], uri: str, *, embedder: LocalEmbedder, keep: Path | None) -> LanceIndex:
    """An index of all passages."""
    chunks = [chunk(passage) for passage in passages]
    made = vectors([one.content for one in chunks], embedder=embedder, keep=keep)
    index = LanceIndex(uri=uri)
    index.open(model=embedder.model, dim=embedder.dim)
    rows = [EmbeddedChunk(chunk=one, vector=row, model=embedder.model) for one, row in zip(chunks, made, strict=True)]
    index.replace([DocumentRows(document_id=row.chunk.document_id, chunks=(row,)) for row in rows])
    index.optimize(Budget(force=True))
    return index


def ask(retriever: IndexRetriever, queries: Sequence[Query], ids: Sequence[str]) -> tuple[dict[str, list[str]], float]:
    """One question after another: passages by question, and CPU milliseconds per question."""
    started = time.process_time()
    run = {one: [hit.chunk.id for hit in retriever.search(query)] for one, query in zip(ids, queries, strict=True)}
    return run, 1000 * (time.process_time() - started) / max(1, len(queries))


def measure(folder: Path, score: ModuleType, index: LanceIndex, embedder: LocalEmbedder, rerank: int) -> list[float]:
    """The figures of one set, in the order of COLUMNS."""
    judged = score.load_qrels(folder / "qrels.tsv")
    asked = [line for line in lines(folder / "queries.jsonl") if line["_id"] in judged]
    ids = [line["_id"] for line in asked]
    queries = [Query(text=line["text"], limit=10) for line in asked]
    retriever = IndexRetriever(index, embedder)

    def ndcg(run: dict[str, list[str]]) -> float:
        return float(score.retrieval({one: judged[one] for one in run}, run)["ndcg@10"])

    figures = [
        ndcg(ask(retriever, [replace(one, mode=mode) for one in queries], ids)[0]) for mode in ("text", "vector")
    ]
    plain, cost = ask(retriever, queries, ids)
    figures += [ndcg(plain), cost]
    if rerank:
        step = max(1, len(queries) // rerank)
        reader = IndexRetriever(index, embedder, rerank=LocalReranker())
        reread, cost = ask(reader, queries[::step], ids[::step])
        figures += [ndcg(reread), ndcg({one: plain[one] for one in reread}), cost]
    return figures


def folders(data: Path, names: Sequence[str]) -> Iterator[Path]:
    """The sets there are, or those named."""
    for group in GROUPS:
        for folder in sorted((data / group).glob("*/")):
            if (folder / "qrels.tsv").exists() and (not names or folder.name in names or group in names):
                yield folder


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--rerank", type=int, default=40)
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    if not any((options.data / group).exists() for group in GROUPS):
        print(f"skipped: no {' or '.join(GROUPS)} in {options.data}")
        return 0
    score, embedder = scorer(options.data), LocalEmbedder()
    if options.vectors:
        options.vectors.mkdir(parents=True, exist_ok=True)
    print(f"{'nDCG@10, CPU ms':26s}" + "".join(f"{name:>10s}" for name in COLUMNS))
    groups: dict[str, list[list[float]]] = {}
    for folder in folders(options.data, options.sets):
        with tempfile.TemporaryDirectory() as uri:
            index = indexed(lines(folder / "corpus.jsonl"), uri, embedder=embedder, keep=options.vectors)
            figures = measure(folder, score, index, embedder, options.rerank)
        groups.setdefault(folder.parent.name, []).append(figures)
        worse = " fusion below its better leg" if figures[2] < max(figures[:2]) else ""
        print(f"{folder.parent.name}/{folder.name:13s}" + "".join(f"{x:10.4f}" for x in figures) + worse, flush=True)
    for group, rows in groups.items():
        print(f"{group + ' mean':26s}" + "".join(f"{x:10.4f}" for x in np.mean(rows, axis=0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
