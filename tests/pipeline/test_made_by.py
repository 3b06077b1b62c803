"""Readers ask with the model that the index has; what an index says of itself is data, and is not trusted with keys."""

import json
from pathlib import Path

import pytest

import docpipe
from docpipe.embed.hashing import HashingEmbedder
from docpipe.errors import IndexMismatch
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.made_by import embedder_of
from docpipe.protocols import Embedder, Snapshot

PIPELINE = """
version: 1
source: {{use: load.files, path: docs}}
stages: [{{use: parse.auto}}, {{use: chunk.layout}}, {{use: embed.hashing, dim: {dim}}}]
index: {{use: index.lancedb, uri: index}}
run: {{workers: 1}}
"""


def snapshot(made_by: str, *, model: str = HashingEmbedder(dim=64).model) -> Snapshot:
    index = MemoryIndex()
    index.open(model=model, dim=64, made_by=made_by)
    return index.snapshot()


def made(said: object, *, own: object = None) -> Embedder:
    text = said if isinstance(said, str) else json.dumps(said)
    environment = {"ZAI_API_KEY": "secret.key"}
    return embedder_of(snapshot(text), own=json.dumps(own or {}), index="i", environment=environment)


def test_the_embedder_is_made_again_from_what_the_index_says() -> None:
    assert made({"use": "embed.hashing", "dim": 64}) == HashingEmbedder(dim=64)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[1]", id="a list"),
        pytest.param({"use": "embed.hashing", "dim": 32}, id="another model"),
        pytest.param({"use": "embed.hashing", "dim": "many"}, id="a wrong option"),
        pytest.param({"use": "embed.nothing"}, id="an unknown stage"),
        pytest.param({"use": "chunk.layout"}, id="no embedder"),
        pytest.param({"use": "somebody.elses"}, id="another package's"),
        pytest.param(
            {"use": "embed.http", "service": {"base_url": "https://evil.example/${ZAI_API_KEY}"}},
            id="a strange service",
        ),
    ],
)
def test_what_is_not_known_or_not_trusted_is_refused_with_a_remedy(said: object) -> None:
    with pytest.raises(IndexMismatch, match="whose embedder cannot be made") as caught:
        made(said)
    assert "run this one" in caught.value.remedy
    assert "secret.key" not in str(caught.value)


def test_a_reader_with_the_old_pipeline_file_follows_the_index_to_its_new_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Lighthouse\n\nThe lighthouse shows a red light.\n", encoding="utf-8")
    for dim in (32, 64):
        (tmp_path / f"{dim}.yaml").write_text(PIPELINE.format(dim=dim), encoding="utf-8")
    docpipe.open(tmp_path / "32.yaml").run()
    reader, early = docpipe.open(tmp_path / "32.yaml"), docpipe.open(tmp_path / "64.yaml")
    assert reader.search("red light", mode="vector")
    assert early.search("red light", mode="vector"), "before the run the index is asked with its old model"
    report = docpipe.open(tmp_path / "64.yaml").run()
    assert (report.unchanged, report.embedded, report.account.closed) == (1, 1, True)
    for pipe in (reader, early):
        assert pipe.search("red light", mode="vector")[0].chunk.source.uri == "a.md"
    assert reader.stages.index.snapshot().dim == 64
