"""Whatever a night brings, the next run leaves an index that is in line with its sources, and says what happened."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from restless_loaders import ReplacingLoader, VanishingLoader

import docpipe
from docpipe.cli import main
from docpipe.errors import IndexMismatch, RunLocked, SourceError
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger, Stamp, new_row
from docpipe.pipeline.ingest.plan import Terms
from docpipe.pipeline.ingest.survey import check_deletions, survey
from docpipe.pipeline.pipe import Pipe
from docpipe.pipeline.report.reports import RunReport

PIPELINE = """
version: 1
name: bad days
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 64, overlap: 0}
  - use: embed.hashing
index: {use: index.lancedb, uri: index}
retrieve: {mode: text}
chat: {use: chat.extractive, reader: none}
run: {workers: 1}
"""
YEAR = 365 * 86_400.0


class Library:
    """A folder of small documents, a pipeline file, and an index of them."""

    def __init__(self, folder: Path, *, documents: int = 3) -> None:
        self.folder, self.docs, self.path = folder, folder / "docs", folder / "pipeline.yaml"
        self.docs.mkdir(parents=True)
        self.path.write_text(PIPELINE, encoding="utf-8")
        for number in range(documents):
            self.write(f"{number}.md", f"the harbour of year {number}")

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.write_text(f"{text}\n", encoding="utf-8")
        return path

    def open(self) -> Pipe:
        return docpipe.open(self.path)

    def run(self, **options: Any) -> RunReport:
        with self.open() as pipe:
            return pipe.run(**options)

    def held(self) -> dict[str, str]:
        """What the index holds, by uri."""
        with self.open() as pipe:
            index = pipe.stages.index
            ids = index.chunk_ids(list(index.document_ids()))
            chunks = index.fetch([key for some in ids.values() for key in some])
            assert index.stats().rows == len(chunks)
            return {chunk.source.uri: chunk.text for chunk in chunks.values()}

    def in_line(self) -> bool:
        """The index holds what the folder holds, and a doctor finds nothing."""
        with self.open() as pipe:
            wrong = [finding for finding in pipe.doctor().findings if not finding.ok]
        assert not wrong
        return self.held() == {path.name: path.read_text("utf-8").strip() for path in self.docs.iterdir()}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "here")
    assert library.run().indexed == 3
    return library


@pytest.mark.slow
def test_a_clock_that_goes_back_changes_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write("0.md", "the harbour moved")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - YEAR)
    report = library.run()
    assert (report.updated, report.unchanged, report.failed) == (1, 2, 0)
    assert library.run().unchanged == 3
    with library.open() as pipe:
        kept = pipe.tags().versions
        assert [version.run.seq for version in kept] == [3, 2, 1]
        pipe.restore(kept[-1].run.id)
        assert library.held()["0.md"] == "the harbour of year 0"
        assert pipe.run().updated == 1
    assert library.in_line()


def test_a_failed_document_whose_next_try_lies_a_year_ahead_is_tried(library: Library) -> None:
    with library.open() as pipe:
        ledger = Ledger(pipe.stages.index)
        (row,) = ledger.rows(["0.md"]).values()
        waiting = replace(row, status="failed", error="Unavailable", retryable=True, attempts=1, digest="")
        ledger.put([replace(waiting, next_try=int(time.time() + YEAR))])
    assert library.run().failed == 0
    assert library.in_line()


@pytest.mark.slow
def test_a_file_from_the_future_is_read_once(library: Library) -> None:
    path = library.write("0.md", "the harbour of 2090")
    os.utime(path, (4e9, 4e9))
    assert library.run().updated == 1
    assert library.run().unchanged == 3
    path.write_text("the harbour of 2091\n", encoding="utf-8")
    assert library.run().updated == 1
    assert library.in_line()


def moving(library: Library, kind: Callable[..., Any], victim: str) -> RunReport:
    with library.open() as pipe:
        loader = kind(path=str(library.docs), victim=victim)
        return Pipe(replace(pipe.stages, loaders=(loader,))).run()


def test_a_file_that_is_written_while_it_is_read_is_not_half_indexed(library: Library) -> None:
    library.write("0.md", "the harbour is being")
    report = moving(library, ReplacingLoader, "0.md")
    assert [failure.uri for failure in report.failures] == ["0.md"]
    assert "changed while it was being read" in str(report.failures[0].error)
    assert library.held()["0.md"] == "the harbour of year 0"
    library.write("0.md", "the harbour is done")
    assert library.run().updated == 1
    assert library.in_line()


@pytest.mark.slow
def test_a_file_that_vanishes_after_it_was_listed_fails_and_is_gone_next_time(library: Library) -> None:
    library.write("0.md", "the harbour that was")
    report = moving(library, VanishingLoader, "0.md")
    assert [failure.uri for failure in report.failures] == ["0.md"]
    assert "0.md" in library.held()
    assert library.run().deleted == 1
    assert library.in_line()


@pytest.mark.slow
def test_a_folder_that_may_not_be_listed_keeps_its_documents(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    (library.docs / "private").mkdir()
    library.write("private/secret.md", "the harbour of secrets")
    library.run()
    real = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("private"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        report = library.run()
    assert "private/secret.md" in library.held()
    assert report.deleted == 0
    assert report.failed >= 1
    shutil.rmtree(library.docs / "private")
    assert library.run().deleted == 1
    assert library.in_line()


def test_without_its_ledger_an_index_is_brought_in_line_by_the_next_run(library: Library) -> None:
    shutil.rmtree(library.folder / "index" / "docpipe_ledger.lance")
    library.write("0.md", "the harbour moved")
    (library.docs / "1.md").unlink()
    report = library.run(max_delete=1.0)
    assert report.failed == 0
    assert library.in_line()


def test_the_ledger_of_a_newer_docpipe_is_refused_and_left_alone(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    import lancedb

    table = lancedb.connect(str(library.folder / "index")).open_table("docpipe_ledger")
    table.add_columns({"moonphase": "cast(0 as bigint)"})
    library.write("0.md", "the harbour moved")
    with pytest.raises(IndexMismatch, match="newer") as caught:
        library.run()
    assert "upgrade" in caught.value.remedy
    assert main(["run", str(library.path)]) == 2
    assert main(["doctor", str(library.path)]) == 1
    assert "upgrade" in capsys.readouterr().out
    assert "moonphase" in lancedb.connect(str(library.folder / "index")).open_table("docpipe_ledger").schema.names


@pytest.mark.slow
def test_an_index_that_was_copied_to_another_machine_goes_on_there(library: Library, tmp_path: Path) -> None:
    there = Library(tmp_path / "there")
    for path in library.docs.iterdir():
        shutil.copy2(path, there.docs)
    shutil.copytree(library.folder / "index", there.folder / "index")
    there.write("0.md", "the harbour over there")
    report = there.run()
    assert (report.updated, report.unchanged, report.indexed) == (1, 2, 0)
    assert there.in_line()
    assert library.run().unchanged == 3
    assert library.in_line()


def test_a_pipeline_file_that_was_edited_after_a_plan_was_saved_is_not_run_by_it(library: Library) -> None:
    library.write("0.md", "the harbour moved")
    plan = library.folder / "tonight.json"
    assert main(["plan", str(library.path), "--save", str(plan)]) == 0
    library.path.write_text(PIPELINE.replace("max_tokens: 64", "max_tokens: 32"), encoding="utf-8")
    assert main(["run", str(library.path), "--plan", str(plan)]) == 2
    assert library.held()["0.md"] == "the harbour of year 0"
    library.path.write_text(PIPELINE, encoding="utf-8")
    assert main(["run", str(library.path), "--plan", str(plan)]) == 0
    assert library.in_line()


def test_the_commands_of_a_bad_morning(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    with library.open() as pipe:
        index = pipe.stages.index
        index.remove_rows(next(iter(index.chunk_ids(list(index.document_ids())).values())))
    capsys.readouterr()
    assert main(["doctor", str(library.path)]) == 1
    told = capsys.readouterr().out
    assert "WRONG   ledger" in told
    assert f"repair: docpipe doctor {library.path} --fix" in told
    assert main(["doctor", str(library.path), "--fix", "--json"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert form["done"] == ["marked 1 documents to be done again by the next run"]
    assert form["ok"]
    assert main(["run", str(library.path)]) == 0
    assert library.in_line()


def start(library: Library) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "docpipe.cli", "run", str(library.path), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_of_two_schedulers_one_works_and_the_other_is_told_who(library: Library) -> None:
    for number in range(40):
        library.write(f"{number}.md", f"the harbour of day {number}")
    processes = [start(library), start(library)]
    told = [process.communicate(timeout=120) for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes
    assert set(codes) <= {0, 3}
    for code, (out, _) in zip(codes, told, strict=True):
        if code == 3:
            assert str(processes[1 - codes.index(3)].pid) in json.loads(out)["error"]["message"]
    assert library.in_line()


@pytest.mark.slow
def test_a_doctor_who_looks_while_runs_are_at_work_sees_no_damage(library: Library) -> None:
    library.path.write_text(PIPELINE.replace("workers: 1", "workers: 1, batch_chunks: 4"), encoding="utf-8")
    looks = 0
    for night in range(3):
        for number in range(20 * night, 60 + 20 * night):
            library.write(f"{number}.md", f"the harbour of night {night} and day {number}")
        for number in range(10 * night, 10 * night + 10):
            (library.docs / f"{number}.md").unlink(missing_ok=True)
        process = start(library)
        while process.poll() is None:
            with library.open() as pipe:
                wrong = [finding for finding in pipe.doctor().findings if not finding.ok]
            assert not wrong
            looks += 1
        out, complaint = process.communicate()
        assert process.returncode == 0, complaint or out
    assert looks > 5
    assert library.in_line()


@pytest.mark.slow
def test_a_run_whose_process_is_killed_is_taken_over_at_once(library: Library) -> None:
    for number in range(200):
        library.write(f"{number}.md", f"the harbour of hour {number}")
    process = start(library)
    lease = library.folder / "index" / "docpipe_lease.lance"
    before = lease.stat().st_mtime_ns if lease.exists() else 0
    while process.poll() is None and not any(
        path.stat().st_mtime_ns > before for path in (lease / "_versions").iterdir()
    ):
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    begun = time.monotonic()
    report = library.run()
    assert time.monotonic() - begun < 30
    assert report.failed == 0
    assert library.in_line()


def test_a_run_that_is_started_while_a_restore_is_at_work_is_refused(library: Library) -> None:
    with (
        library.open() as pipe,
        pipe._alone("20261121T000000-abcd", purpose="restore"),
        pytest.raises(RunLocked, match="restore 20261121T000000-abcd"),
    ):
        library.run()
    assert library.run().unchanged == 3


@pytest.mark.slow
def test_files_that_are_gone_by_the_hundred_are_taken_for_a_mount_that_is_away(tmp_path: Path) -> None:
    library = Library(tmp_path, documents=60)
    library.run()
    for number in range(30):
        (library.docs / f"{number}.md").unlink()
    with pytest.raises(SourceError, match="30") as caught:
        library.run()
    assert "max_delete" in f"{caught.value.remedy}".replace("-", "_")
    assert len(library.held()) == 60
    assert main(["run", str(library.path)]) == 2
    assert library.run(max_delete=1.0).deleted == 30
    assert library.in_line()


def test_ten_thousand_files_that_are_gone_at_once_stop_a_run_before_it_deletes_one(tmp_path: Path) -> None:
    (tmp_path / "left.md").write_text("the harbour")
    ledger = Ledger(MemoryIndex())
    rows = [new_row(f"{number}.md", f"{number:032}") for number in range(10_000)]
    ledger.put([replace(row, status="indexed", size=1, modified=1, chunks=1) for row in rows])
    terms = Terms(now=1.0)
    found = survey([FileLoader(path=str(tmp_path))], ledger, Stamp(parse="p", chunk="c", tried="t"), terms)
    assert len(found.deleted) == 10_000
    with pytest.raises(SourceError, match="10,000"):
        check_deletions(found, RunOptions())
    check_deletions(found, RunOptions(max_delete=1.0))
