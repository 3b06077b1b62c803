"""`docpipe schedule`, `docpipe watch` and signals to `docpipe run`, as a service manager meets them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docpipe.commands import timing_text
from docpipe.commands.program import Failed, Stopped, tell_by_exit_code
from docpipe.index.lancedb import LanceIndex
from docpipe.pipeline.report.reports import Account, RunReport
from docpipe.pipeline.schedule.child import Done, run_apart
from docpipe.pipeline.schedule.holders import this_process
from docpipe.pipeline.schedule.lease import Lease, World, hold
from docpipe.pipeline.schedule.stopping import TERMINATED, Stop

PIPELINE = """\
version: 1
name: shelf
source: {use: load.files, path: docs}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.lancedb, uri: index}
run: {workers: 1}
"""
_PATIENCE = 240.0
MOMENT = datetime(2026, 11, 21, 2, 0, 3, tzinfo=UTC)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Water\n\nIt boils.\n")
    (tmp_path / "shelf.yaml").write_text(PIPELINE)
    return tmp_path / "shelf.yaml"


@contextlib.contextmanager
def docpipe(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A command in a process of its own, its output line by line; killed after some minutes, so that no test hangs."""
    command = [sys.executable, "-m", "docpipe.cli", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        watchdog = threading.Timer(_PATIENCE, kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            kill()


def line(process: "subprocess.Popen[str]", words: str) -> str:
    """The next line on standard output that has these words."""
    assert process.stdout is not None
    for found in process.stdout:
        if words in found:
            return found
    raise AssertionError(f"no line with {words!r}; standard error: {process.stderr and process.stderr.read()}")


def test_a_schedule_that_idles_ends_with_0_at_sigterm_and_says_when_it_would_have_run(shelf: Path) -> None:
    with docpipe("schedule", shelf, "--cron", "0 2 * * *", "--timezone", "Europe/Berlin") as process:
        assert re.search(r"the next run begins at 20\d\d-\d\d-\d\d 02:00:00 CES?T", line(process, "next run"))
        process.send_signal(signal.SIGTERM)
        assert "ended by SIGTERM after 0 runs" in line(process, "ended by")
        assert process.wait(_PATIENCE) == 0


@pytest.mark.slow
def test_a_schedule_runs_at_once_if_asked_and_ends_with_130_at_ctrl_c(shelf: Path) -> None:
    with docpipe("schedule", shelf, "--cron", "0 2 * * *", "--once-now", "--json") as process:
        assert process.stderr is not None
        told = next(found for found in process.stderr if "next run" not in found and "  run 20" in found)
        assert "1 indexed" in told
        assert "exit 0" in told
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        form = json.loads(process.stdout.read())
        assert (form["runs"], form["failed"], form["stopped"]) == (1, 0, "Ctrl-C")
        assert form["last"]["indexed"] == 1
        assert process.wait(_PATIENCE) == 130


@pytest.mark.slow
def test_watching_runs_at_once_and_after_a_change_and_a_broken_file_ends_nothing(shelf: Path) -> None:
    with docpipe("watch", shelf) as process:
        assert "1 indexed" in line(process, "nobody was watching before")
        (shelf.parent / "docs" / "b.md").write_text("# Ice\n\nIt melts.\n")
        assert "1 indexed, 1 unchanged" in line(process, "(a change)")
        shelf.write_text("version: 1\nname: [")
        assert "exit 2" in line(process, "another one")
        shelf.write_text(PIPELINE)
        assert "2 unchanged" in line(process, "another one")
        process.send_signal(signal.SIGTERM)
        assert "ended by SIGTERM after 4 runs, 1 of them with failures" in line(process, "ended by")
        assert process.wait(_PATIENCE) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_lets_a_run_finish_what_it_has_in_hand_and_the_next_run_goes_on(
    shelf: Path, number: int, code: int
) -> None:
    for count in range(400):
        (shelf.parent / "docs" / f"{count}.md").write_text(f"# Number {count}\n\n" + f"Word {count}. " * 400)
    with docpipe("run", shelf, "--json") as process:
        assert process.stderr is not None
        next(found for found in process.stderr if "indexed" in found)
        os.killpg(process.pid, number)  # its workers too, as Ctrl-C in a terminal and a service manager do
        printed, errors = process.communicate(timeout=_PATIENCE)
        assert process.returncode == code, errors
    form = json.loads(printed)
    assert form["failed"] == 0
    assert form["waiting"] > 0
    assert form["indexed"] + form["waiting"] == 401
    assert form["stopped"]
    with docpipe("run", shelf, "--json") as process:
        again = json.loads(process.communicate(timeout=_PATIENCE)[0])
    assert (again["indexed"], again["unchanged"], process.returncode) == (form["waiting"], form["indexed"], 0)


@pytest.mark.slow
def test_a_scheduled_run_gets_the_end_that_its_scheduler_is_asked_for(shelf: Path) -> None:
    for count in range(400):
        (shelf.parent / "docs" / f"{count}.md").write_text(f"# Number {count}\n\n" + f"Word {count}. " * 400)
    with docpipe("schedule", shelf, "--cron", "0 2 * * *", "--once-now") as process:
        assert process.stderr is not None
        next(found for found in process.stderr if "indexed" in found)
        process.send_signal(signal.SIGTERM)
        told = line(process, "stopped by SIGTERM, the next run goes on; exit 0")
        assert "waiting" in told
        assert "after 1 run" in line(process, "ended by SIGTERM")
        assert process.wait(_PATIENCE) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cron", "at two"), "cannot read 'at two'"),
        (("--cron", "0 2 * * *", "--timezone", "Berlin"), "no time zone 'Berlin'"),
        ((), "--cron"),
    ],
)
def test_a_schedule_that_makes_no_sense_ends_with_2(shelf: Path, arguments: tuple[str, ...], words: str) -> None:
    with docpipe("schedule", shelf, *arguments) as process:
        _, errors = process.communicate(timeout=_PATIENCE)
        assert process.returncode == 2
        assert words in errors


