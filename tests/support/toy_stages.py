"""Small stages with every behaviour a run must cope with (a module, so that workers can import it)."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from docpipe import _ids
from docpipe.errors import CorruptSource, EmbedError, UnsupportedMedia
from docpipe.types import Blob, Block, BlockKind, Chunk, Document, Page, Source, Span


@cache
def appending(path: str) -> int:
    """A handle that adds to a file; one that was opened before a worker was confined still does in it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


@dataclass(frozen=True, kw_only=True)
class ToyParser:
    """Paragraphs parted by blank lines, pages by form feeds; some words make it misbehave."""

    VERSION = 1

    upper: bool = False
    log: str = field(default="", compare=False)
    """A file to which each parsed uri is added."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.log:
            appending(self.log)  # in a worker, before it is confined

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        yield self.merge(blob.source, [self.parse_pages(blob, 0, 10**6)])

    def page_count(self, blob: Blob, /) -> int:
        return blob.data.count(b"\f") + 1

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> list[tuple[int, str]]:
        self._note(blob.source.uri, start)
        text = blob.data.decode("utf-8")
        self._misbehave(text, blob.source.uri)
        pages = text.upper().split("\f") if self.upper else text.split("\f")
        return list(enumerate(pages, start=1))[start:stop]

    def merge(self, source: Source, parts: Sequence[Any], /) -> Document:
        pages = [page for part in parts for page in part]
        texts = [(number, paragraph) for number, text in pages for paragraph in text.split("\n\n") if paragraph.strip()]
        blocks, at = [], 0
        for order, (number, text) in enumerate(texts):
            span = Span(at, at + len(text))
            blocks.append(Block(id=str(order), kind=BlockKind.PARAGRAPH, span=span, page=number))
            at += len(text) + 2
        return Document(
            id=_ids.document_id(source.uri),
            source=source,
            text="\n\n".join(text for _, text in texts),
            pages=tuple(Page(number=n, width=600, height=800, needs_ocr=not text.strip()) for n, text in pages),
            blocks=tuple(blocks),
        )

    def _note(self, uri: str, start: int) -> None:
        if self.log:
            os.write(appending(self.log), f"{uri} {start}\n".encode())

    def _misbehave(self, text: str, uri: str) -> None:
        if "CRASH" in text:
            os._exit(9)
        if "HANG" in text:
            time.sleep(600)
        if "CORRUPT" in text:
            raise CorruptSource("cut short", source=uri, remedy="save it again")
        if "DEFECT" in text:
            raise KeyError("a defect")
        if "FOREIGN" in text:
            raise UnsupportedMedia("nobody reads this", source=uri, remedy="convert it")


@dataclass(frozen=True, kw_only=True)
class ToyChunker:
    """A chunk per block."""

    VERSION = 1

    context: str = ""

    def __call__(self, document: Document, /) -> Iterator[Chunk]:
        for position, block in enumerate(document.blocks):
            text = block.span.of(document.text)
            yield Chunk(
                id=_ids.chunk_id(document.id, self.context + text, position),
                document_id=document.id,
                source=document.source,
                span=block.span,
                text=text,
                context=self.context,
                headings=(),
                block_ids=(block.id,),
                kind=block.kind,
                pages=(block.page or 1,),
                boxes=(),
                token_count=len(text.split()),
                position=position,
            )


@dataclass(frozen=True, kw_only=True)
class ToyEmbedder:
    """Vectors from digests; counts what it was given."""

    VERSION = 1

    model: str = "toy-1"
    dim: int = 8
    max_tokens: int = 512
    tokenizer: str = "characters"
    batch_size: int = 64
    languages: tuple[str, ...] = ()
    given: list[str] = field(default_factory=list, compare=False)

    def embed_passages(self, texts: Sequence[str], /) -> Any:
        if any("UNEMBEDDABLE" in text for text in texts):
            raise EmbedError("will not embed this", stage="embed", remedy="leave it out")
        self.given.extend(texts)
        return self._vectors(texts)

    def embed_queries(self, texts: Sequence[str], /) -> Any:
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> Any:
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest()[: self.dim], dtype=np.uint8) for text in texts]
        matrix = np.array(rows, dtype=np.float32).reshape(len(texts), self.dim) - 127.5
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class ToyStages:
    """The stages of a run."""

    loaders: tuple[Any, ...]
    index: Any
    parser: ToyParser = ToyParser()
    chunker: ToyChunker = ToyChunker()
    embedder: ToyEmbedder = field(default_factory=ToyEmbedder)
    made_by: str = ""
