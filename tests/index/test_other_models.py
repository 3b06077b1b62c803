"""A move to another model that meets odd texts, or that was killed and given up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_stages import ToyEmbedder

from docpipe.index.lance_migration import Migration
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest.attached import Unattended
from docpipe.pipeline.ingest.migration import move
from docpipe.protocols import DocumentRows
from docpipe.types import BlockKind, Chunk, EmbeddedChunk, Source, Span


@pytest.fixture
def index(tmp_path: Path) -> LanceIndex:
    made = LanceIndex(uri=str(tmp_path / "index"))
    made.open(model="old", dim=4)
    return made


def document(name: str, *texts: str) -> DocumentRows:
    source = Source(uri=name, media_type="text/plain", digest=name, size=1, modified=1)
    chunks = (
        Chunk(
            id=f"{name}-{position}",
            document_id=name,
            source=source,
            span=Span(0, len(text)),
            text=text,
            context="",
            headings=(),
            block_ids=("1",),
            kind=BlockKind.PARAGRAPH,
            pages=(1,),
            boxes=(),
            token_count=1,
            position=position,
        )
        for position, text in enumerate(texts)
    )
    rows = (EmbeddedChunk(chunk=chunk, vector=np.ones(4, dtype=np.float32), model="old") for chunk in chunks)
    return DocumentRows(document_id=name, chunks=tuple(rows))


def test_texts_that_cannot_be_stored_as_they_are_get_a_vector_too(index: LanceIndex) -> None:
    index.replace([document("a", "plain", "half \ud83d pair", "half \ud83e pair")])
    nobody = Unattended()
    embedder = ToyEmbedder(model="new")
    moved = move(index, embedder, made_by="", guard=nobody, stop=nobody, progress=lambda event: None)
    assert (moved.complete, index.snapshot().model, index.missing_vectors("new", limit=9)) == (True, "new", [])


def test_rows_kept_after_a_move_was_killed_and_given_up_can_be_put_back(
    index: LanceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.replace([document("a", "first"), document("b", "other")])
    index.migration(model="new", dim=3)
    wanted = [chunk_id for chunk_id, _ in index.missing_vectors("new", limit=9)]
    index.fill_vectors("new", wanted, np.ones((len(wanted), 3), dtype=np.float32))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Migration, "_activate", killed)
        with pytest.raises(KeyboardInterrupt):
            index.switch(model="new", made_by="")
    index.open(model="old", dim=4)
    kept = index.export(["a"])
    index.replace([document("a", "second")])
    index.replace([], restored=kept)
    index.publish()
    assert index.fetch(["a-0"])["a-0"].text == "first"


def test_what_is_missing_is_looked_up_once_for_many_slices(tmp_path: Path) -> None:
    looks: list[int] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(memory, name)

        def missing_vectors(self, model: str, /, *, limit: int) -> list[tuple[str, str]]:
            looks.append(limit)
            return memory.missing_vectors(model, limit=limit)

    memory = MemoryIndex()
    memory.open(model="old", dim=4)
    memory.replace([document("a", *(f"text {number}" for number in range(1_000)))])
    nobody, embedder = Unattended(), ToyEmbedder(model="new")
    moved = move(Watched(), embedder, made_by="", guard=nobody, stop=nobody, progress=lambda event: None)  # type: ignore[arg-type]
    assert (moved.embedded, len(looks), len(embedder.given)) == (1_000, 2, 1_000)
