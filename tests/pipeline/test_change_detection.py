"""What changed is found and nothing else is done: renames, copies, touched files, equal sizes and times."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from toy_stages import ToyChunker, ToyEmbedder, ToyParser, ToyStages

from docpipe.errors import SourceError
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.planning import plan
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report.reports import Plan, RunReport

OPTIONS = RunOptions(workers=1)
OLD = 1_000_000_000


@dataclass
class World:
    """A folder, and an index of it."""

    docs: Path
    stages: ToyStages
    options: RunOptions = OPTIONS

    def write(self, name: str, text: str, *, modified: int = OLD) -> None:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (modified, modified))

    def run(self, options: RunOptions | None = None) -> RunReport:
        return Run(self.stages, options or self.options)("toy")

    def plan(self, options: RunOptions | None = None) -> Plan:
        return plan(self.stages, options or self.options)

    def parsed(self) -> int:
        """How many files were parsed so far."""
        log = Path(self.stages.parser.log)
        return len(log.read_text("utf-8").splitlines()) if log.exists() else 0

    def is_as_from_nothing(self) -> bool:
        """Whether the index holds what a run from nothing over the same files gives."""
        fresh = replace(self.stages, index=MemoryIndex(), parser=ToyParser(), embedder=ToyEmbedder())
        Run(fresh, OPTIONS)("toy")
        here, there = self.stages.index, fresh.index
        ids = sorted(there.document_ids())
        return sorted(here.document_ids()) == ids and here.chunk_ids(ids) == there.chunk_ids(ids)


@pytest.fixture
def world(tmp_path: Path) -> World:
    stages = ToyStages(
        loaders=(FileLoader(path=str(tmp_path / "docs")),),
        index=MemoryIndex(),
        parser=ToyParser(log=str(tmp_path / "parsed.txt")),
    )
    made = World(tmp_path / "docs", stages)
    for number in range(4):
        made.write(f"old/{number}.txt", f"the words of {number}\n\nand more\f")
    made.run()
    return made


def whys(made: Plan) -> dict[str, tuple[str, str]]:
    return {item.uri: (item.action, item.why) for item in made.items}


def test_a_folder_that_is_moved_is_neither_parsed_nor_embedded_again(world: World) -> None:
    (world.docs / "old").rename(world.docs / "new")
    made, parsed, given = world.plan(), world.parsed(), len(world.stages.embedder.given)
    assert whys(made) == {f"new/{n}.txt": ("rename", f"renamed from old/{n}.txt") for n in range(4)}
    assert (made.renamed, made.added, made.deleted, made.pages, made.embed_tokens) == (4, 0, 0, 0, 0)
    report = world.run()
    assert (report.updated, report.renamed, report.deleted, report.indexed) == (4, 4, 0, 0)
    assert (world.parsed(), len(world.stages.embedder.given)) == (parsed, given)
    assert report.account.closed and world.is_as_from_nothing()


def test_a_copy_is_not_parsed_again(world: World) -> None:
    world.write("copy.txt", (world.docs / "old/0.txt").read_text("utf-8"))
    made, parsed = world.plan(), world.parsed()
    assert whys(made) == {"copy.txt": ("add", "new: its bytes are known, nothing is parsed again")}
    assert made.pages == 0
    assert (world.run().indexed, world.parsed()) == (1, parsed)
    assert world.is_as_from_nothing()


def test_names_that_are_swapped_are_not_parsed_again(world: World) -> None:
    one, other, spare = (world.docs / "old" / name for name in ("0.txt", "1.txt", "spare"))
    world.write("old/1.txt", "longer words than those of the other\f")
    world.run()
    parsed = world.parsed()
    one.rename(spare)
    other.rename(one)
    spare.rename(other)
    assert {why for _, why in whys(world.plan()).values()} == {"bytes changed"}
    assert (world.run().updated, world.parsed()) == (2, parsed)
    assert world.is_as_from_nothing()


def test_a_new_file_of_the_size_of_one_that_is_gone_is_just_new(world: World) -> None:
    text = (world.docs / "old/0.txt").read_text("utf-8")
    (world.docs / "old/0.txt").unlink()
    world.write("other.txt", text.replace("words", "birds"))
    assert whys(world.plan()) == {
        "other.txt": ("add", "new"),
        "old/0.txt": ("delete", "no longer in the source"),
    }
    report = world.run()
    assert (report.indexed, report.deleted, report.renamed) == (1, 1, 0)
    assert world.is_as_from_nothing()


def test_files_that_only_looked_renamed_are_not_deleted_by_the_hundred(tmp_path: Path, world: World) -> None:
    for number in range(40):
        world.write(f"many/{number:02}.txt", f"{number:02} old")
    world.run()
    for number in range(40):
        (world.docs / f"many/{number:02}.txt").unlink()
        world.write(f"none/{number:02}.txt", f"{number:02} new")
    with pytest.raises(SourceError, match="40 of 44 indexed documents"):
        world.run()
    assert len(world.stages.index.document_ids()) == 84, "what is new is there, what is gone still is"
    assert world.run(replace(OPTIONS, max_delete=1.0)).deleted == 40
    assert world.is_as_from_nothing()


def test_a_touched_file_is_counted_and_its_time_is_remembered(world: World) -> None:
    os.utime(world.docs / "old/0.txt", (OLD + 9, OLD + 9))
    made = world.plan()
    assert whys(made) == {"old/0.txt": ("keep", "touched: same bytes")}
    assert (made.changed, made.unchanged, made.touched) == (0, 4, 1)
    report = world.run()
    assert (report.unchanged, report.touched, report.updated) == (4, 1, 0)
    assert world.plan().items == () and world.run().touched == 0


class TestEqualSizeAndTime:
    """A change that size and time do not tell."""

    def change(self, world: World, *, modified: int = OLD) -> None:
        world.write("old/0.txt", "the birds of 0\n\nand more\f", modified=modified)

    def test_it_is_not_seen_by_size_and_time(self, world: World) -> None:
        self.change(world)
        assert world.run().updated == 0

    def test_it_is_seen_by_digest(self, world: World) -> None:
        self.change(world)
        by_digest = replace(OPTIONS, detect="digest")
        assert whys(world.plan(by_digest)) == {"old/0.txt": ("change", "bytes changed")}
        report = world.run(by_digest)
        assert (report.updated, report.unchanged, report.touched) == (1, 3, 0)
        assert world.is_as_from_nothing()

    def test_comparing_all_bytes_writes_nothing_where_they_are_equal(self, world: World) -> None:
        ledger, by_digest = Ledger(world.stages.index), replace(OPTIONS, detect="digest")
        before = (world.stages.index.versions(), ledger.table.version())
        assert world.run(by_digest).unchanged == 4
        assert (world.stages.index.versions(), ledger.table.version()) == before
        assert world.plan(by_digest).items == ()

    def test_it_is_seen_if_the_file_was_changed_right_before_it_was_read_for_the_first_time(self, world: World) -> None:
        now = int(time.time())
        self.change(world, modified=now)
        world.run()
        world.write("old/0.txt", "the birds of 0\n\nand MORE\f", modified=now)
        assert world.run().updated == 1
        assert world.is_as_from_nothing()


def test_a_racy_file_is_compared_until_it_was_read_long_after_its_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("old/0.txt", "fresh", modified=int(time.time()))
    world.run()
    reads: list[str] = []
    monkeypatch.setattr(time, "time", (lambda clock: lambda: clock() + 3600)(time.time))
    for _ in range(2):
        world_events: list[str] = []
        collect: Callable[[object], None] = lambda event, to=world_events: to.append(event.uri)  # type: ignore[misc]  # noqa: E731
        assert Run(world.stages, OPTIONS, progress=collect)("toy").touched == 0
        reads.append("".join(sorted(set(world_events))))
    assert reads == ["old/0.txt", ""]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parser": ToyParser(upper=True)}, "parser version: the parser or its options changed"),
        ({"chunker": ToyChunker(context="x")}, "chunk options: the chunker or its options changed"),
        (
            {"embedder": ToyEmbedder(model="toy-2")},
            "embedder: vectors of toy-2 take the place of those of toy-1",
        ),
    ],
    ids=["parser", "chunker", "embedder"],
)
def test_a_changed_stage_is_the_reason_for_every_document(world: World, change: dict[str, object], why: str) -> None:
    made = plan(replace(world.stages, **change), OPTIONS)  # type: ignore[arg-type]
    assert whys(made) == {f"old/{number}.txt": ("change", why) for number in range(4)}
    assert (made.changed, made.unchanged, made.pages) == (4, 0, 8 if "parser" in change else 0)
    assert made.embed_tokens > 0


def test_a_plan_says_what_a_run_would_refuse(world: World) -> None:
    for number in range(30):
        world.write(f"many/{number}.txt", f"{number} of many")
    world.run()
    for number in range(30):
        (world.docs / f"many/{number}.txt").unlink()
    made = world.plan()
    assert made.deleted == 30
    assert any("a run would refuse: 30 of 34" in remark and "max_delete" in remark for remark in made.remarks)


def test_a_plan_tells_minutes_by_what_the_last_runs_took(world: World) -> None:
    world.write("new.txt", "\f".join(f"page {number} has words" for number in range(100)))
    made = world.plan()
    assert made.pages == 100 and 0 < made.minutes < 10
    assert [(item.uri, item.pages, item.tokens > 0) for item in made.items] == [("new.txt", 100, True)]