def test_a_schedule_says_at_once_what_is_wrong_with_the_pipeline_file(tmp_path: Path) -> None:
    with docpipe("schedule", tmp_path / "missing.yaml", "--cron", "0 2 * * *") as process:
        _, errors = process.communicate(timeout=_PATIENCE)
        assert process.returncode == 2
        assert "missing.yaml" in errors


def test_a_run_apart_that_fails_is_told_with_its_error(tmp_path: Path) -> None:
    done = run_apart([str(tmp_path / "missing.yaml")], Stop())
    assert done.code == 2
    assert "missing.yaml" in timing_text.run_line(done, ended=MOMENT)


def test_a_run_that_begins_while_a_restore_is_at_work_is_refused_and_says_who_is(shelf: Path) -> None:
    index = LanceIndex(uri=str(shelf.parent / "index"))
    for folder in (None, shelf.parent / "index"):  # the lease alone, and the folder's lock
        with hold(index, folder, run_id="20261121T142600-7f3a", purpose="restore"):
            done = run_apart([str(shelf)], Stop())
        assert done.code == 3
        told = timing_text.run_line(done, ended=MOMENT)
        assert f"process {os.getpid()} on " in told
        assert "(restore 20261121T142600-7f3a), since 20" in told


def test_a_run_says_from_whom_it_took_the_index_over(shelf: Path) -> None:
    index = LanceIndex(uri=str(shelf.parent / "index"))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        holder = replace(this_process(), pid=gone.pid)
    Lease(index, run_id="dead", purpose="run", world=World(me=holder))._take(0.0)
    done = run_apart([str(shelf)], Stop())
    assert done.code == 0
    assert any(f"took the index over from process {gone.pid}" in remark for remark in done.form["remarks"])


def test_a_run_apart_does_not_import_what_lies_in_the_folder_it_is_begun_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "typer.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    assert run_apart(["missing.yaml"], Stop()).code == 2


