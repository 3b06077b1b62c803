"""What is indexed, from what, by which fingerprints: one row per source, beside the chunks."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import RunReport
from docpipe.protocols import Index, KeyedTable
from docpipe.types import Failure, Source, Status

LEDGER = "ledger"
DOCUMENTS = "documents"
RUNS = "runs"


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
            attempts=self.attempts + 1 if again else 1,
            first_failed=self.first_failed if again else now,
            last_tried=now,
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """The fingerprints of the stages of today's pipeline."""

    parse: str
    chunk: str
    tried: str
    """Parser, chunker and the limits of a worker: when it changes, what failed is tried again."""


_COLUMNS = {field.name: getattr(field.type, "__name__", str(field.type)) for field in fields(Row)}
_RUN_COLUMNS = {"id": "str", "report": "str"}
_DOCUMENT_COLUMNS = {"document_id": "str", "digest": "str", "parsed_by": "str", "data": "bytes"}


class Ledger:
    """The rows of an index's sources, and the parsed documents."""

    def __init__(self, index: Index) -> None:
        self._rows: KeyedTable = index.table(LEDGER, columns=_COLUMNS, key="uri")
        self._documents: KeyedTable = index.table(DOCUMENTS, columns=_DOCUMENT_COLUMNS, key="document_id")
        self._runs: KeyedTable = index.table(RUNS, columns=_RUN_COLUMNS, key="id")

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

    def totals(self) -> dict[str, int]:
        """Sources by status, and the sums of pages, chunks and tokens of those that are indexed."""
        columns = self._rows.columns("status", "pages", "chunks", "tokens")
        totals = dict.fromkeys(("indexed", "failed", "ignored", "pages", "chunks", "tokens"), 0)
        for status, pages, chunks, tokens in zip(*columns.values(), strict=True):
            totals[status] = totals.get(status, 0) + 1
            totals["pages"] += pages
            totals["chunks"] += chunks
            totals["tokens"] += tokens
        return totals

    def put(self, rows: Sequence[Row]) -> None:
        """Insert or replace rows, in one commit."""
        if rows:
            self._rows.put([{name: getattr(row, name) for name in _COLUMNS} for row in rows])

    def remove(self, document_ids: Mapping[str, str]) -> None:
        """Forget sources (uri -> document id) and their documents."""
        if document_ids:
            self._documents.remove(list(document_ids.values()))
            self._rows.remove(list(document_ids))

    def keep_documents(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Store parsed documents: `document_id`, `digest`, `parsed_by`, `data`."""
        if documents:
            self._documents.put(documents)

    def documents(self, document_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Stored documents by id."""
        return self._documents.get(document_ids)

    def keep_run(self, report: RunReport) -> None:
        """Remember the last run that changed anything, and what all of them cost together."""
        spent = self.last_run().get("spent_usd", 0.0) + report.cost_usd
        facts = {**json_forms.run(report), "spent_usd": spent, "ended": int(time.time())}
        self._runs.put([{"id": "last", "report": json.dumps(facts, ensure_ascii=False)}])

    def last_run(self) -> dict[str, Any]:
        """The report of the last run that changed anything; empty before the first."""
        row = self._runs.get(["last"]).get("last")
        facts: dict[str, Any] = json.loads(row["report"]) if row else {}
        return facts


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
