"""The stand-in is checked by the official clients."""

import openai
import pytest
import zai
from standin import StandIn, faults


@pytest.fixture
def client(platform: StandIn) -> zai.ZaiClient:
    return zai.ZaiClient(base_url=platform.base_url, api_key=platform.key, max_retries=0)


def test_the_official_client_gets_an_answer_with_its_usage(client: zai.ZaiClient) -> None:
    reply = client.chat.completions.create(
        model="glm-4.6",
        messages=[
            {"role": "system", "content": "[1] The ferry is painted red."},
            {"role": "user", "content": "Which colour is the ferry painted?"},
        ],
    )
    assert reply.choices[0].message.content == "The ferry is painted red. [1]"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_fault_comes_once_and_the_next_call_is_good(platform: StandIn, client: zai.ZaiClient) -> None:
    platform.fault("/chat/completions", faults.error("1302"))
    ask = {"model": "glm-4.6", "messages": [{"role": "user", "content": "Good morning"}]}
    with pytest.raises(zai.core.APIReachLimitError):
        client.chat.completions.create(**ask)
    client.chat.completions.create(**ask)
    assert [call.code for call in platform.calls("/chat/completions")] == ["1302", ""]


def test_openai_embeddings_have_the_platform_s_dimensions(platform: StandIn) -> None:
    client = openai.OpenAI(base_url=platform.base_url, api_key=platform.key, max_retries=0)
    reply = client.embeddings.create(model="embedding-3", input=["red ferry", "blue boat"], dimensions=256)
    assert sorted(item.index for item in reply.data) == [0, 1]
    assert {len(item.embedding) for item in reply.data} == {256}
