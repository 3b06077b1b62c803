"""Ledger rows and what the sources hold now -> what a run has to do."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.pipeline.ingest.ledger import Known, Stamp
from docpipe.pipeline.ingest.plan import Action, Moves, Retry, Step, Terms, decide, is_below, is_racy
from docpipe.types import Entry

BY = Stamp(parse="p", chunk="pc", tried="pct")
ENTRY = Entry(uri="a.md", location="/a.md", size=3, modified=7)
NOW = 2_000_000_000.0
TERMS = Terms(now=NOW)


def known(**facts: object) -> Known:
    row = Known(document_id="d", status="indexed", size=3, modified=7, parsed_by="p", chunked_by="pc", retryable=False)
    return row._replace(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "action", "why"),
    [
        (None, Action.ADD, "new"),
        (known(), Action.KEEP, "same"),
        (known(size=4), Action.CHANGE, "bytes: the file's size"),
        (known(modified=8), Action.CHANGE, "bytes: the file's time"),
        (known(parsed_by="old", chunked_by="old"), Action.CHANGE, "parser version"),
        (known(chunked_by="old"), Action.RECHUNK, "chunk options"),
        (known(status="", size=-1, modified=-1, chunks=1), Action.CHANGE, "unfinished"),
        (known(status="", chunks=1), Action.CHANGE, "unfinished"),
        (known(status="failed", chunked_by="pct"), Action.REMAIN_FAILED, "neither"),
        (known(status="failed", chunked_by="pct", retryable=True), Action.RETRY, "may pass"),
        (known(status="failed", chunked_by="old"), Action.RETRY, "limits"),
        (known(status="ignored", chunked_by="pct"), Action.REMAIN_IGNORED, "left out"),
        (known(status="ignored", chunked_by="old"), Action.RETRY, "stages"),
        (known(modified=round(NOW - 100) * 10**9, last_tried=round(NOW - 99)), Action.CHANGE, "time of change"),
    ],
)
def test_each_state_of_the_ledger_has_its_action_and_its_reason(row: Known | None, action: Action, why: str) -> None:
    found, reason = decide(ENTRY, row, BY, TERMS)
    assert found is action
    assert why in reason


def test_a_full_run_works_on_everything_known() -> None:
    assert decide(ENTRY, known(), BY, replace(TERMS, full=True))[0] is Action.CHANGE


def test_bytes_are_compared_where_the_pipeline_says_so() -> None:
    assert decide(ENTRY, known(), BY, replace(TERMS, detect="digest"))[0] is Action.CHECK


class TestWaiting:
    """A source that failed is tried when its time has come, the file or the stages change, or somebody asks."""

    ROW = known(status="failed", chunked_by="pct", retryable=True, attempts=3, next_try=round(NOW) + 3600)

    def test_before_its_time_it_waits_and_says_until_when(self) -> None:
        action, why = decide(ENTRY, self.ROW, BY, TERMS)
        until = datetime.fromtimestamp(NOW + 3600, UTC)
        assert (action, why) == (Action.REMAIN_FAILED, f"waits until {until:%Y-%m-%d %H:%M} UTC after 3 attempts")

    @pytest.mark.parametrize("retry", [Retry(every=True), Retry(uris=frozenset(["a.md"]))], ids=["all", "named"])
    def test_who_asks_has_it_tried_now(self, retry: Retry) -> None:
        assert decide(ENTRY, self.ROW, BY, replace(TERMS, retry=retry))[0] is Action.RETRY

    def test_a_failure_for_good_is_tried_when_asked_for(self) -> None:
        row = self.ROW._replace(retryable=False, next_try=0)
        assert decide(ENTRY, row, BY, TERMS)[0] is Action.REMAIN_FAILED
        assert decide(ENTRY, row, BY, replace(TERMS, retry=Retry(every=True)))[0] is Action.RETRY

    def test_what_was_left_out_is_tried_only_by_name(self) -> None:
        row = known(status="ignored", chunked_by="pct")
        assert decide(ENTRY, row, BY, replace(TERMS, retry=Retry(every=True)))[0] is Action.REMAIN_IGNORED
        assert decide(ENTRY, row, BY, replace(TERMS, retry=Retry(uris=frozenset(["a.md"]))))[0] is Action.RETRY

    @pytest.mark.parametrize("back", [-86_400 * 365, -40 * 3600], ids=["a year", "40 hours"])
    def test_a_clock_that_went_back_holds_nothing_up(self, back: int) -> None:
        assert decide(ENTRY, self.ROW, BY, replace(TERMS, now=NOW + back))[0] is Action.RETRY

    def test_a_changed_file_is_tried_at_once(self) -> None:
        assert decide(replace(ENTRY, size=4), self.ROW, BY, TERMS)[0] is Action.CHANGE


@pytest.mark.parametrize(
    ("modified", "read", "now", "racy"),
    [
        (1000, 1000, 5000, True),
        (998, 1000, 5000, True),
        (997, 1000, 5000, False),
        (1030, 1000, 5000, True),
        (1000, 0, 5000, False),
        (9_000, 1000, 5000, False),
        (9_000_000_000, 1000, 5000, False),
        (-2_208_988_800, 1000, 5000, False),
    ],
    ids=["same second", "2 s before", "3 s before", "while it waited", "unknown", "future", "far future", "1900"],
)
def test_a_file_is_racy_if_it_was_changed_about_when_it_was_read(
    modified: int, read: int, now: float, racy: bool
) -> None:
    assert is_racy(modified * 10**9, read, now) is racy


def test_a_racy_file_is_not_racy_any_more_once_it_was_compared_later() -> None:
    row, entry = known(modified=1000 * 10**9, last_tried=1001), replace(ENTRY, modified=1000 * 10**9)
    assert decide(entry, row, BY, replace(TERMS, now=2000))[0] is Action.CHECK
    assert decide(entry, row._replace(last_tried=2000), BY, replace(TERMS, now=3000))[0] is Action.KEEP


def test_what_lies_below_a_folder_is_known_by_whole_names() -> None:
    assert is_below("shut/b.md", ["shut/"]) and is_below("shut/b.md", ["shut"]) and is_below("b.md", [""])
    assert not is_below("shutter.md", ["shut/"])


def gone(uri: str) -> Step:
    return Step(uri=uri, action=Action.DELETE, why="no longer in the source", row=known())


class TestMoves:
    """A new source with the bytes of one that is gone is that one under another name."""

    def test_the_one_with_the_same_file_name_comes_first(self) -> None:
        moves = Moves([("d", gone("old/b.md")), ("d", gone("old/a.md"))])
        claimed = moves.claim("d", "new/a.md")
        assert claimed is not None and claimed.uri == "old/a.md"

    def test_what_waits_is_not_gone_for_good(self) -> None:
        steps = [gone("a.md"), gone("b.md")]
        moves = Moves([("d", step) for step in steps], guessed={"a.md"})
        waiting = Step(uri="c.md", action=Action.RENAME, why="", renamed_from="a.md")
        assert moves.left(steps, waiting=[waiting]) == (steps[1],)
        assert moves.surely_gone(steps) == (steps[1],)

    @given(old=st.lists(st.sampled_from("abcdef"), unique=True), new=st.lists(st.sampled_from("uvwxyzab"), unique=True))
    def test_none_is_claimed_twice_and_the_rest_is_gone(self, old: list[str], new: list[str]) -> None:
        steps = [gone(uri) for uri in old]
        moves = Moves((step.uri if step.uri in "ab" else "same", step) for step in steps)
        claims = [step for uri in new if (step := moves.claim("same", uri))]
        assert len({step.uri for step in claims}) == len(claims) == min(len(new), sum(uri not in "ab" for uri in old))
        assert {*moves.left(steps), *claims} == set(steps)
