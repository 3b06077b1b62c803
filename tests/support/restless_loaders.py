"""Loaders whose files move under their hands (a module, so that workers can import it)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toy_stages import appending

from docpipe.load.files import FileLoader
from docpipe.types import Blob, Entry, Outcome


@dataclass(frozen=True, kw_only=True)
class VanishingLoader(FileLoader):
    """One file is gone as soon as all are listed."""

    victim: str = ""

    def entries(self) -> Iterator[Entry | Outcome]:
        found = list(super().entries())
        (Path(self.path) / self.victim).unlink(missing_ok=True)
        yield from found


@dataclass(frozen=True, kw_only=True)
class ReplacingLoader(FileLoader):
    """Somebody writes to one file while it is read."""

    victim: str = ""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        appending(str(Path(self.path) / self.victim))  # in a worker, before it is confined

    def read(self, entry: Entry, /) -> Blob:
        if entry.uri != self.victim:
            return super().read(entry)
        import os

        real = os.fstat

        def late(handle: int) -> os.stat_result:
            facts = real(handle)
            os.write(appending(str(Path(self.path) / self.victim)), b"more")
            return facts

        os.fstat = late
        try:
            return super().read(entry)
        finally:
            os.fstat = real
