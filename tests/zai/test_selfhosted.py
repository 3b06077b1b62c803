"""GLM-OCR on a server of one's own."""

from typing import Any

import pytest
from quick_retries import quick_retries as quick_retries
from raw_service import RawService, reply
from standin import StandIn, faults, printing

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._zai import selfhosted
from docpipe._zai.selfhosted import GlmocrServer, RegionReader
from docpipe.errors import BadReply, Refused, Unauthorized, Unavailable

pytestmark = pytest.mark.usefixtures("quick_retries")

SENTENCE = "The ferry carried 412,000 passengers in 2024. It was the best year since the pier was built again."
SHEET = printing.sheet(
    [("text", SENTENCE), ("table", [["Route", "Crossings"], ["North pier", "4,380"]]), ("formula", "E = m c2 + k")]
)


def crop(number: int) -> bytes:
    """An element at 200 dpi, white around it up to sides of whole steps."""
    import pymupdf

    left, top, right, bottom = SHEET.elements[number]["box"]
    with pymupdf.open(stream=printing.scan([SHEET], dpi=150)) as document:
        page = document[0]
        width, height = page.rect.width, page.rect.height
        box = pymupdf.Rect(left * width - 3, top * height - 3, right * width + 3, bottom * height + 3)
        cut = page.get_pixmap(dpi=200, clip=box, alpha=False)
    cut.set_origin(0, 0)
    around = pymupdf.Pixmap(
        cut.colorspace, pymupdf.IRect(0, 0, *(max(112, -(-side // 28) * 28) for side in cut.irect[2:]))
    )
    around.clear_with(255)
    around.copy(cut, cut.irect)
    return bytes(around.tobytes("jpeg"))


def reader(platform: StandIn, api: Any, **options: Any) -> RegionReader:
    base_url = platform.host_url + ("/v1" if api == "openai" else "")
    return RegionReader(Endpoint(base_url=base_url, **options), api=api, model="glm-ocr")


@pytest.mark.parametrize("api", ["openai", "ollama"])
@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [(0, "text", SENTENCE), (1, "table", "<td>North pier</td><td>4,380</td>"), (2, "formula", "E = m c2 + k")],
    ids=["text", "table", "formula"],
)
def test_a_region_is_read(number: int, kind: Any, text: str, api: str, platform: StandIn) -> None:
    read = loop.wait(reader(platform, api).read(crop(number), kind))
    assert text in " ".join(read.split())


def test_pages_are_read_by_the_glmocr_server_with_boxes_and_no_sizes(platform: StandIn) -> None:
    image = printing.image(SHEET, dpi=100)
    server = GlmocrServer(Endpoint(base_url=platform.host_url))
    read = loop.wait(server.parse([(image, "image/png"), (image, "image/png")]))
    assert len(read.pages) == 2
    assert read.sizes == (None, None)
    assert "4,380" in read.markdown
    box = read.pages[1][0]["bbox_2d"]
    assert box == [round(value * 1000) for value in SHEET.elements[0]["box"]]


def test_the_platforms_key_never_goes_to_another_server(platform: StandIn) -> None:
    loop.wait(reader(platform, "openai").read(crop(0), "text"))
    assert "authorization" not in {name.lower() for name in platform.calls()[0].headers}


def test_a_server_with_a_key_of_its_own_is_sent_that_one(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unauthorized, match="MY_SERVER_KEY is not set"):
        loop.wait(reader(platform, "openai", key="MY_SERVER_KEY").read(crop(0), "text"))
    monkeypatch.setenv("MY_SERVER_KEY", "open-sesame")
    loop.wait(reader(platform, "openai", key="MY_SERVER_KEY").read(crop(0), "text"))
    headers = {name.lower(): value for name, value in platform.calls()[0].headers.items()}
    assert headers["authorization"] == "Bearer open-sesame"


def test_an_address_for_the_platform_is_not_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawService([reply({"status": "ok"})]) as raw:
        monkeypatch.setenv("ZAI_BASE_URL", "http://127.0.0.1:1")
        loop.wait(GlmocrServer(Endpoint(base_url=raw.base_url)).health())
    assert raw.asked[0].path == "/health"


def test_memory_that_ran_out_once_is_no_failure(platform: StandIn) -> None:
    platform.fault("/glmocr/parse", faults.http_error(500, shape="string", message="out of memory"), times=1)
    server = GlmocrServer(Endpoint(base_url=platform.host_url))
    assert loop.wait(server.parse([(printing.image(SHEET, dpi=100), "image/png")])).pages
    platform.fault("/glmocr/parse", faults.http_error(500, shape="string", message="out of memory"), times=9)
    with pytest.raises(Unavailable, match="out of memory"):
        loop.wait(server.parse([(printing.image(SHEET, dpi=100), "image/png")]))


def test_what_the_server_lists_decides_whether_it_has_the_model() -> None:
    for listing in ({"data": [{"id": "glm-4.6"}]}, {"models": [{"name": "llama:latest"}]}):
        with RawService([reply(listing)]) as raw, pytest.raises(Refused, match="no model 'glm-ocr'") as caught:
            loop.wait(RegionReader(Endpoint(base_url=raw.base_url), api="openai", model="glm-ocr").health())
        assert "set `model`" in caught.value.remedy
    with RawService([reply({"models": [{"name": "glm-ocr:latest"}]})]) as raw:
        loop.wait(RegionReader(Endpoint(base_url=raw.base_url), api="ollama", model="glm-ocr").health())
    assert raw.asked[0].path == "/api/tags"


@pytest.mark.parametrize(
    "payload",
    [{}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": None}]}, {"choices": "x"}],
    ids=str,
)
def test_what_is_no_completion_is_a_bad_reply(payload: dict[str, Any]) -> None:
    with pytest.raises(BadReply, match="no message") as caught:
        selfhosted.openai_text(payload)
    assert "`api`" in caught.value.remedy
    with pytest.raises(BadReply):
        selfhosted.ollama_text(payload)
    with pytest.raises(BadReply):
        selfhosted.server_reply(payload)


def test_an_empty_message_is_an_empty_text() -> None:
    assert selfhosted.openai_text({"choices": [{"message": {"content": None}}]}) == ""


@pytest.mark.parametrize(
    "payload",
    [
        {"json_result": [[{"bbox_2d": [1, 2, 3, 4], "width": 9, "height": 9}]], "data_info": {"pages": [{"width": 5}]}},
        {"json_result": '[[{"bbox_2d": [1, 2, 3, 4]}]]', "markdown_result": None},
        {"layout_details": [[{"bbox_2d": [1, 2, 3, 4]}]]},
    ],
    ids=["its names", "JSON as text", "the platform's names"],
)
def test_a_reply_of_the_glmocr_server_reads_like_the_platforms(payload: dict[str, Any]) -> None:
    read = selfhosted.server_reply(payload)
    assert read.pages == (({"bbox_2d": [1, 2, 3, 4]},),)
    assert read.sizes == (None,)
