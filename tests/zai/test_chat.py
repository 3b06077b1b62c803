"""Chat completions: what is sent, and every odd reply that the contract tells of."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick_retries import quick_retries as quick_retries
from standin import Reply, StandIn, faults

from docpipe._http import loop
from docpipe._http.endpoint import Endpoint
from docpipe._zai.chat import Chat, body, delta, joined, own_body, reply, says_something, tokens
from docpipe._zai.values import ChatDelta, ChatReply, ChatRequest, Message, Tokens, ToolCall, ToolPiece
from docpipe.errors import BadReply, InvalidOption, OutOfCredit, Refused, ServiceError, Unauthorized, Unavailable

PATH = "/chat/completions"
ASKED = (Message(role="system", content="Be brief."), Message(role="user", content="What is a pump?"))
SEARCH: Mapping[str, Any] = {
    "type": "function",
    "function": {"name": "search_documents", "description": "Search.", "parameters": {"type": "object"}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("choices", "message", "delta", "content", "reasoning_content", "finish_reason", "index", "id", "model"),
        *("tool_calls", "function", "name", "arguments", "usage", "prompt_tokens", "prompt_tokens_details"),
        *("cached_tokens", "request_id"),
    ]
)
PAYLOADS = st.recursive(
    JSON, lambda inner: st.dictionaries(NAMES, inner, max_size=5) | st.lists(inner, max_size=2), max_leaves=25
)


def request(**options: Any) -> ChatRequest:
    return ChatRequest(model="glm-4.6", **{"messages": ASKED, **options})


def complete(platform: StandIn, **options: Any) -> ChatReply:
    return loop.wait(Chat(Endpoint(base_url=platform.base_url)).complete(request(**options)))


def stream(platform: StandIn, **options: Any) -> list[ChatDelta]:
    return list(loop.iterate(Chat(Endpoint(base_url=platform.base_url)).stream(request(**options))))


def text_of(pieces: list[ChatDelta]) -> str:
    return "".join(piece.text for piece in pieces)


def test_only_what_is_set_is_sent() -> None:
    assert body(request(), stream=False) == {
        "model": "glm-4.6",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a pump?"}],
    }


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        pytest.param({"max_tokens": 9}, {"max_tokens": 9}, id="max-tokens"),
        pytest.param({"temperature": 0.123}, {"temperature": 0.12}, id="two-decimals"),
        pytest.param({"greedy": True, "temperature": 0.5}, {"do_sample": False}, id="greedy-needs-no-temperature"),
        pytest.param({"thinking": False}, {"thinking": {"type": "disabled"}}, id="no-thinking"),
        pytest.param({"thinking": True}, {"thinking": {"type": "enabled"}}, id="thinking"),
        pytest.param(
            {"keep_thinking": True}, {"thinking": {"type": "enabled", "clear_thinking": False}}, id="keep-thinking"
        ),
        pytest.param({"as_json": True}, {"response_format": {"type": "json_object"}}, id="json"),
        pytest.param({"tools": (SEARCH,)}, {"tools": [SEARCH], "tool_choice": "auto"}, id="tools"),
        pytest.param({"tools": (SEARCH,), "tool_stream": True}, {"tools": [SEARCH], "tool_choice": "auto"}, id="whole"),
        pytest.param({"stop": "END"}, {"stop": ["END"]}, id="stop"),
        pytest.param({"user_id": "someone"}, {"user_id": "someone"}, id="user"),
    ],
)
def test_each_option_becomes_its_field(options: dict[str, Any], fields: dict[str, Any]) -> None:
    sent = body(request(**options), stream=False)
    assert {key: value for key, value in sent.items() if key not in ("model", "messages")} == fields


def test_tools_are_streamed_only_in_a_stream() -> None:
    assert body(request(tools=(SEARCH,), tool_stream=True), stream=True)["tool_stream"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 1.01}, r"chat\.temperature: temperature must lie in 0 \.\. 1, got 1\.01"),
        ({"temperature": -0.1}, r"chat\.temperature"),
        ({"max_tokens": 131_073}, r"chat\.max_tokens: max_tokens must lie in 0 \.\. 131072"),
        ({"max_tokens": -1}, r"chat\.max_tokens"),
        ({"messages": ASKED[:1]}, r"chat\.messages: there is no message of a user"),
    ],
    ids=["hot", "cold", "long", "negative", "nothing-asked"],
)
def test_what_the_service_would_refuse_is_refused_here_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        body(request(**options), stream=False)


def test_a_call_of_a_tool_goes_back_as_it_came() -> None:
    call = ToolCall(id="c1", name="search_documents", arguments={"query": "Höhe"}, raw='{"query": "Höhe" }')
    messages = (
        *ASKED,
        Message(role="assistant", content="", reasoning="look it up", tool_calls=(call,)),
        Message(role="tool", content="nothing", tool_call_id="c1"),
    )
    *_, assistant, tool = body(request(messages=messages), stream=False)["messages"]
    assert assistant["reasoning_content"] == "look it up"
    assert assistant["tool_calls"][0]["function"] == {"name": "search_documents", "arguments": '{"query": "Höhe" }'}
    assert tool == {"role": "tool", "content": "nothing", "tool_call_id": "c1"}


def test_a_whole_answer_has_its_usage_and_ids(platform: StandIn) -> None:
    platform.script_chat(lambda body: Reply(text="A pump moves water.", reasoning="easy"))
    found = complete(platform, thinking=True)
    assert (found.text, found.reasoning, found.finish) == ("A pump moves water.", "easy", "stop")
    assert found.has_usage and found.tokens.prompt > 5 and found.tokens.completion > 0
    (call,) = platform.calls(PATH)
    assert found.request_id == call.request_id == call.body["request_id"]
    assert 6 <= len(found.request_id) <= 64


def test_a_second_prompt_is_partly_cached(platform: StandIn) -> None:
    long = (Message(role="system", content="Rules. " * 300), ASKED[1])
    complete(platform, messages=long)
    found = complete(platform, messages=(*long, Message(role="assistant", content="A."), ASKED[1]))
    assert 0 < found.tokens.cached < found.tokens.prompt


def test_calls_of_tools_are_read_whole_or_in_pieces(platform: StandIn) -> None:
    asked = {"query": "the pump, Höhe 3"}
    platform.script_chat(lambda body: Reply(tool_calls=(("search_documents", asked), ("search_documents", {}))))
    whole = complete(platform, tools=(SEARCH,))
    assert [call.arguments for call in whole.tool_calls] == [asked, {}]
    assert whole.finish == "tool_calls"
    for tool_stream in (False, True):
        pieces = stream(platform, tools=(SEARCH,), tool_stream=tool_stream)
        calls = joined([piece for one in pieces for piece in one.tool_pieces])
        assert [(call.name, call.arguments) for call in calls] == [
            ("search_documents", asked),
            ("search_documents", {}),
        ]
        assert len({call.id for call in calls}) == 2
    platform.fault(PATH, faults.arguments_as_object())
    assert complete(platform, tools=(SEARCH,)).tool_calls[0].arguments == asked


def test_a_stream_says_what_the_whole_answer_says(platform: StandIn) -> None:
    platform.script_chat(lambda body: Reply(text="水泵 moves water. [1]", reasoning="let me see"))
    pieces = stream(platform, thinking=True)
    assert text_of(pieces) == "水泵 moves water. [1]"
    assert "".join(piece.reasoning for piece in pieces) == "let me see"
    assert [bool(piece.finish) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert pieces[-1].tokens is not None and pieces[-1].tokens.completion > 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.null_choices(), id="null-choices-first"),
        pytest.param(faults.null_choices(at=2), id="null-choices"),
        pytest.param(faults.broken_line(), id="broken-line"),
        pytest.param(faults.comments(), id="comments"),
        pytest.param(faults.no_done(), id="no-done"),
        pytest.param(faults.no_usage(), id="no-usage"),
        pytest.param(faults.usage_everywhere(), id="usage-everywhere"),
        pytest.param(faults.last_words_in_final_event(), id="last-words-late"),
    ],
)
def test_oddities_of_a_stream_do_not_change_the_text(platform: StandIn, fault: faults.Fault) -> None:
    platform.script_chat(lambda body: "A pump moves water from one place to another.")
    platform.fault(PATH, fault)
    pieces = stream(platform)
    assert text_of(pieces) == "A pump moves water from one place to another."
    assert pieces[-1].finish == "stop"
    assert len(platform.calls(PATH)) == 1


@pytest.mark.parametrize("done", [True, False], ids=["with-done", "without-done"])
@pytest.mark.parametrize("within", [True, False], ids=["within-an-event", "between-events"])
def test_a_stream_without_a_reason_is_told_after_what_came(
    platform: StandIn, quick_retries: None, done: bool, within: bool
) -> None:
    platform.script_chat(lambda body: ["A pump ", "moves ", "water ", "uphill."])
    platform.fault(PATH, faults.cut_stream(after_events=3, done=done, within=within), times=-1)
    found: list[ChatDelta] = []
    with pytest.raises(Unavailable):
        for piece in loop.iterate(Chat(Endpoint(base_url=platform.base_url)).stream(request())):
            found.append(piece)
    assert text_of(found).startswith("A pump ")
    assert not any(piece.finish for piece in found)
    assert len(platform.calls(PATH)) == 1


def test_a_stream_that_breaks_before_the_first_word_is_asked_for_again(platform: StandIn, quick_retries: None) -> None:
    platform.script_chat(lambda body: "A pump moves water.")
    platform.fault(PATH, faults.cut_stream(after_events=0, by_reset=True), times=1)
    assert text_of(stream(platform)) == "A pump moves water."
    ids = [call.body["request_id"] for call in platform.calls(PATH)]
    assert len(set(ids)) == len(ids) == 2


def test_an_error_within_a_stream_is_that_error(platform: StandIn, quick_retries: None) -> None:
    platform.script_chat(lambda body: ["A ", "pump ", "moves ", "water."])
    platform.fault(PATH, faults.error_event("1301", at=3), times=-1)
    with pytest.raises(Refused) as caught:
        stream(platform)
    assert caught.value.content_policy


def test_a_stream_left_early_is_closed(platform: StandIn) -> None:
    platform.script_chat(lambda body: ["word "] * 200)
    platform.latency(PATH, 0.0, event=0.01)
    pieces = loop.iterate(Chat(Endpoint(base_url=platform.base_url)).stream(request()))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("reason", ["length", "sensitive", "network_error", "model_context_window_exceeded", "new"])
def test_every_finish_reason_is_handed_on(platform: StandIn, reason: str) -> None:
    platform.fault(PATH, faults.finish(reason), times=2)
    assert complete(platform).finish == reason
    assert stream(platform)[-1].finish == reason


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(faults.error("1113"), OutOfCredit, id="no-money"),
        pytest.param(faults.error("1000"), Unauthorized, id="wrong-key"),
        pytest.param(faults.error("1261"), Refused, id="prompt-too-long"),
        pytest.param(faults.error_in_200("1234"), Unavailable, id="error-in-200"),
        pytest.param(faults.without("choices"), BadReply, id="no-choices"),
        pytest.param(faults.truncated(), ServiceError, id="truncated"),
    ],
)
def test_errors_are_ours(platform: StandIn, quick_retries: None, fault: faults.Fault, kind: type[Exception]) -> None:
    platform.fault(PATH, fault, times=-1)
    with pytest.raises(kind) as caught:
        complete(platform)
    assert platform.key not in str(caught.value)


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], "many", {"prompt_tokens": float("inf")}, {"prompt_tokens_details": None, "prompt_tokens": "7"}],
)
def test_usage_may_be_anything(usage: Any) -> None:
    assert tokens(usage) in (None, Tokens())


def test_usage_is_read_two_levels_down() -> None:
    usage = {
        "prompt_tokens": 10.0,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert tokens(usage) == Tokens(prompt=10, cached=8, completion=4, reasoning=3)


def test_marks_of_vision_models_are_taken_out() -> None:
    content = "<think>hm</think>\n<|begin_of_box|>42<|end_of_box|>"
    found = reply({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})
    assert (found.text, found.reasoning) == ("42", "hm")


def test_marks_in_pieces_of_a_stream_are_taken_out(platform: StandIn) -> None:
    platform.script_chat(lambda body: ["<thi", "nk>hm</th", "ink>", "\n\n4", "2 <|begin", "_of_box|>x", " a <"])
    pieces = stream(platform)
    assert (text_of(pieces), "".join(piece.reasoning for piece in pieces)) == ("42 x a <", "hm")
    assert pieces[-1].finish == "stop"


@given(payload=st.dictionaries(NAMES, PAYLOADS, max_size=6))
def test_no_payload_is_too_odd_to_be_judged(payload: dict[str, Any]) -> None:
    delta(payload)
    says_something(payload)
    try:
        found = reply(payload)
    except BadReply:
        return
    assert isinstance(found.text, str)


@given(text=st.text(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=6))
def test_pieces_of_arguments_are_joined_by_their_index(text: str, cuts: list[int]) -> None:
    written = json.dumps({"query": text})
    places = [0, *sorted(min(cut, len(written)) for cut in cuts), len(written)]
    parts = [written[start:end] for start, end in pairwise(places)]
    pieces = [ToolPiece(index=1, id="b", name="other", arguments="[1]"), ToolPiece(index=0, id="a", name="find")]
    (first, second) = joined([*pieces, *(ToolPiece(index=0, arguments=part) for part in parts)])
    assert (first.id, first.arguments, first.raw) == ("a", {"query": text}, written)
    assert (second.name, second.arguments) == ("other", {})


def test_a_server_of_ones_own_gets_the_fields_it_knows(platform: StandIn) -> None:
    endpoint = Endpoint(base_url=platform.host_url + "/v1", key="")
    asked = request(greedy=True, thinking=False, user_id="someone")
    model = Chat(endpoint)
    model.require_key()
    whole = loop.wait(model.complete(asked))
    pieces = list(loop.iterate(model.stream(asked)))
    assert text_of(pieces) == whole.text != ""
    assert max((piece.tokens.completion for piece in pieces if piece.tokens), default=0) > 0
    sent = platform.calls("/v1/chat/completions")[0].body
    assert set(sent) == {"model", "messages", "temperature", "chat_template_kwargs"}
    assert own_body(request(), stream=False) == body(request(), stream=False)


def test_a_missing_key_is_told_before_anything_is_sent(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY")
    with pytest.raises(Unauthorized, match="ZAI_API_KEY is not set: chat needs a key"):
        complete(platform)
    assert platform.calls() == []
