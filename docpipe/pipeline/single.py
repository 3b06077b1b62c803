"""One file -> its Document, in a process of its own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe.errors import ConfigError, CorruptSource, SourceError
from docpipe.load.inside.members import SEPARATOR, around
from docpipe.pipeline.file import spec
from docpipe.pipeline.file.build import build
from docpipe.pipeline.file.catalog import stage_class
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.processes.grants import Grants, grants
from docpipe.pipeline.processes.workers import WorkerPool
from docpipe.protocols import HoldsFiles, Loader, Parser
from docpipe.types import Blob, Document, Entry, Outcome


@dataclass(frozen=True, kw_only=True)
class ReadOne:
    """What a worker is asked to do with a file that is only to be read."""

    loader: Loader

    @property
    def grants(self) -> Grants:
        """What it needs beyond what every worker has."""
        return grants((self.loader,))

    def read(self, entry: Entry) -> Blob:
        """Its bytes."""
        return self.loader.read(entry)

    def members(self, entry: Entry) -> list[Entry | Outcome]:
        """The files directly inside it."""
        return list(self.loader.members(entry)) if isinstance(self.loader, HoldsFiles) else []


@dataclass(frozen=True, kw_only=True)
class ReadAndParse:
    """What a worker is asked to do with a file that is to be parsed."""

    loader: Loader
    parser: Parser

    @property
    def grants(self) -> Grants:
        """What it needs beyond what every worker has."""
        return grants((self.loader, self.parser))

    def parse(self, entry: Entry) -> tuple[Blob, Document]:
        """Read and parse one file."""
        blob = self.loader.read(entry)
        for document in self.parser(blob):
            return blob, document
        raise CorruptSource("the parser found no document in it", source=entry.uri)


def parse_file(file: Path, *, pipeline: Path | None, environment: Mapping[str, str]) -> tuple[Blob, Document]:
    """Read and parse one file as a pipeline does, or as `parse.auto` does without one.

    Args:
        file: on the disk, or inside another one: `box.zip!/report.pdf`.

    Raises:
        SourceError: it is missing, is a folder, or cannot be used as it is.
        StageError: it could not be parsed, or not within the limits.
        ConfigError: the pipeline file is wrong.
    """
    outer = next((Path(path) for path in around(str(file)) if Path(path).is_file()), file)
    if not os.path.lexists(outer):
        raise ConfigError(f"there is no file {file}", where=str(file), remedy="give the path of a file")
    if outer.is_dir():
        raise ConfigError(f"{file} is a folder", where=str(file), remedy="give one file")
    options, parser, passwords = RunOptions(), None, ()
    if pipeline is not None:
        stages = build(spec.load(pipeline, environment=environment))
        options, parser = stages.run, stages.parser
        passwords = tuple(name for loader in stages.loaders for name in getattr(loader, "passwords", ()))
    loader: Loader = stage_class("load.files")(path=str(outer.absolute()), hidden=True, passwords=passwords)
    work = ReadAndParse(loader=loader, parser=parser if parser is not None else stage_class("parse.auto")())
    entry = within(loader, _entry(loader, outer), str(file).removeprefix(str(outer)))
    found: tuple[Blob, Document] = isolated(work, "parse", entry, options=options)
    return found


def isolated(work: object, method: str, *arguments: Any, options: RunOptions | None = None) -> Any:
    """`work.method(*arguments)` in a process of its own, with a limit on time and memory; raises what it raises."""
    with WorkerPool(work, size=1, limits=(options or RunOptions()).limits) as pool:
        pool.submit(None, method, *arguments)
        reply = next(pool.replies())
    if reply.error is not None:
        raise reply.error
    return reply.value


def within(loader: Loader, entry: Entry, path: str) -> Entry:
    """A file inside one that was listed, to be read; the file itself where the path is empty.

    Args:
        path: from `!/` on, as in a uri.
    """
    for name in path.split(SEPARATOR)[1:]:
        assert isinstance(loader, HoldsFiles)
        entry = loader.inside(entry, f"{entry.uri}{SEPARATOR}{name}", 0, 0)
    return entry


def _entry(loader: Loader, file: Path) -> Entry:
    for entry in loader.entries():
        if isinstance(entry, Entry):
            return entry
        if entry.error is not None:
            raise SourceError(entry.error.message, source=str(file), remedy=entry.error.remedy)
    raise SourceError("it is not a file that can be read", source=str(file), remedy="give one file")
