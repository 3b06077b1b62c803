"""What the contract refuses is refused; what its examples send is accepted."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from standin import StandIn, printing
from standin_requests import chat, code_of, file_of, post

USER = [{"role": "user", "content": "Good morning"}]
FUNCTION = {"name": "search", "description": "Search", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
SPAN = {"type": "text", "text": "hello"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://www.example.com/a.png"}}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"model": None}, "1213", id="no model"),
        pytest.param({"model": "gpt-4"}, "1211", id="unknown model"),
        pytest.param({"messages": []}, "1214", id="no messages"),
        pytest.param({"messages": [{"role": "system", "content": "hello"}]}, "1214", id="system alone"),
        pytest.param({"messages": [{"role": "user", "content": ""}]}, "1214", id="empty question"),
        pytest.param({"messages": [{"role": "developer", "content": "x"}]}, "1214", id="unknown role"),
        pytest.param({"messages": [{"role": "user", "content": [SPAN]}]}, "1214", id="parts for a text model"),
        pytest.param({"messages": [{"role": "user", "content": "x", "name": "y"}]}, "1210", id="unknown message field"),
        pytest.param({"messages": [*USER, {"role": "assistant", "content": ""}]}, "1214", id="empty assistant"),
        pytest.param(
            {"messages": [*USER, {"role": "tool", "content": "x", "tool_call_id": "a"}]}, "1214", id="tool without call"
        ),
        pytest.param({"messages": [*USER, {"role": "tool", "content": "x"}]}, "1213", id="tool without id"),
        pytest.param({"frequency_penalty": 1}, "1210", id="unknown field"),
        pytest.param({"temperature": 1.2}, "1214", id="hot"),
        pytest.param({"temperature": "0.2"}, "1214", id="temperature as text"),
        pytest.param({"top_p": 0}, "1214", id="top_p 0"),
        pytest.param({"max_tokens": 0}, "1214", id="no tokens"),
        pytest.param({"max_tokens": True}, "1214", id="true tokens"),
        pytest.param({"model": "glm-4.5", "max_tokens": 100_000}, "1214", id="more than the model writes"),
        pytest.param({"stop": ["a", "b"]}, "1214", id="two stop words"),
        pytest.param({"stop": "a"}, "1214", id="stop word as text"),
        pytest.param({"tool_choice": "required"}, "1214", id="tool_choice"),
        pytest.param({"tool_stream": True}, "1214", id="tool_stream without stream"),
        pytest.param({"thinking": {"type": "adaptive"}}, "1214", id="thinking type"),
        pytest.param({"thinking": {"budget": 1}}, "1210", id="thinking budget"),
        pytest.param({"response_format": {"type": "json_schema"}}, "1214", id="json_schema"),
        pytest.param({"reasoning_effort": "low"}, "1214", id="effort of an old model"),
        pytest.param({"request_id": "short"}, "1214", id="short request id"),
        pytest.param({"request_id": "x" * 65}, "1214", id="long request id"),
        pytest.param({"user_id": "me"}, "1214", id="short user id"),
        pytest.param(
            {"tools": [{"type": "function", "function": FUNCTION | {"name": "a b"}}]}, "1214", id="function name"
        ),
        pytest.param({"tools": [{"type": "function", "function": {"name": "a"}}]}, "1213", id="bare function"),
        pytest.param({"tools": [{"type": "web_search", "web_search": {"enable": True}}]}, "1213", id="no engine"),
        pytest.param(
            {"messages": [{"role": "user", "content": "word " * 210_000}]}, "1261", id="longer than the window"
        ),
    ],
)
def test_a_chat_request_is_refused(platform: StandIn, fields: dict[str, Any], code: str) -> None:
    reply = post(platform, "/chat/completions", {"model": "glm-4.6", "messages": USER, **fields})
    assert (reply.status_code, code_of(reply)) == (400, code)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"temperature": 0, "top_p": 0.01, "do_sample": False}, id="greedy"),
        pytest.param({"thinking": None, "response_format": None, "stop": None}, id="nulls for what is not set"),
        pytest.param({"thinking": {"type": "enabled", "clear_thinking": False}}, id="kept thinking"),
        pytest.param({"model": "glm-5.2", "reasoning_effort": "low"}, id="effort"),
        pytest.param({"stop": ["\n"], "max_tokens": 16, "user_id": "tenant-01"}, id="limits"),
        pytest.param({"model": "glm-4.6v", "messages": [{"role": "user", "content": [SPAN, PICTURE]}]}, id="vision"),
        pytest.param(
            {
                "tools": [{"type": "function", "function": FUNCTION}],
                "messages": [
                    *USER,
                    {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]},
                    {"role": "tool", "content": "none", "tool_call_id": "call_1"},
                ],
            },
            id="tool result",
        ),
    ],
)
def test_a_chat_request_is_accepted(platform: StandIn, fields: dict[str, Any]) -> None:
    reply = post(platform, "/chat/completions", {"model": "glm-4.6", "messages": USER, **fields})
    assert reply.status_code == 200, reply.text


SHEET = printing.sheet([("text", "hello")])


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        pytest.param("/tokenizer", {"model": "glm-4.7", "messages": USER}, "1211", id="tokenizer of a new model"),
        pytest.param("/tokenizer", {"model": "glm-4.6", "input": "x"}, "1210", id="tokenizer input"),
        pytest.param("/tokenizer", {"model": "glm-4.6", "messages": [{"role": "tool"}]}, "1214", id="tokenizer role"),
        pytest.param("/embeddings", {"model": "embedding-3", "input": ["a"] * 65}, "1214", id="65 texts"),
        pytest.param("/embeddings", {"model": "embedding-3", "input": ["a", ""]}, "1214", id="empty text"),
        pytest.param("/embeddings", {"model": "embedding-3", "input": "word " * 3100}, "1261", id="long text"),
        pytest.param(
            "/embeddings", {"model": "embedding-2", "input": ["word " * 500] * 20}, "1261", id="long together"
        ),
        pytest.param("/embeddings", {"model": "embedding-3", "input": "a", "dimensions": 300}, "1214", id="dimensions"),
        pytest.param("/embeddings", {"model": "text-embedding-3-small", "input": "a"}, "1211", id="another's model"),
        pytest.param(
            "/rerank", {"model": "rerank", "query": "a", "documents": ["b"] * 129}, "1214", id="129 documents"
        ),
        pytest.param(
            "/rerank", {"model": "rerank", "query": "a", "documents": ["b" * 4097]}, "1214", id="long document"
        ),
        pytest.param("/rerank", {"model": "rerank", "query": "a" * 4097, "documents": ["b"]}, "1214", id="long query"),
        pytest.param("/web_search", {"search_query": "x"}, "1213", id="no engine"),
        pytest.param("/web_search", {"search_engine": "bing", "search_query": "x"}, "1214", id="unknown engine"),
        pytest.param(
            "/web_search", {"search_engine": "search_pro", "search_query": "x" * 71}, "1214", id="mainland query"
        ),
        pytest.param(
            "/web_search", {"search_engine": "search-prime", "search_query": "x", "count": 51}, "1214", id="count"
        ),
        pytest.param("/reader", {"url": "file:///etc/passwd"}, "1214", id="file address"),
        pytest.param("/reader", {"url": "https://www.example.com", "timeout": "20"}, "1214", id="timeout as text"),
        pytest.param("/layout_parsing", {"model": "glm-ocr"}, "1213", id="no file"),
        pytest.param("/layout_parsing", file_of(b"GIF89a", "image/gif"), "1214", id="GIF"),
        pytest.param("/layout_parsing", file_of(b"%PDF-1.7", "image/png"), "1214", id="wrong media type"),
        pytest.param("/layout_parsing", file_of(b"%PDF-1.7", "application/pdf"), "1214", id="broken PDF"),
        pytest.param("/layout_parsing", {"model": "glm-ocr", "file": "aGVsbG8="}, "1214", id="bare base64"),
        pytest.param(
            "/layout_parsing", file_of(printing.image(SHEET), "image/png") | {"start_page_id": 1}, "1214", id="range"
        ),
        pytest.param(
            "/layout_parsing", file_of(b"\x89PNG\r\n\x1a\n" + bytes(11 << 20), "image/png"), "1214", id="large image"
        ),
    ],
)
def test_other_requests_are_refused(platform: StandIn, path: str, body: dict[str, Any], code: str) -> None:
    reply = post(platform, path, body)
    assert (reply.status_code, code_of(reply)) == (400, code)


def test_more_than_a_hundred_pages_are_refused(platform: StandIn) -> None:
    data = printing.text_pdf([printing.blank()] * 101)
    assert code_of(post(platform, "/layout_parsing", file_of(data, "application/pdf"))) == "1214"


def test_an_encrypted_file_is_refused(platform: StandIn) -> None:
    import pymupdf

    with pymupdf.open() as document:
        document.new_page()
        data = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret")
    assert code_of(post(platform, "/layout_parsing", file_of(data, "application/pdf"))) == "1214"


def test_a_request_id_is_good_for_one_call(platform: StandIn) -> None:
    body = chat("hello", request_id="docpipe-0001")
    assert post(platform, "/chat/completions", body).json()["request_id"] == "docpipe-0001"
    again = post(platform, "/chat/completions", body)
    assert (again.status_code, code_of(again)) == (400, "1231")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param("", "1001", id="none"),
        pytest.param("Basic abc", "1001", id="basic"),
        pytest.param("Bearer wrong", "1000", id="wrong key"),
        pytest.param("Bearer a.b.c", "1002", id="no token"),
    ],
)
def test_a_wrong_key_is_refused(platform: StandIn, header: str, code: str) -> None:
    headers = {"Authorization": header} if header else {}
    reply = httpx.post(f"{platform.base_url}/chat/completions", json=chat("hello"), headers=headers)
    assert (reply.status_code, code_of(reply)) == (401, code)


@pytest.mark.parametrize(
    ("unit", "secret", "code"),
    [(1000, "", ""), (1, "", "1003"), (1000, "other", "1002")],
    ids=["milliseconds", "seconds are expired", "another's secret"],
)
def test_a_signed_token_counts_milliseconds(platform: StandIn, unit: int, secret: str, code: str) -> None:
    identity, _, own = platform.key.partition(".")
    now = int(time.time() * unit)
    parts = [
        _encoded(json.dumps({"alg": "HS256", "sign_type": "SIGN"}).encode()),
        _encoded(json.dumps({"api_key": identity, "exp": now + 210 * unit, "timestamp": now}).encode()),
    ]
    digest = hmac.new((secret or own).encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    reply = post(platform, "/chat/completions", chat("hello"), key=".".join([*parts, _encoded(digest)]))
    assert code_of(reply) == code


def test_an_unknown_path_is_the_gateway_s_404(platform: StandIn) -> None:
    reply = post(platform, "/chat/completions/chat/completions", chat("hello"))
    assert reply.status_code == 404
    assert reply.json()["error"] == "Not Found" and reply.json()["path"] == "/v4/chat/completions/chat/completions"


def test_calls_are_recorded_without_the_file(platform: StandIn) -> None:
    post(platform, "/layout_parsing", file_of(printing.image(SHEET), "image/png"))
    call = platform.calls("layout_parsing")[0]
    assert (call.status, call.code, call.pages) == (200, "", (str(SHEET.number),))
    assert call.body["file"].startswith("data:image/png;base64,<") and len(call.body["file"]) < 100
    assert 0 < call.started < call.ended
    platform.forget()
    assert platform.calls() == []


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
