"""Quotes are looked up in what was parsed, which is read once while the index stays as it is."""

from pathlib import Path

import pytest

import docpipe
from docpipe.pipeline import source_texts
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.pipe import Pipe
from docpipe.types import Chunk

PIPELINE = """
version: 1
source: {use: load.files, path: docs}
stages: [{use: parse.auto}, {use: chunk.layout}, {use: embed.hashing}]
index: {use: index.memory}
"""


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    (tmp_path / "docs").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / "docs" / f"{name}.md").write_text(f"# {name}\n\nThe text of {name}.\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")
    opened = docpipe.open(tmp_path / "p.yaml")
    opened.run()
    return opened


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the files whose documents were read from the index."""
    found: list[str] = []
    real = Ledger.parsed_from

    def counted(self: Ledger, digest: str) -> list[bytes]:
        found.append(digest)
        return real(self, digest)

    monkeypatch.setattr(Ledger, "parsed_from", counted)
    return found


def chunk_of(pipe: Pipe, name: str) -> Chunk:
    return next(hit.chunk for hit in pipe.search(name, mode="text") if hit.chunk.source.uri == f"{name}.md")


def test_a_document_is_read_once(pipe: Pipe, reads: list[str]) -> None:
    chunk = chunk_of(pipe, "one")
    assert [pipe.source_text(chunk) for _ in range(3)] == [chunk.text] * 3
    assert len(reads) == 1


def test_a_changed_document_is_read_again_and_its_old_chunks_are_not_proven(
    pipe: Pipe, reads: list[str], tmp_path: Path
) -> None:
    old = chunk_of(pipe, "one")
    assert pipe.source_text(old) == old.text
    (tmp_path / "docs" / "one.md").write_text("# one\n\nAnother text of one.\n", encoding="utf-8")
    pipe.run()
    new = chunk_of(pipe, "one")
    assert pipe.source_text(old) is None
    assert pipe.source_text(new) == new.text


def test_a_document_that_is_gone_says_nothing(pipe: Pipe, tmp_path: Path) -> None:
    chunk = chunk_of(pipe, "two")
    (tmp_path / "docs" / "two.md").unlink()
    pipe.run()
    assert pipe.source_text(chunk) is None


def test_what_is_held_is_bounded(pipe: Pipe, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_texts, "_MOST", 60)
    chunks = [chunk_of(pipe, name) for name in ("one", "two", "three")]
    for chunk in (*chunks, chunks[2], chunks[0]):
        assert pipe.source_text(chunk) == chunk.text
    assert reads == [chunk.source.digest for chunk in (*chunks, chunks[0])]
