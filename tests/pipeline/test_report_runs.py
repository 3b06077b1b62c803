"""Real runs on real files: what lies there afterwards, and what the next status says."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from docpipe.cli import main

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
run: {workers: 1}
"""
RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "docs" / "valve.md").write_text("# Valves\n\nThe relief valve opens at 4 bar.\n", encoding="utf-8")
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.4 cut short")
    return tmp_path


def reports(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "store" / "runs").glob("*.json"))
    return sorted((json.loads(file.read_text()) for file in files), key=lambda form: float(form["started"]))


def test_a_run_leaves_a_report_and_a_log_and_the_status_knows_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = folder / "run.log"
    assert main(["run", str(folder / "p.yaml"), "--log", str(log), "--log-format", "json", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (kept,) = reports(folder)
    assert RUN_ID.fullmatch(told["run_id"]) and kept["run_id"] == told["run_id"]
    assert Path(told["page"]).read_bytes() == (folder / "store" / "runs" / "latest.html").read_bytes()
    assert kept["account"]["closed"] and kept["account"]["files"]["found"] == 2
    assert kept["account"]["characters"] == kept["account"]["covered"] > 0
    assert kept["holds"]["documents"] == 1 and kept["holds"]["bytes"] > 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["run_id"] for line in lines} == {told["run_id"]}
    assert {line["document"] for line in lines} - {""} == {"valve.md", "broken.pdf"}
    assert main(["status", str(folder / "p.yaml"), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in status["runs"]] == [told["run_id"]]
    assert (status["characters"], status["lease"]) == (kept["account"]["characters"], "")


def test_a_night_without_its_share_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(folder / "p.yaml")])
    shutil.rmtree(folder / "docs")
    assert main(["run", str(folder / "p.yaml"), "--json"]) == 2
    capsys.readouterr()
    *_, last = reports(folder)
    assert last["failing"] and last["ended_by"]["type"] == "SourceError" and "docs" in last["ended_by"]["error"]
    page = (folder / "store" / "runs" / "latest.html").read_text()
    assert "SourceError" in page and last["run_id"] in page and "the last 2 runs" in page


def test_reports_in_the_folder_of_the_documents_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = PIPELINE.replace("run: {workers: 1}", "run: {reports: docs}")
    (folder / "p.yaml").write_text(named, encoding="utf-8")
    assert main(["check", str(folder / "p.yaml")]) == 2
    assert "run.reports: the reports would lie among the documents" in capsys.readouterr().err


def test_reports_among_the_documents_are_not_indexed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = PIPELINE.replace("run: {workers: 1}", "run: {workers: 1, reports: docs/reports}")
    (folder / "p.yaml").write_text(named, encoding="utf-8")
    for _ in range(2):
        main(["run", str(folder / "p.yaml"), "--json"])
        told = json.loads(capsys.readouterr().out)
        assert Path(told["page"]).parent == folder / "docs" / "reports"
        assert told["account"]["files"]["found"] - told["ignored"] == 2


def test_a_run_that_an_error_ended_is_told_as_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(folder / "p.yaml"), "--json"])
    (folder / "docs").rename(folder / "elsewhere")
    capsys.readouterr()
    assert main(["run", str(folder / "p.yaml")]) == 2
    assert main(["status", str(folder / "p.yaml"), "--json"]) == 0
    newest, before = json.loads(capsys.readouterr().out)["runs"]
    assert (newest["finished"], newest["ended_by"]["type"], before["finished"]) == (False, "SourceError", True)
    assert main(["status", str(folder / "p.yaml")]) == 0
    assert "ended by SourceError: the source" in capsys.readouterr().out
    assert main(["tags", str(folder / "p.yaml")]) == 0
    assert "ended by SourceError" in capsys.readouterr().out


def test_a_run_that_changes_nothing_mends_an_index_that_lost_its_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "docs" / "broken.pdf").unlink()
    assert main(["run", str(folder / "p.yaml"), "--json"]) == 0
    shutil.rmtree(folder / "store" / "chunks.lance" / "_indices")
    capsys.readouterr()
    assert main(["run", str(folder / "p.yaml"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["unchanged"] == 1 and "full-text" in " ".join(told["upkeep"])
    assert main(["search", str(folder / "p.yaml"), "relief valve", "--mode", "text", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hits"]


def test_a_run_over_an_index_whose_rows_are_damaged_says_how_to_mend_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "docs" / "broken.pdf").unlink()
    assert main(["run", str(folder / "p.yaml"), "--json"]) == 0
    (data,) = (folder / "store" / "chunks.lance" / "data").iterdir()
    data.write_bytes(data.read_bytes()[:100])
    capsys.readouterr()
    assert main(["run", str(folder / "p.yaml"), "--json"]) == 1
    assert "doctor" in json.loads(capsys.readouterr().out)["error"]["remedy"]
