"""A run that is killed at any moment leaves a usable index, and the next one finishes the work."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from docpipe.errors import RunLocked
from docpipe.index.lancedb import LanceIndex
from docpipe.pipeline.schedule.lock import run_lock

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).parents[1] / "support"
Rows = dict[str, tuple[str, str]]


def start(folder: Path, index: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "toy_pipeline", str(folder), str(index)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SUPPORT)}, stderr=subprocess.PIPE)


def rows(index: Path) -> Rows:
    """Chunk id -> uri and text; every row once, or this fails."""
    opened = LanceIndex(uri=str(index))
    found = opened.search_text("word", limit=1000)
    chunks = opened.fetch([chunk_id for chunk_id, _ in found])
    assert len(found) == len(chunks) == opened.stats().rows
    return {chunk.id: (chunk.source.uri, chunk.text) for chunk in chunks.values()}


def write(folder: Path, round_number: int) -> None:
    folder.mkdir(exist_ok=True)
    for name in range(12):
        changed = round_number if name % 3 == 0 else 0
        text = "\n\n".join(f"word {name} {paragraph} {changed}" for paragraph in range(4))
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def finished(folder: Path, index: Path) -> Rows:
    process = start(folder, index)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint.decode()
    return rows(index)


def check_rounds(tmp_path: Path, rounds: int, *, seed: int) -> None:
    chance, folder, index = random.Random(seed), tmp_path / "docs", tmp_path / "index"
    for number in range(rounds):
        write(folder, number)
        process = start(folder, index)
        time.sleep(chance.uniform(0.3, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if index.exists():
            rows(index)
    expected = finished(folder, tmp_path / "fresh")
    assert finished(folder, index) == expected
    assert len(expected) == 48


def test_a_killed_run_is_finished_by_the_next_one(tmp_path: Path) -> None:
    check_rounds(tmp_path, 2, seed=1)


def test_many_killed_runs_end_as_a_clean_one(tmp_path: Path) -> None:
    check_rounds(tmp_path, 12, seed=2)


def test_two_runs_at_once_are_refused_and_the_holder_is_named(tmp_path: Path) -> None:
    with run_lock(tmp_path, index="mine"), pytest.raises(RunLocked) as caught, run_lock(tmp_path, index="mine"):
        pass
    assert f"process {os.getpid()}" in caught.value.holder
    assert "wait for it" in caught.value.remedy


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from docpipe.pipeline.schedule.lock import run_lock\n"
        "with run_lock(Path(sys.argv[1]), index='x'): print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(RunLocked, match=f"process {process.pid}"), run_lock(tmp_path, index="x"):
        pass
    process.kill()
    process.communicate()
    with run_lock(tmp_path, index="x"):
        pass


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    from docpipe.errors import IndexFailed

    (tmp_path / "file").write_text("")
    with pytest.raises(IndexFailed, match="cannot write") as caught, run_lock(tmp_path / "file" / "index", index="x"):
        pass
    assert "permissions" in caught.value.remedy
