"""Layout parsing: what is sent, and replies with fields missing, flat or odd."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults, printing

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._zai.layout_parsing import LayoutParsing, LayoutReply, body, reply
from docpipe.errors import BadReply, OutOfCredit, Refused, Unavailable

PATH = "/layout_parsing"
SHEETS = [printing.sheet([("title", "Ferry report"), ("text", "The ferry carried 412,000 passengers in 2024.")])]
ELEMENT: dict[str, Any] = {"index": 0, "label": "text", "content": "a", "bbox_2d": [1, 2, 3, 4]}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["index", "pages", "width", "height", "label"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def parse(platform: StandIn, data: bytes = b"", media_type: str = "application/pdf") -> LayoutReply:
    service = LayoutParsing(Endpoint(base_url=platform.base_url))
    return loop.wait(service.parse(data or printing.text_pdf(SHEETS), media_type))


def test_a_file_is_sent_as_a_data_uri() -> None:
    sent = body(b"\xff\xd8\xff", "image/jpeg")
    assert sent == {"model": "glm-ocr", "file": "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xff").decode()}
    assert body(b"", "image/png", crops=True)["return_crop_images"] is True


def test_pages_come_with_their_elements_and_sizes(platform: StandIn) -> None:
    found = parse(platform)
    assert len(found.pages) == len(found.sizes) == 1
    assert any("412,000" in str(element.get("content")) for element in found.pages[0])
    size = found.sizes[0]
    assert size is not None and size[0] > 100
    assert "412,000" in found.markdown
    assert found.tokens.prompt > 0
    assert found.request_id == platform.calls(PATH)[0].request_id


@pytest.mark.parametrize(
    ("payload", "pages", "sizes"),
    [
        pytest.param({"layout_details": [[ELEMENT], []]}, ((ELEMENT,), ()), (None, None), id="no-sizes"),
        pytest.param({"layout_details": [ELEMENT]}, ((ELEMENT,),), (None,), id="flat-list-is-one-page"),
        pytest.param({"layout_details": [None, [None, ELEMENT, 3]]}, ((), (ELEMENT,)), (None, None), id="nulls"),
        pytest.param({"layout_details": None, "md_results": "a"}, (), (), id="markdown-only"),
        pytest.param({"layout_details": [], "md_results": None}, (), (), id="blank"),
        pytest.param(
            {"layout_details": [[], []], "data_info": {"pages": [{"width": 10, "height": 20}]}},
            ((), ()),
            ((10.0, 20.0), None),
            id="one-size-for-two-pages",
        ),
        pytest.param(
            {"layout_details": [[]], "data_info": {"pages": [{"width": 0, "height": None}, {"width": 1}]}},
            ((),),
            (None,),
            id="sizes-that-are-none",
        ),
        pytest.param(
            {"layout_details": [[]], "data_info": {"pages": [{"width": float("inf"), "height": 3}]}},
            ((),),
            (None,),
            id="endless-size",
        ),
        pytest.param({"layout_details": [[]], "data_info": [1]}, ((),), (None,), id="info-is-a-list"),
        pytest.param({"layout_details": [[]], "usage": None}, ((),), (None,), id="no-usage"),
    ],
)
def test_what_is_missing_is_left_open(payload: dict[str, Any], pages: Any, sizes: Any) -> None:
    found = reply(payload)
    assert (found.pages, found.sizes) == (pages, sizes)


def test_elements_are_put_in_the_order_of_their_index_where_all_have_one() -> None:
    first, second, bare = ELEMENT, {**ELEMENT, "index": 1}, {"content": "b"}
    assert reply({"layout_details": [[second, first]]}).pages[0] == (first, second)
    assert reply({"layout_details": [[second, bare, first]]}).pages[0] == (second, bare, first)


@pytest.mark.parametrize("payload", [{}, {"id": "1", "model": "GLM-OCR"}, {"md_results": None}], ids=str)
def test_a_reply_about_something_else_is_told(payload: dict[str, Any]) -> None:
    with pytest.raises(BadReply, match="neither `layout_details` nor `md_results`"):
        reply(payload)


@given(details=ODD, markdown=ODD, info=ODD, usage=ODD)
def test_no_reply_is_too_odd_to_be_judged(details: Any, markdown: Any, info: Any, usage: Any) -> None:
    payload = {"layout_details": details, "md_results": markdown, "data_info": info, "usage": usage}
    try:
        found = reply(payload)
    except BadReply:
        return
    assert len(found.pages) == len(found.sizes)
    assert isinstance(found.markdown, str)


@pytest.mark.parametrize(
    ("fault", "kind", "calls"),
    [
        pytest.param(faults.error("1113"), OutOfCredit, 1, id="no-money"),
        pytest.param(faults.error("1301"), Refused, 1, id="content-policy"),
        pytest.param(faults.http_error(413), Refused, 1, id="too-large-for-the-gateway"),
        pytest.param(faults.http_error(435), Refused, 1, id="over-100-mb"),
        pytest.param(faults.error("1234"), Unavailable, 5, id="network-inside"),
        pytest.param(faults.short_body(), Unavailable, 5, id="cut-off"),
    ],
)
def test_errors_are_ours_and_show_nothing_of_the_file(
    platform: StandIn, quick_retries: None, fault: faults.Fault, kind: type[Exception], calls: int
) -> None:
    platform.fault(PATH, fault, times=-1)
    with pytest.raises(kind) as caught:
        parse(platform)
    assert len(platform.calls(PATH)) == calls
    assert "base64" not in str(caught.value) and "JVBER" not in str(caught.value)


def test_a_type_that_it_does_not_read_is_refused_by_the_service(platform: StandIn) -> None:
    with pytest.raises(Refused) as caught:
        parse(platform, b"GIF89a" + b"\0" * 40, "image/gif")
    assert caught.value.code == "1214"
