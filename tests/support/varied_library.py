"""A small pipeline over files of several kinds, run by a process of its own that waits for a word: to be killed."""

import os
import resource
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toy_stages import ToyStages, appending

from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.hashing import HashingEmbedder
from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.parse.auto import AutoParser
from docpipe.pipeline.file.options import KeepOptions, RunOptions
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.rows import new_run_id
from docpipe.pipeline.ingest.plan import AS_DUE, Retry
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report.reports import RunReport
from docpipe.pipeline.schedule.lease import hold
from docpipe.types import Blob, Document

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@dataclass(frozen=True, kw_only=True)
class LoggedParser:
    """Another parser, whose work is written down: a digest a line."""

    VERSION = 1

    inner: Any
    log: str = field(compare=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        appending(self.log)  # in a worker, before it is confined

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        os.write(appending(self.log), f"{blob.source.digest}\n".encode())
        yield from self.inner(blob)


def stages(folder: Path, index: Path, log: Path, *, dim: int) -> ToyStages:
    """The stages of the pipeline; another `dim` is another embedder."""
    parser: Any = LoggedParser(inner=AutoParser(), log=str(log))
    chunker: Any = LayoutChunker(max_tokens=48, overlap=0, tokenizer="characters")
    embedder: Any = HashingEmbedder(dim=dim)
    loader = FileLoader(path=str(folder))
    return ToyStages(
        loaders=(loader,), index=LanceIndex(uri=str(index)), parser=parser, chunker=chunker, embedder=embedder
    )


def run(
    folder: Path, index: Path, log: Path, *, dim: int = 32, retry: Retry = AS_DUE, progress: Any = None
) -> RunReport:
    """Run once, with lease and history, a commit every few chunks."""
    made = stages(folder, index, log, dim=dim)
    own = new_run_id(0.0, log.stem)
    options = RunOptions(workers=1, batch_chunks=4, max_delete=1.0, upkeep_seconds=30)
    with hold(made.index, index, run_id=own) as guard:
        history = History(made.index, run_id=own, keep=KeepOptions(runs=3))
        report = Run(made, options, run_id=own, guard=guard, history=history, retry=retry, progress=progress)("varied")
        history.finish(report)
    return report


def serve(pipe: "Connection", folder: Path, index: Path, log: Path, largest: int) -> None:
    """In a process of its own: say `ready`, be told the dimension to embed in, run once, tell each event and the end.

    Args:
        largest: bytes that a file may have; to write more fails as on a full disk.
    """
    import lancedb

    assert lancedb.__version__
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    pipe.send("ready")
    dim = pipe.recv()
    try:
        report = run(folder, index, log, dim=dim, progress=lambda event: pipe.send(event.kind))
        pipe.send("done" if report.account.closed else f"gaps {report.account}")
    except Exception:  # whatever it is, the parent judges it
        pipe.send(traceback.format_exc())
