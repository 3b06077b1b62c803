"""What is indexed, from what, by which fingerprints: one row per source, beside the chunks."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, NamedTuple

from docpipe import _ids
from docpipe._ids import chain
from docpipe.pipeline.processes.coverage import Coverage
from docpipe.protocols import Index, KeyedTable
from docpipe.types import Failure, Source, Status

if TYPE_CHECKING:
    import pyarrow as pa

LEDGER = "ledger"
PARSED = "parsed"
_FIRST_WAIT = 30 * 60
"""Seconds before the third try; each further failure doubles the wait. The second try is the next run's."""
_LONGEST_WAIT = 24 * 3600
_SPREAD = 0.1
"""By so much a wait is made longer or shorter, so that not all come due at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What is known of one source."""

    uri: str
    document_id: str
    status: str
    """`indexed`, `failed` or `ignored`."""
    size: int
    modified: int
    digest: str
    """Of the bytes that were read last; nothing where they could not be read."""
    media_type: str
    parsed_by: str
    """Fingerprint of the parser."""
    chunked_by: str
    """Fingerprint of parser and chunker; for what failed or was left out, of the limits too."""
    chunks: int = 0
    """Rows in the index; they may be of an earlier version of a file that fails now."""
    tokens: int = 0
    pages: int = 0
    ocr_pages: str = ""
    """Numbers of the pages that need OCR, with commas."""
    stage: str = ""
    error: str = ""
    message: str = ""
    remedy: str = ""
    retryable: bool = False
    attempts: int = 0
    first_failed: int = 0
    """Seconds since 1970."""
    last_tried: int = 0
    next_try: int = 0
    """A failed source is not tried before, unless somebody asks for it; 0: nothing to wait for."""
    characters: int = 0
    """Code points of the parsed text, blanks left out."""
    covered: int = 0
    """Of these, in at least one chunk."""
    left_out: str = ""
    """Of these, left out on purpose: JSON, kind -> count; nothing where none is."""
    run: str = ""
    """The run that wrote what the index holds of it."""
    members: str = ""
    """The mark of the files that were found inside it, see `inside`; nothing where its name says that it holds none."""
    outer_lines: str = ""
    """Marks of its first and last lines, as `docpipe.repeated` makes them."""

    @property
    def coverage(self) -> Coverage:
        """How much of its text is in its chunks."""
        left_out = json.loads(self.left_out) if self.left_out else {}
        return Coverage(characters=self.characters, covered=self.covered, left_out=left_out)

    @property
    def is_stale(self) -> bool:
        """The index holds an older version of a source that fails now."""
        return self.status == Status.FAILED and self.chunks > 0

    @property
    def failure(self) -> Failure | None:
        """The error of a source that failed or was left out."""
        if not self.error:
            return None
        return Failure(
            stage=self.stage, type=self.error, message=self.message, remedy=self.remedy, retryable=self.retryable
        )

    @property
    def ocr_numbers(self) -> tuple[int, ...]:
        """The pages that need OCR."""
        return tuple(int(number) for number in self.ocr_pages.split(",") if number)

    def failed(self, failure: Failure, *, status: Status, source: Source, by: "Stamp", now: int) -> "Row":
        """The row after another failure; what the index holds of it stays."""
        again = self.status == Status.FAILED
        attempts = self.attempts + 1 if again else 1
        return replace(
            self,
            status=status.value,
            size=source.size,
            modified=source.modified,
            digest=source.digest,
            media_type=source.media_type,
            parsed_by=by.parse,
            chunked_by=by.tried,
            stage=failure.stage,
            error=failure.type,
            message=failure.message,
            remedy=failure.remedy,
            retryable=failure.retryable,
            attempts=attempts,
            first_failed=self.first_failed if again else now,
            last_tried=now,
            next_try=now + wait_after(attempts, self.uri) if failure.retryable and status == Status.FAILED else 0,
        )


class Known(NamedTuple):
    """The part of a row that decides whether its source must be worked on: light enough for 100,000 of them."""

    document_id: str
    status: str
    size: int
    modified: int
    parsed_by: str
    chunked_by: str
    retryable: bool
    chunks: int = 0
    next_try: int = 0
    attempts: int = 0
    last_tried: int = 0
    members: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Sums over the ledger."""

    indexed: int = 0
    """Sources that are indexed as they are."""
    failed: int = 0
    ignored: int = 0
    in_hand: int = 0
    """Sources that a run was writing when it was killed; the next one does them again."""
    stale: int = 0
    """Of the failed: an older version is searchable."""
    waiting: int = 0
    """Of the failed: they are tried again by themselves."""
    next_try: int = 0
    """When the first of these is due, in seconds since 1970; 0: none."""
    stale_pages: int = 0
    pages: int = 0
    """Of everything that is in the index, as are the figures below."""
    chunks: int = 0
    tokens: int = 0
    characters: int = 0
    covered: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    """The sources of which characters are lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """The fingerprints of the stages of today's pipeline."""

    parse: str
    chunk: str
    tried: str
    """Parser, chunker and the limits of a worker: when it changes, what failed is tried again."""


