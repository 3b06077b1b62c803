"""Fixtures: bytes or text -> the document a parser makes of it."""

from collections.abc import Callable

import pytest

from docpipe._ids import digest
from docpipe.protocols import Parser
from docpipe.types import Blob, Block, BlockKind, Document, Source

type_parse = Callable[..., Document]


def blob_of(data: bytes | str, *, media: str = "text/plain", uri: str = "folder/file") -> Blob:
    """A blob as a loader would give it."""
    data = data.encode("utf-8") if isinstance(data, str) else data
    return Blob(source=Source(uri=uri, media_type=media, digest=digest(data), size=len(data), modified=0), data=data)


def check_laws(document: Document) -> None:
    """Blocks are ordered, disjoint, non-empty spans, their ids differ, and the text can be stored."""
    at = 0
    for block in document.blocks:
        assert at <= block.span.start < block.span.end <= len(document.text)
        at = block.span.end
    assert len({block.id for block in document.blocks}) == len(document.blocks)
    document.text.encode("utf-8")
    assert document.pages == () and len(document.geometry) == 0
    assert all(block.page is None and block.bbox is None for block in document.blocks)
    assert all(value for value in document.metadata.values())


@pytest.fixture
def make_blob() -> Callable[..., Blob]:
    return blob_of


@pytest.fixture
def parse() -> type_parse:
    """`parse(parser, data)`: the one document, its laws checked."""

    def parsed(parser: Parser, data: bytes | str, **about: str) -> Document:
        (document,) = parser(blob_of(data, **about))
        check_laws(document)
        return document

    return parsed


@pytest.fixture
def outline() -> Callable[[Document], list[tuple[BlockKind, int, str]]]:
    """`outline(document)`: kind, level and text of each block."""

    def outlined(document: Document) -> list[tuple[BlockKind, int, str]]:
        def entry(block: Block) -> tuple[BlockKind, int, str]:
            return block.kind, block.level, block.span.of(document.text)

        return [entry(block) for block in document.blocks]

    return outlined
