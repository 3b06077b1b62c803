"""Plain requests to the stand-in, for its own tests."""

import base64
from typing import Any

import httpx
from standin import StandIn


def post(platform: StandIn, path: str, body: Any, *, key: str = "", **options: Any) -> httpx.Response:
    """One POST with the account's key."""
    headers = {"Authorization": f"Bearer {key or platform.key}"}
    return httpx.post(platform.base_url + path, json=body, headers=headers, timeout=30, **options)


def chat(*contents: str, **fields: Any) -> dict[str, Any]:
    """A chat request; the first of several contents is the system message."""
    roles = ["system", "user"] if len(contents) > 1 else ["user"]
    messages = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
    return {"model": "glm-4.6", "messages": messages, **fields}


def file_of(data: bytes, media_type: str) -> dict[str, Any]:
    """A layout-parsing request."""
    return {"model": "glm-ocr", "file": data_uri(data, media_type)}


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def code_of(reply: httpx.Response) -> str:
    """The business code of a refusal; "" for a good reply."""
    return "" if reply.status_code == 200 else str(reply.json()["error"]["code"])
