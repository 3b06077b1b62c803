"""Thousands of damaged files through worker processes: each is accounted for, and nothing stays behind."""

import gzip
import json
import os
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import hostile_files
import pytest
from mutations import mutated
from office_samples import CHART, docx, epub, opendocument, paragraph, pptx, shape, sheet, styled, xlsx, zipped

from docpipe.chunk.layout import LayoutChunker
from docpipe.errors import DocpipeError, OutOfMemory, TimedOut, TooMuchOutput, WorkerDied
from docpipe.load.files import FileLoader
from docpipe.parse.auto import AutoParser
from docpipe.pipeline.processes.work import Long, Parsed, Work
from docpipe.pipeline.processes.workers import Limits, Reply, WorkerPool
from docpipe.types import Entry

SAMPLES = Path(__file__).parents[2] / "sample_docs"
SECONDS, GROWTH = 20.0, 80 * 2**20
LIMITS = Limits(seconds=SECONDS, memory=600 * 2**20)


def originals() -> dict[str, bytes]:
    """A file of each format, and the sample documents that are documents."""
    own = (path for path in sorted(SAMPLES.rglob("*")) if path.parent != SAMPLES and path.suffix != ".py")
    found = {path.name: path.read_bytes() for path in own if path.is_file() and path.stat().st_size < 300_000}
    return {**found, **_office(), **_texts()}


def _office() -> dict[str, bytes]:
    table = "<w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc>" + paragraph("cell") + "</w:tc></w:tr></w:tbl>"
    parts = {"word/charts/chart1.xml": CHART, "word/footnotes.xml": "<w:footnotes/>"}
    rows = {f"{column}{row}": f"{row}{column}" for row in range(1, 9) for column in "ABCD"}
    merged = '<s:mergeCells count="1"><s:mergeCell ref="A1:B2"/></s:mergeCells>'
    open_table = (
        '<table:table table:name="t"><table:table-row><table:table-cell table:number-columns-repeated="3">'
        "<text:p>cell</text:p></table:table-cell></table:table-row></table:table>"
    )
    return {
        "word.docx": docx(styled("Title", "Heading1") + paragraph("Some text") * 5 + table, parts=parts),
        "slides.pptx": pptx(shape("A title", role="title") + shape("one", "two", box=(0.1, 0.2, 0.5, 0.5)), shape("b")),
        "sheet.xlsx": xlsx(sheet(rows, merged), sheet({"A1": "other"}), strings="<s:si><s:t>x</s:t></s:si>"),
        "text.odt": opendocument(f"<office:text><text:h>Head</text:h><text:p>Text</text:p>{open_table}</office:text>"),
        "sheet.ods": opendocument(f"<office:spreadsheet>{open_table * 3}</office:spreadsheet>"),
        "book.epub": epub("<html><body><h1>One</h1><p>Text</p></body></html>", "<html><body><p>Two</p></body></html>"),
        "drawn.pdf": hostile_files.pdf(),
        "picture.png": hostile_files.png(64, 64),
    }


def _texts() -> dict[str, bytes]:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ann <ann@example.com>", "Subject of a mail"
    mail.set_content("Body of a mail.\n" * 5)
    mail.add_alternative("<p>Body of a <b>mail</b>.</p>", subtype="html")
    mail.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="table.csv")
    cells = [
        {"cell_type": kind, "metadata": {}, "source": ["# A\n", "b"], "outputs": []} for kind in ("markdown", "code")
    ]
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    records = [{"name": "a", "of": {"x": [1, 2.50, None]}}, {"name": "b", "of": {}}]
    rows = "".join(f"<tr><td>{n}</td><td colspan=2>b</td></tr>" for n in range(5))
    return {
        "mail.eml": bytes(mail),
        "page.html": f"<html><head><title>t</title></head><body><h1>A</h1><table>{rows}</table></body></html>".encode(),
        "notes.md": b"---\ntitle: T\n---\n# A\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```",
        "table.tsv": b"a\tb\n1\t2\n" * 20,
        "plain.txt": "Some text, ein Übermaß, 一些文字。\n\n".encode() * 20,
        "data.json": json.dumps(records).encode(),
        "lines.jsonl": b"\n".join(json.dumps(record).encode() for record in records * 5),
        "data.yaml": b"a: &x [1, 2]\nb: *x\nc:\n  - {d: 1}\n  - |\n    text\n",
        "data.toml": b'[a]\nb = "c"\n[[d]]\ne = 1.50\n',
        "data.xml": b'<?xml version="1.0"?><a b="c"><d>text</d><d>more</d></a>',
        "book.ipynb": json.dumps(book).encode(),
        "rich.rtf": rb"{\rtf1\ansi{\fonttbl{\f0 A;}}\b Bold\b0\par A \u20013?\'e4\par\trowd\cellx9 a\cell b\cell\row}",
        "text.rst": b"Title\n=====\n\n* one\n* two\n\n.. note:: this\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n",
        "film.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nthere\n",
        "film.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>Hello\n",
        "code.py": b'"""Doc."""\n\n\nclass A:\n    def b(self):\n        return 1\n',
    }


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; nothing may stay there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("count", [70, pytest.param(2_500, marks=pytest.mark.slow)], ids=["a few", "thousands"])
def test_damaged_files_are_all_accounted_for(tmp_path: Path, scratch: Path, count: int) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    files = dict(mutated(originals(), count=count, seed=5))
    assert len(files) == count
    before = resident()
    replies = list(opened(folder, files))
    assert {reply.key for reply in replies} == set(files)
    assert not {reply.key: repr(reply.error)[:500] for reply in replies if not is_accounted(reply)}
    assert max(reply.seconds for reply in replies) < SECONDS + 10
    assert resident() - before < GROWTH
    assert list(folder.iterdir()) == []
    ended = Counter(type(reply.error or reply.value).__name__ for reply in replies)
    assert ended["Parsed"] > count / 5, ended
    assert (
        sum(isinstance(reply.error, (WorkerDied, TimedOut, OutOfMemory, TooMuchOutput)) for reply in replies)
        <= count / 500
    )


