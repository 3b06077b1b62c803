"""Calls -> replies through isolated processes."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from misbehaving import Misbehaving

from docpipe.errors import ConfigError, CorruptSource, OutOfMemory, TimedOut, WorkerDied, WorkerKilled
from docpipe.pipeline.processes.workers import Limits, Reply, WorkerPool


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(Misbehaving(), size=1, limits=Limits(seconds=20, memory=300 * 2**20)) as made:
        yield made


def ask(pool: WorkerPool, method: str, *arguments: object) -> Reply:
    pool.submit("key", method, *arguments)
    (reply,) = pool.replies()
    return reply


def test_a_call_is_answered_with_its_key(pool: WorkerPool) -> None:
    reply = ask(pool, "greet", "世界")
    assert (reply.key, reply.value, reply.error) == ("key", "hello 世界", None)


def test_the_work_happens_in_another_process_that_is_kept(pool: WorkerPool) -> None:
    first, second = ask(pool, "process_id").value, ask(pool, "process_id").value
    assert first == second != os.getpid()


@pytest.mark.parametrize(("method", "how"), [("crash", "signal 11"), ("leave", "exit status 3")])
def test_a_crash_costs_its_own_call_only(pool: WorkerPool, method: str, how: str) -> None:
    reply = ask(pool, method)
    assert isinstance(reply.error, WorkerDied)
    assert how in str(reply.error)
    assert "another parser" in reply.error.remedy
    assert ask(pool, "greet", "again").value == "hello again"


def test_a_worker_that_is_killed_from_outside_is_not_the_files_fault(pool: WorkerPool) -> None:
    number = ask(pool, "process_id").value
    threading.Timer(0.3, os.kill, (number, signal.SIGKILL)).start()
    reply = ask(pool, "hang")
    assert isinstance(reply.error, WorkerKilled)
    assert reply.error.retryable
    assert "tried again later" in reply.error.remedy
    assert ask(pool, "greet", "again").value == "hello again"


def test_a_hang_is_stopped_and_named() -> None:
    with WorkerPool(Misbehaving(), size=1, limits=Limits(seconds=1.5)) as pool:
        started = time.monotonic()
        reply = ask(pool, "hang")
        assert time.monotonic() - started < 10
        assert isinstance(reply.error, TimedOut)
        assert "1.5 s" in str(reply.error)
        assert "run.timeout" in reply.error.remedy
        assert ask(pool, "greet", "again").value == "hello again"


def test_a_blow_up_is_stopped_and_named(pool: WorkerPool) -> None:
    reply = ask(pool, "swell")
    assert isinstance(reply.error, OutOfMemory)
    assert "300 MB" in str(reply.error)
    assert "run.memory_mb" in reply.error.remedy
    assert ask(pool, "greet", "again").value == "hello again"


def test_our_errors_keep_their_type_and_facts(pool: WorkerPool) -> None:
    error = ask(pool, "complain").error
    assert isinstance(error, CorruptSource)
    assert (error.source, error.remedy, error.message) == ("a.pdf", "save it again", "cut short")


def test_an_exception_that_cannot_travel_arrives_as_words(pool: WorkerPool) -> None:
    error = ask(pool, "stubborn").error
    assert isinstance(error, RuntimeError)
    assert "Stubborn" in str(error)


def test_what_a_library_prints_does_not_disturb_the_replies(pool: WorkerPool) -> None:
    assert ask(pool, "chatter").value == "still understood"


def test_work_that_cannot_be_loaded_in_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Misbehaving()
    monkeypatch.setattr(Misbehaving, "__module__", "misbehaving_elsewhere")
    monkeypatch.setitem(sys.modules, "misbehaving_elsewhere", sys.modules["misbehaving"])
    with (
        WorkerPool(work, size=1, limits=Limits(seconds=20)) as pool,
        pytest.raises(ConfigError, match="misbehaving_elsewhere") as caught,
    ):
        ask(pool, "greet", "you")
    assert "module that can be imported" in caught.value.remedy


def test_work_that_cannot_travel_is_told() -> None:
    with pytest.raises(ConfigError, match="cannot be sent") as caught:
        WorkerPool(lambda: None, size=1, limits=Limits())
    assert "top level" in caught.value.remedy


def test_a_module_in_the_folder_we_stand_in_is_not_taken_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "types.py").write_text("raise SystemExit(1)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with WorkerPool(Misbehaving(), size=1, limits=Limits(seconds=20)) as pool:
        assert ask(pool, "greet", "you").value == "hello you"


def test_a_process_that_cannot_start_is_not_blamed_on_what_it_was_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        WorkerPool(Misbehaving(), size=1, limits=Limits(seconds=20)) as pool,
        pytest.raises(WorkerDied, match="before it could work") as caught,
    ):
        ask(pool, "greet", "you")
    assert "docpipe.pipeline.processes.worker" in caught.value.remedy


def test_calls_run_side_by_side_and_all_come_back() -> None:
    with WorkerPool(Misbehaving(), size=2, limits=Limits(seconds=20)) as pool:
        for number in range(20):
            pool.submit(number, "greet", str(number))
        replies = {reply.key: reply.value for reply in pool.replies()}
    assert replies == {number: f"hello {number}" for number in range(20)}


def test_closing_ends_a_process_that_hangs() -> None:
    pool = WorkerPool(Misbehaving(), size=1, limits=Limits(seconds=600))
    pid = ask(pool, "process_id").value
    pool.submit("never", "hang")
    time.sleep(0.2)
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
