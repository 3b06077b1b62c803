"""A tiny world of documents that change from night to night, each night a run that notes what it replaces."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from docpipe import _ids
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.restoring import Restore, Restored
from docpipe.pipeline.history.rows import RunRow, new_run_id
from docpipe.pipeline.ingest.ledger import Ledger, Row, in_hand_row, new_row
from docpipe.pipeline.report.reports import Holds, RunReport
from docpipe.protocols import Budget, DocumentRows, Index
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Source, Span

MODEL, DIM = "toy-1", 4
_BATCH = 2
"""Documents per commit."""
_DAY = 86_400.0


class Killed(Exception):
    """The process ended here."""


class Fragile:
    """An index that dies instead of doing its write number `after` + 1; what was done before stays."""

    def __init__(self, index: Index, *, after: int) -> None:
        self._index, self.left = index, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._index, name)
        return self._counted(found) if name in ("replace", "delete", "hold", "publish", "optimize") else found

    def table(self, name: str, /, **options: Any) -> Any:
        return _FragileTable(self, self._index.table(name, **options))

    def _counted(self, write: Any) -> Any:
        def counted(*given: Any, **options: Any) -> Any:
            if self.left < 1:
                raise Killed
            self.left -= 1
            return write(*given, **options)

        return counted


class _FragileTable:
    def __init__(self, index: Fragile, table: Any) -> None:
        self._index, self._table = index, table

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._table, name)
        return self._index._counted(found) if name in ("put", "remove", "remove_where") else found


@dataclass
class Nights:
    """An index, and a clock that goes a day further with each run."""

    index: Index
    keep: KeepOptions = field(default_factory=KeepOptions)
    days: float = 20_000.0
    runs: int = 0

    def run(
        self, sources: Mapping[str, str], *, dies_after: int | None = None, stage: bool = False, **facts: Any
    ) -> RunRow:
        """Bring the index in line with these texts by uri.

        Args:
            dies_after: so many writes are done, then the process ends.
            stage: readers do not see it.
            facts: further fields of the report.

        Raises:
            Killed: it died.
        """
        index: Any = self.index if dies_after is None else Fragile(self.index, after=dies_after)
        started = self._tick()
        ledger, history = Ledger(index), History(index, run_id=self._new_id(started), keep=self.keep)
        lost = not index.versions()
        index.open(model=MODEL, dim=DIM)
        known = ledger.rows(list(ledger.known()))
        history.begin(started, base=lost)
        if stage:
            index.hold()
        todo = [uri for uri, text in sources.items() if uri not in known or known[uri].digest != digest(text)]
        gone = [uri for uri in known if uri not in sources]
        for some in batches(sorted(todo)):
            self._write(index, ledger, history, {uri: sources[uri] for uri in some})
        for some in batches(sorted(gone)):
            self._write(index, ledger, history, dict.fromkeys(some))
        if not stage:
            index.publish()
        counts = {"indexed": len(todo), "deleted": len(gone), "published": not stage}
        return history.finish(self._report(history.run_id, started, **counts, **facts))

    def restore(self, version: str, *, dies_after: int | None = None) -> Restored:
        """Go back to a run; dies as `run` does."""
        index: Any = self.index if dies_after is None else Fragile(self.index, after=dies_after)
        started = self._tick()
        history = History(index, run_id=self._new_id(started), keep=self.keep, kind="restore")
        make = Restore(index, history, check=lambda: None, upkeep=Budget(), now=lambda: started)
        return make(version, pipeline="nights")

    def _write(self, index: Any, ledger: Ledger, history: History, texts: Mapping[str, str | None]) -> None:
        """Replace these documents; None: they are gone."""
        before = ledger.rows(list(texts))
        pairs = [(uri, _ids.document_id(uri)) for uri in texts]
        history.note(pairs, {uri: asdict(row) for uri, row in before.items()})
        ledger.put([in_hand_row(*pair) for pair in pairs])
        index.replace([document(uri, text or "") for uri, text in texts.items()])
        ledger.put([ledger_row(uri, text) for uri, text in texts.items() if text is not None])
        ledger.remove([uri for uri, text in texts.items() if text is None])

    def _report(self, run_id: str, started: float, **facts: Any) -> RunReport:
        stats = self.index.stats()
        report = RunReport(pipeline="nights", run_id=run_id, started=started, ended=started + 1)
        holds = Holds(documents=stats.documents, chunks=stats.rows)
        return replace(report, version=self.index.versions(), holds=holds, **facts)

    def _tick(self) -> float:
        self.days += 1
        return self.days * _DAY

    def _new_id(self, started: float) -> str:
        self.runs += 1
        return new_run_id(started, f"{self.runs:04x}")


def digest(text: str) -> str:
    """Of a document's bytes."""
    return _ids.digest(text.encode())


def document(uri: str, text: str) -> DocumentRows:
    """A chunk for each line."""
    document_id = _ids.document_id(uri)
    source = Source(uri=uri, media_type="text/plain", digest=digest(text), size=len(text), modified=1)
    chunks, at = [], 0
    for position, line in enumerate(text.splitlines()):
        chunk = Chunk(
            id=_ids.chunk_id(document_id, line, position),
            document_id=document_id,
            source=source,
            span=Span(at, at + len(line)),
            text=line,
            context="",
            headings=(),
            block_ids=(str(position),),
            kind=BlockKind.PARAGRAPH,
            pages=(1,),
            boxes=(),
            token_count=1,
            position=position,
        )
        chunks.append(EmbeddedChunk(chunk=chunk, vector=vector(line), model=MODEL))
        at += len(line) + 1
    return DocumentRows(document_id=document_id, chunks=tuple(chunks))


def vector(text: str) -> Any:
    """float32, shape (4,), of length 1."""
    raw = np.frombuffer(hashlib.sha256(text.encode()).digest()[:DIM], dtype=np.uint8).astype(np.float32) - 127.5
    return raw / np.linalg.norm(raw)


def ledger_row(uri: str, text: str) -> Row:
    """What the ledger says of an indexed text."""
    row = new_row(uri, _ids.document_id(uri))
    lines = len(text.splitlines())
    return replace(row, status="indexed", size=len(text), modified=1, digest=digest(text), chunks=lines)


def state(index: Index) -> dict[str, tuple[Chunk, bytes]]:
    """Every row: the chunk and its vector, by chunk id."""
    ids = list(index.document_ids())
    vectors = index.vectors(ids)
    chunks = index.fetch([chunk_id for some in index.chunk_ids(ids).values() for chunk_id in some])
    return {key: (chunk, vectors[_ids.text_key(chunk.content)].tobytes()) for key, chunk in chunks.items()}


def read(index: Index) -> dict[str, str]:
    """What readers see: the text of each document, by uri."""
    snapshot = index.snapshot()
    hits = snapshot.search_vector(np.ones((1, DIM), dtype=np.float32), limit=1_000)[0]
    found: dict[str, list[Chunk]] = {}
    for chunk in snapshot.fetch([chunk_id for chunk_id, _ in hits]).values():
        found.setdefault(chunk.source.uri, []).append(chunk)
    return {
        uri: "\n".join(chunk.text for chunk in sorted(some, key=lambda chunk: chunk.position))
        for uri, some in found.items()
    }


def digests(index: Index) -> dict[str, str]:
    """What the ledger says: the digest of each source, by uri."""
    ledger = Ledger(index)
    return {uri: row.digest for uri, row in ledger.rows(list(ledger.known())).items()}


def batches(uris: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many at a time as one commit takes."""
    return (uris[start : start + _BATCH] for start in range(0, len(uris), _BATCH))
