"""The stand-in is checked by the platform's own client, and by OpenAI's."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
import zai
import zai.core
from standin import Reply, StandIn, faults, printing
from standin_requests import data_uri

SEARCH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search_documents",
        "description": "Search the documents",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
ASK: dict[str, Any] = {
    "model": "glm-4.6",
    "messages": [
        {"role": "system", "content": "[1] The ferry is painted red."},
        {"role": "user", "content": "Which colour is the ferry painted?"},
    ],
}


@pytest.fixture
def client(platform: StandIn) -> Iterator[zai.ZaiClient]:
    with zai.ZaiClient(base_url=platform.base_url, api_key=platform.key, max_retries=0) as made:
        yield made


@pytest.fixture
def other(platform: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=platform.base_url, api_key=platform.key, max_retries=0) as made:
        yield made


def test_a_chat_has_text_reasoning_finish_and_usage(client: zai.ZaiClient) -> None:
    reply = client.chat.completions.create(**ASK)
    message = reply.choices[0].message
    assert message.content == "The ferry is painted red. [1]"
    assert message.reasoning_content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert 0 < reply.usage.completion_tokens_details.reasoning_tokens < reply.usage.completion_tokens


def test_thinking_can_be_turned_off(client: zai.ZaiClient) -> None:
    reply = client.chat.completions.create(**ASK, thinking={"type": "disabled"})
    assert reply.choices[0].message.reasoning_content is None


def test_a_stream_gives_reasoning_then_text_then_usage(client: zai.ZaiClient) -> None:
    events = list(client.chat.completions.create(**ASK, stream=True))
    deltas = [event.choices[0].delta for event in events]
    assert "".join(delta.content or "" for delta in deltas) == "The ferry is painted red. [1]"
    first_text = next(n for n, delta in enumerate(deltas) if delta.content)
    assert first_text and not any(delta.reasoning_content for delta in deltas[first_text:])
    assert [event.choices[0].finish_reason for event in events[-2:]] == [None, "stop"]
    assert [event.usage is not None for event in events] == [False] * (len(events) - 1) + [True]


@pytest.mark.parametrize("pieces", [False, True], ids=["whole arguments", "arguments in pieces"])
def test_a_function_is_called_and_its_result_answered(client: zai.ZaiClient, pieces: bool) -> None:
    question = {"role": "user", "content": "How fast is the red ferry?"}
    ask = {"model": "glm-4.6", "tools": [SEARCH], "tool_choice": "auto"}
    events = list(client.chat.completions.create(**ask, messages=[question], stream=True, tool_stream=pieces))
    called = [call for event in events for call in event.choices[0].delta.tool_calls or []]
    assert (len(called) > 1) is pieces
    assert called[0].function.name == "search_documents"
    assert "".join(call.function.arguments for call in called) == '{"query": "How fast is the red ferry?"}'
    assert events[-1].choices[0].finish_reason == "tool_calls"

    call = {"id": called[0].id, "type": "function", "function": {"name": "search_documents", "arguments": "{}"}}
    given = {"role": "tool", "tool_call_id": called[0].id, "content": "[1] The red ferry is as fast as 20 knots."}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    reply = client.chat.completions.create(**ask, messages=[question, said, given])
    assert reply.choices[0].message.content == "The red ferry is as fast as 20 knots. [1]"


def test_json_mode_gives_json(client: zai.ZaiClient) -> None:
    reply = client.chat.completions.create(**ASK, response_format={"type": "json_object"})
    assert reply.choices[0].message.content == '{"sufficient": true, "reason": "by shared words"}'


def test_layout_parsing_gives_elements_and_page_sizes(client: zai.ZaiClient) -> None:
    sheet = printing.sheet([("title", "Ferry report"), ("text", "The ferry is red."), ("table", [["a", "b"]])])
    reply = client.layout_parsing.create(model="glm-ocr", file=data_uri(printing.scan([sheet]), "application/pdf"))
    assert [element.label for element in reply.layout_details[0]] == ["text", "text", "table"]
    assert reply.layout_details[0][1].content == "The ferry is red."
    assert (reply.data_info.num_pages, reply.data_info.pages[0].width) == (1, 1983)
    assert '<table border="1"><tr><td>a</td><td>b</td></tr></table>' in reply.md_results


def test_web_search_and_reader_give_what_a_test_has_written(platform: StandIn, client: zai.ZaiClient) -> None:
    address = "https://www.example.com/ferry"
    platform.web.append({"title": "Red ferries", "content": "About ferries", "link": address})
    platform.pages[address] = "# Red ferries\n\nThey are red. ![x](https://www.example.com/x.png)"
    found = client.web_search.web_search(search_engine="search-prime", search_query="ferries", count=3)
    assert [hit.link for hit in found.search_result] == [address]
    page = client.web_reader.web_reader(url=address, retain_images=False)
    assert page.reader_result.title == "Red ferries"
    assert page.reader_result.content == "# Red ferries\n\nThey are red. "


def test_embeddings_through_both_clients(client: zai.ZaiClient, other: openai.OpenAI) -> None:
    texts = ["the red ferry", "a red ferry sails", "tax law"]
    for reply in (
        client.embeddings.create(model="embedding-3", input=texts, dimensions=256),
        other.embeddings.create(model="embedding-3", input=texts, dimensions=256),
    ):
        by_index = {item.index: item.embedding for item in reply.data}
        assert sorted(by_index) == [0, 1, 2]
        assert {len(vector) for vector in by_index.values()} == {256}
        assert _cosine(by_index[0], by_index[1]) > 0.4 > 0.2 > _cosine(by_index[0], by_index[2])


def test_vectors_are_not_of_unit_length_and_not_in_order(other: openai.OpenAI) -> None:
    data = other.embeddings.create(model="embedding-2", input=[f"text {n}" for n in range(8)]).data
    assert [item.index for item in data] != sorted(item.index for item in data)
    assert not all(abs(_cosine(item.embedding, item.embedding, raw=True) - 1) < 0.01 for item in data)


def test_openai_s_client_chats_and_streams(other: openai.OpenAI) -> None:
    ask = {**ASK, "stream_options": {"include_usage": True}, "stream": True}
    events = list(other.chat.completions.create(**ask))
    assert "".join(event.choices[0].delta.content or "" for event in events) == "The ferry is painted red. [1]"
    assert other.chat.completions.create(**ASK).choices[0].message.content == "The ferry is painted red. [1]"


def test_openai_s_client_reads_a_self_hosted_server(platform: StandIn) -> None:
    with openai.OpenAI(base_url=f"{platform.host_url}/v1", api_key="none", max_retries=0) as client:
        events = list(client.chat.completions.create(**ASK | {"model": "qwen"}, stream=True))
        assert events[-1].choices[0].finish_reason == "stop" and events[-1].usage is None
        vector = client.embeddings.create(model="bge-m3", input="the red ferry").data[0].embedding
        assert len(vector) == 1024


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1214", zai.core.APIRequestFailedError),
        ("1000", zai.core.APIAuthenticationError),
        ("1302", zai.core.APIReachLimitError),
        ("500", zai.core.APIInternalError),
    ],
)
def test_refusals_become_the_client_s_own_errors(
    platform: StandIn, client: zai.ZaiClient, code: str, error: type[Exception]
) -> None:
    platform.fault("/chat/completions", faults.error(code))
    with pytest.raises(error):
        client.chat.completions.create(**ASK)
    assert [call.code for call in platform.calls("/chat/completions")] == [code]


def test_an_error_within_a_stream_reaches_the_client(platform: StandIn, client: zai.ZaiClient) -> None:
    platform.fault("/chat/completions", faults.error_event("1234"))
    with pytest.raises(zai.core.APIResponseError):
        list(client.chat.completions.create(**ASK, stream=True))


def test_the_client_s_signed_tokens_are_let_in(platform: StandIn) -> None:
    with zai.ZaiClient(
        base_url=platform.base_url, api_key=platform.key, disable_token_cache=False, source_channel="test"
    ) as client:
        client.chat.completions.create(**ASK)
    assert platform.calls()[-1].headers["authorization"].count(".") == 2


def test_a_script_answers_in_its_own_pieces(platform: StandIn, client: zai.ZaiClient) -> None:
    platform.script_chat(lambda body: ["The fer", "ry [", "1", "]"])
    events = client.chat.completions.create(**ASK, stream=True)
    assert [event.choices[0].delta.content for event in events] == ["The fer", "ry [", "1", "]", ""]
    platform.script_chat(lambda body: Reply(text="no", finish="sensitive"))
    assert client.chat.completions.create(**ASK).choices[0].finish_reason == "sensitive"


def _cosine(one: list[float], other: list[float], *, raw: bool = False) -> float:
    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    return dot(one, other) if raw else dot(one, other) / (dot(one, one) * dot(other, other)) ** 0.5
