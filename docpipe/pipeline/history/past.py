"""An index -> the runs that made it, and which of them can be restored: the reading half of the history."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from docpipe.errors import ConfigError
from docpipe.pipeline.history.rows import HISTORY, IMAGE_COLUMNS, RUN_COLUMNS, RUN_ID, RUNS, Image, RunRow, run_row
from docpipe.protocols import Index

NOW = "now"
_LAST = "last"
"""Key of the one row that docpipe kept of all runs before it kept one of each."""


class Past:
    """The runs of an index. Reading it needs no lease."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._runs = index.table(RUNS, columns=RUN_COLUMNS, key="id")
        self._images = index.table(HISTORY, columns=IMAGE_COLUMNS, key="key")

    def rows(self) -> list[RunRow]:
        """All runs that are remembered, newest first, without their reports."""
        columns = self._runs.columns(*(name for name in RUN_COLUMNS if name != "report"))
        rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
        return sorted((run_row(row) for row in rows if row["id"] != _LAST), key=lambda run: -run.seq)

    def runs(self, limit: int = 20) -> list[RunRow]:
        """The newest runs, newest first, with their reports."""
        return self.told(self.rows()[:limit])

    def told(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """The same runs with their reports."""
        stored = self._runs.get([row.id for row in rows])
        return [run_row(stored[row.id]) for row in rows if row.id in stored]

    def last_run(self) -> dict[str, Any]:
        """Facts of the newest run that came to its end, with `spent_usd` of all runs; empty before the first."""
        rows = self.rows()
        newest = next((row for row in rows if row.is_finished), None)
        found = self._runs.get([newest.id if newest else _LAST]).values()
        facts = {key: fact for row in found for key, fact in run_row(row).report.items()}
        return facts | {"spent_usd": rows[0].spent_usd} if newest else facts

    def find(self, wanted: str) -> RunRow:
        """The run with this id or name.

        Raises:
            ConfigError: there is none; the message names some that there are.
        """
        rows = self.rows()
        for row in rows:
            if wanted == row.id or wanted in row.names:
                return row
        known = [name for row in rows for name in (*row.names, row.id)]
        some = f"such as {', '.join(known[:5])}" if known else "once something was indexed"
        kind = "run" if RUN_ID.fullmatch(wanted) else "version"
        raise ConfigError(
            f"the index {self._index.name!r} has no {kind} {wanted!r}",
            where=wanted,
            remedy=f"`docpipe tags` lists what there is, {some}",
        )

    def asked(self, run: RunRow | None, rows: Sequence[RunRow]) -> Mapping[str, Any]:
        """What the golden questions said of a version, as JSON; they are not asked again where a run changed nothing.

        Args:
            run: None: there is none.
            rows: all runs, newest first.
        """
        for row in rows if run else ():
            if run and row.seq > run.seq:
                continue
            staged: Mapping[str, Any] = next((told.report.get("staged", {}) for told in self.told([row])), {})
            if "questions" in staged or row.changed or not row.is_finished:
                return staged
        return {}

    def images_after(self, seq: int) -> list[Image]:
        """Of each document that was replaced after the run `seq`: what it was right after that run, by uri."""
        names = ("key", "seq", "uri", "document_id", "size")
        columns = self._images.columns(*names)
        earliest: dict[str, Image] = {}
        for values in zip(*columns.values(), strict=True):
            image = Image(**dict(zip(names, values, strict=True)))
            held = earliest.get(image.uri)
            if image.seq > seq and (held is None or image.seq < held.seq):
                earliest[image.uri] = image
        return [earliest[uri] for uri in sorted(earliest)]

    def descriptions(self, keys: Collection[str], /) -> dict[str, dict[str, Any]]:
        """Of these images `uri`, `ledger` and `chunk_ids`, by key: all but the rows themselves."""
        wanted = set(keys)
        columns = self._images.columns("key", "uri", "ledger", "chunk_ids") if wanted else {}
        rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
        return {row["key"]: row for row in rows if row["key"] in wanted}

    def whole_images(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Images by key, with their rows."""
        return self._images.get(keys)

    def kept_digests(self) -> set[str]:
        """Digests of the files whose documents a restore may bring back: what was parsed from them is still needed."""
        return {digest for digest in self._images.columns("digest")["digest"] if digest}

    def bytes_by_run(self) -> dict[int, int]:
        """What the images of each run take, by its `seq`."""
        columns = self._images.columns("seq", "size")
        sums: dict[int, int] = {}
        for seq, size in zip(columns["seq"], columns["size"], strict=True):
            sums[seq] = sums.get(seq, 0) + size
        return sums


def floor_of(rows: Collection[RunRow]) -> int:
    """`seq` of the oldest run that can be restored; 0 where nothing is remembered."""
    return max((row.floor for row in rows), default=0)


def why_not(row: RunRow, rows: Sequence[RunRow]) -> str:
    """Why a run cannot be restored; nothing where it can.

    Args:
        rows: all runs, newest first.
    """
    if not row.is_finished:
        return "it did not come to its end"
    if row.seq < floor_of(rows):
        return "what later runs replaced is no longer kept"
    newest = next(other for other in rows if other.is_finished)
    if row.model != newest.model:
        return f"its vectors are of {row.model!r}, the index is of {newest.model!r} now"
    return ""


def require_restorable(row: RunRow, rows: Sequence[RunRow]) -> None:
    """Do nothing where a run can be restored.

    Raises:
        ConfigError: it cannot; says why, and which one is the oldest that can.
    """
    reason = why_not(row, rows)
    if not reason:
        return
    able = [other for other in rows if not why_not(other, rows)]
    remedy = f"the oldest that can be is {able[-1].id}; raise `keep` to keep more" if able else "run first"
    raise ConfigError(f"the run {row.id} can be neither restored nor compared: {reason}", where=row.id, remedy=remedy)
