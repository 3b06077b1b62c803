"""Readers stay where the indexes are folded while another writer has many rows to fold, and no longer."""

import time
from pathlib import Path

import pytest

from docpipe.embed.hashing import HashingEmbedder
from docpipe.index import lance_reading, lance_upkeep
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget, DocumentRows
from docpipe.testing import chunk
from docpipe.types import EmbeddedChunk

EMBEDDER = HashingEmbedder(dim=32)
MANY = 2 * lance_reading._UNFOLDED


def put(index: LanceIndex, name: str, *, rows: int, word: str) -> int:
    chunks = [chunk(f"{word} part {part} of {name}", uri=name, position=part) for part in range(rows)]
    vectors = EMBEDDER.embed_passages([one.content for one in chunks])
    made = [EmbeddedChunk(chunk=c, vector=v, model=EMBEDDER.model) for c, v in zip(chunks, vectors, strict=True)]
    return index.replace([DocumentRows(document_id=chunks[0].document_id, chunks=tuple(made))])


@pytest.fixture
def writer(tmp_path: Path) -> LanceIndex:
    made = LanceIndex(uri=str(tmp_path / "index"))
    put(made, "a.md", rows=3, word="old")
    made.optimize(Budget(force=True))
    return made


@pytest.fixture
def reader(writer: LanceIndex) -> LanceIndex:
    """Has read the index as it is."""
    made = LanceIndex(uri=writer.uri)
    assert found(made, "old") == 3
    return made


def found(index: LanceIndex, word: str) -> int:
    return len(index.snapshot().search_text(word, limit=1000))


def test_many_new_rows_are_read_once_they_are_folded(writer: LanceIndex, reader: LanceIndex) -> None:
    put(writer, "a.md", rows=MANY, word="new")
    assert (found(reader, "old"), found(reader, "new")) == (3, 0)
    writer.optimize(Budget(force=True))
    assert (found(reader, "old"), found(reader, "new")) == (0, MANY)


def test_few_new_rows_are_read_at_once(writer: LanceIndex, reader: LanceIndex) -> None:
    put(writer, "a.md", rows=5, word="new")
    assert (found(reader, "old"), found(reader, "new")) == (0, 5)


def test_who_writes_reads_what_it_wrote(writer: LanceIndex) -> None:
    assert found(writer, "old") == 3
    put(writer, "a.md", rows=MANY, word="new")
    assert (found(writer, "old"), found(writer, "new")) == (0, MANY)


def test_a_writer_that_never_folds_is_not_waited_for_long(
    writer: LanceIndex, reader: LanceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(writer, "a.md", rows=MANY, word="new")
    assert found(reader, "new") == 0
    later = time.monotonic() + lance_reading._PATIENCE + 1
    monkeypatch.setattr(lance_reading.time, "monotonic", lambda: later)
    assert found(reader, "new") == MANY


def test_a_version_that_was_cleaned_away_is_not_waited_at(writer: LanceIndex, reader: LanceIndex) -> None:
    version = reader.snapshot().version
    put(writer, "a.md", rows=MANY, word="new")
    assert reader.snapshot().version == version
    next(Path(writer.uri, "chunks.lance", "_versions").glob(f"{2**64 - 1 - version:020}.manifest")).unlink()
    assert found(reader, "new") == MANY


def test_who_comes_new_reads_the_newest(writer: LanceIndex) -> None:
    put(writer, "a.md", rows=MANY, word="new")
    assert found(LanceIndex(uri=writer.uri), "new") == MANY


def test_a_long_run_folds_under_way(writer: LanceIndex, reader: LanceIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance_upkeep, "_UNFOLDED_ROWS", MANY)
    seen = []
    for number in range(4):
        put(writer, f"{number}.md", rows=MANY // 2, word="new")
        seen.append(found(reader, "new"))
        assert reader.snapshot().unfolded <= lance_reading._UNFOLDED
    assert seen == [MANY // 2, MANY // 2, 3 * MANY // 2, 4 * MANY // 2]
