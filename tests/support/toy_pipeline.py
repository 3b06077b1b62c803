"""A run over a folder in a process of its own, to be killed: `python -m toy_pipeline FOLDER INDEX`."""

import sys
from pathlib import Path

from toy_stages import ToyStages

from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.schedule.lock import run_lock


def main(folder: str, index: str) -> None:
    """Run once, a commit per document."""
    stages = ToyStages(loaders=(FileLoader(path=folder),), index=LanceIndex(uri=index))
    with run_lock(Path(index), index=index):
        Run(stages, RunOptions(workers=1, batch_chunks=1))("toy")


if __name__ == "__main__":
    main(*sys.argv[1:])
