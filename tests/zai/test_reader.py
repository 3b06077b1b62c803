"""Web reader: what is sent, and how pages of any form are read."""

from typing import Any

import pytest
from quick_retries import quick_retries as quick_retries
from standin import Refusal, StandIn, faults

from docpipe._http.endpoint import Endpoint
from docpipe._http.loop import wait
from docpipe._zai.reader import Reader, page
from docpipe._zai.values import WebPage
from docpipe.errors import BadReply, Refused, Unavailable

URL = "https://www.example.com/guides/hull-cleaning"


def test_a_whole_page_is_read() -> None:
    given = {
        "title": " Hull cleaning guide ", "description": "How and when.", "url": "https://www.example.com/final",
        "content": "# Hull cleaning guide\n", "metadata": {"keywords": "hull", "n": 3, "empty": ""},
        "external": {"stylesheet": {}}, "publishedTime": "2025-04-02T08:00:00Z", "links": {"a": "b"},
    }  # fmt: skip
    assert page({"reader_result": given}, URL) == WebPage(
        url="https://www.example.com/final",
        title="Hull cleaning guide",
        content="# Hull cleaning guide\n",
        description="How and when.",
        published="2025-04-02",
        metadata={"keywords": "hull"},
    )


@pytest.mark.parametrize("url", [None, 7, "http://10.0.0.1/", "file:///etc/passwd", ""])
def test_a_page_keeps_the_address_it_was_asked_by(url: Any) -> None:
    assert page({"reader_result": {"content": "x", "url": url}}, URL).url == URL


@pytest.mark.parametrize(
    "payload",
    [{}, {"reader_result": None}, {"reader_result": []}, {"reader_result": {}}, {"reader_result": {"content": " \n"}},
     {"reader_result": {"content": ["x"]}}],
)  # fmt: skip
def test_a_page_without_text_is_an_error_with_a_remedy(payload: dict[str, Any]) -> None:
    with pytest.raises(BadReply, match="web reader") as caught:
        page(payload, URL)
    assert "login" in caught.value.remedy


def test_the_platform_is_asked_for_markdown_without_pictures(platform: StandIn) -> None:
    platform.pages[URL] = "# Guide\n\nClean the hull.\n\n![Brush](https://www.example.com/brush.png)\n"
    read = wait(Reader(Endpoint()).read("HTTPS://www.example.com/guides/./hull-cleaning#top", timeout=7))
    assert (read.url, read.title) == (URL, "Guide")
    assert "brush.png" not in read.content
    sent = dict(platform.calls("/reader")[0].body)
    assert 6 <= len(sent.pop("request_id")) <= 64
    assert sent == {
        "url": URL, "timeout": 7, "no_cache": False, "return_format": "markdown", "retain_images": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://intranet/", "ftp://example.com/", "http://169.254.169.254/"]
)
def test_no_private_address_is_given_away(platform: StandIn, url: str) -> None:
    with pytest.raises(Refused):
        wait(Reader(Endpoint()).read(url))
    assert platform.calls("/reader") == []


def test_an_unreadable_page_is_tried_twice(platform: StandIn, quick_retries: None) -> None:
    platform.pages[URL] = Refusal(code="1234")
    with pytest.raises(Unavailable) as caught:
        wait(Reader(Endpoint()).read(URL))
    assert caught.value.code == "1234"
    assert len(platform.calls("/reader")) == 2
    platform.pages[URL] = Refusal(code="1210")
    with pytest.raises(Refused):
        wait(Reader(Endpoint()).read(URL))
    assert len(platform.calls("/reader")) == 3


def test_an_account_without_a_reader_is_told_so(platform: StandIn) -> None:
    platform.fault("/reader", faults.error("1211"), times=1)
    with pytest.raises(Refused) as caught:
        wait(Reader(Endpoint()).read(URL))
    assert "no web reader" in caught.value.remedy


def test_we_wait_longer_than_the_reader(platform: StandIn, quick_retries: None) -> None:
    platform.pages[URL] = "# Slow\n"
    platform.latency("/reader", 0.4)
    with pytest.raises(Unavailable):
        wait(Reader(Endpoint(read_seconds=0.1, attempts=1)).read(URL, timeout=1))
    assert wait(Reader(Endpoint()).read(URL, timeout=1)).content
