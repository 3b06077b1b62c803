"""Documents -> answers, by the parts of a pipeline that need no model: cut, embedded, indexed and asked in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from answering import answered

from docpipe.chat.extractive import ExtractiveChat
from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.hashing import HashingEmbedder
from docpipe.index.memory import MemoryIndex
from docpipe.protocols import DocumentRows
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import Answer, Chunk, Document, EmbeddedChunk, Hit, Query


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A small index and its chat."""

    chunks: Sequence[Chunk]
    retriever: IndexRetriever

    def answer(self, question: str, **options: float) -> Answer:
        """Quoted from the chunks that are found."""
        return answered(ExtractiveChat(reader="none", **options), question, self.retriever)  # type: ignore[arg-type]

    def hits(self, question: str, limit: int = 8) -> list[Hit]:
        """What is found."""
        return self.retriever.search(Query(text=question, limit=limit))


def asked(*documents: Document, max_tokens: int = 256) -> Asked:
    """Index documents in memory."""
    chunker, embedder, index = LayoutChunker(max_tokens=max_tokens), HashingEmbedder(), MemoryIndex()
    index.open(model=embedder.model, dim=embedder.dim)
    everything: list[Chunk] = []
    for document in documents:
        chunks = list(chunker(document))
        vectors = embedder.embed_passages([chunk.content for chunk in chunks])
        rows = tuple(
            EmbeddedChunk(chunk=c, vector=v, model=embedder.model) for c, v in zip(chunks, vectors, strict=True)
        )
        index.replace([DocumentRows(document_id=document.id, chunks=rows)])
        everything += chunks
    return Asked(chunks=everything, retriever=IndexRetriever(index, embedder))
