"""A package of somebody else with a parser and a chunker: its files, and its installation without any network."""

import subprocess
import sys
import zipfile
from pathlib import Path

PARSER = '''
"""Files of the little format: a line of title, a line of author, then paragraphs."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.errors import CorruptSource
from docpipe.parse.draft import Draft
from docpipe.types import Blob, BlockKind, Document

MAGIC = b"DPK1\\x00"


@dataclass(frozen=True, kw_only=True)
class LittleParser:
    """Little files -> documents."""

    VERSION = 1

    shout: bool = False
    """Whether all letters are made large."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        if not blob.data.startswith(MAGIC):
            raise CorruptSource("no little file", source=blob.source.uri, remedy="save it again")
        if b"DEFECT" in blob.data:
            raise KeyError("a defect of the parser")
        title, author, *rest = blob.data[len(MAGIC):].decode("utf-8", "replace").split("\\n")
        draft = Draft()
        draft.add(BlockKind.TITLE, title, level=1)
        for line in rest:
            draft.add(BlockKind.PARAGRAPH, line.upper() if self.shout else line)
        draft.add_link("home", "https://little.example/")
        yield draft.document(blob.source, {"title": title, "authors": author, "created": "2024-05-31", "little": "yes"})
'''

CHUNKER = '''
"""A chunk for each paragraph."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from docpipe._ids import chunk_id
from docpipe.types import Chunk, Document


@dataclass(frozen=True, kw_only=True)
class ParagraphChunker:
    """Documents -> a chunk for each block."""

    VERSION = 1

    def __call__(self, document: Document, /) -> Iterator[Chunk]:
        seen = Counter()
        blocks = [block for block in document.blocks if block.is_content]
        for position, block in enumerate(blocks):
            text = block.span.of(document.text)
            seen[text] += 1
            yield Chunk(
                id=chunk_id(document.id, text, seen[text]),
                document_id=document.id,
                source=document.source,
                span=block.span,
                text=text,
                context="",
                headings=(),
                block_ids=(block.id,),
                kind=block.kind,
                pages=(block.page,) if block.page else (),
                boxes=(),
                token_count=len(text.split()),
                position=position,
                title=document.metadata.get("title", ""),
                metadata=document.metadata,
            )
'''

EMBEDDER = '''
"""Vectors that are never made."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BrokenEmbedder:
    """Texts -> a defect."""

    VERSION = 1
    model = "broken"
    dim = 4
    max_tokens = 256
    tokenizer = "characters"
    batch_size = 8
    languages = ()

    def embed_passages(self, texts, /):
        return [1][7]

    embed_queries = embed_passages
'''

TESTS = """
from docpipe.testing import ChunkerContract, ParserContract

from little.chunker import ParagraphChunker
from little.parser import MAGIC, LittleParser


class TestLittleParser(ParserContract):
    media_type = "application/octet-stream"

    def make(self):
        return LittleParser()

    def files(self):
        return {"a.dpk": MAGIC + b"Tides\\nAnn Li\\nThe tide is high.", "empty.dpk": MAGIC + b"\\n"}


class TestParagraphChunker(ChunkerContract):
    def make(self):
        return ParagraphChunker()
"""

STAGES = {
    "little.parser": "little.parser:LittleParser",
    "little.paragraphs": "little.chunker:ParagraphChunker",
    "little.defect": "little.embedder:BrokenEmbedder",
    "little.broken": "little.broken:Anything",
}
FILES = {
    "little/__init__.py": '"""A little format."""\n',
    "little/parser.py": PARSER,
    "little/chunker.py": CHUNKER,
    "little/embedder.py": EMBEDDER,
    "little/broken.py": "raise RuntimeError('made for another version')\n",
}


def wheel(folder: Path) -> Path:
    """The package as a wheel, written as its format says."""
    info = "little_format-1.2.dist-info"
    points = "".join(f"{name} = {target}\n" for name, target in STAGES.items())
    files = {
        **FILES,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: little-format\nVersion: 1.2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[docpipe.stages]\n{points}",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    made = folder / "little_format-1.2-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return made


def install(folder: Path) -> Path:
    """Install it with pip, offline; returns the folder to put on a program's path."""
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir"]
    subprocess.run([*command, "--disable-pip-version-check", "--target", str(site), str(wheel(folder))], check=True)
    return site
