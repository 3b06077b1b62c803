"""An index after three nights, as a doctor sees it: the ledger and the parsed documents as runs leave them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nights import MODEL, Nights, digest

from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.care.doctor import Mending, examine
from docpipe.pipeline.care.findings import Finding
from docpipe.pipeline.ingest.ledger import Ledger, parsed_key
from docpipe.protocols import Index

SOURCES = {f"{name}.txt": f"{name} one\n{name} two\n{name} three" for name in "abcdefgh"}
CHANGED = {**SOURCES, "a.txt": "a other\na two", "b.txt": "b other"}


class Embeds:
    model = MODEL


@dataclass(frozen=True)
class Examined:
    """The stages that a doctor looks at."""

    index: Any
    embedder: Any = Embeds
    path: Path = Path("my night.yaml")


class World:
    """An index after three nights, the ledger and the parsed documents as a run leaves them."""

    def __init__(self, index: Index | None = None) -> None:
        self._see(index or MemoryIndex())
        for sources in (SOURCES, CHANGED, SOURCES):
            self.run(sources)

    @classmethod
    def of(cls, index: Index) -> "World":
        """An index that has had its three nights."""
        world = cls.__new__(cls)
        world._see(index)
        world.nights.days += 3
        world.nights.runs += 3
        return world

    def _see(self, index: Index) -> None:
        self.stages = Examined(index)
        self.index: Index = index
        self.ledger = Ledger(index)
        self.nights = Nights(index)

    def run(self, sources: Mapping[str, str] = SOURCES) -> None:
        self.nights.run(sources)
        keys = {uri: parsed_key(digest(text), "", "") for uri, text in sources.items()}
        rows = [{"key": key, "digest": digest(sources[uri]), "data": b"parsed"} for uri, key in keys.items()]
        self.ledger.parsed_table.put(rows)

    def table(self, name: str, columns: Mapping[str, str], key: str) -> Any:
        return self.index.table(name, columns=columns, key=key)

    def failing(self) -> set[str]:
        return {finding.check for finding in self.examine() if not finding.ok}

    def examine(self) -> tuple[Finding, ...]:
        return examine(self.stages, now=self.nights.days * 86_400 + 100)

    def mend(self) -> tuple[str, ...]:
        return Mending(self.stages, check=lambda: None)()
