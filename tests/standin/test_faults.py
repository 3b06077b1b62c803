"""Every bad behaviour on demand, and no other."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from standin import Fault, Refusal, StandIn, faults
from standin.refusals import TABLE
from standin_requests import chat, code_of, post

CHAT = "/chat/completions"
ASK = chat("[1] The ferry is red.", "Is the ferry red?")


def streamed(platform: StandIn) -> str:
    return post(platform, CHAT, {**ASK, "stream": True}).text


def events_of(text: str) -> list[Any]:
    lines = [line[6:] for line in text.split("\n") if line.startswith("data: ") and line != "data: [DONE]"]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("code", TABLE)
def test_every_code_has_its_status_and_message(platform: StandIn, code: str) -> None:
    platform.fault(CHAT, faults.error(code))
    reply = post(platform, CHAT, ASK)
    assert (reply.status_code, reply.json()) == (TABLE[code][0], {"error": {"code": code, "message": TABLE[code][1]}})
    assert post(platform, CHAT, ASK).status_code == 200


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("flat", {"code": 1302, "message": "no"}),
        ("integer", {"error": {"code": 1302, "message": "no"}}),
        ("msg", {"code": 1302, "msg": "no", "success": False}),
        ("string", {"error": "no"}),
    ],
)
def test_errors_come_in_every_shape(platform: StandIn, shape: Any, body: Any) -> None:
    platform.fault(CHAT, faults.error("1302", shape=shape, message="no", retry_after="7"))
    reply = post(platform, CHAT, ASK)
    assert (reply.status_code, reply.json(), reply.headers["retry-after"]) == (429, body, "7")


def test_a_proxy_answers_with_a_page(platform: StandIn) -> None:
    platform.fault(CHAT, faults.http_error(502))
    reply = post(platform, CHAT, ASK)
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html")
    assert reply.text.startswith("<html>")


def test_an_error_can_hide_behind_200(platform: StandIn) -> None:
    platform.fault(CHAT, faults.error_in_200("1234"))
    reply = post(platform, CHAT, ASK)
    assert (reply.status_code, reply.json()["error"]["code"]) == (200, "1234")


@pytest.mark.parametrize("fault", [faults.reset(), faults.reset(after_bytes=0), faults.short_body()])
def test_a_connection_breaks(platform: StandIn, fault: Fault) -> None:
    platform.fault(CHAT, fault)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post(platform, CHAT, ASK)
    assert post(platform, CHAT, ASK).status_code == 200


@pytest.mark.parametrize("fault", [faults.truncated(), faults.malformed()])
def test_json_is_broken_in_a_whole_answer(platform: StandIn, fault: Fault) -> None:
    platform.fault(CHAT, fault)
    reply = post(platform, CHAT, ASK)
    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        reply.json()


def test_an_answer_is_huge_or_deep(platform: StandIn) -> None:
    platform.fault(CHAT, faults.huge(3_000_000))
    assert len(post(platform, CHAT, ASK).content) > 3_000_000
    platform.fault(CHAT, faults.nested(50_000))
    assert post(platform, CHAT, ASK).content.startswith(b"[[[[")


@pytest.mark.parametrize("after", [0, 20])
def test_silence_ends_with_the_client_s_patience(platform: StandIn, after: int) -> None:
    platform.fault(CHAT, faults.hang(after_bytes=after))
    with httpx.Client(timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
        client.post(platform.base_url + CHAT, json=ASK, headers={"Authorization": f"Bearer {platform.key}"})


@pytest.mark.parametrize("events", [0, 2])
def test_a_stream_falls_silent(platform: StandIn, events: int) -> None:
    platform.fault(CHAT, faults.hang(after_events=events))
    headers = {"Authorization": f"Bearer {platform.key}"}
    got = ""
    asked = {"json": {**ASK, "stream": True}, "headers": headers}
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(timeout=0.2) as client,
        client.stream("POST", platform.base_url + CHAT, **asked) as reply,
    ):
        for text in reply.iter_text():
            got += text
    assert got.count("data: ") == events


def test_a_stream_drips(platform: StandIn) -> None:
    platform.fault(CHAT, faults.drip(50_000))
    assert events_of(streamed(platform))[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_drip_takes_its_time(platform: StandIn) -> None:
    platform.fault(CHAT, Fault(body=b"[1, 2, 3]", manner="drip", rate=100, after_bytes=0))
    started = time.monotonic()
    assert post(platform, CHAT, ASK).json() == [1, 2, 3]
    assert time.monotonic() - started > 0.08


def test_a_stream_is_cut(platform: StandIn) -> None:
    whole = events_of(streamed(platform))
    platform.fault(CHAT, faults.cut_stream(after_events=3))
    text = streamed(platform)
    assert len(events_of(text)) == 3 < len(whole) and "[DONE]" not in text
    platform.fault(CHAT, faults.cut_stream(after_events=3, within=True))
    text = streamed(platform)
    assert text.count("data: ") == 4 and not text.endswith("\n")
    platform.fault(CHAT, faults.cut_stream(after_events=2, done=True))
    assert streamed(platform).endswith("data: [DONE]\n\n")
    platform.fault(CHAT, faults.cut_stream(after_events=2, by_reset=True))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        streamed(platform)


def test_a_stream_has_no_done_line(platform: StandIn) -> None:
    platform.fault(CHAT, faults.no_done())
    text = streamed(platform)
    assert "[DONE]" not in text
    assert events_of(text)[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_stream_has_events_that_mean_nothing(platform: StandIn) -> None:
    platform.fault(CHAT, faults.null_choices(at=1))
    assert events_of(streamed(platform))[1]["choices"] is None
    platform.fault(CHAT, faults.broken_line(at=1))
    with pytest.raises(ValueError, match="Unterminated"):
        events_of(streamed(platform))
    platform.fault(CHAT, faults.comments())
    assert streamed(platform).startswith(": keep-alive\n")


def test_a_stream_ends_with_an_error_event(platform: StandIn) -> None:
    platform.fault(CHAT, faults.error_event("1234", at=2))
    text = streamed(platform)
    assert events_of(text)[2]["error"]["code"] == "1234" and len(events_of(text)) == 3 and "[DONE]" not in text


@pytest.mark.parametrize("reason", ["network_error", "sensitive", "model_context_window_exceeded", "odd", "", None])
def test_an_answer_ends_for_another_reason(platform: StandIn, reason: str | None) -> None:
    platform.fault(CHAT, faults.finish(reason, keep=2), times=2)
    assert events_of(streamed(platform))[2]["choices"][0]["finish_reason"] == reason
    assert post(platform, CHAT, ASK).json()["choices"][0]["finish_reason"] == reason


def test_usage_is_missing_or_everywhere(platform: StandIn) -> None:
    platform.fault(CHAT, faults.no_usage(), times=2)
    assert "usage" not in post(platform, CHAT, ASK).json()
    assert not any("usage" in event for event in events_of(streamed(platform)))
    platform.fault(CHAT, faults.usage_everywhere())
    counts = [event["usage"]["completion_tokens"] for event in events_of(streamed(platform))]
    assert counts[0] == 0 and counts[-1] > 5


def test_the_last_words_come_with_the_finish_reason(platform: StandIn) -> None:
    platform.fault(CHAT, faults.last_words_in_final_event())
    last = events_of(streamed(platform))[-1]["choices"][0]
    assert (last["delta"]["content"], last["finish_reason"]) == (" [1]", "stop")


def test_fields_are_left_out(platform: StandIn) -> None:
    platform.pages["https://www.example.com/"] = "# Hello"
    platform.fault("/reader", faults.without("reader_result.title", "id"))
    reply = post(platform, "/reader", {"url": "https://www.example.com/"}).json()
    assert "id" not in reply and "title" not in reply["reader_result"] and reply["reader_result"]["content"]


def test_faults_wait_repeat_choose_and_are_mended(platform: StandIn) -> None:
    platform.fault(CHAT, faults.error("500"), times=2, after=1)
    assert [code_of(post(platform, CHAT, ASK)) for _ in range(4)] == ["", "500", "500", ""]
    platform.fault(CHAT, Fault(code="1301", when=lambda body: "poison" in str(body)), times=-1)
    assert [code_of(post(platform, CHAT, chat(word))) for word in ("water", "poison", "poison")] == ["", "1301", "1301"]
    platform.mend()
    assert code_of(post(platform, CHAT, chat("poison"))) == ""


def test_a_malformed_request_does_not_use_up_a_fault(platform: StandIn) -> None:
    platform.fault(CHAT, faults.error("1234"))
    assert code_of(post(platform, CHAT, {**ASK, "temperature": 3})) == "1214"
    assert code_of(post(platform, CHAT, ASK)) == "1234"


def test_too_many_at_once_are_refused_with_1302(platform: StandIn) -> None:
    platform.allow(CHAT, 3)
    platform.latency(CHAT, 0.2)

    async def ask_all() -> list[str]:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {platform.key}"}) as client:
            replies = await asyncio.gather(*(client.post(platform.base_url + CHAT, json=ASK) for _ in range(5)))
        return [code_of(reply) for reply in replies]

    assert sorted(asyncio.run(ask_all())) == ["", "", "", "1302", "1302"]
    assert code_of(post(platform, CHAT, ASK)) == ""


def test_a_page_of_the_web_cannot_be_read(platform: StandIn) -> None:
    address = "https://www.example.com/gone"
    assert post(platform, "/reader", {"url": address}).json()["reader_result"]["content"] == ""
    platform.unreadable("1234")
    assert code_of(post(platform, "/reader", {"url": address})) == "1234"
    platform.pages[address] = Refusal(code="1210")
    assert code_of(post(platform, "/reader", {"url": address})) == "1210"
