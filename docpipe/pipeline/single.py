"""One file -> its Document, in a process of its own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe.errors import ConfigError, CorruptSource, SourceError
from docpipe.pipeline.file import spec
from docpipe.pipeline.file.build import build
from docpipe.pipeline.file.catalog import stage_class
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.protocols import Loader, Parser
from docpipe.types import Blob, Document, Entry


@dataclass(frozen=True, kw_only=True)
class ReadAndParse:
    """What the worker is asked to do."""

    loader: Loader
    parser: Parser

    def parse(self, entry: Entry) -> tuple[Blob, Document]:
        """Read and parse one file."""
        blob = self.loader.read(entry)
        for document in self.parser(blob):
            return blob, document
        raise CorruptSource("the parser found no document in it", source=entry.uri)


def parse_file(file: Path, *, pipeline: Path | None, environment: Mapping[str, str]) -> tuple[Blob, Document]:
    """Read and parse one file as a pipeline does, or as `parse.auto` does without one.

    Raises:
        SourceError: it is missing, is a folder, or cannot be used as it is.
        StageError: it could not be parsed, or not within the limits.
        ConfigError: the pipeline file is wrong.
    """
    if not os.path.lexists(file):
        raise ConfigError(f"there is no file {file}", where=str(file), remedy="give the path of a file")
    if file.is_dir():
        raise ConfigError(f"{file} is a folder", where=str(file), remedy="give one file")
    options, parser = RunOptions(), None
    if pipeline is not None:
        stages = build(spec.load(pipeline, environment=environment))
        options, parser = stages.run, stages.parser
    loader: Loader = stage_class("load.files")(path=str(file.absolute()), hidden=True)
    work = ReadAndParse(loader=loader, parser=parser if parser is not None else stage_class("parse.auto")())
    found: tuple[Blob, Document] = isolated(work, "parse", _entry(loader, file), options=options)
    return found


def isolated(work: object, method: str, *arguments: Any, options: RunOptions | None = None) -> Any:
    """`work.method(*arguments)` in a process of its own, with a limit on time and memory; raises what it raises."""
    with WorkerPool(work, size=1, limits=(options or RunOptions()).limits) as pool:
        pool.submit(None, method, *arguments)
        reply = next(pool.replies())
    if reply.error is not None:
        raise reply.error
    return reply.value


def _entry(loader: Loader, file: Path) -> Entry:
    for entry in loader.entries():
        if isinstance(entry, Entry):
            return entry
        if entry.error is not None:
            raise SourceError(entry.error.message, source=str(file), remedy=entry.error.remedy)
    raise SourceError("it is not a file that can be read", source=str(file), remedy="give one file")
