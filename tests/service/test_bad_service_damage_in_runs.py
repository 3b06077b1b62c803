"""Runs that get damaged, late or strange readings, vectors and web pages."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standin import StandIn, faults, printing

import docpipe
from docpipe.errors import OutOfCredit, ServiceError, Unauthorized
from docpipe.pipeline.pipe import Pipe

pytestmark = [pytest.mark.usefixtures("quick_retries"), pytest.mark.slow]

OCR, EMBEDDINGS, READER = "/layout_parsing", "/embeddings", "/reader"
ON_PAPER = "Boiler 7 was shut down on 14 March because its feed pump leaked 12 litres an hour."
NOTES = "# Pumps\n\nPump 2 runs six hours a day.\n"
TEXT = """\
version: 1
name: damage
source: SOURCE
stages:
  - {use: parse.auto, pdf: {use: parse.glm_ocr, service: {read_seconds: 0.5}}}
  - {use: chunk.layout, max_tokens: 128, overlap: 0, tokenizer: characters}
  - EMBED
index: {use: index.lancedb, uri: index}
run: {workers: 1}
"""
FILES = "{use: load.files, path: docs}"
HASHING = "{use: embed.hashing, dim: 64}"
HTTP = "{use: embed.http, model: embedding-3, dimensions: 256, service: {read_seconds: 0.5}}"
DAMAGES = {
    "reset": faults.reset(),
    "reset at once": faults.reset(after_bytes=0),
    "short": faults.short_body(),
    "truncated": faults.truncated(),
    "malformed": faults.malformed(),
    "a page": faults.http_error(502),
    "a page with 200": faults.Fault(body=b"<html><h1>Sign in</h1></html>", media_type="text/html"),
    "hang": faults.hang(),
    "hang within": faults.hang(after_bytes=30),
    "drip": faults.drip(20.0),
    "nested": faults.nested(50_000),
    "an error in 200": faults.error_in_200("1234"),
}
EVERY_DAMAGE = pytest.mark.parametrize("fault", DAMAGES.values(), ids=DAMAGES.keys())


@pytest.fixture(scope="session")
def scan() -> bytes:
    return printing.scan([printing.sheet([("title", "Boiler plant log"), ("text", ON_PAPER)])], dpi=110)


@pytest.fixture
def library(tmp_path: Path, scan: bytes, platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pipe]:
    """Opens a folder with a note and a scan."""
    monkeypatch.setenv("ZAI_EMBEDDINGS_URL", platform.base_url)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "notes.md").write_text(NOTES, encoding="utf-8")
    (tmp_path / "docs" / "scan.pdf").write_bytes(scan)

    def opening(*, source: str = FILES, embed: str = HASHING) -> Pipe:
        text = TEXT.replace("SOURCE", source).replace("EMBED", embed)
        (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
        return docpipe.open(tmp_path / "pipeline.yaml")

    return opening


@EVERY_DAMAGE
def test_a_damaged_reading_is_asked_for_again(library: Any, platform: StandIn, fault: faults.Fault) -> None:
    platform.fault(OCR, fault, times=1)
    begun = time.monotonic()
    with library() as pipe:
        report = pipe.run()
        assert (report.indexed, report.failed, report.ocr_pages, report.recognised) == (2, 0, 0, 1)
        assert ON_PAPER in pipe.search("boiler")[0].chunk.text
    assert len(platform.calls(OCR)) == 2
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("name", [name for name in DAMAGES if name not in ("drip", "hang within", "reset")])
def test_readings_that_stay_damaged_are_asked_for_by_the_next_run(library: Any, platform: StandIn, name: str) -> None:
    platform.fault(OCR, DAMAGES[name], times=-1)
    with library() as pipe:
        report = pipe.run()
        assert (report.indexed, report.failed) == (1, 1)
        assert [one.error.retryable for one in report.failures if one.error] == [True]
        platform.mend()
        again = pipe.run()
        assert (again.indexed, again.failed, again.ocr_pages) == (1, 0, 0)
        assert ON_PAPER in pipe.search("boiler")[0].chunk.text


@EVERY_DAMAGE
def test_damaged_vectors_are_asked_for_again(library: Any, platform: StandIn, fault: faults.Fault) -> None:
    platform.fault(EMBEDDINGS, fault, times=1)
    with library(source="{use: load.files, path: docs, include: [notes.md]}", embed=HTTP) as pipe:
        assert pipe.run().indexed == 1
    assert len(platform.calls(EMBEDDINGS)) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("usage",),
        ("data_info",),
        ("data_info.pages",),
        ("md_results",),
        ("request_id",),
        ("layout_details.width", "layout_details.height"),
        ("layout_details.bbox_2d",),
        ("layout_details.native_label",),
        ("layout_details.index",),
        ("layout_details.label", "layout_details.native_label"),
        ("usage", "data_info", "md_results", "layout_details.bbox_2d", "layout_details.index"),
    ],
    ids=lambda names: "+".join(names),
)
def test_a_reading_that_lacks_fields_is_used_as_far_as_it_goes(
    library: Any, platform: StandIn, names: tuple[str, ...]
) -> None:
    platform.fault(OCR, faults.without(*names), times=-1)
    with library() as pipe:
        report = pipe.run()
        assert (report.indexed, report.failed, report.ocr_pages) == (2, 0, 0)
        hit = pipe.search("boiler")[0]
    assert ON_PAPER in hit.chunk.text
    assert hit.chunk.pages == (1,)


URLS = ["https://example.com/a", "https://example.com/b"]
WEB = f"{{use: load.web, via: reader, refresh: never, timeout: 1, urls: [{', '.join(URLS)}]}}"


@pytest.mark.parametrize(
    "fault",
    [
        faults.error("1234"),
        faults.error("1301"),
        faults.error("1214"),
        faults.without("reader_result"),
        faults.without("reader_result.content"),
    ],
    ids=["network", "policy", "wrong", "no result", "no content"],
)
def test_a_page_that_the_reader_cannot_read_costs_no_other(
    library: Any, platform: StandIn, fault: faults.Fault
) -> None:
    platform.pages = {URLS[0]: "# A\n\nThe mayor is Ada Stone.", URLS[1]: "# B\n\nThe ferry sails at noon."}
    only_first = replace(fault, when=lambda body: body["url"] == URLS[0])
    platform.fault(READER, only_first, times=-1)
    with library(source=WEB) as pipe:
        report = pipe.run()
        assert [one.uri for one in report.failures] == URLS[:1]
        assert report.indexed == 1
        assert platform.key not in repr(report)
        platform.mend()
        again = pipe.run()
        assert (again.indexed, again.failed, again.unchanged) == (1, 0, 1)
        assert pipe.search("mayor")[0].chunk.source.uri == URLS[0]


@pytest.mark.parametrize(("code", "error"), [("1113", OutOfCredit), ("1220", Unauthorized)])
def test_an_account_that_is_used_up_is_not_asked_for_every_page(
    library: Any, platform: StandIn, code: str, error: type[ServiceError]
) -> None:
    urls = [f"https://example.com/{number}" for number in range(40)]
    platform.pages = dict.fromkeys(urls, "# A\n\nThe mayor is Ada Stone.")
    platform.fault(READER, faults.error(code), times=-1, after=4)
    with library(source=WEB.replace(", ".join(URLS), ", ".join(urls))) as pipe:
        with pytest.raises(error):
            pipe.run()
        assert len(platform.calls(READER)) < 20
        assert pipe.status().documents == 4
        assert pipe.failures() == []
        platform.mend()
        assert pipe.run().indexed == 36


@pytest.mark.parametrize(
    "fault",
    [faults.error("1113"), faults.error("1302"), faults.error("1211"), faults.malformed(), faults.without("usage")],
    ids=["no money", "too many calls", "unknown model", "malformed", "no usage"],
)
def test_a_tokenizer_that_fails_is_replaced_by_an_estimate(
    library: Any, tmp_path: Path, platform: StandIn, fault: faults.Fault
) -> None:
    platform.fault("/tokenizer", fault, times=-1)
    library(source="{use: load.files, path: docs, include: [notes.md]}").close()
    path = tmp_path / "pipeline.yaml"
    path.write_text(path.read_text("utf-8").replace("tokenizer: characters", "tokenizer: zai"), encoding="utf-8")
    with docpipe.open(path) as pipe:
        report = pipe.run()
        assert (report.indexed, report.failed) == (1, 0)
        assert "Pump 2" in pipe.search("pump")[0].chunk.text
    assert 1 <= len(platform.calls("/tokenizer")) <= 30
