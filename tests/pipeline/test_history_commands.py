"""`docpipe tags`, `tag`, `restore`, `diff`: what they print, and with which exit code."""

import json
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nights import Nights, read

import docpipe.pipeline.pipe as pipes
from docpipe.cli import main
from docpipe.commands import versions_text
from docpipe.errors import RunLocked
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.options import KeepOptions, RunOptions
from docpipe.pipeline.golden.evaluation import Moved
from docpipe.pipeline.history.difference import Difference, DocumentChange
from docpipe.pipeline.schedule.lease import hold

ROOT = Path(__file__).resolve().parents[2]
FIRST = {"a.md": "one\ntwo", "b.md": "three"}
SECOND = {"a.md": "one", "c.md": "three", "d.md": "four"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Nights:
    made = Nights(MemoryIndex())
    stages = SimpleNamespace(name="nights", index=made.index, keep=KeepOptions(), run=RunOptions())
    monkeypatch.setattr(pipes, "open", lambda path: pipes.Pipe(stages))  # type: ignore[arg-type]
    return made


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """The JSON object that a command prints."""
    assert main([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_tags_lists_the_runs_newest_first(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = world.run(FIRST), world.run(SECOND)
    form = printed(capsys, "tags", "p.yaml")
    assert [version["id"] for version in form["versions"]] == [second.id, first.id]
    newest = form["versions"][0]
    assert (newest["indexed"], newest["deleted"], newest["documents"], newest["chunks"]) == (3, 1, 3, 3)
    assert (newest["restorable"], newest["serving"], newest["names"]) == (True, "published", [])
    assert form["bytes"] > 0


def test_tags_shows_what_each_run_did_and_what_is_kept_for_it(
    world: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    first = world.run(FIRST)
    assert main(["tag", "p.yaml", "before-move"]) == 0
    world.run(SECOND)
    world.restore(first.id)
    capsys.readouterr()
    assert main(["tags", "p.yaml"]) == 0
    text = capsys.readouterr().out
    assert "restore: 2 updated, 2 deleted" in text
    assert "before-move" in text
    assert "to have them back, 0.0 MB are kept" in text


def test_an_index_without_runs_says_so(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "p.yaml"]) == 0
    assert capsys.readouterr().out == "no run yet\n"


def test_a_name_is_given_and_taken_away(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    first = world.run(FIRST)
    world.run(SECOND)
    assert printed(capsys, "tag", "p.yaml", "v1", "--run", first.id) == {"id": first.id, "names": ["v1"]}
    assert main(["tag", "p.yaml", "v1", "--delete"]) == 0
    assert capsys.readouterr().out == f"{first.id} has no name any more\n"


def test_a_bad_name_ends_with_2_and_says_what_would_do(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    world.run(FIRST)
    form = printed(capsys, "tag", "p.yaml", "now", code=2)
    assert form["error"]["type"] == "ConfigError"
    assert "`before-move`, say" in form["error"]["remedy"]
    assert printed(capsys, "tag", "p.yaml", "x", "--run", "y", "--delete", code=2)["error"]["where"] == "--delete"


def test_restore_goes_back_and_says_what_the_next_run_will_do(
    world: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    first = world.run(FIRST)
    world.run(SECOND)
    assert main(["restore", "p.yaml", first.id]) == 0
    text = capsys.readouterr().out
    assert f"restored {first.id}: 2 documents (3 chunks) as they were, 2 taken out" in text
    assert "the next run brings the index in line with them again" in text
    assert read(world.index) == FIRST


def test_restore_as_json_names_the_run_that_it_is(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    first = world.run(FIRST)
    world.run(SECOND)
    form = printed(capsys, "restore", "p.yaml", first.id)
    assert (form["to"], form["documents"], form["removed"]) == (first.id, 2, 2)
    assert printed(capsys, "tags", "p.yaml")["versions"][0]["id"] == form["id"]


def test_an_unknown_version_ends_with_2(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    world.run(FIRST)
    assert main(["restore", "p.yaml", "nothing"]) == 2
    assert "has no version 'nothing'" in capsys.readouterr().err


def test_a_restore_while_another_run_is_at_work_ends_with_3(
    world: Nights, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.run(FIRST)

    def locked(*_: object, **__: object) -> None:
        raise RunLocked(index="index", holder="process 7")

    monkeypatch.setattr(pipes.Pipe, "_alone", locked)
    assert main(["restore", "p.yaml", first.id]) == 3
    assert "process 7" in capsys.readouterr().err


PIPELINE = """
version: 1
name: small
source: {use: load.files, path: docs}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.lancedb, uri: index}
chat: {use: chat.extractive}
"""


def test_a_run_while_a_restore_is_at_work_is_refused_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n\nalpha", encoding="utf-8")
    file = tmp_path / "small.yaml"
    file.write_text(PIPELINE, encoding="utf-8")
    with pipes.open(file) as pipe:
        first = pipe.run()
        index, own = pipe.stages.index, "20300101T000000-0000"
        with hold(index, tmp_path / "index", run_id=own, purpose="restore"), pytest.raises(RunLocked):
            pipe.run()
        with hold(index, tmp_path / "index", run_id=own), pytest.raises(RunLocked):
            pipe.restore(first.run_id)
        assert [version.run.kind for version in pipe.tags().versions] == ["run"]


def test_diff_tells_documents_chunks_and_questions(world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
    first = world.run(FIRST)
    world.run(SECOND)
    form = printed(capsys, "diff", "p.yaml", first.id, "now")
    assert (form["added"], form["removed"], form["changed"], form["renamed"]) == (1, 0, 1, 1)
    assert (form["chunks_added"], form["chunks_removed"]) == (1, 1)
    assert (form["questions"], form["not_asked"]) == (None, [first.id, "now"])
    assert main(["diff", "p.yaml", first.id]) == 0
    text = capsys.readouterr().out
    assert "documents: 1 added, 0 removed, 1 changed, 1 renamed" in text
    assert "renamed   c.md  (was b.md)" in text
    assert f"golden questions: not asked at {first.id} and now" in text


def test_a_file_name_that_is_a_terminal_command_is_shown_harmless(tmp_path: Path) -> None:
    found = Difference(
        before="old",
        after="now",
        documents=(DocumentChange(uri="\x1b[2J.md", change="added", chunks_added=1),),
        questions=(
            Moved(question="\x1b[1m?", where="", before=1, after=0, instead="\x1b.md"),
            Moved(question="as before", where="", before=1, after=1, instead="a.md"),
        ),
    )
    text = versions_text.difference_text(found)
    assert "\x1b" not in text
    assert "?: rank 1 -> not found; the best hit is" in text
    assert "1 found at another rank, 1 with other hits below" in text
    assert "as before" not in text


@pytest.mark.slow
def test_the_commands_of_the_readme_run_and_go_back_to_the_run_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("pipelines", "sample_docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    section = (ROOT / "README.md").read_text("utf-8").split("### Versions\n")[1].split("\n##")[0]
    commands = re.findall(r"^docpipe (.*)$", section, re.MULTILINE)
    assert [shlex.split(command, comments=True)[0] for command in commands] == ["tags", "tag", "diff", "restore"]
    assert main(["run", "pipelines/quickstart.yaml"]) == 0
    for command in commands[:2]:
        assert main(shlex.split(command, comments=True)) == 0
    moved = tmp_path / "sample_docs" / "added.md"
    moved.write_text("# Added\n\nThe added pump is painted violet.\n", encoding="utf-8")
    assert main(["run", "pipelines/quickstart.yaml"]) == 0
    capsys.readouterr()
    form = printed(capsys, *shlex.split(commands[2], comments=True))
    assert [(one["change"], one["uri"]) for one in form["documents"]] == [("added", "added.md")]
    assert main(shlex.split(commands[3], comments=True)) == 0
    capsys.readouterr()
    hits = printed(capsys, "search", "pipelines/quickstart.yaml", "the added pump is painted violet")["hits"]
    assert "added.md" not in {hit["uri"] for hit in hits}
