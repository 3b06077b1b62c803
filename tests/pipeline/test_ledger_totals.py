"""The sums over a ledger are those of its rows, one by one."""

import json
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest.ledger import Ledger, Row, new_row

rows = st.builds(
    lambda uri, **facts: replace(new_row(uri, uri), **facts),
    st.text("abc", min_size=1, max_size=2),
    status=st.sampled_from(["indexed", "failed", "ignored", ""]),
    chunks=st.integers(0, 2),
    pages=st.integers(0, 9),
    tokens=st.integers(0, 9),
    characters=st.integers(0, 3),
    covered=st.integers(0, 3),
    left_out=st.sampled_from(["", "", json.dumps({"header": 1}), json.dumps({"header": 1, "footer": 1})]),
    retryable=st.booleans(),
    next_try=st.integers(1, 9),
)


@settings(max_examples=50)
@given(held=st.lists(rows, unique_by=lambda row: row.uri, max_size=8))
def test_totals_are_the_sums_of_the_rows(held: list[Row]) -> None:
    ledger = Ledger(MemoryIndex())
    ledger.put(held)
    totals = ledger.totals()
    there = [row for row in held if row.status == "indexed" or row.chunks]
    due = [row.next_try for row in held if row.status == "failed" and row.retryable]
    kinds = Counter[str]()
    for row in there:
        kinds.update(row.coverage.left_out)
    by_status = Counter(row.status for row in held)
    assert (totals.indexed, totals.failed, totals.ignored, totals.in_hand) == tuple(
        by_status[name] for name in ("indexed", "failed", "ignored", "")
    )
    assert (totals.stale, totals.stale_pages) == (
        sum(row.is_stale for row in held),
        sum(row.pages for row in held if row.is_stale),
    )
    assert (totals.waiting, totals.next_try) == (len(due), min(due, default=0))
    for name in ("pages", "chunks", "tokens", "characters", "covered"):
        assert getattr(totals, name) == sum(getattr(row, name) for row in there)
    assert totals.left_out == kinds
    assert set(totals.gaps) == {
        row.uri for row in there if row.characters - row.covered - sum(row.coverage.left_out.values())
    }
    assert ledger.pages() == sum(row.pages for row in held)
