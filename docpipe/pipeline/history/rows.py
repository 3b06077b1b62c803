"""Runs and before-images <-> rows of the tables `runs` and `history` (pure)."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

RUNS = "runs"
HISTORY = "history"
RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4,}")
"""How the id of a run looks: no name may."""
RUN_COLUMNS = {
    "id": "str",
    "seq": "int",
    "kind": "str",
    "started": "float",
    "ended": "float",
    "version": "int",
    "names": "str",
    "changed": "bool",
    "published": "bool",
    "base": "bool",
    "floor": "int",
    "model": "str",
    "documents": "int",
    "chunks": "int",
    "spent_usd": "float",
    "report": "str",
}
IMAGE_COLUMNS = {
    "key": "str",
    "run": "str",
    "seq": "int",
    "uri": "str",
    "document_id": "str",
    "digest": "str",
    "chunk_ids": "str",
    "size": "int",
    "rows": "bytes",
    "ledger": "str",
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow:
    """One run, as the index remembers it."""

    id: str
    seq: int = 0
    """Counts the runs of this index from 1: clocks go back, this does not."""
    kind: str = "run"
    """`run` or `restore`."""
    started: float = 0.0
    """Seconds since 1970 (UTC)."""
    ended: float = 0.0
    """The same; 0 while it is at work, and for ever where it was killed."""
    version: int = 0
    """Version of the index after it."""
    names: tuple[str, ...] = ()
    changed: bool = False
    """Whether it changed any document."""
    published: bool = False
    """Whether readers were given what it made."""
    base: bool = False
    """Whether nothing before it can be restored: it is the first, or made an index that was lost anew."""
    floor: int = 0
    """`seq` of the oldest run that could be restored when this one ended."""
    model: str = ""
    """Identity of the model of the vectors that readers used after it."""
    documents: int = 0
    """In the index after it."""
    chunks: int = 0
    """The same."""
    spent_usd: float = 0.0
    """What services cost, this run and all before it."""
    report: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """What the run said of itself; long lists are cut. Empty where it was not asked for."""

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end."""
        return self.ended > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """Where what a document was before a run is kept, without its rows."""

    key: str
    seq: int
    """Of the run that replaced it."""
    uri: str
    document_id: str
    size: int
    """Bytes of its rows."""


def new_run_id(started: float, salt: str) -> str:
    """Names a run by when it began and by chance: `20261121T142600-7f3a`.

    Args:
        started: seconds since 1970.
        salt: four random hexadecimal digits.
    """
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(started))}-{salt}"


def stored_run(row: RunRow) -> dict[str, Any]:
    """A run as a row of the table."""
    plain = {name: getattr(row, name) for name in RUN_COLUMNS}
    return plain | {"names": json.dumps(row.names), "report": json.dumps(dict(row.report))}


def run_row(stored: Mapping[str, Any]) -> RunRow:
    """What `stored_run` stored; columns may be missing."""
    row = RunRow(**{**stored, "names": (), "report": _NOTHING})
    names = tuple(json.loads(stored.get("names") or "[]"))
    return replace(row, names=names, report=json.loads(stored.get("report") or "{}"))


def image_key(run: str, uri: str) -> str:
    """One image for each document and run."""
    return f"{run}|{uri}"