@pytest.mark.parametrize("count", [40, pytest.param(600, marks=pytest.mark.slow)], ids=["a few", "hundreds"])
def test_damaged_archives_are_all_accounted_for(tmp_path: Path, scratch: Path, count: int) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    files = dict(mutated(archives(), count=count, seed=6))
    with WorkerPool(work(folder), size=2, limits=LIMITS) as pool:
        for name, data in files.items():
            pool.submit(name, "members", 0, entry(folder, name, data))
        found = list(pool.replies())
        assert {reply.key for reply in found} == set(files)
        members = [one for reply in found for one in reply.value or () if isinstance(one, Entry)]
        for number, member in enumerate(members):
            pool.submit(number, "open", 0, member, "")
        inside = list(pool.replies())
    assert len(members) > count / 2
    assert len(inside) == len(members)
    wrong = [repr(reply.error)[:500] for reply in found if reply.error and not isinstance(reply.error, DocpipeError)]
    assert not wrong + [repr(reply.error)[:500] for reply in inside if not is_accounted(reply)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)


def archives() -> dict[str, bytes]:
    """Files that hold files."""
    texts = {name: data for name, data in _texts().items() if name.endswith((".md", ".txt", ".csv", ".eml"))}
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        for name, data in texts.items():
            info = tarfile.TarInfo(f"folder/{name}")
            info.size = len(data)
            file.addfile(info, BytesIO(data))
    mails = b"".join(b"From ann Mon Jan  5 10:00:00 2026\n" + texts["mail.eml"] + b"\n" for _ in range(3))
    return {
        "box.zip": zipped(texts),
        "nest.zip": zipped({"a.zip": zipped(texts), "b.txt": b"beside"}),
        "box.tar": tar.getvalue(),
        "box.tar.gz": gzip.compress(tar.getvalue(), mtime=0),
        "one.txt.gz": gzip.compress(texts["plain.txt"], mtime=0),
        "old.mbox": mails,
        "mail.eml": texts["mail.eml"],
    }


def work(folder: Path) -> Work:
    """The stages of a run."""
    chunker = LayoutChunker(tokenizer="characters", max_tokens=500)
    return Work(loaders=(FileLoader(path=str(folder)),), parser=AutoParser(), chunker=chunker)


def entry(folder: Path, name: str, data: bytes) -> Entry:
    """A file, written and as a loader would list it."""
    path = folder / name
    path.write_bytes(data)
    return Entry(uri=name, location=str(path.resolve()), size=len(data), modified=path.stat().st_mtime_ns)


def opened(folder: Path, files: Mapping[str, bytes]) -> Iterator[Reply]:
    """What two workers make of the files, a few of which lie there at a time."""
    waiting = iter(files.items())
    with WorkerPool(work(folder), size=2, limits=LIMITS) as pool:

        def feed() -> None:
            for name, data in waiting:
                pool.submit(name, "open", 0, entry(folder, name, data), "")
                if pool.pending >= 8:
                    return

        feed()
        for reply in pool.replies():
            (folder / reply.key).unlink()
            yield reply
            feed()


def is_accounted(reply: Reply) -> bool:
    """Whether it ended with a text, or with an error of ours that says what to do."""
    if reply.error is None:
        return isinstance(reply.value, (Parsed, Long))
    return isinstance(reply.error, DocpipeError) and bool(reply.error.remedy)


def resident() -> int:
    """Resident bytes of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
