"""Runs whose services fail: what was done is kept, what may pass is tried again, the next run does the rest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_rows import ROWS, Row
from standin import StandIn, faults, printing

import docpipe
from docpipe.errors import EmbedError
from docpipe.pipeline.pipe import Pipe
from docpipe.types import Document, Entry

pytestmark = pytest.mark.usefixtures("quick_retries")

OCR, EMBEDDINGS = "/layout_parsing", "/embeddings"
ON_PAPER = "Boiler 7 was shut down on 14 March because its feed pump leaked 12 litres an hour."
NOTES = "# Pumps\n\nPump 2 runs six hours a day.\n"
SCANS = """\
version: 1
name: scans
source: {use: load.files, path: docs}
stages:
  - {use: parse.auto, pdf: {use: parse.glm_ocr}}
  - {use: chunk.layout, max_tokens: 128, overlap: 0, tokenizer: characters}
  - {use: embed.hashing, dim: 64}
index: {use: index.lancedb, uri: index}
run: {workers: 1}
"""
VECTORS = SCANS.replace("{use: embed.hashing, dim: 64}", "{use: embed.http, model: embedding-3, dimensions: 256}")
ABOUT_THE_CALL = {"1001", "1211", "1212", "1215", "1221", "1222", "1231", "HTTP-404"}
"""Refusals that no other page and no other text would change."""
SAMPLES = list({(row.kind, row.error, row.name in ABOUT_THE_CALL): row for row in ROWS}.values())
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
A_ROW_OF_EACH_KIND = pytest.mark.parametrize("row", SAMPLES, ids=lambda row: row.name)


def complaint(row: Row) -> faults.Fault:
    return faults.error(row.code) if row.code else faults.http_error(row.status)


@pytest.fixture(scope="session")
def scan() -> bytes:
    return printing.scan([printing.sheet([("title", "Boiler plant log"), ("text", ON_PAPER)])], dpi=110)


@pytest.fixture
def library(tmp_path: Path, scan: bytes, platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Pipe]:
    """Opens a folder with a note and a scan."""
    monkeypatch.setenv("ZAI_EMBEDDINGS_URL", platform.base_url)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "notes.md").write_text(NOTES, encoding="utf-8")
    (tmp_path / "docs" / "scan.pdf").write_bytes(scan)

    def opening(text: str) -> Pipe:
        (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
        return docpipe.open(tmp_path / "pipeline.yaml")

    return opening


def parsed(pipe: Pipe) -> Document:
    """The scan, read as a run reads it, but in this process."""
    (loader,) = pipe.stages.loaders
    entries = [entry for entry in loader.entries() if isinstance(entry, Entry) and entry.uri == "scan.pdf"]
    (document,) = pipe.stages.parser(loader.read(entries[0]))
    return document


def contents(platform: StandIn, path: str) -> list[str]:
    """What was sent, but for the ids of the requests."""
    return [json.dumps({**call.body, "request_id": ""}, sort_keys=True) for call in platform.calls(path)]


@EVERY_ROW
def test_a_page_is_sent_again_where_that_may_help(library: Any, platform: StandIn, row: Row) -> None:
    platform.fault(OCR, complaint(row), times=-1)
    with library(SCANS) as pipe:
        if row.kind in ("wrong", "content") and row.name not in ABOUT_THE_CALL:
            assert [page.needs_ocr for page in parsed(pipe).pages] == [True]
            assert len(contents(platform, OCR)) == (1 if row.kind == "content" else 4)
            assert len(set(contents(platform, OCR))) == len(contents(platform, OCR))
            return
        with pytest.raises(row.error) as caught:
            parsed(pipe)
    assert (caught.value.service, caught.value.code) == ("layout_parsing", row.code)
    assert caught.value.request_id in str(caught.value)
    assert caught.value.remedy
    assert platform.key not in str(caught.value)
    assert len(platform.calls(OCR)) == row.calls


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "again"], ids=lambda row: row.name)
def test_a_page_is_read_at_the_second_try(library: Any, platform: StandIn, row: Row) -> None:
    platform.fault(OCR, complaint(row), times=1)
    with library(SCANS) as pipe:
        assert ON_PAPER in parsed(pipe).text
    assert len(platform.calls(OCR)) == 2
    assert len(set(contents(platform, OCR))) == 1


@A_ROW_OF_EACH_KIND
@pytest.mark.slow
def test_a_run_whose_reader_fails_keeps_the_rest_and_the_next_one_goes_on(
    library: Any, platform: StandIn, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    platform.fault(OCR, complaint(row), times=-1)
    with library(SCANS) as pipe:
        if row.kind == "account":
            with pytest.raises(row.error, match="layout_parsing"):
                pipe.run()
            assert pipe.failures() == []
        else:
            report = pipe.run()
            is_lost = row.kind == "again" or row.name in ABOUT_THE_CALL
            assert (report.indexed, report.failed, report.ocr_pages) == ((1, 1, 0) if is_lost else (2, 0, 1))
            assert [(one.error.type, one.error.retryable) for one in report.failures if one.error] == (
                [(row.error.__name__, True)] if is_lost else []
            )
            assert platform.key not in repr(report)
        assert pipe.search("Pump 2 hours")[0].chunk.source.uri == "notes.md"
        platform.mend()
        again = pipe.run()
        assert (again.failed, pipe.status().documents, pipe.status().failed) == (0, 2, 0)
        if row.kind in ("again", "account"):
            assert pipe.search("Why was boiler 7 shut down?")[0].chunk.source.uri == "scan.pdf"


@EVERY_ROW
def test_a_question_that_cannot_be_embedded_is_told(
    library: Any, platform: StandIn, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library(VECTORS) as pipe:
        embedder = pipe.stages.embedder
        pipe.stages.index.open(model=embedder.model, dim=embedder.dim)
        platform.fault(EMBEDDINGS, complaint(row), times=-1)
        about_a_text = row.kind in ("wrong", "content") and row.name not in ABOUT_THE_CALL
        with pytest.raises(EmbedError if about_a_text else row.error) as caught:
            pipe.search("boiler")
    assert row.name.removeprefix("HTTP-") in str(caught.value)
    assert "request docpipe-" in str(caught.value) or "request_id" not in platform.calls(EMBEDDINGS)[0].body
    assert caught.value.remedy
    assert platform.key not in str(caught.value)
    assert len(platform.calls(EMBEDDINGS)) == row.calls


@A_ROW_OF_EACH_KIND
@pytest.mark.slow
def test_a_run_whose_embeddings_fail_is_made_up_for_by_the_next(library: Any, platform: StandIn, row: Row) -> None:
    platform.fault(EMBEDDINGS, complaint(row), times=-1)
    with library(VECTORS.replace("path: docs", "path: docs, include: [notes.md]")) as pipe:
        if row.kind == "account":
            with pytest.raises(row.error):
                pipe.run()
            assert pipe.failures() == []
        else:
            report = pipe.run()
            (failed,) = report.failures
            assert failed.error is not None
            assert failed.uri == "notes.md"
            assert failed.error.stage.startswith("embed")
            assert failed.error.retryable is (row.kind == "again" or row.name in ABOUT_THE_CALL)
            assert platform.key not in repr(report)
        platform.mend()
        assert pipe.run(full=row.kind in ("wrong", "content")).failed == 0
        assert pipe.search("Pump 2 hours")[0].chunk.source.uri == "notes.md"
