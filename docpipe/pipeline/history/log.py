"""A run -> what it replaced, kept beside the chunks, so that its index can be had back: the writing half."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from docpipe.errors import DocpipeError
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.history.past import Past, floor_of
from docpipe.pipeline.history.rows import RunRow, image_key, stored_run
from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import RunReport
from docpipe.protocols import Index
from docpipe.types import Failure

_MOST_RUNS = 400
"""Rows of runs that are kept, beside those with names and those that can be restored."""
_MOST_LISTED = 20
"""So many entries of each list of a report are kept here; the whole report lies in its own file."""
_AT_ONCE = 512
"""Documents whose rows are held in memory at once."""
_DAY = 86_400.0


class History(Past):
    """The history of one run, while it is at work. Only who holds the lease writes it.

    Law: with the images of all runs after a run put back, the earliest of each document, the index is what it was
    right after that run.
    """

    def __init__(self, index: Index, *, run_id: str, keep: KeepOptions, kind: str = "run") -> None:
        super().__init__(index)
        self._keep = keep
        self._row = RunRow(id=run_id, kind=kind)
        self._noted: set[str] = set()

    def begin(self, started: float, *, base: bool) -> None:
        """Remember that a run began; without an end it stands for one that was killed.

        Args:
            started: seconds since 1970 (UTC).
            base: there was no index: what is remembered of one cannot be put back into this one.
        """
        rows = self.rows()
        last = rows[0] if rows else RunRow(id="")
        base = base or not any(row.is_finished for row in rows)  # before the first version nothing is worth keeping
        seq = last.seq + 1
        self._row = replace(
            self._row,
            seq=seq,
            started=started,
            base=base,
            floor=seq if base else floor_of(rows),
            documents=last.documents,
            chunks=last.chunks,
            spent_usd=last.spent_usd,
        )
        self._runs.put([stored_run(self._row)])

    def note(self, pairs: Sequence[tuple[str, str]], ledger_rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep what documents are now, before they are replaced. The first note of a document in a run counts.

        Args:
            pairs: uri and document id of each.
            ledger_rows: what the ledger says of them, by uri; unknown ones are left out.
        """
        if self._row.base:
            return
        fresh = [(uri, document_id) for uri, document_id in dict(pairs).items() if uri not in self._noted]
        for start in range(0, len(fresh), _AT_ONCE):
            some = fresh[start : start + _AT_ONCE]
            ids = [document_id for uri, document_id in some if uri in ledger_rows]  # of others there are no rows
            rows, chunk_ids = self._index.export(ids), self._index.chunk_ids(ids)
            self._images.put(
                [
                    self._image(uri, document_id, rows.get(document_id, b""), chunk_ids, ledger_rows.get(uri, {}))
                    for uri, document_id in some
                ]
            )
            self._noted.update(uri for uri, _ in some)

    @property
    def run_id(self) -> str:
        """Of the run at work."""
        return self._row.id

    def finish(self, report: RunReport) -> RunRow:
        """Remember how the run ended, and let go of what `keep` no longer wants, in a commit each.

        What can be restored is written down before anything is let go: a kill in between costs nothing but space.
        """
        rows = self.rows()
        spent = self._row.spent_usd + report.cost_usd
        self._row = replace(
            self._row,
            ended=max(report.ended, self._row.started, 1.0),
            version=report.version,
            changed=bool(self._noted or report.indexed or report.updated or report.deleted),
            published=report.published,
            model=self._index.snapshot(latest=True).model,
            documents=report.holds.documents,
            chunks=report.holds.chunks,
            spent_usd=spent,
            report=_bounded({**json_forms.run(report), "spent_usd": spent, "ended": int(report.ended)}),
        )
        others = [row for row in rows if row.id != self._row.id]
        self._row = replace(self._row, floor=self._new_floor([self._row, *others]))
        self._runs.put([stored_run(self._row)])
        self._forget([self._row, *others])
        return self._row

    def break_off(self, error: Failure, *, cost_usd: float, now: float) -> None:
        """Remember what ended the run before its end, and what it had spent; where that cannot be written, nothing."""
        with contextlib.suppress(DocpipeError):
            if not self._row.seq:
                self.begin(now, base=False)
            spent = self._row.spent_usd + cost_usd
            report = RunReport(pipeline="", run_id=self._row.id, started=self._row.started, ended_by=error)
            facts = {**json_forms.run(replace(report, ended=now, cost_usd=cost_usd)), "spent_usd": spent}
            self._row = replace(self._row, spent_usd=spent, report=_bounded(facts))
            self._runs.put([stored_run(self._row)])

    def _new_floor(self, rows: Sequence[RunRow]) -> int:
        """`seq` of the oldest run that stays restorable, from all runs, newest first.

        While readers are held at a version, so does that: their proofs need what was parsed of its documents.
        """
        own = rows[0]
        finished = [row for row in rows if row.is_finished]
        if any(row.model != own.model for row in finished[:2]):
            return own.seq  # rows of another model cannot be put back
        changed = [row for row in finished if row.changed or row.base][: self._keep.runs]
        now = min(row.started for row in finished[:2])  # one run with a wrong clock must not cost the history
        young = [row for row in changed[1:] if now - row.started <= self._keep.days * _DAY]
        named = [row for row in finished if row.names and row.seq >= own.floor]
        shown = [row for row in finished if row.published and row.seq >= own.floor][:1] if self._index.held() else []
        return max(own.floor, min((row.seq for row in (*changed[:1], *young, *named, *shown)), default=0))

    def _forget(self, rows: Sequence[RunRow]) -> None:
        """Let go of the images that nothing can be restored with, and of the oldest runs."""
        floor = rows[0].floor
        columns = self._images.columns("run", "seq")
        gone = {run for run, seq in zip(columns["run"], columns["seq"], strict=True) if seq <= floor}
        if gone:
            self._images.remove_where("run", sorted(gone))
        gone_runs = [row.id for row in rows[_MOST_RUNS:] if not row.names and not (row.changed and row.seq >= floor)]
        if gone_runs:
            self._runs.remove(gone_runs)

    def _image(
        self,
        uri: str,
        document_id: str,
        rows: bytes,
        chunk_ids: Mapping[str, Sequence[str]],
        ledger: Mapping[str, Any],
    ) -> dict[str, Any]:
        return {
            "key": image_key(self._row.id, uri),
            "run": self._row.id,
            "seq": self._row.seq,
            "uri": uri,
            "document_id": document_id,
            "digest": ledger.get("digest", ""),
            "chunk_ids": json.dumps(list(chunk_ids.get(document_id, ()))),
            "size": len(rows),
            "rows": rows,
            "ledger": json.dumps(dict(ledger)),
        }


def _bounded(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without the tails of its long lists; what golden questions say is needed whole."""
    return {name: value if name == "staged" else _cut(value) for name, value in report.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _cut(part) for name, part in value.items()}
    return [_cut(part) for part in value[:_MOST_LISTED]] if isinstance(value, (list, tuple)) else value
