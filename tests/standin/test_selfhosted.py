"""GLM-OCR as people run it themselves: its servers' own rules."""

import base64
from typing import Any

import httpx
import pytest
from standin import StandIn, faults, printing
from standin_requests import chat, data_uri

SHEET = printing.sheet(
    [
        ("header", "Harbour Lights"),
        (
            "text",
            "The ferry carried 412,000 passengers in 2024. It was the best year since the pier was built again. " * 2,
        ),
        ("table", [["Route", "Crossings"], ["North pier", "4,380"], ["Lighthouse", "2,190"]]),
        ("formula", "E = m c2 + k"),
        ("figure", 120),
    ]
)
OTHERS = printing.book(6, seed=9)


@pytest.fixture(scope="module", autouse=True)
def _printed() -> None:
    for sheet in [*OTHERS, SHEET]:
        printing.image(sheet, dpi=50)


def region(number: int, *, dpi: int = 200, step: int = 28) -> bytes:
    """An element of the sheet as a JPEG with sides of whole steps, white around it."""
    import pymupdf

    whole = pymupdf.Pixmap(printing.image(SHEET, dpi=dpi, colour=True))
    x0, y0, x1, y1 = SHEET.elements[number]["box"]
    edge = 5
    box = pymupdf.IRect(
        int(x0 * whole.width) - edge,
        int(y0 * whole.height) - edge,
        int(x1 * whole.width) + edge,
        int(y1 * whole.height) + edge,
    )
    cut = pymupdf.Pixmap(whole.colorspace, box)
    cut.copy(whole, box)
    cut.set_origin(0, 0)
    sides = [max(4, -(-side // step)) * step for side in (box.width, box.height)]
    around = pymupdf.Pixmap(whole.colorspace, pymupdf.IRect(0, 0, *sides))
    around.clear_with(255)
    around.copy(cut, cut.irect)
    return bytes(around.tobytes("jpeg"))


def body(image: bytes, prompt: str = "Text Recognition:", **fields: Any) -> dict[str, Any]:
    parts = [
        {"type": "image_url", "image_url": {"url": data_uri(image, "image/jpeg")}},
        {"type": "text", "text": prompt},
    ]
    limits = {"max_tokens": 8192, "temperature": 0.0, "top_p": 1e-05, "top_k": 1, "repetition_penalty": 1.1}
    return {"model": "glm-ocr", "messages": [{"role": "user", "content": parts}], **limits, **fields}


def post(platform: StandIn, path: str, content: Any) -> httpx.Response:
    return httpx.post(platform.host_url + path, json=content, timeout=30)


@pytest.mark.parametrize("dpi", [120, 200, 260])
@pytest.mark.parametrize(
    ("number", "prompt"),
    [(0, "Text Recognition:"), (1, "Text Recognition:"), (2, "Table Recognition:"), (3, "Formula Recognition:")],
    ids=["header", "paragraph", "table", "formula"],
)
def test_a_region_is_read(platform: StandIn, number: int, prompt: str, dpi: int) -> None:
    reply = post(platform, "/v1/chat/completions", body(region(number, dpi=dpi), prompt))
    assert reply.status_code == 200, reply.text
    text = reply.json()["choices"][0]["message"]["content"]
    wanted = SHEET.elements[number]["content"].removeprefix("$$\n").removesuffix("\n$$")
    assert " ".join(text.split()) == " ".join(wanted.split())


def test_a_figure_gives_nothing_and_a_whole_page_its_text(platform: StandIn) -> None:
    def text(image: bytes) -> str:
        reply = post(platform, "/v1/chat/completions", body(image))
        return str(reply.json()["choices"][0]["message"]["content"])

    assert text(region(4)) == ""
    page = _resized(printing.image(SHEET, dpi=150, colour=True), 1232, 1736)
    assert "Harbour Lights" in text(page) and "North pier" in text(page)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        pytest.param({"model": "glm-5"}, 404, "does not exist", id="model"),
        pytest.param({"messages": [*chat("a")["messages"], *chat("b")["messages"]]}, 400, "one user message", id="two"),
        pytest.param({"thinking_budget": 1}, 400, "unknown field", id="unknown field"),
    ],
)
def test_a_model_server_s_rules(platform: StandIn, change: dict[str, Any], status: int, words: str) -> None:
    reply = post(platform, "/v1/chat/completions", body(region(1)) | change)
    assert reply.status_code == status and words in reply.json()["error"]["message"]


def test_prompt_order_and_picture_must_be_right(platform: StandIn) -> None:
    def refusal(content: dict[str, Any]) -> str:
        reply = post(platform, "/v1/chat/completions", content)
        assert reply.status_code == 400
        return str(reply.json()["error"]["message"])

    turned = body(region(1))
    turned["messages"][0]["content"].reverse()
    assert "image comes first" in refusal(turned)
    assert "unknown prompt" in refusal(body(region(1), "OCR this"))
    assert "multiples of 28" in refusal(body(region(1, step=30)))
    assert "not a JPEG" in refusal(body(printing.image(SHEET)))


def test_ollama_reads_regions_too(platform: StandIn) -> None:
    asked: dict[str, Any] = {
        "model": "glm-ocr:latest",
        "prompt": "Table Recognition:",
        "images": [base64.b64encode(region(2)).decode()],
        "stream": False,
        "options": {"num_predict": 8192, "temperature": 0.0, "top_p": 1e-05, "top_k": 1, "repeat_penalty": 1.1},
    }
    reply = post(platform, "/api/generate", asked).json()
    assert (reply["response"], reply["done"]) == (SHEET.elements[2]["content"], True)
    assert post(platform, "/api/generate", asked | {"model": "llama"}).json() == {"error": "model 'llama' not found"}
    assert post(platform, "/api/generate", asked | {"stream": True}).status_code == 400


def test_the_glmocr_server_speaks_in_thousandths_without_sizes(platform: StandIn) -> None:
    images = [data_uri(printing.image(sheet), "image/png") for sheet in (SHEET, OTHERS[0])]
    reply = post(platform, "/glmocr/parse", {"images": images}).json()
    element = reply["json_result"][0][0]
    assert reply["layout_details"] == reply["json_result"] and reply["md_results"] == reply["markdown_result"]
    assert element["bbox_2d"] == [round(value * 1000) for value in SHEET.elements[1]["box"]]
    assert (element["native_label"], element["index"], "width" in element) == ("text", 0, False)
    assert (reply["usage"], reply["data_info"], len(reply["json_result"])) == ({}, {"pages": []}, 2)
    assert platform.calls()[0].path == "/glmocr/parse"


def test_the_glmocr_server_skips_what_it_cannot_load_and_says_nothing(platform: StandIn) -> None:
    pdf = data_uri(printing.scan([SHEET]), "application/pdf")
    for file in (pdf, "https://www.example.com/a.png"):
        assert post(platform, "/glmocr/parse", {"file": file}).json()["json_result"] == []
    platform.spoil(SHEET.number, "empty")
    image = data_uri(printing.image(SHEET), "image/png")
    assert post(platform, "/glmocr/parse", {"images": [image]}).json()["json_result"] == [[]]


def test_the_glmocr_server_wants_its_content_type_to_the_letter(platform: StandIn) -> None:
    url, headers = f"{platform.host_url}/glmocr/parse", {"Content-Type": "application/json; charset=utf-8"}
    reply = httpx.post(url, content=b'{"images": []}', headers=headers)
    assert reply.status_code == 400 and "Content-Type" in reply.json()["error"]
    assert httpx.get(f"{platform.host_url}/health").json() == {"status": "ok"}


def test_faults_meet_self_hosted_servers_too(platform: StandIn) -> None:
    platform.fault("/glmocr/parse", faults.http_error(500, shape="string", message="out of memory"))
    image = data_uri(printing.image(SHEET), "image/png")
    assert post(platform, "/glmocr/parse", {"images": [image]}).json() == {"error": "out of memory"}


def _resized(image: bytes, width: int, height: int) -> bytes:
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        page.insert_image(page.rect, stream=image, keep_proportion=False)
        return bytes(page.get_pixmap().tobytes("jpeg"))