def test_an_end_that_was_asked_for_reaches_a_run_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, sleeper = Stop(), tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    stop.set(TERMINATED)
    begun = time.monotonic()
    done = run_apart([], stop)
    assert time.monotonic() - begun < 20
    assert (done.code, done.form) == (-signal.SIGTERM, {})
    assert "it left no report" in timing_text.run_line(done, ended=MOMENT)
    assert "killed by signal 15" in timing_text.run_line(done, ended=MOMENT)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no priorities")
@pytest.mark.parametrize(("option", "priority"), [("", 19), (", nice: 3", 3), (", nice: 0", 0)])
def test_a_run_stands_back_behind_who_searches_and_what_it_begins_with_it(
    shelf: Path, option: str, priority: int
) -> None:
    shelf.write_text(PIPELINE.replace("workers: 1", f"workers: 1{option}"), encoding="utf-8")
    program = """
import os, sys
from docpipe.cli import main
from docpipe.pipeline.pipe import Pipe
def told(self, **options):
    print(os.getpriority(os.PRIO_PROCESS, 0), os.popen("nice").read().strip(), file=sys.stderr)
    raise KeyboardInterrupt
Pipe.run = told
main(["run", sys.argv[1]])
"""
    done = subprocess.run([sys.executable, "-c", program, str(shelf)], capture_output=True, text=True, check=False)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert done.stderr.splitlines()[0] == f"{max(priority, own)} {max(priority, own)}"


def test_a_line_says_what_a_run_did() -> None:
    form = {"run_id": "20261121T020000-7f3a", "indexed": 3, "failed": 1, "unchanged": 0, "cost_usd": 0.0123}
    done = Done(code=1, seconds=12.34, form=form)
    assert timing_text.run_line(done, ended=MOMENT, why="a change") == (
        "2026-11-21 02:00:03  run 20261121T020000-7f3a (a change): 3 indexed, 1 failed; 12.3 s; 0.0123 USD; exit 1\n"
    )
    locked = Done(code=3, seconds=0.2, form={"error": {"message": "another run works on it", "remedy": "wait"}})
    assert "run: another run works on it (wait); 0.2 s; exit 3" in timing_text.run_line(locked, ended=MOMENT)
    held = Done(code=1, seconds=1.0, form={"run_id": "x", "published": False})
    assert "not published: readers keep the version before" in timing_text.run_line(held, ended=MOMENT)


def test_escapes_of_a_terminal_in_an_error_are_shown_and_not_obeyed() -> None:
    done = Done(code=1, seconds=0.1, form={"error": {"message": "\x1b[2Jgone", "where": "a\nb"}})
    told = timing_text.run_line(done, ended=MOMENT)
    assert "\x1b" not in told
    assert told.count("\n") == 1


def test_a_line_says_when_the_next_run_begins_and_one_how_it_ended() -> None:
    due = MOMENT + timedelta(days=1)
    assert timing_text.next_line(due, now=MOMENT).endswith("the next run begins at 2026-11-22 02:00:03 UTC\n")
    assert timing_text.end_line(1, 0, reason="SIGTERM", now=MOMENT).endswith("ended by SIGTERM after 1 run\n")
    assert "after 3 runs, 2 of them with failures" in timing_text.end_line(3, 2, reason="Ctrl-C", now=MOMENT)


@pytest.mark.parametrize(
    ("report", "ends"),
    [
        (RunReport(pipeline="p"), None),
        (RunReport(pipeline="p", stopped="SIGTERM", waiting=3, published=False), None),
        (RunReport(pipeline="p", stopped="SIGTERM", account=Account(gaps=("a.md: 3 characters",))), Failed),
        (RunReport(pipeline="p", stopped="SIGTERM", failed=1), Failed),
        (RunReport(pipeline="p", stopped="Ctrl-C", failed=1), Stopped),
        (RunReport(pipeline="p", published=False), Failed),
    ],
    ids=["done", "stopped", "a gap", "failures", "by Ctrl-C", "held back"],
)
def test_what_a_report_means_to_the_exit_code(report: RunReport, ends: type[Exception] | None) -> None:
    with pytest.raises(ends) if ends else contextlib.nullcontext():
        tell_by_exit_code(report)
