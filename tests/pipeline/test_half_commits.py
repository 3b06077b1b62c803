"""A run that dies between two commits, and a source that is by the next run what it was before."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import Fragile, Killed
from toy_world import World

from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest.plan import Retry

pytestmark = pytest.mark.slow

Change = Callable[[World], None]
_MOST_WRITES = 12


def move_away(world: World) -> None:
    (world.root / "a.txt").rename(world.root.parent / "away.txt")


def bring_back(world: World) -> None:
    (world.root.parent / "away.txt").replace(world.root / "a.txt")


def rename(world: World) -> None:
    (world.root / "a.txt").rename(world.root / "z.txt")


def name_back(world: World) -> None:
    (world.root / "z.txt").rename(world.root / "a.txt")


def write_over(text: str) -> Change:
    def change(world: World) -> None:
        move_away(world)
        world.write(a=text)

    return change


def made(folder: Path) -> World:
    folder.mkdir()
    world = World(folder, MemoryIndex())
    world.options = replace(world.options, workers=1)
    return world


def dies_after(world: World, writes: int, **options: Any) -> bool:
    """Whether a run died before it had done more writes than these."""
    whole = world.stages
    world.stages = replace(whole, index=Fragile(whole.index, after=writes))
    try:
        world.run(**options)
    except Killed:
        return True
    finally:
        world.stages = whole
    return False


def texts(world: World) -> list[tuple[str, str]]:
    index = world.stages.index
    ids = index.chunk_ids(list(index.document_ids()))
    return sorted((chunk.source.uri, chunk.text) for some in ids.values() for chunk in index.fetch(some).values())


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        pytest.param(move_away, bring_back, id="deleted"),
        pytest.param(rename, name_back, id="renamed"),
        pytest.param(write_over("alpha three\n\nfour"), bring_back, id="changed"),
        pytest.param(write_over("FOREIGN"), bring_back, id="of another kind"),
    ],
)
def test_what_was_half_done_is_undone_where_the_file_is_as_it_was(change: Change, undo: Change, tmp_path: Path) -> None:
    for writes in range(_MOST_WRITES):
        world = made(tmp_path / str(writes))
        world.write(a="alpha one\n\nalpha two", b="beta")
        world.run()
        before = texts(world)
        change(world)
        died = dies_after(world, writes)
        undo(world)
        report = world.run()
        assert (texts(world), report.failed, report.stale, report.account.closed) == (before, 0, 0, True), writes
        assert world.run().unchanged == 2
        if not died:
            return
    pytest.fail(f"a run that does more than {_MOST_WRITES} writes")


def test_a_retry_that_died_half_way_leaves_no_failure_of_a_document_that_is_there(tmp_path: Path) -> None:
    for writes in range(_MOST_WRITES):
        world = made(tmp_path / str(writes))
        world.write(a="CORRUPT", b="beta")
        world.run()
        row = world.ledger.rows(["a.txt"])["a.txt"]
        path = world.root / "a.txt"
        path.write_text("mended!", encoding="utf-8")  # as long as before
        os.utime(path, ns=(row.modified, row.modified))
        died = dies_after(world, writes, retry=Retry(every=True))
        world.run()
        there = ("a.txt", "mended!") in texts(world)
        assert world.ledger.rows(["a.txt"])["a.txt"].status == ("indexed" if there else "failed"), writes
        if not died:
            return
    pytest.fail(f"a run that does more than {_MOST_WRITES} writes")


@pytest.mark.parametrize("writes", range(5))
def test_a_folder_whose_renaming_was_half_done_does_not_look_unmounted(writes: int, tmp_path: Path) -> None:
    world = made(tmp_path / "world")
    names = [f"f{number}" for number in range(40)]
    world.write(**{name: f"text of {name}" for name in names})
    world.run()
    for name in names:
        (world.root / f"{name}.txt").rename(world.root / f"new-{name}.txt")
    assert dies_after(world, writes)
    report = world.run()
    assert (report.updated + report.indexed + report.unchanged, report.deleted, world.parsed) == (40, 0, [])
    assert report.account.closed
    assert [uri for uri, _ in texts(world)] == sorted(f"new-{name}.txt" for name in names)
    assert world.run().unchanged == 40


def test_a_new_file_that_cannot_be_read_after_a_kill_is_not_called_stale(tmp_path: Path) -> None:
    for writes in range(_MOST_WRITES):
        world = made(tmp_path / str(writes))
        world.write(b="beta")
        world.run()
        world.write(a="alpha")
        died = dies_after(world, writes)
        world.write(a="CORRUPT")
        report = world.run()
        held = [uri for uri, _ in texts(world)].count("a.txt")
        assert (report.stale, world.ledger.rows(["a.txt"])["a.txt"].chunks) == (min(held, 1), held), writes
        if not died:
            return
    pytest.fail(f"a run that does more than {_MOST_WRITES} writes")
