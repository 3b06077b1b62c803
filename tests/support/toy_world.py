"""A small world around a run: a folder of texts, an index that outlives runs, and a count of the work that was done."""

import os
from pathlib import Path

from toy_stages import ToyParser, ToyStages

from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report.reports import RunReport
from docpipe.protocols import Index


class World:
    """A folder, an index that outlives runs, and a count of the work that was done."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.root = folder / "docs"
        self.root.mkdir()
        self._modified = 10**18
        self.log = folder / "parsed.log"
        self.stages = ToyStages(
            loaders=(FileLoader(path=str(self.root)),), index=index, parser=ToyParser(log=str(self.log))
        )
        self.options = RunOptions(workers=2, timeout=10)

    def write(self, **texts: str) -> None:
        """Write files, each as if it were a second younger than the one before and long finished."""
        for name, text in texts.items():
            path = self.root / f"{name}.txt"
            path.write_text(text, encoding="utf-8")
            self._modified += 10**9
            os.utime(path, ns=(self._modified, self._modified))

    @property
    def ledger(self) -> Ledger:
        """What is known of the folder."""
        return Ledger(self.stages.index)

    def run(self, **kwargs: object) -> RunReport:
        self.log.unlink(missing_ok=True)
        self.stages.embedder.given.clear()
        return Run(self.stages, self.options, **kwargs)("toy")  # type: ignore[arg-type]

    @property
    def parsed(self) -> list[str]:
        return sorted(self.log.read_text("utf-8").splitlines()) if self.log.exists() else []

    @property
    def embedded(self) -> list[str]:
        return sorted(self.stages.embedder.given)

    def found(self, word: str) -> list[str]:
        index = self.stages.index
        chunks = index.fetch([chunk_id for chunk_id, _ in index.search_text(word, limit=20)])
        return sorted(chunk.source.uri for chunk in chunks.values())
