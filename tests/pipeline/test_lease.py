"""One writer at a time, on this machine or any other: who gets the lease, who loses it, and who is told."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.errors import IndexFailed, RunLocked
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.schedule.holders import Holder, lives, this_process
from docpipe.pipeline.schedule.lease import BEAT, COLUMNS, LOST, Lease, LeaseLost, World, hold, holder
from docpipe.pipeline.schedule.lock import run_lock
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.protocols import Index

HERE = Holder(host="here", boot="boot-1", space="pid:1", pid=10, started="100")
THERE = Holder(host="there", boot="boot-2", space="pid:1", pid=20, started="200")
YEAR = 365 * 86_400.0


@dataclass
class FakeWorld:
    """A machine whose clock is moved by who sleeps on it."""

    me: Holder = HERE
    seconds: float = 0.0
    offset: float = 0.0
    """How far its calendar is off."""
    dead: frozenset[Holder] = frozenset()
    while_asleep: Callable[[float], None] = field(default=lambda seconds: None)

    def world(self) -> World:
        return World(me=self.me, lives=self.lives, clock=self.clock, now=self.now, sleep=self.sleep)

    def lives(self, holder: Holder) -> bool:
        return holder not in self.dead

    def clock(self) -> float:
        return self.seconds

    def now(self) -> float:
        return 1_800_000_000.0 + self.offset + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.while_asleep(self.seconds)


def lease(index: Index, world: FakeWorld, *, run_id: str = "run-b", locked: bool = False) -> Lease:
    return Lease(index, run_id=run_id, purpose="run", locked=locked, world=world.world(), beat=1_000.0)


def left_behind(index: Index, world: FakeWorld, *, run_id: str = "run-a") -> Lease:
    """A lease whose holder does nothing more."""
    found = lease(index, world, run_id=run_id)
    found._take(0.0)
    return found


def row(index: Index) -> dict[str, Any]:
    return index.table("lease", columns=COLUMNS, key="name").get(["writer"])["writer"]


def test_a_second_writer_is_refused_at_once_and_told_who_the_first_one_is() -> None:
    index, mine = MemoryIndex(label="library"), FakeWorld(me=THERE)
    with lease(index, FakeWorld(), run_id="20261121T142600-7f3a").held(), pytest.raises(RunLocked) as caught:
        lease(index, mine)._take(0.0)
    assert mine.seconds == 0
    for words in ("library", "process 10 on here", "run 20261121T142600-7f3a", "since 20", "expires in 60 seconds"):
        assert words in str(caught.value)


def test_what_was_given_back_is_taken_without_a_word() -> None:
    index, world = MemoryIndex(), FakeWorld()
    with lease(index, FakeWorld(me=THERE)).held():
        pass
    with lease(index, world).held() as guard:
        guard.check()
    assert world.seconds == 0
    assert guard.remarks == ()


def test_anybody_can_ask_who_writes(tmp_path: Path) -> None:
    for index in (MemoryIndex(), LanceIndex(uri=str(tmp_path / "index"))):
        assert holder(index) == ""
        with hold(index, None, run_id="a", purpose="restore"):
            assert "(restore a), since 20" in holder(index)
        assert holder(index) == ""


def test_it_is_given_back_when_the_work_fails() -> None:
    index = MemoryIndex()
    with contextlib.suppress(ZeroDivisionError), lease(index, FakeWorld(me=THERE)).held():
        raise ZeroDivisionError
    with lease(index, FakeWorld()).held() as guard:
        guard.check()


def test_a_holder_that_died_on_this_machine_is_replaced_at_once() -> None:
    index, dead = MemoryIndex(), replace(HERE, pid=11)
    left_behind(index, FakeWorld(me=dead))
    world = FakeWorld(dead=frozenset([dead]))
    with lease(index, world).held() as guard:
        guard.check()
    assert world.seconds == 0
    assert "took the index over from process 11 on here (run run-a)" in guard.remarks[0]
    assert "which has died" in guard.remarks[0]


def test_a_holder_in_another_container_of_this_machine_is_not_judged_by_the_number_of_its_process() -> None:
    index, other = MemoryIndex(), replace(HERE, space="pid:2")
    left_behind(index, FakeWorld(me=other))
    with pytest.raises(RunLocked):
        lease(index, FakeWorld(dead=frozenset([other])))._take(0.0)


def test_who_has_the_lock_of_the_folder_knows_that_no_process_of_this_machine_holds_the_lease() -> None:
    index, other = MemoryIndex(), replace(HERE, space="pid:2")
    left_behind(index, FakeWorld(me=other))
    world = FakeWorld()
    lease(index, world, locked=True)._take(0.0)
    assert world.seconds == 0


def test_a_lease_that_this_very_process_left_behind_is_replaced_at_once() -> None:
    index, world = MemoryIndex(), FakeWorld()
    left_behind(index, FakeWorld())
    lease(index, world)._take(0.0)
    assert world.seconds == 0


def test_two_threads_of_one_process_do_not_hold_it_at_once() -> None:
    index = MemoryIndex()
    with hold(index, None, run_id="a"), pytest.raises(RunLocked), hold(index, None, run_id="b"):
        pass


def test_a_holder_elsewhere_that_has_died_is_replaced_after_a_minute_without_a_sign_of_life() -> None:
    index = MemoryIndex()
    left_behind(index, FakeWorld(me=THERE))
    world = FakeWorld(seconds=LOST + 1)  # a night later, say
    with lease(index, world).held() as guard:
        guard.check()
    assert LOST <= world.seconds - (LOST + 1) <= LOST + 2
    assert "process 20 on there" in guard.remarks[0]
    assert "no sign of life for 60 seconds" in guard.remarks[0]


def test_who_waits_gets_a_lease_that_runs_out_meanwhile() -> None:
    index = MemoryIndex()
    left_behind(index, FakeWorld(me=THERE))
    world = FakeWorld()
    lease(index, world)._take(LOST + 5)
    assert LOST <= world.seconds <= LOST + 2


def test_who_waits_gets_a_lease_that_is_given_back_meanwhile() -> None:
    index = MemoryIndex()
    holder = left_behind(index, FakeWorld(me=THERE))
    world = FakeWorld(while_asleep=lambda seconds: holder._give_back() if seconds == 5 else None)
    lease(index, world)._take(30)
    assert world.seconds == 5


@pytest.mark.parametrize("locked", [False, True], ids=["the lease", "the lock"])
def test_who_waits_is_let_go_by_a_stop(tmp_path: Path, locked: bool) -> None:
    index, stop = MemoryIndex(), Stop()
    folder = tmp_path if locked else None
    with hold(index, folder, run_id="a"):
        timer = threading.Timer(0.1, stop.set, ["SIGTERM"])
        timer.start()
        begun = time.monotonic()
        with pytest.raises(RunLocked), hold(index, folder, run_id="b", wait=600.0, stop=stop):
            pass
        assert time.monotonic() - begun < 60
        timer.join()


@settings(max_examples=40)
@given(offset=st.floats(-50 * YEAR, 50 * YEAR), jumps=st.lists(st.floats(-YEAR, YEAR), max_size=5))
def test_no_clock_however_wrong_takes_the_lease_from_a_holder_that_lives(offset: float, jumps: list[float]) -> None:
    index, theirs = MemoryIndex(), FakeWorld(me=THERE)
    holder = left_behind(index, theirs)

    def beat(seconds: float) -> None:
        if seconds % BEAT == 0:
            theirs.seconds = seconds
            holder._raise_counter()
            mine.offset += jumps.pop() if jumps else 0.0

    mine = FakeWorld(offset=offset, while_asleep=beat)
    with pytest.raises(RunLocked):
        lease(index, mine)._take(5 * LOST)
    holder.check()


@settings(max_examples=40)
@given(offset=st.floats(-50 * YEAR, 50 * YEAR))
def test_no_clock_however_wrong_keeps_the_lease_for_a_holder_that_is_dead(offset: float) -> None:
    index = MemoryIndex()
    left_behind(index, FakeWorld(me=THERE))
    world = FakeWorld(offset=offset)
    lease(index, world)._take(LOST + 2)
    assert world.seconds <= LOST + 2


def test_of_two_who_take_over_at_the_same_time_one_wins() -> None:
    index = MemoryIndex()
    left_behind(index, FakeWorld(me=THERE))
    seen = row(index)
    takers = [lease(index, FakeWorld(seconds=LOST)) for _ in range(8)]
    barrier, won = threading.Barrier(8), list[Lease]()

    def take(taker: Lease) -> None:
        barrier.wait()
        if taker._try(seen, still_for=LOST):
            won.append(taker)

    threads = [threading.Thread(target=take, args=(taker,)) for taker in takers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].check()


def test_who_lost_the_lease_is_stopped_before_the_next_commit_and_leaves_it_to_the_other() -> None:
    index = MemoryIndex()
    with lease(index, FakeWorld(me=THERE)).held() as guard:
        with lease(index, FakeWorld(seconds=LOST + 1), run_id="run-b").held() as taken:
            with pytest.raises(LeaseLost, match=r"process 10 on here \(run run-b\)"):
                guard.check()
            taken.check()
        with pytest.raises(LeaseLost):  # once lost, lost for good
            guard.check()


def test_an_end_after_the_loss_does_not_free_the_lease_of_the_other() -> None:
    index = MemoryIndex()
    with contextlib.ExitStack() as first:
        first.enter_context(lease(index, FakeWorld(me=THERE)).held())
        with lease(index, FakeWorld(seconds=LOST + 1)).held() as taken:
            first.close()
            taken.check()


def test_a_guard_that_showed_no_life_for_long_shows_it_before_a_commit() -> None:
    index, world = MemoryIndex(), FakeWorld()
    with lease(index, world).held() as guard:
        before = row(index)["counter"]
        guard.check()
        assert row(index)["counter"] == before
        world.seconds += LOST - 1
        guard.check()
        assert row(index)["counter"] == before + 1


class UnsureIndex(MemoryIndex):
    """A bucket that loses its answers, or is away."""

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> Any:
        return UnsureTable(super().table(name, columns=columns, key=key))


class UnsureTable:
    """As its index says."""

    away = False
    tidied = 0

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def swap(self, key: str, expected: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
        if self.away:
            raise IndexFailed("the bucket is away", stage="index")
        self._real.swap(key, expected, new)
        return False

    def tidy(self) -> None:
        UnsureTable.tidied += 1
        raise IndexFailed("others are at it", stage="index")


def test_a_commit_whose_answer_was_lost_counts_as_done() -> None:
    with lease(UnsureIndex(), FakeWorld()).held() as guard:
        guard.check()


def test_a_bucket_that_is_away_for_a_while_ends_no_heart_and_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    index = UnsureIndex()
    held = Lease(index, run_id="", purpose="run", beat=0.01)
    with held.held() as guard:
        monkeypatch.setattr(UnsureTable, "away", True)
        time.sleep(0.05)
        monkeypatch.setattr(UnsureTable, "away", False)
        counter = row(index)["counter"]
        _wait_until(lambda: row(index)["counter"] > counter + 2)
        guard.check()
        monkeypatch.setattr(UnsureTable, "away", True)


def test_the_table_is_tidied_now_and_then_and_a_failure_of_it_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnsureTable, "tidied", 0)
    index = UnsureIndex()
    with Lease(index, run_id="", purpose="run", beat=0.001).held() as guard:
        _wait_until(lambda: row(index)["counter"] > 65)
        guard.check()
    assert UnsureTable.tidied == row(index)["counter"] // 30


def test_a_busy_program_goes_on_showing_life() -> None:
    index = MemoryIndex()
    with Lease(index, run_id="", purpose="run", beat=0.02).held():
        until, counter = time.monotonic() + 0.5, row(index)["counter"]
        while time.monotonic() < until:
            sum(range(1_000))
        assert row(index)["counter"] >= counter + 5


def test_this_process_lives_and_one_that_ended_does_not() -> None:
    me = this_process()
    assert lives(me)
    assert not lives(replace(me, started="1"))  # its number was given to another one
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        gone = replace(me, pid=child.pid)
    assert not lives(gone)


def test_a_file_system_without_locks_leaves_it_to_the_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with run_lock(tmp_path, index="x") as locked:
        assert not locked
    with hold(MemoryIndex(), tmp_path, run_id="a") as guard:
        guard.check()


def test_who_waits_for_the_lock_of_a_folder_gets_it_when_it_is_freed(tmp_path: Path) -> None:
    with contextlib.ExitStack() as first:
        first.enter_context(run_lock(tmp_path, index="x", label="run a"))
        with pytest.raises(RunLocked, match=r"\(run a\)"), run_lock(tmp_path, index="x"):
            pass
        timer = threading.Timer(0.3, first.close)
        timer.start()
        with run_lock(tmp_path, index="x", wait=10) as locked:
            assert locked
        timer.join()


# With LanceDB and real processes.

_HOLD = """
import sys, time
from pathlib import Path
from docpipe.index.lancedb import LanceIndex
from docpipe.pipeline.schedule.lease import hold
folder, log = sys.argv[1], sys.argv[2]
with hold(LanceIndex(uri=folder), None, run_id=sys.argv[3], wait=60.0) as guard:
    for word in ("in", "out"):
        guard.check()
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{sys.argv[3]} {word}\\n")
        time.sleep(float(sys.argv[4]))
