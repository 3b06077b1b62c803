"""Replies have the fields of the contract, and no others."""

from typing import Any

import pytest
from standin import StandIn, printing
from standin_requests import chat, file_of, post

COMMON = {"id", "created", "request_id"}
USAGE = {"usage", "usage.prompt_tokens", "usage.total_tokens"}
WRITTEN = {
    *USAGE,
    "usage.completion_tokens",
    "usage.prompt_tokens_details",
    "usage.prompt_tokens_details.cached_tokens",
}
MESSAGE = {f"choices.{name}" for name in ("index", "finish_reason", "message", "message.role", "message.content")}
ELEMENT = {"index", "label", "native_label", "bbox_2d", "content", "height", "width"}
PAGE = {"title", "description", "url", "content", "metadata", "external", "external.stylesheet"}
HIT = {"title", "content", "link", "media", "icon", "refer", "publish_date"}
ADDRESS = "https://www.example.com/ferry"
TALK = [{"role": "user", "content": "hello"}]


def fields(value: Any, name: str = "") -> set[str]:
    """Dotted names of all fields; lists add nothing to a name."""
    if isinstance(value, list):
        return set().union(*(fields(item, name) for item in value))
    if not isinstance(value, dict):
        return set()
    return {f"{name}{key}" for key in value} | set().union(*(fields(v, f"{name}{k}.") for k, v in value.items()))


def within(name: str, parts: set[str]) -> set[str]:
    return {name, *(f"{name}.{part}" for part in parts)}


@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        (
            "/chat/completions",
            chat("hello", thinking={"type": "disabled"}),
            {*COMMON, "model", "object", "choices", *MESSAGE, *WRITTEN},
        ),
        ("/tokenizer", {"model": "glm-4.6", "messages": TALK}, {*COMMON, *USAGE}),
        (
            "/embeddings",
            {"model": "embedding-3", "input": "hello"},
            {"object", "model", *within("data", {"index", "object", "embedding"}), *USAGE, "usage.completion_tokens"},
        ),
        (
            "/rerank",
            {"model": "rerank", "query": "a", "documents": ["b"], "return_documents": True},
            {*COMMON, *within("results", {"index", "relevance_score", "document"}), *USAGE},
        ),
        (
            "/layout_parsing",
            file_of(printing.image(printing.sheet([("text", "hello")]), dpi=50), "image/png"),
            {
                *COMMON,
                "model",
                "md_results",
                *within("layout_details", ELEMENT),
                *within("data_info", {"num_pages", "pages", "pages.width", "pages.height"}),
                *WRITTEN,
            },
        ),
        (
            "/web_search",
            {"search_engine": "search-prime", "search_query": "ferry"},
            {*COMMON, *within("search_result", HIT)},
        ),
        (
            "/web_search",
            {"search_engine": "search_pro", "search_query": "ferry"},
            {
                *COMMON,
                *within("search_result", HIT),
                *within("search_intent", {"query", "intent", "keywords"}),
            },
        ),
        ("/reader", {"url": ADDRESS}, {*COMMON, "model", *within("reader_result", PAGE)}),
    ],
    ids=["chat", "tokenizer", "embeddings", "rerank", "layout", "search", "mainland search", "reader"],
)
def test_a_reply_has_the_contract_s_fields(
    platform: StandIn, path: str, body: dict[str, Any], wanted: set[str]
) -> None:
    platform.web = [{"title": "The ferry", "link": ADDRESS}]
    platform.pages = {ADDRESS: "# The ferry"}
    reply = post(platform, path, body)
    assert reply.status_code == 200, reply.text
    assert fields(reply.json()) == wanted


def test_search_obeys_domain_recency_and_count(platform: StandIn) -> None:
    platform.web = [
        {"title": f"ferry {n}", "link": f"https://{host}/{n}", "publish_date": day}
        for n, (host, day) in enumerate(
            [("www.a.example", "2026-01-01"), ("b.example", ""), ("x.a.example", "2020-01-01"), ("a.example", "")]
        )
    ]

    def found(**options: Any) -> list[str]:
        body = {"search_engine": "search-prime", "search_query": "the ferry", **options}
        return [hit["title"] for hit in post(platform, "/web_search", body).json()["search_result"]]

    assert found() == ["ferry 0", "ferry 1", "ferry 2", "ferry 3"]
    assert found(count=1) == ["ferry 0"]
    assert found(search_domain_filter="www.a.example") == ["ferry 0", "ferry 2", "ferry 3"]
    assert "ferry 2" not in found(search_recency_filter="oneYear")
    assert found(search_query="lighthouse") == []
