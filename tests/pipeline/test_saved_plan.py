"""A plan as a file, and a run that does exactly that."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_stages import ToyChunker, ToyStages

from docpipe.errors import ConfigError, InvalidOption, PlanOutdated
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest import saved_plan
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.plan import Retry, Terms
from docpipe.pipeline.ingest.planning import prepare
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.ingest.saved_plan import SavedItem, SavedPlan
from docpipe.pipeline.ingest.survey import stamp_of
from docpipe.pipeline.report.reports import Event
from docpipe.pipeline.running import Wish

OPTIONS = RunOptions(workers=1)
NOW = 4_000_000_000.0
OLD = 1_000_000_000

plans = st.builds(
    SavedPlan,
    name=st.text(),
    pipeline=st.text(),
    index=st.text(),
    index_version=st.integers(0, 9),
    ledger_version=st.integers(0, 9),
    terms=st.builds(
        Terms,
        now=st.floats(0, 1e11),
        detect=st.sampled_from(["stat", "digest"]),
        full=st.booleans(),
        retry=st.builds(Retry, every=st.booleans(), uris=st.frozensets(st.text(), max_size=3)),
    ),
    limit=st.none() | st.integers(1, 9),
    items=st.lists(
        st.builds(
            SavedItem,
            uri=st.text(st.characters(), max_size=3),
            action=st.sampled_from(["added", "changed", "deleted", "renamed"]),
            size=st.integers(-1, 2**63 - 1),
            modified=st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=4,
        unique_by=lambda item: item.uri,
    ).map(tuple),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "night.plan"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
def test_a_plan_is_read_as_it_was_written(file: Path, plan: SavedPlan) -> None:
    plan.write(file)
    assert saved_plan.read(file) == replace(plan, path=str(file))
    saved_plan.read(file).check(plan)


@given(before=plans, after=plans)
def test_a_plan_fits_the_world_it_was_made_in_and_no_other(before: SavedPlan, after: SavedPlan) -> None:
    parts = ("pipeline", "index", "index_version", "ledger_version")
    same = all(getattr(before, name) == getattr(after, name) for name in parts)
    if same and set(before.items) == set(after.items):
        before.check(after)
    else:
        with pytest.raises(PlanOutdated) as caught:
            before.check(after)
        assert caught.value.moved and "--save FILE" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"docpipe_plan": 2}', '{"docpipe_plan": 1}', "[" * 100_000, "\ud800"],
    ids=["empty", "list", "object", "null", "newer", "cut", "nested", "no text"],
)
def test_what_is_no_plan_is_refused_by_name(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        saved_plan.read(file)
    assert caught.value.where == str(file) and "no plan that this docpipe wrote" in str(caught.value)


def test_an_action_that_nobody_knows_is_refused(file: Path, stages: ToyStages) -> None:
    saved(stages).write(file)
    form = json.loads(file.read_text("utf-8"))
    form["items"][0][1] = "exploded"
    file.write_text(json.dumps(form), encoding="utf-8")
    with pytest.raises(ConfigError, match="no plan"):
        saved_plan.read(file)


def test_a_plan_that_is_not_there_is_an_error(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        saved_plan.read(file)


def test_a_plan_overwrites_a_plan_and_nothing_else(file: Path, stages: ToyStages) -> None:
    saved(stages).write(file)
    saved(stages).write(file)
    file.write_text("a letter", encoding="utf-8")
    with pytest.raises(ConfigError, match="no plan"):
        saved(stages).write(file)
    assert file.read_text("utf-8") == "a letter"
    with pytest.raises(ConfigError, match="cannot be written"):
        saved(stages).write(file.parent / "nowhere" / "night.plan")


@pytest.fixture
def stages(tmp_path: Path) -> ToyStages:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (docs / name).write_text(f"{name} holds words", encoding="utf-8")
        os.utime(docs / name, (OLD, OLD))
    return ToyStages(loaders=(FileLoader(path=str(docs)),), index=MemoryIndex())


def saved(stages: ToyStages, *, limit: int | None = None, now: float = NOW) -> SavedPlan:
    return prepare(stages, OPTIONS, Terms(now=now), limit=limit).saved


def run(stages: ToyStages, plan: SavedPlan) -> set[str]:
    """What a run by this plan worked on or deleted."""
    events = []
    report = Run(stages, OPTIONS, plan=plan, progress=events.append)("toy")
    done = {event.uri for event in events if event.kind == "outcome"}
    assert report.deleted + len(done) == len(plan.items)
    return done


def test_a_run_does_exactly_what_was_planned(stages: ToyStages, tmp_path: Path) -> None:
    assert run(stages, saved(stages, limit=2)) == {"a.txt", "b.txt"}
    (tmp_path / "docs" / "a.txt").unlink()
    plan = saved(stages)
    assert {(item.uri, item.action) for item in plan.items} == {("a.txt", "deleted"), ("c.txt", "renamed")}
    assert run(stages, plan) == {"c.txt"}
    assert saved(stages).items == ()


def refused(stages: ToyStages, plan: SavedPlan, options: RunOptions = OPTIONS) -> str:
    """What is said; nothing is done."""
    version, rows = stages.index.versions(), stages.index.document_ids()
    with pytest.raises(PlanOutdated) as caught:
        Run(stages, options, plan=plan)("toy")
    assert (stages.index.versions(), stages.index.document_ids()) == (version, rows)
    return str(caught.value)


class TestTheWorldMoved:
    """A plan that does not fit any more is not executed, not even in part."""

    def test_a_file_came(self, stages: ToyStages, tmp_path: Path) -> None:
        plan = saved(stages)
        (tmp_path / "docs" / "d.txt").write_text("late", encoding="utf-8")
        assert "'d.txt' is to be added now" in refused(stages, plan)

    def test_a_file_went(self, stages: ToyStages, tmp_path: Path) -> None:
        plan = saved(stages)
        (tmp_path / "docs" / "a.txt").unlink()
        assert "'a.txt' is to be added no longer" in refused(stages, plan)

    def test_a_planned_file_changed(self, stages: ToyStages, tmp_path: Path) -> None:
        plan = saved(stages)
        os.utime(tmp_path / "docs" / "a.txt", (1, 1))
        assert "'a.txt' was changed since" in refused(stages, plan)

    def test_an_indexed_file_changed(self, stages: ToyStages, tmp_path: Path) -> None:
        Run(stages, OPTIONS)("toy")
        plan = saved(stages)
        (tmp_path / "docs" / "a.txt").write_text("other words", encoding="utf-8")
        assert "'a.txt' is to be changed now" in refused(stages, plan)

    def test_another_run_came_first(self, stages: ToyStages) -> None:
        plan = saved(stages, limit=1)
        Run(stages, OPTIONS, limit=1)("toy")
        assert "the index was written to" in refused(stages, plan)

    def test_a_stage_changed(self, stages: ToyStages) -> None:
        plan = saved(stages)
        assert "the pipeline was edited" in refused(replace(stages, chunker=ToyChunker(context="x")), plan)

    def test_another_index_is_meant(self, stages: ToyStages) -> None:
        plan = saved(stages)
        assert "now it is 'other'" in refused(replace(stages, index=MemoryIndex(label="other")), plan)

    def test_the_limits_changed(self, stages: ToyStages) -> None:
        assert "edited" in refused(stages, saved(stages), replace(OPTIONS, timeout=5.0))


def test_a_plan_decides_about_waiting_documents_as_when_it_was_made(stages: ToyStages) -> None:
    Run(stages, OPTIONS)("toy")
    ledger, by = Ledger(stages.index), stamp_of(stages.parser, stages.chunker, OPTIONS)
    row = ledger.rows(["a.txt"])["a.txt"]
    waits = {"status": "failed", "retryable": True, "chunked_by": by.tried, "next_try": int(NOW) + 3600}
    ledger.put([replace(row, **waits)])
    early, late = saved(stages, now=NOW), saved(stages, now=NOW + 7200)
    assert [[item.uri for item in plan.items] for plan in (early, late)] == [[], ["a.txt"]]
    assert run(stages, early) == set()
    assert run(stages, saved(stages, now=NOW + 7200)) == {"a.txt"}


def test_a_plan_has_its_own_terms(stages: ToyStages) -> None:
    plan = saved(stages)
    assert Wish(plan=plan, max_delete=1.0).plan is plan
    for other in ({"full": True}, {"limit": 3}, {"retry": Retry(every=True)}):
        with pytest.raises(InvalidOption, match="a plan says by itself"):
            Wish(plan=plan, **other)  # type: ignore[arg-type]


changes = st.tuples(
    st.sampled_from(["write", "remove", "touch", "rename"]),
    st.sampled_from(["a.txt", "b.txt", "c.txt", "d.txt"]),
    st.integers(0, 2),
)


def change(docs: Path, what: str, name: str, number: int) -> None:
    path = docs / name
    if what == "write":
        path.write_text(f"words {number}", encoding="utf-8")
    if what == "write" or (what == "touch" and path.exists()):
        os.utime(path, (OLD + number, OLD + number))
    if what == "remove":
        path.unlink(missing_ok=True)
    if what == "rename" and path.exists():
        path.rename(docs / f"{number}.txt")


def state(docs: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in docs.iterdir()}


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(changes, max_size=3),
    after=st.lists(changes, max_size=2),
    limit=st.none() | st.integers(1, 3),
)
def test_a_run_by_a_plan_does_what_was_planned_or_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, str, int]],
    after: list[tuple[str, str, int]],
    limit: int | None,
) -> None:
    docs = tmp_path_factory.mktemp("docs")
    for number, name in enumerate(("keep.txt", "a.txt", "b.txt", "c.txt")):
        change(docs, "write", name, number)
    stages = ToyStages(loaders=(FileLoader(path=str(docs)),), index=MemoryIndex())
    Run(stages, OPTIONS)("toy")
    for one in before:
        change(docs, *one)
    plan, then = saved(stages, limit=limit), state(docs)
    for one in after:
        change(docs, *one)
    moved = {name for name, _ in state(docs).items() ^ then.items()}
    held = stages.index.document_ids()
    events: list[Event] = []
    try:
        Run(stages, OPTIONS, plan=plan, progress=events.append)("toy")
    except PlanOutdated as error:
        assert moved and all(any(repr(name) in line for name in {*moved, *names(plan)}) for line in error.moved)
        assert (events, stages.index.document_ids()) == ([], held)
    else:
        done = {event.uri for event in events if event.kind == "outcome"}
        gone = {shelved.uri for shelved in held.values()} - {one.uri for one in stages.index.document_ids().values()}
        assert not moved & names(plan) and done | gone == names(plan)


def names(plan: SavedPlan) -> set[str]:
    return {item.uri for item in plan.items}
