"""The prompt cache holds the longest prefix that any earlier prompt of the model had."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin import StandIn
from standin.counting import PromptCache, common_prefix, count, prompt_tokens
from standin_requests import chat, post

LONG = "The harbour office keeps a ledger of every vessel that enters the bay. " * 20


def messages(*contents: str) -> list[dict[str, str]]:
    return [{"role": ["system", "user", "assistant"][min(n, 2)], "content": c} for n, c in enumerate(contents)]


def test_a_longer_prompt_finds_the_whole_shorter_one() -> None:
    cache = PromptCache()
    assert cache.cached("glm-4.6", messages(LONG, "one")) == 0
    assert cache.cached("glm-4.6", messages(LONG, "one", "two")) == prompt_tokens(messages(LONG, "one"))


def test_another_model_and_another_beginning_find_nothing() -> None:
    cache = PromptCache()
    cache.cached("glm-4.6", messages(LONG, "one"))
    assert cache.cached("glm-5", messages(LONG, "one")) == 0
    assert cache.cached("glm-4.6", messages(f"x{LONG}", "one")) < 10


def test_tools_stand_before_the_messages() -> None:
    cache = PromptCache()
    cache.cached("glm-4.6", messages(LONG, "one"), [{"type": "function"}])
    assert cache.cached("glm-4.6", messages(LONG, "one")) < 10
    assert cache.cached("glm-4.6", messages(LONG, "two"), [{"type": "function"}]) > count(LONG)


def test_only_whole_multiples_and_long_prefixes_count() -> None:
    for cache, cached in (
        (PromptCache(granularity=64), count(LONG) // 64 * 64),
        (PromptCache(shortest=10_000), 0),
    ):
        cache.cached("glm-4.6", messages(LONG, "one"))
        assert cache.cached("glm-4.6", messages(LONG, "two")) == cached


@settings(max_examples=200)
@given(earlier=st.lists(st.text("ab", max_size=300), max_size=12), last=st.text("ab", max_size=300))
def test_no_earlier_prompt_shares_more(earlier: list[str], last: str) -> None:
    cache = PromptCache()
    for text in earlier:
        cache.cached("m", messages(text))
    longest = max((common_prefix(text, last) for text in earlier), default=0)
    found = cache.cached("m", messages(last))
    assert found <= prompt_tokens(messages(last))
    assert found >= (count(last[: max(0, longest - 64)]) if longest else 0)


@given(one=st.text("ab"), other=st.text("ab"))
def test_a_common_prefix_is_common_and_not_longer(one: str, other: str) -> None:
    size = common_prefix(one, other)
    assert one[:size] == other[:size]
    assert size == min(len(one), len(other)) or one[size] != other[size]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("ferry", 1), ("the ferry sails", 3), ("constitutional", 2), ("2024-01-02", 6), ("渡轮运送乘客", 4)],
)
def test_tokens_are_about_those_of_the_platform(text: str, tokens: int) -> None:
    assert count(text) == tokens


def test_the_reply_tells_what_was_cached_and_so_do_the_calls(platform: StandIn) -> None:
    replies = [post(platform, "/chat/completions", chat(LONG, word)).json() for word in ("one", "two")]
    cached = [reply["usage"]["prompt_tokens_details"]["cached_tokens"] for reply in replies]
    assert cached[0] == 0 and count(LONG) <= cached[1] < replies[1]["usage"]["prompt_tokens"]
    assert [call.cached_tokens for call in platform.calls()] == cached


def test_the_tokenizer_counts_what_chat_bills(platform: StandIn) -> None:
    asked = chat(LONG, "one")
    counted = post(platform, "/tokenizer", {"model": "glm-4.6", "messages": asked["messages"]}).json()
    billed = post(platform, "/chat/completions", asked).json()
    assert counted["usage"]["total_tokens"] == billed["usage"]["prompt_tokens"] == prompt_tokens(asked["messages"])


def test_reasoning_eats_the_tokens_of_the_answer(platform: StandIn) -> None:
    reply = post(platform, "/chat/completions", chat("[1] The ferry is red.", "Is the ferry red?", max_tokens=5)).json()
    choice = reply["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")
    assert reply["usage"]["completion_tokens"] == count(choice["message"]["reasoning_content"]) == 5


def test_a_smaller_window_refuses_the_prompt_or_cuts_the_answer(platform: StandIn) -> None:
    asked = chat("[1] The ferry is red.", "Is the ferry red?")
    size = prompt_tokens(asked["messages"])
    platform.windows["glm-4.6"] = size + 3
    reply = post(platform, "/chat/completions", asked).json()
    assert reply["choices"][0]["finish_reason"] == "model_context_window_exceeded"
    platform.windows["glm-4.6"] = size - 1
    assert post(platform, "/chat/completions", asked).json()["error"]["code"] == "1261"