"""


@contextlib.contextmanager
def process(folder: Path, log: Path, name: str, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _HOLD, str(folder), str(log), name, str(seconds)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def _wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_holder_that_is_killed_is_replaced_at_once(tmp_path: Path) -> None:
    index, log = LanceIndex(uri=str(tmp_path / "index")), tmp_path / "log"
    with process(tmp_path / "index", log, "20261121T020000-aaaa", 60.0) as child:
        _wait_until(log.exists)
        with pytest.raises(RunLocked, match="20261121T020000-aaaa"), hold(index, None, run_id="b"):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
    begun = time.monotonic()
    with hold(index, tmp_path / "index", run_id="b") as guard:
        guard.check()
    assert time.monotonic() - begun < 5
    assert "which has died" in guard.remarks[0]


def test_an_index_that_was_copied_to_another_machine_with_a_lease_in_it_is_taken_over_and_says_so(
    tmp_path: Path,
) -> None:
    left_behind(LanceIndex(uri=str(tmp_path / "index")), FakeWorld(me=THERE))
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    world = FakeWorld(seconds=5 * 86_400.0)
    with lease(LanceIndex(uri=str(tmp_path / "copy")), world, locked=True).held() as guard:
        guard.check()
    assert "took the index over from process 20 on there" in guard.remarks[0]


@pytest.mark.slow
def test_many_processes_never_write_at_the_same_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(process(tmp_path / "index", log, f"p{n}", 0.05)) for n in range(6)]
        for child in children:
            _, errors = child.communicate(timeout=100)
            assert child.returncode == 0, errors
    lines = [line.split() for line in log.read_text("utf-8").splitlines()]
    assert len(lines) == 12
    for (first, enters), (second, leaves) in zip(lines[::2], lines[1::2], strict=True):
        assert (first, enters, leaves) == (second, "in", "out")


def test_the_processes_own_number_is_in_the_lock_of_the_folder(tmp_path: Path) -> None:
    with hold(MemoryIndex(), tmp_path, run_id="a"):
        assert str(os.getpid()) in (tmp_path / "run.lock").read_text("utf-8")
