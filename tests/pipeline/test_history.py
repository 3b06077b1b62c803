"""What a run replaced -> the index as it was after any run that is kept."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nights import Killed, Nights, digest, digests, read, state

from docpipe.errors import ConfigError, SnapshotGone
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.history import log, restoring
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.past import Past, why_not
from docpipe.pipeline.history.rows import HISTORY, IMAGE_COLUMNS, RUN_COLUMNS, RUNS
from docpipe.pipeline.history.tagging import name_run, unname_run, versions
from docpipe.pipeline.report.reports import RunReport
from docpipe.protocols import Index

TEXTS = st.sampled_from(["one", "one\ntwo", "two\nthree\nfour", "five"])
SOURCES = st.dictionaries(st.sampled_from(["a.md", "b.md", "c.md", "d|e.md"]), TEXTS)
NIGHTS = st.lists(SOURCES, min_size=1, max_size=8)
FIRST = {"a.md": "one\ntwo", "b.md": "three", "c.md": "four"}
SECOND = {"a.md": "one\nten", "c.md": "four", "d.md": "five\nsix"}
"""One changed, one gone, one new."""


def of(sources: Mapping[str, str]) -> dict[str, str]:
    """What the ledger says when these are indexed."""
    return {uri: digest(text) for uri, text in sources.items()}


@settings(max_examples=50)
@given(nights=NIGHTS, keep=st.integers(1, 4), data=st.data())
def test_any_run_that_is_kept_is_had_back_exactly_and_the_next_run_goes_on(
    nights: list[dict[str, str]], keep: int, data: st.DataObject
) -> None:
    go_back_and_on(Nights(MemoryIndex(), keep=KeepOptions(runs=keep)), nights, data)


@pytest.mark.slow
@settings(max_examples=12)
@given(nights=NIGHTS, keep=st.integers(1, 4), data=st.data())
def test_the_same_of_an_index_on_disk(nights: list[dict[str, str]], keep: int, data: st.DataObject) -> None:
    from docpipe.index.lancedb import LanceIndex

    with tempfile.TemporaryDirectory() as folder:
        go_back_and_on(Nights(LanceIndex(uri=folder), keep=KeepOptions(runs=keep)), nights, data)


def go_back_and_on(world: Nights, nights: list[dict[str, str]], data: st.DataObject) -> None:
    """Some runs, some of them killed first; two restores of what is kept; then the next run."""
    made = {}
    for sources in nights:
        if data.draw(st.booleans(), label="dies"):
            with contextlib.suppress(Killed):
                world.run(sources, dies_after=data.draw(st.integers(0, 8), label="after"))
        row = world.run(sources)
        made[row.id] = (state(world.index), digests(world.index))
    for _ in range(2):
        rows = Past(world.index).rows()
        able = [row.id for row in rows if not why_not(row, rows) and row.id in made]
        wanted = data.draw(st.sampled_from(able), label="restored")
        world.restore(wanted)
        assert (state(world.index), digests(world.index)) == made[wanted]
    world.run(nights[-1])
    assert (state(world.index), digests(world.index)) == list(made.values())[-1]


@settings(max_examples=50)
@given(nights=st.lists(SOURCES, min_size=2, max_size=4), dies_after=st.integers(0, 40))
def test_a_restore_that_was_killed_is_mended_by_the_next_run_and_may_be_asked_for_again(
    nights: list[dict[str, str]], dies_after: int
) -> None:
    world = Nights(MemoryIndex())
    made = [(world.run(sources), state(world.index), digests(world.index)) for sources in nights]
    for mended in (world.run, None):
        try:
            world.restore(made[0][0].id, dies_after=dies_after)
        except Killed:
            if mended:
                mended(nights[-1])
                assert (state(world.index), digests(world.index)) == made[-1][1:]
                assert world.index.held() == 0
    world.restore(made[0][0].id)
    assert (state(world.index), digests(world.index)) == made[0][1:]
    assert world.index.held() == 0


def test_a_restore_brings_back_rows_and_ledger_and_counts_them(index: Index) -> None:
    world = Nights(index)
    first = world.run(FIRST)
    before = state(index)
    world.run(SECOND)
    done = world.restore(first.id)
    assert (done.to.id, done.documents, done.removed, done.chunks) == (first.id, 2, 1, 3)
    assert (state(index), digests(index), read(index)) == (before, of(FIRST), FIRST)
    assert (done.run.kind, done.run.documents, done.run.chunks) == ("restore", 3, 4)


def test_a_restore_is_undone_by_restoring_the_run_before_it(index: Index) -> None:
    world = Nights(index)
    first, second = world.run(FIRST), world.run(SECOND)
    after = state(index)
    world.restore(first.id)
    world.restore(second.id)
    assert (state(index), digests(index)) == (after, of(SECOND))


def test_the_run_after_a_restore_follows_the_sources_again(index: Index) -> None:
    world = Nights(index)
    first = world.run(FIRST)
    world.run(SECOND)
    world.restore(first.id)
    world.run(SECOND)
    assert (read(index), digests(index)) == (SECOND, of(SECOND))


@pytest.mark.parametrize("dies_after", range(10))
def test_readers_see_all_or_nothing_of_a_restore_wherever_it_is_killed(index: Index, dies_after: int) -> None:
    world = Nights(index)
    first = world.run(FIRST)
    world.run(SECOND)
    with pytest.raises(Killed):
        world.restore(first.id, dies_after=dies_after)
    assert read(index) == (SECOND if dies_after < 9 else FIRST)
    world.run(SECOND)
    assert (read(index), digests(index)) == (SECOND, of(SECOND))


def test_readers_at_work_during_a_restore_see_the_old_or_the_new_index_and_nothing_else(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_AT_ONCE", 3)
    world = Nights(index)
    old, new = ({f"{number}.md": f"{word} {number}" for number in range(12)} for word in ("old", "new"))
    first = world.run(old)
    world.run(new)
    seen: list[dict[str, str]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with contextlib.suppress(SnapshotGone):  # who searches looks again
                seen.append(read(index))

    reader = threading.Thread(target=look)
    reader.start()
    while not seen:
        time.sleep(0.001)
    world.restore(first.id)
    done.set()
    reader.join()
    assert all(found in (old, new) for found in seen)
    assert read(index) == old


def test_a_document_that_was_put_back_by_a_killed_restore_and_has_no_file_is_known_to_the_next_run() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.run(SECOND)
    for dies_after in range(20):
        try:
            world.restore(first.id, dies_after=dies_after)
        except Killed:
            uris = {shelved.uri for shelved in world.index.document_ids().values()}
            assert uris <= digests(world.index).keys(), f"after {dies_after} writes"


def test_a_killed_run_stands_without_an_end_and_what_it_replaced_counts(index: Index) -> None:
    world = Nights(index)
    first = world.run(FIRST)
    before = state(index)
    with pytest.raises(Killed):
        world.run(SECOND, dies_after=4)
    killed = Past(index).rows()[0]
    assert (killed.is_finished, why_not(killed, Past(index).rows())) == (False, "it did not come to its end")
    with pytest.raises(ConfigError, match="can be neither restored nor compared: it did not come to its end"):
        world.restore(killed.id)
    world.run(SECOND)
    world.restore(first.id)
    assert state(index) == before


def test_a_run_on_an_empty_index_keeps_nothing_and_nothing_before_it_can_be_restored() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    assert Past(world.index).bytes_by_run() == {}
    assert (first.base, first.floor) == (True, first.seq)


def test_what_keep_does_not_want_is_let_go_and_the_restore_says_which_run_is_the_oldest() -> None:
    world = Nights(MemoryIndex(), keep=KeepOptions(runs=2))
    made = [world.run({"a.md": f"text {number}"}) for number in range(5)]
    assert set(Past(world.index).bytes_by_run()) == {made[4].seq}
    with pytest.raises(ConfigError, match=f"no longer kept.*the oldest that can be is {made[3].id}"):
        world.restore(made[1].id)
    world.restore(made[3].id)
    assert read(world.index) == {"a.md": "text 3"}


def test_runs_older_than_the_days_that_are_kept_cannot_be_restored() -> None:
    world = Nights(MemoryIndex(), keep=KeepOptions(days=3))
    made = [world.run({"a.md": f"text {number}"}) for number in range(6)]
    rows = Past(world.index).rows()
    assert [row.id for row in rows if not why_not(row, rows)] == [row.id for row in made[:0:-1]]


def test_one_run_whose_clock_is_years_ahead_costs_nothing_of_the_history() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.days += 4_000
    world.run(SECOND)
    world.days -= 4_000
    world.run(FIRST | {"e.md": "nine"})
    world.restore(first.id)
    assert read(world.index) == FIRST


def test_a_clock_that_goes_back_changes_neither_the_order_nor_what_can_be_restored() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.days -= 400
    second = world.run(SECOND)
    assert [row.id for row in Past(world.index).rows()] == [second.id, first.id]
    world.restore(first.id)
    assert read(world.index) == FIRST


def test_a_run_that_changed_nothing_costs_one_row_and_such_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_MOST_RUNS", 4)
    world = Nights(MemoryIndex(), keep=KeepOptions(runs=1))
    for _ in range(12):
        world.run(FIRST)
    assert [row.seq for row in Past(world.index).rows()] == [12, 11, 10, 9, 1]
    assert world.index.table(HISTORY, columns=IMAGE_COLUMNS, key="key").count() == 0


def test_a_named_run_and_all_after_it_stay_restorable_until_the_name_is_taken_away() -> None:
    world = Nights(MemoryIndex(), keep=KeepOptions(runs=1))
    world.run({"a.md": "text 0"})
    named = world.run({"a.md": "text 1"})
    assert name_run(world.index, "before-move").id == named.id
    later = [world.run({"a.md": f"text {number}"}) for number in range(2, 5)]
    found = versions(world.index, world.keep)
    assert found.bytes_for_names > 0
    assert {version.run.id for version in found.versions if not version.why_not} == {named.id, *(r.id for r in later)}
    unname_run(world.index, "before-move")
    world.run({"a.md": "text 5"})
    assert versions(world.index, world.keep).bytes_for_names == 0
    with pytest.raises(ConfigError, match="no version 'before-move'"):
        world.restore("before-move")


def test_a_restore_knows_a_run_by_its_name() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    name_run(world.index, "v1.0")
    world.run(SECOND)
    assert world.restore("v1.0").to.id == first.id


@pytest.mark.parametrize("name", ["", "a|b", "now", "-x", "20261121T142600-7f3a", "a b", "x" * 101, "naïve"])
def test_a_name_that_could_be_misread_is_refused(name: str) -> None:
    world = Nights(MemoryIndex())
    world.run(FIRST)
    with pytest.raises(ConfigError, match="cannot be the name of a version"):
        name_run(world.index, name)


def test_a_name_is_given_once() -> None:
    world = Nights(MemoryIndex())
    first, _ = world.run(FIRST), world.run(SECOND)
    name_run(world.index, "stable", run=first.id)
    assert name_run(world.index, "stable", run="stable").names == ("stable",)
    with pytest.raises(ConfigError, match=f"'stable' is the name of the run {first.id} already"):
        name_run(world.index, "stable")


def test_nothing_can_be_named_before_the_first_run_or_where_a_run_was_killed() -> None:
    world = Nights(MemoryIndex())
    with pytest.raises(ConfigError, match="there is no run yet"):
        name_run(world.index, "stable")
    with pytest.raises(Killed):
        world.run(FIRST, dies_after=3)
    with pytest.raises(ConfigError, match="did not come to its end"):
        name_run(world.index, "stable", run=Past(world.index).rows()[0].id)


def test_an_unknown_version_is_refused_by_name_and_an_id_as_a_run() -> None:
    world = Nights(MemoryIndex())
    row = world.run(FIRST)
    with pytest.raises(ConfigError, match=f"no version 'nothing'.*such as {row.id}"):
        world.restore("nothing")
    with pytest.raises(ConfigError, match="no run '20200101T000000-0000'"):
        world.restore("20200101T000000-0000")


def test_a_name_is_taken_away_by_name_only() -> None:
    world = Nights(MemoryIndex())
    row = world.run(FIRST)
    with pytest.raises(ConfigError, match="is a run, not a name"):
        unname_run(world.index, row.id)


def test_tags_tell_what_readers_see_from_what_is_staged_and_what_was_killed(index: Index) -> None:
    world = Nights(index)
    first, staged = world.run(FIRST), world.run(SECOND, stage=True)
    with pytest.raises(Killed):
        world.run(FIRST, dies_after=1)
    serving = {version.run.id: version.serving for version in versions(index, world.keep).versions}
    killed = Past(index).rows()[0].id
    assert serving == {killed: "unfinished", staged.id: "staged", first.id: "published"}
    assert read(index) == FIRST


def test_restoring_what_was_staged_or_what_came_before_it_publishes_it(index: Index) -> None:
    world = Nights(index)
    first, staged = world.run(FIRST), world.run(SECOND, stage=True)
    world.restore(first.id)
    assert (read(index), index.held()) == (FIRST, 0)
    world.restore(staged.id)
    assert read(index) == SECOND


def test_the_last_run_and_what_all_runs_cost_are_known() -> None:
    world = Nights(MemoryIndex())
    assert Past(world.index).last_run() == {}
    world.run(FIRST, cost_usd=1.0)
    second = world.run(SECOND, cost_usd=0.5)
    with pytest.raises(Killed):
        world.run(FIRST, dies_after=2)
    world.run(SECOND)
    facts = Past(world.index).last_run()
    assert (facts["spent_usd"], facts["pipeline"]) == (1.5, "nights")
    assert [run.report["cost_usd"] for run in Past(world.index).runs() if run.id == second.id] == [0.5]


def test_what_an_older_docpipe_remembered_of_its_last_run_is_told_until_there_is_another() -> None:
    index = MemoryIndex()
    past = Past(index)
    index.table(RUNS, columns=RUN_COLUMNS, key="id").put([{"id": "last", "report": '{"spent_usd": 2.5}'}])
    assert (past.last_run(), past.rows()) == ({"spent_usd": 2.5}, [])


def test_long_lists_of_a_report_are_cut_and_golden_questions_are_not() -> None:
    world = Nights(MemoryIndex())
    questions = [{"question": str(number)} for number in range(50)]
    world.run(FIRST, remarks=tuple("remark" for _ in range(50)), staged={"questions": questions})
    (run,) = Past(world.index).runs()
    assert (len(run.report["remarks"]), len(run.report["staged"]["questions"])) == (20, 50)


def test_digests_of_what_may_be_restored_are_kept() -> None:
    world = Nights(MemoryIndex())
    world.run(FIRST)
    world.run(SECOND)
    assert Past(world.index).kept_digests() == {digest("one\ntwo"), digest("three")}


def test_runs_of_another_model_cannot_be_restored_and_what_was_kept_for_them_goes() -> None:
    world = Nights(MemoryIndex())
    first = world.run(FIRST)
    world.run(SECOND)
    world.index.migration(model="toy-2", dim=2)
    missing = world.index.missing_vectors("toy-2", limit=100)
    world.index.fill_vectors("toy-2", [chunk_id for chunk_id, _ in missing], np.ones((len(missing), 2), np.float32))
    world.index.switch(model="toy-2")
    history = History(world.index, run_id="20300101T000000-0000", keep=world.keep)
    history.begin(1.0, base=False)
    history.finish(RunReport(pipeline="nights"))
    with pytest.raises(ConfigError, match=f"{first.id} can be neither restored"):
        world.restore(first.id)
    assert Past(world.index).bytes_by_run() == {}
