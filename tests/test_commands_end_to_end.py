"""The installed command on real files, in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docpipe.pipeline.schedule.lock import run_lock

pytestmark = pytest.mark.slow

PIPELINE = """\
version: 1
name: small
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
  - use: chunk.layout
  - use: embed.hashing
index: {use: index.lancedb, uri: store}
retrieve: {mode: text, limit: 3}
run: {workers: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")
    (docs / "valve.md").write_text("# Valves\n\nThe relief valve opens at 4 bar.\n", encoding="utf-8")
    (docs / "泵.md").write_text("# 水泵\n\n二号水泵每天运行六小时。\n", encoding="utf-8")
    return tmp_path


Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def command(folder: Path) -> Command:
    def call(name: str, *arguments: str) -> tuple[int, Any]:
        line = [sys.executable, "-m", "docpipe.cli", name, str(folder / "p.yaml"), *arguments, "--json"]
        done = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", check=False)
        assert "Traceback" not in done.stderr
        assert done.stdout.count("\n") == 1
        return done.returncode, json.loads(done.stdout)

    return call


def test_a_folder_becomes_answers_and_stays_in_line(command: Command, folder: Path) -> None:
    code, report = command("run")
    assert (code, report["indexed"], report["failed"]) == (0, 2, 0)

    code, report = command("run", "--ask", "At what pressure does the relief valve open?")
    assert (code, report["unchanged"], report["chunks"], report["embedded"]) == (0, 2, 0, 0)
    assert "4 bar" in report["ask"]["answer"]

    shown = folder / "show"
    code, answer = command("ask", "At what pressure does the relief valve open?", "--show", str(shown))
    assert (code, answer["origin"]) == (0, "documents")
    assert all(citation["verified"] for citation in answer["citations"])
    assert answer["shown"] == [str(shown / "index.html")]
    assert "<mark>" in (shown / "index.html").read_text("utf-8")

    code, found = command("search", "二号水泵", "--context", "1")
    assert (code, found["hits"][0]["uri"]) == (0, "泵.md")

    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    (folder / "docs" / "valve.md").unlink()
    code, wanted = command("plan")
    assert (code, wanted["added"], wanted["deleted"]) == (0, 1, 1)
    code, report = command("run")
    assert (code, report["failed"], report["deleted"], report["unchanged"]) == (1, 1, 1, 1)
    assert report["failures"][0]["uri"] == "broken.pdf"
    assert report["failures"][0]["remedy"]

    code, rows = command("failures")
    assert (code, [row["uri"] for row in rows["failures"]]) == (0, ["broken.pdf"])
    code, status = command("status")
    assert (code, status["documents"], status["failed"]) == (0, 1, 1)


def test_an_index_that_was_never_written_answers_nothing(command: Command) -> None:
    assert command("search", "valve") == (0, {"query": "valve", "hits": []})
    code, answer = command("ask", "Which valve?")
    assert (code, answer["origin"], answer["citations"]) == (0, "none", [])
    assert command("status")[1]["documents"] == 0


def test_questions_and_filters_that_cannot_be_answered_are_told(command: Command) -> None:
    command("run")
    code, form = command("ask", "  ")
    assert (code, form["error"]["type"]) == (2, "InvalidOption")
    code, form = command("search", "valve", "--where", "uri = 'it''s'")
    assert (code, form["hits"]) == (0, [])
    code, form = command("search", "valve", "--where", "uri = 'it's")
    assert code == 2
    assert form["error"]["remedy"]
    code, form = command("ask", "valve " * 20_000)
    assert code in (0, 2)


def test_a_second_run_is_told_who_holds_the_lock(command: Command, folder: Path) -> None:
    with run_lock(folder / "store", index="store"):
        code, form = command("run")
    assert (code, form["error"]["type"]) == (3, "RunLocked")
    assert f"process {os.getpid()}" in form["error"]["message"]


def test_a_missing_source_is_told_and_loses_nothing(command: Command, folder: Path) -> None:
    command("run")
    (folder / "docs").rename(folder / "elsewhere")
    code, form = command("run")
    assert (code, form["error"]["type"]) == (2, "SourceError")
    assert command("status")[1]["documents"] == 2


@pytest.mark.skipif(os.name == "nt", reason="signals differ there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["Ctrl-C", "SIGTERM"])
def test_a_run_that_is_stopped_ends_in_good_order_and_the_next_one_finishes(
    command: Command, folder: Path, number: signal.Signals, code: int
) -> None:
    for file in range(400):
        words = "\n\n".join(f"Paragraph {n} of file {file}: pumps, valves and pipes." for n in range(200))
        (folder / "docs" / f"{file:03}.md").write_text(f"# File {file}\n\n{words}\n", encoding="utf-8")
    line = [sys.executable, "-m", "docpipe.cli", "run", str(folder / "p.yaml")]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stderr is not None
    process.stderr.readline()  # the first document is done
    time.sleep(0.2)
    process.send_signal(number)
    told, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "stopped" in told
    assert "Traceback" not in err
    code, report = command("run")
    assert (code, report["failed"]) == (0, 0)
    assert command("status")[1]["documents"] == 402
