"""Damage in the files of an index on disk, and rows that nobody should have written: told, mended, healed by a run."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examined import World
from nights import state

from docpipe.errors import IndexFailed
from docpipe.index import lance_repair
from docpipe.index.lancedb import LanceIndex
from docpipe.pipeline.care.doctor import unlock
from docpipe.protocols import Budget

pytestmark = pytest.mark.slow

CHUNKS = "chunks"
TABLES = (CHUNKS, "docpipe_ledger", "docpipe_parsed", "docpipe_history", "docpipe_runs")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index after three nights, to be copied: making it takes longer than looking at it."""
    folder = tmp_path_factory.mktemp("sound") / "index"
    world = World(LanceIndex(uri=str(folder)))
    world.index.optimize()
    assert not world.failing()
    return folder


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return state(World().index)


@pytest.fixture
def world(sound: Path, tmp_path: Path) -> Iterator[World]:
    """The same index in a folder of its own, as its next process sees it."""
    shutil.copytree(sound, tmp_path / "index")
    yield World.of(LanceIndex(uri=str(tmp_path / "index")))


def reopened(world: World) -> World:
    """What another process sees, which has nothing in its caches."""
    return World.of(LanceIndex(uri=world.index.name))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No mount comes back here: the second look follows at once."""
    monkeypatch.setattr(lance_repair, "_SECOND_LOOK", 0.0)


def files(world: World, table: str, kind: str) -> list[Path]:
    """The files of this kind, newest first."""
    folder = Path(world.index.name) / f"{table}.lance" / kind
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: -path.stat().st_mtime_ns)


def truncate(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def remove(path: Path) -> None:
    path.unlink()


def garble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:64] + bytes(len(data) // 2) + data[64 + len(data) // 2 :])


def healed(world: World, expected: dict[str, Any]) -> bool:
    """Mend and run, as two processes would."""
    world = reopened(world)
    assert world.failing()
    unlock(world.index)
    world.mend()
    left = {finding.check: finding for finding in world.examine() if not finding.ok}
    assert not left, left
    world = reopened(world)
    world.run()
    return not world.failing() and state(world.index) == expected


@pytest.mark.parametrize(
    "harm", [truncate, pytest.param(remove, marks=pytest.mark.slow), pytest.param(garble, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_data_file_costs_its_documents_one_more_run(
    world: World, expected: dict[str, Any], table: str, harm: Callable[[Path], None]
) -> None:
    harm(files(world, table, "data")[0])
    assert healed(world, expected)


def test_what_may_not_be_read_is_no_damage_and_stays_where_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(table: Any) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(lance_repair, "_read_all", refuse)
    assert world.failing() == {"readable"}
    with pytest.raises(IndexFailed, match="no permission"):
        world.index.remove_unreadable()
    assert not list(Path(world.index.name).glob("*.damaged-*"))


def test_only_the_damaged_part_is_taken_out(world: World, tmp_path: Path) -> None:
    parts = []
    for number in range(len(files(world, "docpipe_ledger", "data"))):
        copy = tmp_path / str(number)
        shutil.copytree(world.index.name, copy)
        other = World.of(LanceIndex(uri=str(copy)))
        truncate(files(other, "docpipe_ledger", "data")[number])
        parts.append(len(other.index.remove_unreadable()))
    assert set(parts) == {0, 1}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_cannot_be_opened_is_moved_aside(world: World, expected: dict[str, Any], table: str) -> None:
    for path in files(world, table, "_versions"):
        truncate(path)
    assert healed(world, expected)
    (moved,) = Path(world.index.name).glob(f"{table}.damaged-*")
    assert any(str(moved) in finding.what for finding in reopened(world).examine())


@pytest.mark.parametrize("table", [CHUNKS, "docpipe_ledger"])
def test_a_damaged_older_version_is_put_aside_and_keeps_upkeep_from_nothing(
    world: World, expected: dict[str, Any], table: str
) -> None:
    older = [path for path in sorted(files(world, table, "_versions")) if path.suffix == ".manifest"][-1]
    truncate(older)
    assert healed(world, expected)
    reopened(world).index.optimize(Budget(force=True))


def test_lost_index_files_are_built_anew(world: World, expected: dict[str, Any]) -> None:
    for path in files(world, CHUNKS, "_indices"):
        path.unlink()
    assert healed(world, expected)
    assert reopened(world).index.search_text("one", limit=100)


def test_a_damaged_lease_keeps_nobody_out(world: World, expected: dict[str, Any]) -> None:
    table = world.index.table("lease", columns={"name": "str", "token": "str"}, key="name")
    table.put([{"name": "writer", "token": "x"}])
    truncate(files(world, "docpipe_lease", "data")[0])
    assert healed(world, expected)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("seed", range(20))
def test_whatever_file_is_damaged_a_repair_and_a_run_make_it_good(
    world: World, expected: dict[str, Any], seed: int
) -> None:
    chance = random.Random(seed)
    every = sorted(path for path in Path(world.index.name).rglob("*") if path.is_file())
    for path in chance.sample(every, chance.randint(1, 3)):
        chance.choice((truncate, remove, garble, empty))(path)
    world = reopened(world)
    unlock(world.index)
    world.mend()
    world = reopened(world)
    world.run()
    assert not world.failing()
    assert state(world.index) == expected


def raw(world: World) -> Any:
    import lancedb

    return lancedb.connect(world.index.name).open_table(CHUNKS)


def test_rows_that_stand_there_twice_are_told_and_healed(world: World, expected: dict[str, Any]) -> None:
    table = raw(world)
    table.add(table.search().limit(2).to_arrow().select(table.schema.names))
    assert "duplicates" in reopened(world).failing()
    assert healed(world, expected)


def test_rows_of_another_model_are_told_and_healed(world: World, expected: dict[str, Any]) -> None:
    table = raw(world)
    row = table.search().limit(1).to_list()[0]
    table.update(where=f"id = '{row['id']}'", values_sql={"model": "'another'"})
    assert "vectors" in reopened(world).failing()
    assert healed(world, expected)


def test_vectors_that_are_not_made_of_numbers_are_told_and_healed(world: World, expected: dict[str, Any]) -> None:
    table = raw(world)
    row = table.search().limit(1).to_list()[0]
    table.update(where=f"id = '{row['id']}'", values_sql={"vector": "[1e300, 1.0, 1.0, 1.0]"})
    assert "vectors" in reopened(world).failing()
    assert healed(world, expected)
