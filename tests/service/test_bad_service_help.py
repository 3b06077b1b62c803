"""Services that only help an answer: reranker, web search, reader, tokenizer. Where they fail, the answer goes on."""

from typing import Any

import pytest
from service_rows import ROWS, Row
from standin import StandIn, faults

pytestmark = pytest.mark.usefixtures("quick_retries")

BUILT = "When was the Brill lighthouse built?"
SENTENCE = "The Brill lighthouse was built in 1911 by Oda Linnet. [1]"
MAYOR = "Who is the mayor of Brill?"
TOWN = "https://example.com/town"
IN_SHORT = "About Brill: the mayor of Brill is Ada Stone."
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def complaint(row: Row) -> faults.Fault:
    return faults.error(row.code) if row.code else faults.http_error(row.status)


@pytest.fixture(autouse=True)
def _the_web_knows(platform: StandIn) -> None:
    platform.web = [{"title": "Town hall", "link": TOWN, "content": IN_SHORT, "publish_date": "2026-02-03"}]
    platform.pages = {TOWN: "# Town hall\n\nThe mayor of Brill is Ada Stone since 2024."}


@EVERY_ROW
def test_a_reranker_that_fails_leaves_the_order_and_the_answer(
    opened: Any, platform: StandIn, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    platform.fault("/rerank", complaint(row), times=-1)
    hits = opened().search(BUILT)
    pipe = opened(retrieve="rerank: zai")
    assert pipe.search(BUILT) == hits
    assert "their order stands" in caplog.text
    assert len(platform.calls("/rerank")) == row.calls
    assert pipe.ask(BUILT).text == SENTENCE


@EVERY_ROW
def test_a_web_search_that_fails_is_a_remark(opened: Any, platform: StandIn, row: Row) -> None:
    platform.fault("/web_search", complaint(row), times=-1)
    answer = opened("fallback: web").ask(MAYOR)
    assert (answer.origin, answer.citations) == ("none", ())
    assert len(platform.calls("/web_search")) == row.calls
    if row.code == "1703":
        assert not answer.remarks
        return
    (remark,) = answer.remarks
    assert "the web could not be searched" in remark
    assert row.name.removeprefix("HTTP-") in remark
    assert platform.key not in remark


@EVERY_ROW
def test_a_page_that_the_reader_cannot_read_is_used_as_far_as_the_search_tells_of_it(
    opened: Any, platform: StandIn, row: Row
) -> None:
    platform.fault("/reader", complaint(row), times=-1)
    answer = opened("fallback: web").ask(MAYOR)
    assert answer.origin == "web"
    assert [(one.url, one.verified) for one in answer.citations] == [(TOWN, True)]
    assert "Ada Stone" in answer.citations[0].quote
    assert len(platform.calls("/reader")) == (2 if row.code == "1234" else row.calls)
    assert any(TOWN in remark or "example.com" in remark for remark in answer.remarks)
    assert platform.key not in "".join(answer.remarks)


@pytest.mark.parametrize("path", ["/web_search", "/reader", "/rerank"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "again"], ids=lambda row: row.name)
def test_what_may_pass_costs_no_more_than_another_call(opened: Any, platform: StandIn, row: Row, path: str) -> None:
    platform.fault(path, complaint(row), times=1)
    answer = opened("fallback: web", retrieve="rerank: zai").ask(MAYOR)
    assert answer.origin == "web"
    assert not answer.remarks
    asked = platform.calls(path)
    assert [call.status == 200 for call in asked[:2]] == [False, True]


def test_a_search_without_a_result_is_said(opened: Any, platform: StandIn) -> None:
    platform.web = []
    answer = opened("fallback: web").ask(MAYOR)
    assert (answer.origin, answer.text) == ("none", "Neither the documents nor the web say.")
    assert not platform.calls("/reader")


def test_a_page_that_is_empty_for_the_reader_is_a_remark(opened: Any, platform: StandIn) -> None:
    platform.pages = {TOWN: ""}
    answer = opened("fallback: web").ask(MAYOR)
    assert answer.origin == "web"
    assert any("found nothing on the page" in remark for remark in answer.remarks)


@pytest.mark.parametrize(
    "fault",
    [faults.hang(), faults.malformed(), faults.truncated(), faults.reset()],
    ids=["hang", "malformed", "truncated", "reset"],
)
@pytest.mark.parametrize("path", ["/web_search", "/reader"])
def test_a_web_that_hangs_or_babbles_costs_no_answer(
    opened: Any, platform: StandIn, path: str, fault: faults.Fault
) -> None:
    platform.fault(path, fault, times=-1)
    answer = opened("fallback: web", "web: {service: {read_seconds: 0.2}}").ask(MAYOR)
    assert answer.origin == ("none" if path == "/web_search" else "web")
    assert answer.remarks
    assert 2 <= len(platform.calls(path)) <= 5


@pytest.mark.parametrize(
    "names", [("search_result",), ("search_result.link",), ("search_result.content", "search_result.title")], ids=str
)
def test_results_that_lack_fields_are_no_results(opened: Any, platform: StandIn, names: tuple[str, ...]) -> None:
    platform.fault("/web_search", faults.without(*names), times=-1)
    platform.pages = {}
    answer = opened("fallback: web").ask(MAYOR)
    assert (answer.origin, answer.citations) == ("none", ())