_COLUMNS = {column.name: getattr(column.type, "__name__", str(column.type)) for column in fields(Row)}
_PARSED_COLUMNS = {"key": "str", "digest": "str", "parsed_by": "str", "size": "int", "data": "bytes"}
_AT_ONCE = 8_192
"""Rows that are looked at one by one together."""
_SUMMED = ("uri", "status", "retryable", "next_try", "pages", "chunks", "tokens", "characters", "covered", "left_out")


class Ledger:
    """The rows of an index's sources, and the parsed documents by their content."""

    def __init__(self, index: Index) -> None:
        self._rows: KeyedTable = index.table(LEDGER, columns=_COLUMNS, key="uri")
        self._parsed: KeyedTable = index.table(PARSED, columns=_PARSED_COLUMNS, key="key")

    @property
    def table(self) -> KeyedTable:
        """The rows as the index keeps them: the columns are the fields of `Row`, the key is `uri`."""
        return self._rows

    @property
    def parsed_table(self) -> KeyedTable:
        """The parsed documents as the index keeps them: `key`, `digest`, `parsed_by`, `size`, `data`."""
        return self._parsed

    def known(self) -> dict[str, Known]:
        """What is known of every source, by uri."""
        columns = self._rows.columns("uri", *Known._fields)
        uris = columns.pop("uri")
        return dict(zip(uris, map(Known._make, zip(*columns.values(), strict=True)), strict=True))

    def rows(self, uris: Sequence[str]) -> dict[str, Row]:
        """Whole rows of these sources; unknown ones are left out."""
        return {uri: Row(**row) for uri, row in self._rows.get(uris).items()} if uris else {}

    def failed(self) -> list[Row]:
        """The rows of all sources that failed, by uri."""
        columns = self._rows.columns("uri", "status")
        pairs = zip(columns["uri"], columns["status"], strict=True)
        rows = self.rows(sorted(uri for uri, status in pairs if status == Status.FAILED))
        return [rows[uri] for uri in sorted(rows)]

    def stale(self) -> frozenset[str]:
        """The sources that fail now, and of which the index holds an older version."""
        columns = self._rows.columns("uri", "status", "chunks")
        return frozenset(
            uri for uri, status, chunks in zip(*columns.values(), strict=True) if status == Status.FAILED and chunks
        )

    def pages(self) -> int:
        """Of all sources that are in the index."""
        import pyarrow.compute as pc

        return pc.sum(self._rows.arrow("pages")["pages"]).as_py() or 0

    def totals(self) -> Totals:
        """Sums over all sources."""
        return summed(self._rows.arrow(*_SUMMED))

    def put(self, rows: Sequence[Row]) -> None:
        """Insert or replace rows, in one commit."""
        if rows:
            self._rows.put([{name: getattr(row, name) for name in _COLUMNS} for row in rows])

    def remove(self, uris: Sequence[str]) -> None:
        """Forget sources."""
        if uris:
            self._rows.remove(uris)

    def parsed(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Parsed documents, as `_codec` writes them, by `parsed_key`; unknown keys are left out."""
        return {key: row["data"] for key, row in self._parsed.get(keys).items()} if keys else {}

    def parsed_from(self, digest: str) -> list[bytes]:
        """What was parsed from these bytes: once for each parser and each name by which they were read."""
        return [row["data"] for row in self._parsed.find("digest", digest)] if digest else []

    def parsed_sizes(self, by: Stamp, sizes: Collection[int]) -> dict[int, frozenset[str]]:
        """Digests of files of these sizes whose documents are kept as today's parser makes them, by size in bytes."""
        columns = self._parsed.columns("size", "digest", "parsed_by")
        found: dict[int, set[str]] = {}
        for size, digest, parser in zip(*columns.values(), strict=True):
            if parser == by.parse and size in sizes:
                found.setdefault(size, set()).add(digest)
        return {size: frozenset(digests) for size, digests in found.items()}

    def forget_parsed(self, by: Stamp, kept: Collection[str]) -> int:
        """Let go of parsed documents that nothing refers to; returns how many. For a run in which nothing waits.

        Args:
            by: whatever was parsed otherwise goes, but of sources that fail now: their older version is still shown.
            kept: digests of which all stays, since it can still be restored.
        """
        rows = self._rows.columns("digest", "status")
        current, whole = set[str](), set(kept)
        for digest, status in zip(*rows.values(), strict=True):
            (current if status == Status.INDEXED else whole).add(digest)
        columns = self._parsed.columns("key", "digest", "parsed_by")
        gone = [
            key
            for key, digest, parser in zip(*columns.values(), strict=True)
            if digest not in whole and not (digest in current and parser == by.parse)
        ]
        self._parsed.remove(gone)
        return len(gone)

    def uris(self) -> list[str]:
        """Of all sources."""
        return list(self._rows.columns("uri")["uri"])


def parsed_key(digest: str, parse_stamp: str, media_type: str) -> str:
    """What a parsed document depends on: the bytes, the parser, and what the bytes were taken for (by their name)."""
    return chain(digest, parse_stamp, media_type)


def parsed_row(source: Source, by: Stamp, data: bytes) -> dict[str, object]:
    """A parsed document as it is stored."""
    return {
        "key": parsed_key(source.digest, by.parse, source.media_type),
        "digest": source.digest,
        "parsed_by": by.parse,
        "size": source.size,
        "data": data,
    }


def wait_after(attempts: int, uri: str) -> int:
    """Seconds until a source that failed so often is tried again.

    After the first failure the next run tries, whenever it is: the service was down, now it is not. Then it is
    twice as long each time, a day at most.
    """
    if attempts < 2:
        return 0
    wait: int = min(2 ** min(attempts - 2, 20) * _FIRST_WAIT, _LONGEST_WAIT)
    part = int(_ids.digest(f"{uri} {attempts}".encode("utf-8", "surrogatepass"))[:8], 16) / 0xFFFFFFFF
    return round(wait * (1 - _SPREAD + 2 * _SPREAD * part))


def summed(rows: "pa.Table") -> Totals:
    """The sums of a ledger's columns (pure): in Arrow, an object only for what is left out of a source's text."""
    import pyarrow.compute as pc

    status, failed = rows["status"], pc.equal(rows["status"], Status.FAILED.value)
    by_status = {one["values"]: one["counts"] for one in pc.value_counts(status).to_pylist()}
    has_rows = pc.greater(rows["chunks"], 0)
    stale = rows.filter(pc.and_(failed, has_rows))
    due = rows["next_try"].filter(pc.and_(failed, rows["retryable"]))
    held = rows.filter(pc.or_(pc.equal(status, Status.INDEXED.value), has_rows))
    left_out, gaps = _left_out(held)
    return Totals(
        indexed=by_status.get(Status.INDEXED.value, 0),
        failed=by_status.get(Status.FAILED.value, 0),
        ignored=by_status.get(Status.IGNORED.value, 0),
        in_hand=by_status.get("", 0),
        stale=stale.num_rows,
        stale_pages=pc.sum(stale["pages"]).as_py() or 0,
        waiting=len(due),
        next_try=pc.min(due).as_py() or 0,
        left_out=left_out,
        gaps=gaps,
        **{name: pc.sum(held[name]).as_py() or 0 for name in ("pages", "chunks", "tokens", "characters", "covered")},
    )


def _left_out(held: "pa.Table") -> tuple[dict[str, int], tuple[str, ...]]:
    """What is left out on purpose, by kind, and the sources of which more is missing."""
    import pyarrow.compute as pc

    whole = pc.equal(held["left_out"], "")
    missing = held["uri"].filter(pc.and_(whole, pc.not_equal(held["characters"], held["covered"]))).to_pylist()
    partly = held.filter(pc.invert(whole)).select(["uri", "characters", "covered", "left_out"])
    left_out: Counter[str] = Counter()
    for row in (row for batch in partly.to_batches(max_chunksize=_AT_ONCE) for row in batch.to_pylist()):
        kinds: dict[str, int] = json.loads(row["left_out"])
        left_out.update(kinds)
        if row["characters"] - row["covered"] - sum(kinds.values()):
            missing.append(row["uri"])
    return dict(left_out), tuple(sorted(missing))


def new_row(uri: str, document_id: str) -> Row:
    """The row of a source that is not known yet."""
    return Row(
        uri=uri,
        document_id=document_id,
        status="",
        size=-1,
        modified=-1,
        digest="",
        media_type="",
        parsed_by="",
        chunked_by="",
    )


def in_hand_row(uri: str, document_id: str) -> Row:
    """The row of a source of which nothing is known but that the index may hold rows of it."""
    return in_hand(new_row(uri, document_id))


def in_hand(row: Row) -> Row:
    """The row of a source whose rows in the index are about to be written.

    Whatever happens, the next run works on it, even where the file is by then what it was before.
    """
    return replace(row, status="", chunks=max(row.chunks, 1))
