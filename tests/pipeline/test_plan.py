"""Ledger rows and what the sources hold now -> what a run has to do."""

import pytest

from docpipe.pipeline.ingest.ledger import Known, Stamp
from docpipe.pipeline.ingest.plan import Action, decide, vanished
from docpipe.types import Entry

BY = Stamp(parse="p", chunk="pc", tried="pct")
ENTRY = Entry(uri="a.md", location="/a.md", size=3, modified=7)


def known(**facts: object) -> Known:
    row = Known(document_id="d", status="indexed", size=3, modified=7, parsed_by="p", chunked_by="pc", retryable=False)
    return row._replace(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "action", "why"),
    [
        (None, Action.ADD, "new"),
        (known(), Action.KEEP, "same"),
        (known(size=4), Action.CHANGE, "size"),
        (known(modified=8), Action.CHANGE, "time"),
        (known(parsed_by="old", chunked_by="old"), Action.CHANGE, "parser"),
        (known(chunked_by="old"), Action.RECHUNK, "chunker"),
        (known(status="failed", chunked_by="pct"), Action.REMAIN_FAILED, "neither"),
        (known(status="failed", chunked_by="pct", retryable=True), Action.RETRY, "may pass"),
        (known(status="failed", chunked_by="old"), Action.RETRY, "limits"),
        (known(status="ignored", chunked_by="pct"), Action.REMAIN_IGNORED, "left out"),
        (known(status="ignored", chunked_by="old"), Action.RETRY, "stages"),
    ],
)
def test_each_state_of_the_ledger_has_its_action_and_its_reason(row: Known | None, action: Action, why: str) -> None:
    found, reason = decide(ENTRY, row, BY)
    assert found is action
    assert why in reason


def test_a_full_run_works_on_everything_known() -> None:
    assert decide(ENTRY, known(), BY, full=True)[0] is Action.CHANGE


def test_what_is_not_seen_is_gone_unless_its_folder_could_not_be_listed() -> None:
    rows = {"a.md": known(), "shut/b.md": known(), "shutter.md": known(), "c.md": known()}
    gone = [step.uri for step in vanished(rows, seen={"a.md"}, unread=["shut/"])]
    assert gone == ["shutter.md", "c.md"]
