"""A run over a folder in which nothing changed: work by number of files, beside the import of LanceDB.

    python benchmarks/unchanged.py [--files 600 100000]

The ledger is filled as a finished run would have left it, so that nothing has to be parsed first.
"""

import argparse
import tempfile
import time
from pathlib import Path

from docpipe import _ids
from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.hashing import HashingEmbedder
from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.parse.auto import AutoParser
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger, new_row
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.ingest.survey import stamp_of
from docpipe.types import Entry


def main() -> None:
    """Print CPU and wall milliseconds of a run for each number of files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[600, 100_000])
    started = time.process_time()
    import lancedb  # noqa: F401 - its import is measured on its own

    print(f"import of LanceDB: {1000 * (time.process_time() - started):.0f} CPU ms\n")
    print(f"{'files':>8}{'CPU ms':>9}{'wall ms':>9}{'parsed':>8}{'embedded':>9}{'written':>8}")
    for count in parser.parse_args().files:
        with tempfile.TemporaryDirectory() as name:
            _measure(Path(name), count)


def _measure(folder: Path, count: int) -> None:
    docs = folder / "docs"
    for number in range(count):
        path = docs / f"{number // 1000:03}" / f"{number:06}.md"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    stages, options = _stages(docs, folder / "index"), RunOptions()
    _fill(stages, options)
    best = (float("inf"), float("inf"))
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        report = Run(stages, options)("unchanged")
        best = min(best, (time.process_time() - cpu, time.perf_counter() - wall))
        assert report.unchanged == count, report
    work = f"{report.pages:8}{report.embedded:9}{report.chunks:8}"
    print(f"{count:8}{1000 * best[0]:9.0f}{1000 * best[1]:9.0f}{work}", flush=True)


def _stages(docs: Path, index: Path):  # type: ignore[no-untyped-def]
    class _Stages:
        loaders = (FileLoader(path=str(docs)),)
        parser = AutoParser()
        chunker = LayoutChunker()
        embedder = HashingEmbedder()

    _Stages.index = LanceIndex(uri=str(index))  # type: ignore[attr-defined]
    return _Stages


def _fill(stages: Stages, options: RunOptions) -> None:
    stages.index.open(model=stages.embedder.model, dim=stages.embedder.dim)
    by = stamp_of(stages.parser, stages.chunker, options)
    rows = []
    for entry in stages.loaders[0].entries():
        assert isinstance(entry, Entry)
        row = new_row(entry.uri, _ids.document_id(entry.uri))
        facts = {"status": "indexed", "size": entry.size, "modified": entry.modified, "chunks": 1}
        rows.append(type(row)(**{**_fields(row), **facts, "parsed_by": by.parse, "chunked_by": by.chunk}))
    Ledger(stages.index).put(rows)


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
