"""Our own parsers and chunkers keep the contracts that we ask of others."""

from collections.abc import Mapping
from typing import ClassVar

import pymupdf
import pytest

from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.hashing import HashingEmbedder
from docpipe.embed.local import LocalEmbedder
from docpipe.parse.auto import AutoParser
from docpipe.parse.delimited import DelimitedParser
from docpipe.parse.html import HtmlParser
from docpipe.parse.markdown import MarkdownParser
from docpipe.parse.pdf import PdfParser
from docpipe.parse.text import TextParser
from docpipe.protocols import Chunker, Embedder, Parser
from docpipe.testing import ChunkerContract, EmbedderContract, ParserContract


def pdf(*texts: str) -> bytes:
    document = pymupdf.open()
    for text in texts:
        document.new_page().insert_text((72, 100), text, fontsize=11)
    document.set_metadata({"title": "Tides", "author": "Ann Li"})
    return bytes(document.tobytes())


FILES: Mapping[str, tuple[Parser, str, Mapping[str, bytes]]] = {
    "pdf": (PdfParser(), "application/pdf", {"a.pdf": pdf("The tide is high.", "It is low."), "b.pdf": pdf("")}),
    "html": (HtmlParser(), "text/html", {"a.html": b"<h1>T</h1><p>The <a href='x'>tide</a> is high.</p><table><td>1"}),
    "markdown": (MarkdownParser(), "text/markdown", {"a.md": "# 潮\n\n- [a](b)\n\n|x|\n|-|\n|1|\n".encode()}),
    "text": (TextParser(), "text/plain", {"a.txt": "The tide.\n\n潮汐。".encode("utf-16")}),
    "delimited": (DelimitedParser(), "text/csv", {"a.csv": b"port,depth\nSkerrin,3\n"}),
    "auto": (AutoParser(), "text/markdown", {"a.md": b"# Tides\n\nHigh.\n"}),
}


class TestParsers(ParserContract):
    """Each of our parsers in turn."""

    kind: ClassVar[str]

    @pytest.fixture(autouse=True, params=sorted(FILES))
    def chosen(self, request: pytest.FixtureRequest) -> None:
        type(self).kind = request.param
        type(self).media_type = FILES[self.kind][1]

    def make(self) -> Parser:
        return FILES[self.kind][0]

    def files(self) -> Mapping[str, bytes]:
        return FILES[self.kind][2]


class TestLayoutChunker(ChunkerContract):
    """The chunker."""

    def make(self) -> Chunker:
        return LayoutChunker(tokenizer="characters", max_tokens=300)


class TestHashingEmbedder(EmbedderContract):
    """The one for tests."""

    def make(self) -> Embedder:
        return HashingEmbedder()


@pytest.mark.slow
class TestLocalEmbedder(EmbedderContract):
    """The one of the quickstart."""

    def make(self) -> Embedder:
        return LocalEmbedder()
