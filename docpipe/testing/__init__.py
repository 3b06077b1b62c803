"""Contract suites and fakes for the authors of stages: subclass a suite, say what to make, and pytest runs it."""

from docpipe.testing.chunking import ChunkerContract, parsed
from docpipe.testing.embedding import EmbedderContract
from docpipe.testing.parsing import ParserContract, blob
from docpipe.testing.samples import (
    AWKWARD,
    DIM,
    MODEL,
    chunk,
    document,
    embedded,
    refused,
    vectors,
)
from docpipe.testing.search import SearchContract
from docpipe.testing.tables import TableContract
from docpipe.testing.versions import VersionContract

__all__ = [
    "AWKWARD",
    "DIM",
    "MODEL",
    "ChunkerContract",
    "EmbedderContract",
    "IndexContract",
    "ParserContract",
    "blob",
    "chunk",
    "document",
    "embedded",
    "parsed",
    "refused",
    "vectors",
]


class IndexContract(SearchContract, VersionContract, TableContract):
    """What every index does. Subclass it and define `make`, which gives a new index at each call."""
