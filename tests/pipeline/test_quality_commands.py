"""`eval` and `why` over a small library: tables for people, JSON for programs, and the exit codes."""

import json
from pathlib import Path

import pytest

import docpipe
from docpipe import cli
from docpipe.errors import ConfigError
from docpipe.pipeline.golden import evaluation

PIPELINE = """
version: 1
name: island
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 200, overlap: 0}
  - use: embed.hashing
index: {use: index.lancedb, uri: ./index}
retrieve: {limit: 2}
run: {workers: 1}
chat: {use: chat.extractive, reader: none}
eval: {questions: golden.yaml, thresholds: {hit_rate: 0.5}}
"""
GOLDEN = """
- question: When was the lighthouse built?
  expect: tower.md
- question: Who keeps the museum?
  expect: [museum.md, museum.pdf#p2]
"""


def made(folder: Path) -> Path:
    """A pipeline that has run, with two golden questions, of which one has no document."""
    (folder / "docs").mkdir()
    (folder / "docs" / "tower.md").write_text("# Tower\n\nThe lighthouse was built in 1911.\n", encoding="utf-8")
    (folder / "docs" / "harbour.md").write_text("# Harbour\n\nThe harbour freezes in hard winters.\n", encoding="utf-8")
    (folder / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    path = folder / "island.yaml"
    path.write_text(PIPELINE, encoding="utf-8")
    with docpipe.open(path) as pipe:
        assert pipe.run().indexed == 2
    return path


@pytest.fixture(scope="module")
def island(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, to be read."""
    return made(tmp_path_factory.mktemp("island"))


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Made for one test, to be run again."""
    return made(tmp_path)


def beside(island: Path, old: str, new: str) -> Path:
    """Another pipeline file in the same folder, with one part replaced."""
    assert old in PIPELINE
    path = island.with_name(f"{len(list(island.parent.glob('*.yaml')))}.yaml")
    path.write_text(PIPELINE.replace(old, new), encoding="utf-8")
    return path


def test_eval_prints_the_questions_with_what_is_not_found_first(
    island: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["eval", str(island)]) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert lines[2][0] == "-"
    assert "museum.md, museum.pdf#p2; found " in out
    assert lines[3][0] == "1"
    assert "2 questions, 1 without what was expected among 8 hits" in out
    assert "hit rate 0.500, mrr 0.500, ndcg 0.500" in out


def test_eval_as_json_has_ranks_hits_and_measures(island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", str(island), "--json"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert (form["hit_rate"], form["ok"], form["below"]) == (0.5, True, [])
    assert [one["rank"] for one in form["questions"]] == [1, 0]
    assert form["questions"][0]["hits"][0]["uri"] == "tower.md"


def test_a_missed_threshold_ends_eval_with_1(island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = island.parent / "other.jsonl"
    other.write_text('{"question": "Who keeps the museum?", "expect": "museum.md"}\n', encoding="utf-8")
    assert cli.main(["eval", str(island), str(other), "-k", "1"]) == 1
    assert "too low: hit_rate is 0.000, below 0.5" in capsys.readouterr().out
    assert cli.main(["eval", str(island), str(other), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_broken_file_of_questions_ends_eval_check_and_run_with_2(
    island: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (island.parent / "broken.yml").write_text("- {question: What}\n- {qestion: What}\n", encoding="utf-8")
    broken = str(beside(island, "golden.yaml", "broken.yml"))
    (island.parent / "docs" / "new.md").write_text("# New\n", encoding="utf-8")
    for command in ("check", "eval", "run"):
        assert cli.main([command, broken]) == 2
        err = capsys.readouterr().err
        assert "broken.yml:1: [0]: nothing says what must be found" in err
        assert "broken.yml:2: [1].qestion: there is no such option (did you mean `question`?)" in err
    with docpipe.open(island) as pipe:
        assert pipe.status().documents == 2
    (island.parent / "docs" / "new.md").unlink()


def test_a_pipeline_without_questions_says_what_to_add(island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = beside(island, "eval:", "# eval:")
    with docpipe.open(without) as pipe, pytest.raises(ConfigError, match=r"no golden questions.*add `eval:"):
        pipe.evaluate()
    assert cli.main(["run", str(without), "--stage"]) == 2
    assert "the pipeline has no golden questions (add `eval:" in capsys.readouterr().err


def test_eval_on_an_index_that_was_never_filled_says_so(island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", str(beside(island, "./index", "./elsewhere"))]) == 1
    assert "is the index empty?" in capsys.readouterr().out


@pytest.mark.slow
def test_a_staged_run_that_loses_a_question_leaves_readers_at_the_old_version_and_a_mended_one_is_published(
    nights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tower = nights.parent / "docs" / "tower.md"
    (nights.parent / "docs" / "museum.md").write_text("# Museum\n\nThe museum opens at nine.\n", encoding="utf-8")
    tower.rename(nights.parent / "tower.md")
    assert cli.main(["run", str(nights), "--stage", "--json"]) == 1
    form = json.loads(capsys.readouterr().out)
    assert form["published"] is False
    lost = "'When was the lighthouse built?' was found at rank 1, and is no more"
    assert f"not published: {lost}" in form["remarks"]
    assert form["staged"]["reasons"] == [lost]
    assert cli.main(["why", str(nights), "When was the lighthouse built?", "--expect", "tower.md", "--staged"]) == 0
    assert "tower.md was lost at `source`" in capsys.readouterr().out
    assert cli.main(["eval", str(nights), "--staged"]) == 0
    assert "When was the lighthouse built?   tower.md; found harbour.md" in capsys.readouterr().out
    with docpipe.open(nights) as pipe:
        assert {hit.chunk.source.uri for hit in pipe.search("lighthouse museum", limit=8)} == {"tower.md", "harbour.md"}
        (nights.parent / "tower.md").rename(tower)
        assert cli.main(["run", str(nights), "--stage", "--json"]) == 0
        form = json.loads(capsys.readouterr().out)
        assert form["published"] is True
        assert [one["question"] for one in form["staged"]["better"]] == ["Who keeps the museum?"]
        assert "museum.md" in {hit.chunk.source.uri for hit in pipe.search("lighthouse museum", limit=8)}
        assert evaluation.read(form["staged"]) == pipe.evaluate()


def test_an_ordinary_run_keeps_what_the_questions_found(nights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (nights.parent / "docs" / "museum.md").write_text("# Museum\n\nAsta keeps the museum.\n", encoding="utf-8")
    assert cli.main(["run", str(nights), "--json"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert form["staged"]["hit_rate"] == 1
    assert [one["rank"] for one in form["staged"]["questions"]] == [1, 1]
    for flags in ([], ["--stage"]):
        assert cli.main(["run", str(nights), "--json", *flags]) == 0
        again = json.loads(capsys.readouterr().out)
        assert again["published"] is True
        assert (again["staged"]["asked_by"], again["staged"]["hit_rate"]) == (form["run_id"], 1)
        assert "questions" not in again["staged"]
    assert cli.main(["diff", str(nights), form["run_id"], "now", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == []
    nights.write_text(PIPELINE.replace("hit_rate: 0.5", "mrr: 1").replace("limit: 2", "limit: 3"), encoding="utf-8")
    assert cli.main(["run", str(nights), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["staged"]["questions"]) == 2
