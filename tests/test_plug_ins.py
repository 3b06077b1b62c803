"""Stages of another package: installed, named in a pipeline file, used by workers, held to our contracts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import little_package
import pytest

pytestmark = pytest.mark.slow

PIPELINE = """version: 1
name: little
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
    other: {dpk: {use: little.parser, shout: true}}
  - use: %(chunker)s
  - {use: embed.hashing, dim: 64}
index: {use: index.lancedb, uri: index}
run: {workers: 2}
"""
LITTLE = b"DPK1\x00On tides\nAnn Li\nThe tide is high at noon.\nThe pilot waits."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return little_package.install(tmp_path_factory.mktemp("little"))


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.dpk").write_bytes(LITTLE)
    (tmp_path / "docs" / "b.md").write_text("# Plain\n\nThe tide is low.\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(PIPELINE % {"chunker": "little.paragraphs"}, encoding="utf-8")
    return tmp_path


def environment(site: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(site)}


def docpipe(site: Path, world: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What `docpipe ... --json` prints, in a process that has the package on its path."""
    done = subprocess.run(
        [sys.executable, "-m", "docpipe.cli", *arguments, "--json"],
        cwd=world, env=environment(site), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_its_stages_are_used_by_every_command_and_by_the_workers(site: Path, world: Path) -> None:
    checked = docpipe(site, world, "check", "p.yaml")
    assert [stage["use"] for stage in checked["stages"]] == ["parse.auto", "little.paragraphs", "embed.hashing"]
    assert checked["stages"][0]["options"] == {"other": {"dpk": {"use": "little.parser", "shout": True}}}
    report = docpipe(site, world, "run", "p.yaml")
    assert (report["indexed"], report["failed"], report["chunks"]) == (2, 0, 5)
    hits = docpipe(
        site, world, "search", "p.yaml", "THE PILOT WAITS", "--where", "authors = 'Ann Li' and meta.little = yes"
    )
    assert {hit["uri"] for hit in hits["hits"]} == {"a.dpk"}
    assert hits["hits"][0]["text"] == "THE PILOT WAITS."
    assert hits["hits"][0]["metadata"]["created"] == "2024-05-31"
    parsed = docpipe(site, world, "parse", "docs/a.dpk", "--pipeline", "p.yaml")
    assert parsed["links"] == [{"text": "home", "url": "https://little.example/", "page": None}]
    quiet = (world / "p.yaml").read_text("utf-8").replace("shout: true", "shout: false")
    (world / "p.yaml").write_text(quiet, encoding="utf-8")
    assert docpipe(site, world, "run", "p.yaml")["updated"] == 2
    hits = docpipe(site, world, "search", "p.yaml", "the pilot waits", "--where", "uri = a.dpk")
    assert "The pilot waits." in [hit["text"] for hit in hits["hits"]]


def test_a_defect_of_its_parser_costs_that_file_and_names_the_package(site: Path, world: Path) -> None:
    (world / "docs" / "bad.dpk").write_bytes(LITTLE + b" DEFECT")
    report = docpipe(site, world, "run", "p.yaml", code=1)
    (failed,) = report["failures"]
    assert report["indexed"] == 2
    assert (failed["uri"], failed["type"]) == ("bad.dpk", "StageDefect")
    assert failed["error"] == "KeyError in little.parser: 'a defect of the parser'"
    assert "little-format 1.2" in failed["remedy"]


def test_a_defect_of_its_embedder_ends_the_run_and_names_the_package(site: Path, world: Path) -> None:
    text = (PIPELINE % {"chunker": "chunk.layout"}).replace("embed.hashing, dim: 64", "little.defect")
    (world / "p.yaml").write_text(text, encoding="utf-8")
    error = docpipe(site, world, "run", "p.yaml", code=1)["error"]
    assert error["message"] == "IndexError in little.embedder: list index out of range"
    assert "little-format 1.2" in error["remedy"]


def test_stages_that_cannot_be_used_are_told_with_their_package_and_place(site: Path, world: Path) -> None:
    text = (PIPELINE % {"chunker": "little.paragrahps"}).replace("embed.hashing, dim: 64", "little.broken")
    (world / "p.yaml").write_text(text, encoding="utf-8")
    problems = docpipe(site, world, "check", "p.yaml", code=2)["error"]["problems"]
    broken = "the stage `little.broken` of little-format 1.2 cannot be imported from little.broken:Anything: "
    assert [problem["message"] for problem in problems] == [
        "no stage is called `little.paragrahps`",
        broken + "RuntimeError: made for another version",
    ]
    assert problems[0]["remedy"] == "did you mean `little.paragraphs`?"
    assert [problem["where"].partition(": ")[0] for problem in problems] == ["p.yaml:7", "p.yaml:8"]


def test_without_the_package_its_stages_are_unknown(world: Path) -> None:
    error = docpipe(world, world, "check", "p.yaml", code=2)["error"]
    told = " ".join(problem["message"] for problem in error.get("problems", [error]))
    assert "no stage is called `little.parser`" in told
    assert "no stage is called `little.paragraphs`" in told


def test_its_own_tests_hold_it_to_our_contracts(site: Path, tmp_path: Path) -> None:
    (tmp_path / "test_little.py").write_text(little_package.TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_little.py"],
        cwd=tmp_path, env=environment(site), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "18 passed" in done.stdout, done.stdout
