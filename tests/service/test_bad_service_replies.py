"""Replies that are damaged, late or odd: asked for again, or told in words; never a hang, never a wrong answer."""

import time
from typing import Any, get_args

import pytest
from standin import Reply, StandIn, faults
from standin.refusals import Shape

from docpipe.errors import BadReply, OutOfCredit, ServiceError, Unavailable

pytestmark = pytest.mark.usefixtures("quick_retries")

CHAT = "/chat/completions"
BUILT = "When was the Brill lighthouse built?"
SENTENCE = "The Brill lighthouse was built in 1911 by Oda Linnet. [1]"
IMPATIENT = "service: {read_seconds: 0.2}"


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest) -> Any:
    return (lambda pipe: pipe.ask(BUILT)) if request.param == "whole" else lambda pipe: list(pipe.stream(BUILT))[-1]


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("status", [0, 200], ids=["as an error", "within a 200"])
def test_an_error_is_understood_in_every_shape(
    opened: Any, platform: StandIn, ask: Any, shape: Shape, status: int
) -> None:
    platform.fault(CHAT, faults.error("1113", shape=shape, status=status), times=-1)
    with pytest.raises(ServiceError) as caught:
        ask(opened())
    if not (status and shape == "plain"):  # what is no error and no JSON may be anybody's text: it is not repeated
        assert "Insufficient balance" in str(caught.value)
    assert "<" not in str(caught.value)
    assert caught.value.remedy
    if shape in ("nested", "flat", "integer", "msg"):
        assert isinstance(caught.value, OutOfCredit)
        assert len(platform.calls(CHAT)) == 1
    else:
        assert len(platform.calls(CHAT)) <= 5


DAMAGES = [
    pytest.param(faults.reset(), Unavailable, id="reset within the body"),
    pytest.param(faults.reset(after_bytes=0), Unavailable, id="reset at once"),
    pytest.param(faults.short_body(), Unavailable, id="shorter than promised"),
    pytest.param(faults.truncated(), BadReply, id="truncated JSON"),
    pytest.param(faults.malformed(), BadReply, id="malformed JSON"),
    pytest.param(faults.malformed(b""), BadReply, id="nothing"),
    pytest.param(faults.malformed(b"[]"), BadReply, id="a list"),
    pytest.param(faults.nested(100_000), BadReply, id="nested deep"),
    pytest.param(faults.Fault(body=b"<html><h1>Sign in</h1></html>", media_type="text/html"), BadReply, id="a page"),
    pytest.param(faults.http_error(502), Unavailable, id="a proxy's page"),
    pytest.param(faults.http_error(503, shape="plain"), Unavailable, id="plain text"),
    pytest.param(faults.http_error(504, shape="string"), Unavailable, id="an error that is a text"),
]


@pytest.mark.parametrize(("fault", "error"), DAMAGES)
def test_a_damaged_reply_is_asked_for_again(
    opened: Any, platform: StandIn, fault: faults.Fault, error: type[ServiceError]
) -> None:
    platform.fault(CHAT, fault, times=1)
    answer = opened().ask(BUILT)
    assert (answer.text, answer.partial, answer.remarks) == (SENTENCE, False, ())
    assert len(platform.calls(CHAT)) == 2


@pytest.mark.parametrize(("fault", "error"), DAMAGES)
def test_replies_that_stay_damaged_are_told(
    opened: Any, platform: StandIn, fault: faults.Fault, error: type[ServiceError]
) -> None:
    platform.fault(CHAT, fault, times=-1)
    with pytest.raises(error) as caught:
        opened().ask(BUILT)
    assert len(platform.calls(CHAT)) == (5 if error is Unavailable else 3)
    assert len(str(caught.value)) < 700
    assert caught.value.remedy
    assert "<" not in caught.value.message


@pytest.mark.parametrize(
    "fault", [faults.hang(), faults.hang(after_bytes=40), faults.drip(30.0)], ids=["mute", "part", "drip"]
)
def test_a_service_that_hangs_is_waited_for_as_long_as_told(
    opened: Any, platform: StandIn, fault: faults.Fault
) -> None:
    platform.fault(CHAT, fault, times=1)
    begun = time.monotonic()
    try:
        assert opened(IMPATIENT).ask(BUILT).text == SENTENCE
    finally:
        assert time.monotonic() - begun < 30


def test_a_service_that_always_hangs_is_told_with_the_option(opened: Any, platform: StandIn, ask: Any) -> None:
    platform.fault(CHAT, faults.hang(), times=-1)
    with pytest.raises(Unavailable, match="read_seconds"):
        ask(opened(IMPATIENT))
    assert len(platform.calls(CHAT)) == 3


def test_a_request_id_that_was_used_is_replaced(opened: Any, platform: StandIn, ask: Any) -> None:
    platform.fault(CHAT, faults.error("1231"), times=1)
    assert ask(opened()).text == SENTENCE
    assert len({call.request_id for call in platform.calls(CHAT)}) == 2


def test_without_usage_an_answer_is_an_answer(opened: Any, platform: StandIn, ask: Any) -> None:
    platform.fault(CHAT, faults.no_usage(), times=1)
    answer = ask(opened())
    assert (answer.text, answer.origin) == (SENTENCE, "documents")
    assert any("usage" in remark or "cost" in remark for remark in answer.remarks)


def test_a_conversation_survives_a_turn_that_failed(opened: Any, platform: StandIn) -> None:
    session = opened().session()
    assert session.ask(BUILT).text == SENTENCE
    kept = session.history
    platform.fault(CHAT, faults.error("1113"), times=-1)
    with pytest.raises(OutOfCredit):
        session.ask("When does the harbour of Brill freeze?")
    assert session.history == kept
    platform.mend()
    assert "hard winters" in session.ask("When does the harbour of Brill freeze?").text
    assert len(session.history) == 2


@pytest.mark.parametrize("content", [None, 7, [], {"text": "x"}], ids=["null", "a number", "a list", "an object"])
def test_a_message_without_a_text_is_no_answer(opened: Any, platform: StandIn, content: Any) -> None:
    def edit(payload: Any) -> Any:
        payload["choices"][0]["message"]["content"] = content
        return payload

    platform.fault(CHAT, faults.Fault(edit=edit), times=-1)
    try:
        answer = opened().ask(BUILT)
    except ServiceError as error:
        assert error.remedy
    else:
        assert (answer.origin, answer.citations) == ("none", ())


@pytest.mark.parametrize("reason", ["sensitive", "network_error", "model_context_window_exceeded", "length", "sunset"])
def test_every_way_to_end_is_told(opened: Any, platform: StandIn, ask: Any, reason: str) -> None:
    platform.script_chat(lambda body: Reply(text=f"{SENTENCE} Its lamp", finish=reason))
    answer = ask(opened())
    assert answer.text.startswith(SENTENCE)
    assert answer.partial is (reason != "sunset")
    assert answer.remarks
