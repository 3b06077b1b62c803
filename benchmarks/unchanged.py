"""What a nightly run costs by number of files, when nothing changed and when 1 % did.

    python benchmarks/unchanged.py [--files 1000 10000 100000] [--changed 0 0.01]

Each line is a whole `run` of a pipeline file in a process of its own: lease, listing, comparison, history, report.
Index and ledger are filled as a finished run would have left them, a chunk per file, so that nothing has to be parsed
first. CPU is that of the run after the imports, with its workers; memory is the process's peak above what it had
before the run.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import docpipe
from docpipe import _ids
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.ingest.ledger import Ledger, new_row
from docpipe.pipeline.ingest.survey import stamp_of
from docpipe.protocols import Budget, DocumentRows
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Entry, Source, Span

_PIPELINE = """version: 1
name: nightly
source: {use: load.files, path: docs}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.lancedb, uri: index}
"""
_AT_ONCE = 10_000
_OLD = 1_700_000_000
"""When the files were changed last, in seconds since 1970."""


def main() -> None:
    """Print a line for each number of files and each share of them that changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--changed", type=float, nargs="+", default=[0.0, 0.01])
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(options.run)))
        return
    print(f"{'files':>8}{'changed':>9}{'CPU ms':>9}{'wall ms':>9}{'peak MB':>9}{'parsed':>8}{'written':>8}")
    for count in options.files:
        with tempfile.TemporaryDirectory() as name:
            _make(Path(name), count)
            for share in options.changed:
                _print_best(Path(name), count, share)


def _print_best(folder: Path, count: int, share: float) -> None:
    """The best of three runs, each after another change."""
    tries = []
    for night in range(3):
        for number in range(night, count, round(1 / share)) if share else ():
            _path(folder / "docs", number).write_text(f"changed in night {night}: {number} of {share}\n", "utf-8")
        command = [sys.executable, __file__, "--run", str(folder)]
        tries.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    best = min(tries, key=lambda one: one["cpu"])
    figures = f"{1000 * best['cpu']:9.0f}{1000 * best['wall']:9.0f}{best['megabytes']:9.0f}"
    print(f"{count:8}{best['updated']:9}{figures}{best['pages']:8}{best['chunks']:8}", flush=True)


def _run(folder: Path) -> dict[str, float]:
    import lancedb  # noqa: F401 - its import is no work of the run

    with docpipe.open(folder / "nightly.yaml") as pipe:
        pipe.stages.index.versions()  # connects
        peak, cpu, wall = _peak(), _cpu(), time.perf_counter()
        report = pipe.run()
        spent = {"cpu": _cpu() - cpu, "wall": time.perf_counter() - wall, "megabytes": _peak() - peak}
    assert not report.failed, report.failures
    return {**spent, "updated": report.updated, "pages": report.pages, "chunks": report.chunks}


def _cpu() -> float:
    """Seconds of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak() -> float:
    """Most megabytes that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _path(docs: Path, number: int) -> Path:
    return docs / f"{number // 1000:03}" / f"{number:06}.md"


def _make(folder: Path, count: int) -> None:
    """Files, and the index that a run over them would have left."""
    (folder / "nightly.yaml").write_text(_PIPELINE, "utf-8")
    for number in range(count):
        path = _path(folder / "docs", number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (_OLD, _OLD))
    with docpipe.open(folder / "nightly.yaml") as pipe:
        stages = pipe.stages
        stages.index.open(model=stages.embedder.model, dim=stages.embedder.dim, made_by=stages.made_by)
        found = [entry for entry in stages.loaders[0].entries() if isinstance(entry, Entry)]
        for start in range(0, count, _AT_ONCE):
            _fill(stages, found[start : start + _AT_ONCE])
        stages.index.optimize(Budget(force=True))


def _fill(stages: Stages, entries: list[Entry]) -> None:
    by = stamp_of(stages.parser, stages.chunker, stages.run)
    texts = [f"What the file {entry.uri} is about" for entry in entries]
    vectors = stages.embedder.embed_passages(texts)
    documents, rows = [], []
    for entry, text, vector in zip(entries, texts, vectors, strict=True):
        own = _ids.document_id(entry.uri)
        chunk = EmbeddedChunk(chunk=_chunk(entry, own, text), vector=vector, model=stages.embedder.model)
        documents.append(DocumentRows(document_id=own, chunks=(chunk,)))
        facts = {
            "status": "indexed",
            "size": entry.size,
            "modified": entry.modified,
            "chunks": 1,
            "last_tried": _OLD + 60,
        }
        rows.append(replace(new_row(entry.uri, own), **facts, digest="0", parsed_by=by.parse, chunked_by=by.chunk))
    stages.index.replace(documents)
    Ledger(stages.index).put(rows)


def _chunk(entry: Entry, document_id: str, text: str) -> Chunk:
    source = Source(uri=entry.uri, media_type="text/markdown", digest="0", size=entry.size, modified=entry.modified)
    return Chunk(
        id=_ids.chunk_id(document_id, text, 0),
        document_id=document_id,
        source=source,
        span=Span(0, len(text)),
        text=text,
        context="",
        headings=(),
        block_ids=("0",),
        kind=BlockKind.PARAGRAPH,
        pages=(1,),
        boxes=(),
        token_count=8,
        position=0,
    )


if __name__ == "__main__":
    main()
