"""Rows of one long table, asked for one by one -> how often the chunk with the row is found, and the row is quoted.

    python benchmarks/table_rows.py [--rows 2000] [--questions 100] [--embedder local] [--max-tokens 256]

The table is made here, from a seed: numbers of items that count up, names that repeat, two header rows. Asked is by
the item's number, and by its name and place, which together name one row. Found means: the row's chunk is among the
best five. Proved means: the answer that quotes without a model quotes this row.
"""

import argparse
import random
import time
from collections.abc import Sequence
from typing import NamedTuple

from docpipe import _ids
from docpipe.chat.extractive import ExtractiveChat
from docpipe.chat.session import World, run
from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.hashing import HashingEmbedder
from docpipe.embed.local import LocalEmbedder
from docpipe.index.memory import MemoryIndex
from docpipe.parse.draft import Draft
from docpipe.protocols import DocumentRows, Embedder
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.tables import Cell, Table
from docpipe.types import BlockKind, Chunk, Document, EmbeddedChunk, Hit, Query, Source, Turn

MATERIALS = ("brass", "steel", "oak", "hemp", "copper", "iron", "ash", "canvas", "rubber", "tin")
PARTS = ("anchor", "buoy", "cable", "davit", "fender", "gasket", "hawser", "lantern", "mast", "oar", "pulley", "rudder")
QUAYS = ("north quay", "south quay", "dry dock", "boat house", "outer mole")
BEST = 5
HEADER = (
    (Cell("Item", True, 1, 2), Cell("Part", True, 1, 2), Cell("Store", True, 1, 2), Cell("Price", True, 2, 1)),
    (Cell("2023", True), Cell("2024", True)),
)


class Made(NamedTuple):
    """A row of the table, and its questions by kind."""

    cells: tuple[str, ...]
    asked: dict[str, str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=2000)
    options.add_argument("--questions", type=int, default=100)
    options.add_argument("--embedder", choices=("hashing", "local"), default="hashing")
    options.add_argument("--max-tokens", type=int, default=256)
    given = options.parse_args()
    rows = made(given.rows)
    start = time.process_time()
    chunks = list(LayoutChunker(max_tokens=given.max_tokens)(document(rows)))
    print(f"{given.rows} rows in {len(chunks)} chunks, {time.process_time() - start:.2f} CPU s")
    retriever = indexed(chunks, LocalEmbedder() if given.embedder == "local" else HashingEmbedder())
    chosen = random.Random(2).sample(rows, given.questions)
    print(f"{'asked by':10} {'mode':7} recall@{BEST}  proved")
    for kind in chosen[0].asked:
        for mode in ("text", "vector", "hybrid"):
            found = sum(holds(retriever.search(query(row, kind, mode)), row) for row in chosen)
            right = f"{sum(proved(retriever, row, kind) for row in chosen):7}" if mode == "hybrid" else ""
            print(f"{kind:10} {mode:7} {found:8} {right}")


def made(count: int) -> list[Made]:
    """Rows whose numbers count up, and whose names and stores together occur once."""
    names = [f"{material} {part} {size}" for size in range(1, 30) for material in MATERIALS for part in PARTS]
    places = [(name, quay) for name in names for quay in QUAYS]
    chance = random.Random(1)
    rows = []
    for number, (name, quay) in enumerate(chance.sample(places, count), start=1000):
        prices = f"{chance.randint(100, 99_999) / 100:.2f}", f"{chance.randint(100, 99_999) / 100:.2f}"
        asked = {
            "number": f"What did item {number} cost in 2024?",
            "name": f"What is the price of the {name} in the {quay}?",
        }
        rows.append(Made((str(number), name, quay, *prices), asked))
    return rows


def document(rows: Sequence[Made]) -> Document:
    """All rows as one table under a heading."""
    draft = Draft()
    draft.add(BlockKind.HEADING, "Stores of the harbour", level=1)
    draft.add_table(Table((*HEADER, *(tuple(map(Cell, row.cells)) for row in rows))))
    source = Source(uri="stores", media_type="text/html", digest=_ids.digest(b""), size=0, modified=0)
    return draft.document(source, {})


def indexed(chunks: Sequence[Chunk], embedder: Embedder) -> IndexRetriever:
    """The chunks in memory."""
    index = MemoryIndex()
    vectors = embedder.embed_passages([chunk.content for chunk in chunks])
    index.open(model=embedder.model, dim=vectors.shape[1])
    rows = tuple(EmbeddedChunk(chunk=c, vector=v, model=embedder.model) for c, v in zip(chunks, vectors, strict=True))
    index.replace([DocumentRows(document_id=chunks[0].document_id, chunks=rows)])
    return IndexRetriever(index, embedder)


def query(row: Made, kind: str, mode: str) -> Query:
    """The question about a row, for one way of searching."""
    return Query(text=row.asked[kind], limit=BEST, mode=mode)  # type: ignore[arg-type]


def holds(hits: Sequence[Hit], row: Made) -> bool:
    """Whether a hit's chunk holds the row."""
    return any(" | ".join(row.cells) in hit.chunk.content for hit in hits)


def proved(retriever: IndexRetriever, row: Made, kind: str) -> bool:
    """Whether the answer's first proof is the row."""
    answer = run(ExtractiveChat(reader="none").flow(Turn(question=row.asked[kind])), World(retriever))
    return bool(answer.citations) and answer.citations[0].quote == " | ".join(row.cells)


if __name__ == "__main__":
    main()
