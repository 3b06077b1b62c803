"""A run over a folder with an embedder that is paid for, in a process of its own, to be killed.

`python -m paid_run FOLDER INDEX SERVICE`: the key comes from the environment.
"""

import sys
from pathlib import Path
from typing import Any

from toy_stages import ToyStages

from docpipe._http.endpoint import Endpoint
from docpipe.embed.http import HttpEmbedder
from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.run import Run


def stages(folder: Path, index: Path, service: str) -> ToyStages:
    """Texts that go to the service two at a time."""
    embedder: Any = HttpEmbedder(dimensions=256, service=Endpoint(base_url=service, concurrency=1), batch_texts=2)
    loader = FileLoader(path=str(folder))
    return ToyStages(loaders=(loader,), index=LanceIndex(uri=str(index)), embedder=embedder)


OPTIONS = RunOptions(workers=1)

if __name__ == "__main__":
    Run(stages(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]), OPTIONS)("paid")
