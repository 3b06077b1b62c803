"""Rows of a file that has changed and fails now stay searchable, and say so."""

from pathlib import Path

import pytest

import docpipe
from docpipe import console
from docpipe.pipeline import stale
from docpipe.pipeline.pipe import Pipe
from docpipe.pipeline.report import json_forms

PIPELINE = """
version: 1
source: {use: load.files, path: docs, max_bytes: 200}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.lancedb, uri: index}
run: {workers: 1}
"""


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipe:
    monkeypatch.setattr(stale, "_LOOK_SECONDS", 0.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "pump.md").write_text("# Pump\n\nThe pump works at 4 bar.\n", encoding="utf-8")
    (tmp_path / "docs" / "mast.md").write_text("# Mast\n\nThe mast is ten metres high.\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")
    opened = docpipe.open(tmp_path / "p.yaml")
    opened.run()
    return opened


def test_hits_and_citations_of_a_file_that_fails_now_are_stale_until_it_is_mended(pipe: Pipe, tmp_path: Path) -> None:
    assert not any(hit.stale for hit in pipe.search("pump"))
    assert not any(citation.stale for citation in pipe.ask("At how many bar does the pump work?").citations)
    (tmp_path / "docs" / "pump.md").write_text("# Pump\n\n" + "The pump works at 5 bar.\n" * 20, encoding="utf-8")
    assert (pipe.run().stale, pipe.status().stale) == (1, 1)
    hits = pipe.search("pump mast")
    assert {hit.chunk.source.uri: hit.stale for hit in hits} == {"pump.md": True, "mast.md": False}
    assert "(stale: the file has changed since" in console.hits_text(hits, {})
    assert {form["uri"]: form["stale"] for form in json_forms.search("pump", hits)["hits"]}["pump.md"]
    answer = pipe.ask("At how many bar does the pump work?")
    assert [(one.uri, one.stale, one.verified) for one in answer.citations] == [("pump.md", True, True)]
    assert "(stale: the file has changed since" in console.answer_text(answer)
    assert json_forms.ask(answer)["citations"][0]["stale"]
    (tmp_path / "docs" / "pump.md").write_text("# Pump\n\nThe pump works at 5 bar.\n", encoding="utf-8")
    assert pipe.run().updated == 1
    assert not any(hit.stale for hit in pipe.search("pump"))


def test_retry_names_only_what_failed(pipe: Pipe, tmp_path: Path) -> None:
    with pytest.raises(docpipe.errors.InvalidOption, match=r"nothing failed of mast\.md") as caught:
        pipe.retry(["mast.md"])
    assert "docpipe failures" in caught.value.remedy
    (tmp_path / "docs" / "pump.md").write_text("x " * 200, encoding="utf-8")
    assert pipe.run().failed == 1
    assert pipe.retry(["pump.md"]).failed == 1
    assert pipe.failures()[0].attempts == 2
    assert pipe.retry().failed == 1
    assert pipe.failures()[0].attempts == 3
