"""Files made to harm, opened as a run opens them: each ends within the limits, with a text or an error of ours."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import hostile_files
import pytest
from little_web import LittleWeb, Shown

from docpipe.chunk.layout import LayoutChunker
from docpipe.errors import CorruptSource, DocpipeError, OutOfMemory, SourceTooLarge, TimedOut, WorkerDied
from docpipe.load.files import FileLoader
from docpipe.parse.auto import AutoParser
from docpipe.parse.ocr import OcrParser
from docpipe.pipeline.processes.work import Long, Parsed, Work
from docpipe.pipeline.processes.workers import Limits, WorkerPool
from docpipe.types import Entry

LIMITS = Limits(seconds=60, memory=2**30)
"""Twice the seconds that a file may take, for machines that do other things besides."""
LIMIT = 2 * 2**20
"""Bytes of text that no file of these may make."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Opened"]:
    folder = tmp_path_factory.mktemp("hostile")
    work = Work(
        loaders=(FileLoader(path=str(folder)),),
        parser=AutoParser(pdf=OcrParser()),  # type: ignore[arg-type]
        chunker=LayoutChunker(tokenizer="characters", max_tokens=2000),
    )
    with WorkerPool(work, size=1, limits=LIMITS) as pool:
        yield Opened(folder, pool)
    shutil.rmtree(folder)


class Opened:
    """What a worker makes of a file."""

    def __init__(self, folder: Path, pool: WorkerPool) -> None:
        self._folder, self._pool = folder, pool

    def __call__(self, name: str, data: bytes) -> Parsed | Long | DocpipeError:
        path = self._folder / name
        path.write_bytes(data)
        entry = Entry(uri=name, location=str(path.resolve()), size=len(data), modified=1)
        self._pool.submit(name, "open", 0, entry, "")
        (reply,) = self._pool.replies()
        assert path.read_bytes() == data
        path.unlink()
        assert list(self._folder.iterdir()) == []
        if reply.error is None:
            return reply.value  # type: ignore[no-any-return]
        assert isinstance(reply.error, DocpipeError), repr(reply.error)
        assert not isinstance(reply.error, (WorkerDied, TimedOut, OutOfMemory)), repr(reply.error)
        return reply.error


def text_of(found: Parsed | Long | DocpipeError) -> str:
    return "\n".join(chunk.text for chunk in found.chunks) if isinstance(found, Parsed) else ""


@pytest.mark.parametrize("name", hostile_files.xml_files(lambda root, use: ""))
@pytest.mark.parametrize("kind", ["laughs", "blowup"])
def test_entities_are_neither_unfolded_nor_fetched(opened: Opened, tmp_path: Path, kind: str, name: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(hostile_files.SECRET, encoding="utf-8")

    def make(root: str, use: str) -> str:
        if kind == "laughs":
            return hostile_files.laughs(root, use, secret=secret.as_uri())
        return hostile_files.blowup(root, use)

    found = opened(name, hostile_files.xml_files(make)[name])
    text = text_of(found)
    assert hostile_files.SECRET not in text
    assert len(text) < LIMIT
    assert len(re.findall("laugh", text)) < 100
    if isinstance(found, DocpipeError):
        assert found.remedy


NESTED, PDFS = hostile_files.nested(), hostile_files.pdfs()


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_too_deeply_ends(opened: Opened, name: str) -> None:
    found = opened(name, NESTED[name])
    if isinstance(found, DocpipeError):
        assert found.remedy


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ("lines.pdf", "text.pdf") else ()) for name in PDFS]
)
def test_pdfs_that_lead_nowhere_end(opened: Opened, name: str) -> None:
    found = opened(name, PDFS[name])
    if name in ("acting.pdf", "deep-tree.pdf", "outline-loop.pdf", "prev-loop.pdf"):
        assert "Visible text" in text_of(found)


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    return hostile_files.bombs()


@pytest.mark.parametrize(
    "name",
    [
        *("member.docx", "lying.docx", "media.docx", "members.xlsx", "cells.xlsx", "repeated.ods", "spans.html"),
        *("stream.pdf", "twice.pdf", "image.png", "image.docx", "image.pdf", "pages.tiff", "huge.tiff", "frames.gif"),
    ],
)
def test_a_little_that_unpacks_to_a_lot_ends(opened: Opened, bombs: dict[str, bytes], name: str) -> None:
    found = opened(name, bombs[name])
    if name in ("member.docx", "image.png"):
        assert isinstance(found, (SourceTooLarge, CorruptSource)), found
    if name in ("media.docx", "image.docx"):
        assert "b" in text_of(found)


@pytest.mark.slow
def test_a_pdf_of_a_million_objects_ends(opened: Opened) -> None:
    assert "Visible text" in text_of(opened("objects.pdf", hostile_files.many_objects(1_000_000)))


@pytest.fixture
def web() -> Iterator[LittleWeb]:
    with LittleWeb() as web:
        for name in ("/template.dotm", "/image.png", "/x.png", "/data.dtd", "/raw", "/csv"):
            web.pages[name] = Shown(body=b"fetched")
        yield web


@pytest.mark.parametrize("name", hostile_files.acting_office(""))
def test_macros_and_external_links_are_left_alone(opened: Opened, web: LittleWeb, name: str) -> None:
    found = opened(name, hostile_files.acting_office(web.url)[name])
    assert "Kept text" in text_of(found), found
    assert "root:" not in text_of(found)
    assert web.asked == []
