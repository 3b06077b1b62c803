"""Golden questions asked of what readers see and of what a run made, and what a run's report says of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from library import make_chunk

import docpipe
from docpipe.errors import ConfigError, EmbedError, SourceError
from docpipe.pipeline.golden import evaluation, staging
from docpipe.protocols import DocumentRows
from docpipe.types import Chunk, EmbeddedChunk

PIPELINE = """
version: 1
name: island
source: {use: load.files, path: docs}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.memory}
chat: {use: chat.extractive, reader: none}
eval: {questions: golden.yaml, limit: 1, thresholds: {hit_rate: 0.5}}
"""
GOLDEN = """
- question: When was the lighthouse built?
  expect: tower.md
- question: When does the harbour freeze?
  expect: harbour.md
"""
Write = Callable[[str, str], None]


@pytest.fixture
def pipe(tmp_path: Path) -> docpipe.Pipe:
    """A pipeline with two documents, a question for each, and readers held at what they see."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    (tmp_path / "island.yaml").write_text(PIPELINE, encoding="utf-8")
    opened = docpipe.open(tmp_path / "island.yaml")
    opened.stages.index.open(model=opened.stages.embedder.model, dim=opened.stages.embedder.dim)
    write(opened, "tower.md", "The lighthouse was built in 1911.")
    write(opened, "harbour.md", "The harbour freezes in hard winters.")
    opened.stages.index.hold()
    return opened


def write(pipe: docpipe.Pipe, uri: str, text: str) -> None:
    """Replace a document by one chunk; readers that are held see nothing of it."""
    chunk: Chunk = make_chunk(text, uri=uri)
    (vector,) = pipe.stages.embedder.embed_passages([chunk.content])
    row = EmbeddedChunk(chunk=chunk, vector=vector, model=pipe.stages.embedder.model)
    pipe.stages.index.replace([DocumentRows(document_id=chunk.document_id, chunks=(row,))])


def verdict(pipe: docpipe.Pipe) -> evaluation.Verdict:
    """Of the pipeline's own questions."""
    return staging.verdict(pipe.stages, staging.required(pipe.stages))


def test_what_changed_nothing_may_be_published(pipe: docpipe.Pipe) -> None:
    reached = verdict(pipe)
    assert reached.holds
    assert reached.after.hit_rate == 1
    assert reached.before == reached.after


def test_a_staged_change_that_loses_a_question_is_kept_back_and_readers_see_the_old(pipe: docpipe.Pipe) -> None:
    write(pipe, "tower.md", "The museum opens at nine.")
    reached = verdict(pipe)
    assert not reached.holds
    assert [(one.question, one.before, one.after) for one in reached.lost] == [("When was the lighthouse built?", 1, 0)]
    assert pipe.evaluate().hit_rate == 1
    assert pipe.evaluate(staged=True) == reached.after
    told = staging.judged(pipe.stages, staging.required(pipe.stages))
    assert not told.holds
    assert told.remarks[0] == "not published: 'When was the lighthouse built?' was found at rank 1, and is no more"
    assert "`docpipe why --staged`" in told.remarks[1]
    assert [one["lost"] for one in told.staged["worse"]] == [True]
    assert evaluation.read(told.staged) == reached.after


def test_a_staged_change_that_holds_is_seen_after_it_was_published(pipe: docpipe.Pipe) -> None:
    write(pipe, "harbour.md", "The harbour freezes in January.")
    reached = verdict(pipe)
    assert reached.holds
    assert [one.question for one in reached.moved] == ["When does the harbour freeze?"]
    assert "hard winters" in pipe.search("harbour", limit=1)[0].chunk.text
    pipe.stages.index.publish()
    assert "January" in pipe.search("harbour", limit=1)[0].chunk.text


def test_the_first_run_has_nothing_to_lose_and_thresholds_to_reach(pipe: docpipe.Pipe) -> None:
    pipe.stages.index.publish()
    pipe.stages.index.delete(["tower.md", "harbour.md"])
    pipe.stages.index.hold()
    write(pipe, "museum.md", "The museum opens at nine.")
    assert verdict(pipe).reasons == ("hit_rate is 0.000, below 0.5",)
    write(pipe, "tower.md", "The lighthouse was built in 1911.")
    assert verdict(pipe).holds


def test_an_ordinary_run_tells_what_was_written_last(pipe: docpipe.Pipe) -> None:
    questions = staging.golden(pipe.stages)
    assert staging.told(pipe.stages, questions).remarks == ()
    write(pipe, "museum.md", "The museum opens at nine.")
    pipe.stages.index.delete(["tower.md", "harbour.md"])
    told = staging.told(pipe.stages, questions)
    assert told.remarks == ("golden questions: hit_rate is 0.000, below 0.5; `docpipe eval` shows which",)
    kept = evaluation.read(told.staged)
    assert kept is not None
    assert [one.rank for one in kept.asked] == [0, 0]


def test_questions_that_cannot_be_asked_after_a_run_are_a_remark(
    pipe: docpipe.Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, texts: object, /) -> None:
        raise EmbedError("the model is away", stage="embed", remedy="wait")

    monkeypatch.setattr(type(pipe.stages.embedder), "embed_queries", fails)
    told = staging.told(pipe.stages, staging.golden(pipe.stages))
    assert told.staged == {}
    assert told.holds
    assert told.remarks == ("the golden questions could not be asked: the model is away (wait)",)
    told = staging.judged(pipe.stages, staging.required(pipe.stages))
    assert not told.holds
    assert told.remarks == ("not published: the golden questions could not be asked: the model is away (wait)",)


def test_without_questions_nothing_is_asked_and_a_staged_run_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "island.yaml").write_text(PIPELINE.replace("eval:", "# eval:"), encoding="utf-8")
    pipe = docpipe.open(tmp_path / "island.yaml")
    assert staging.golden(pipe.stages) == ()
    assert staging.told(pipe.stages, ()) == ({}, (), True)
    with pytest.raises(ConfigError, match=r"island\.yaml: eval\.questions: the pipeline has no golden questions"):
        staging.required(pipe.stages)


def test_a_staged_run_that_did_nothing_leaves_no_reader_held(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tower.md").write_text("The lighthouse was built in 1911.", encoding="utf-8")
    (tmp_path / "docs" / "harbour.md").write_text("The harbour freezes in hard winters.", encoding="utf-8")
    (tmp_path / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    (tmp_path / "island.yaml").write_text(PIPELINE, encoding="utf-8")
    opened = docpipe.open(tmp_path / "island.yaml")
    assert opened.run(stage=True).published
    (tmp_path / "docs").rename(tmp_path / "away")
    with pytest.raises(SourceError):
        opened.run(stage=True)
    assert not opened.stages.index.held()
