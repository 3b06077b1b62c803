"""A process that searches in a loop while another writes, folds and cleans: nothing fails, nothing is half."""

import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Literal

import pytest

from docpipe.embed.hashing import HashingEmbedder
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import Hit, Query

WRITER = """
import sys
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget, DocumentRows
from docpipe.testing import chunk
from docpipe.types import EmbeddedChunk
from docpipe.embed.hashing import HashingEmbedder

uri, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
embedder = HashingEmbedder(dim=32)
index = LanceIndex(uri=uri)
index.open(model=embedder.model, dim=embedder.dim)

def document(number, round):
    chunks = [chunk(f"word part {part} of {number} at {round}", uri=f"{number}.md", position=part) for part in range(4)]
    vectors = embedder.embed_passages([one.content for one in chunks])
    made = [EmbeddedChunk(chunk=c, vector=v, model=embedder.model) for c, v in zip(chunks, vectors)]
    return DocumentRows(document_id=chunks[0].document_id, chunks=tuple(made))

for round in range(first, last):
    index.replace([document(number, round) for number in range(10)])
    print(round, flush=True)
    index.optimize(Budget(force=True))
"""
EMBEDDER = HashingEmbedder(dim=32)
MODES: tuple[Literal["text", "hybrid"], ...] = ("text", "hybrid")


def write(uri: Path, first: int, last: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(uri), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def rounds(hits: list[Hit]) -> dict[str, list[str]]:
    """The round of each chunk that was found, by document."""
    found = defaultdict(list)
    for hit in hits:
        found[hit.chunk.source.uri].append(hit.chunk.text.rpartition(" ")[2])
    return found


@pytest.mark.slow
def test_a_reader_sees_each_document_old_or_new_while_it_is_written_and_folded(tmp_path: Path) -> None:
    writer = write(tmp_path / "i", 0, 9_999)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "0\n"
    retriever = IndexRetriever(LanceIndex(uri=str(tmp_path / "i")), EMBEDDER)
    seen = set()
    for _ in range(30):
        for mode in MODES:
            found = rounds(retriever.search(Query(text="word part", limit=100, mode=mode)))
            assert len(found) == 10
            assert all(len(some) == 4 and len(set(some)) == 1 for some in found.values()), found
            seen |= {some[0] for some in found.values()}
    assert writer.poll() is None, "the writer failed"
    writer.kill()
    writer.communicate()
    assert len(seen) > 2


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_whole_documents_and_nothing_to_repair(tmp_path: Path) -> None:
    chance, folder = random.Random(1), tmp_path / "i"
    index = LanceIndex(uri=str(folder))
    for attempt in range(6):
        writer = write(folder, attempt * 1000, attempt * 1000 + 999)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.random() * 0.6)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        found = index.check()
        assert (found.rows, found.duplicates, found.unreadable, found.leftovers) == (40, (), (), ())
        hits = IndexRetriever(index, EMBEDDER).search(Query(text="word part", limit=100, mode="text"))
        assert [len(set(some)) for some in rounds(hits).values()] == [1] * 10
    index.optimize(Budget(force=True))
    assert index.check().versions <= 3
