"""GLM-OCR on a server of one's own: a picture of a region -> its text; pictures of pages -> their elements."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.layout_parsing import LayoutReply, reply
from docpipe.errors import BadReply, Refused

REGION_CAPABILITY = Capability(
    name="region_ocr",
    base_url="http://127.0.0.1:8080/v1",
    base_url_variable="",
    concurrency=16,
    read_seconds=120.0,
    needs_key=False,
    request_ids=False,
)
"""A model server (vLLM, SGLang): one region a call."""
OLLAMA_CAPABILITY = replace(REGION_CAPABILITY, name="region_ocr_ollama", base_url="http://127.0.0.1:11434")
SERVER_CAPABILITY = replace(
    REGION_CAPABILITY,
    name="glmocr_server",
    base_url="http://127.0.0.1:5002",
    concurrency=2,
    read_seconds=300.0,
)
"""The glmocr server: it finds the regions of a page itself, and reads them side by side."""

type_api = Literal["openai", "ollama"]
type_kind = Literal["text", "table", "formula"]

PROMPTS: Mapping[str, str] = {
    "text": "Text Recognition:",
    "table": "Table Recognition:",
    "formula": "Formula Recognition:",
}
"""The model knows these exact words only."""
_LONGEST = 8192
"""Tokens of an answer."""
_CHECK = "check `mode`, `api` and `service.base_url`"


class RegionReader:
    """A model server at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint, *, api: type_api, model: str) -> None:
        self._service = service(REGION_CAPABILITY if api == "openai" else OLLAMA_CAPABILITY, endpoint)
        self._api, self._model = api, model

    async def health(self) -> None:
        """Raises: ServiceError: it does not answer, or does not serve the model."""
        payload = await self._service.get("api/tags" if self._api == "ollama" else "models")
        served = names(payload)
        if served and self._model not in served and f"{self._model}:latest" not in served:
            raise Refused(
                f"the server has no model {self._model!r}",
                service=self._service.capability.name,
                remedy=f"set `model` to one of: {', '.join(served[:10])}",
            )

    async def read(self, jpeg: bytes, kind: type_kind) -> str:
        """Text or Markdown, an HTML table, or LaTeX; empty where the server found nothing.

        Args:
            jpeg: RGB; its sides are multiples of 28.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        if self._api == "ollama":
            sent = await self._service.post("api/generate", ollama_body(jpeg, kind, model=self._model))
            return ollama_text(sent.payload)
        sent = await self._service.post("chat/completions", openai_body(jpeg, kind, model=self._model))
        return openai_text(sent.payload)


class GlmocrServer:
    """The glmocr server at one endpoint. The call runs on the I/O loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(SERVER_CAPABILITY, endpoint)

    async def health(self) -> None:
        """Raises: ServiceError: it does not answer."""
        await self._service.get("health")

    async def parse(self, images: Sequence[tuple[bytes, str]]) -> LayoutReply:
        """Read the pages of one document.

        Args:
            images: of each page the picture and its media type. The server reads no PDF, and no addresses.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        uris = [f"data:{media_type};base64,{base64.b64encode(data).decode()}" for data, media_type in images]
        sent = await self._service.post("glmocr/parse", {"images": uris})
        return server_reply(sent.payload)


def names(payload: Mapping[str, Any]) -> list[str]:
    """The models that a server lists, in the OpenAI or in Ollama's way."""
    rows = payload.get("data") or payload.get("models")
    found = [
        row.get("id") or row.get("name") for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)
    ]
    return [name for name in found if isinstance(name, str)]


def openai_body(jpeg: bytes, kind: type_kind, *, model: str) -> dict[str, Any]:
    """What a model server is sent: the picture first, then the prompt."""
    picture = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"}}
    return {
        "model": model,
        "messages": [{"role": "user", "content": [picture, {"type": "text", "text": PROMPTS[kind]}]}],
        "max_tokens": _LONGEST,
        "temperature": 0.0,
        "top_p": 0.00001,
        "top_k": 1,
        "repetition_penalty": 1.1,
    }


def openai_text(payload: Mapping[str, Any]) -> str:
    """Raises: BadReply: it is no chat completion."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(message, Mapping):
        raise BadReply("the reply holds no message", service=REGION_CAPABILITY.name, remedy=_CHECK)
    content = message.get("content")
    return content.strip() if isinstance(content, str) else ""


def ollama_body(jpeg: bytes, kind: type_kind, *, model: str) -> dict[str, Any]:
    """What Ollama is sent; it takes bare base64."""
    return {
        "model": model,
        "prompt": PROMPTS[kind],
        "images": [base64.b64encode(jpeg).decode()],
        "stream": False,
        "options": {
            "num_predict": _LONGEST,
            "temperature": 0.0,
            "top_p": 0.00001,
            "top_k": 1,
            "repeat_penalty": 1.1,
        },
    }


def ollama_text(payload: Mapping[str, Any]) -> str:
    """Raises: BadReply: it is no answer of Ollama."""
    text = payload.get("response")
    if not isinstance(text, str):
        raise BadReply("the reply holds no `response`", service=OLLAMA_CAPABILITY.name, remedy=_CHECK)
    return text.strip()


def server_reply(payload: Mapping[str, Any]) -> LayoutReply:
    """As the platform would have replied. Boxes are thousandths; sizes, which would mean pixels, are left out.

    Raises:
        BadReply: it is no reply of the glmocr server.
    """
    details = payload.get("layout_details")
    details = payload.get("json_result") if details is None else details
    markdown = payload.get("md_results")
    markdown = payload.get("markdown_result") if markdown is None else markdown
    if details is None and markdown is None:
        raise BadReply(
            "the reply holds neither `json_result` nor `markdown_result`", service=SERVER_CAPABILITY.name, remedy=_CHECK
        )
    return reply({"layout_details": _without_sizes(_listed(details)), "md_results": markdown})


def _listed(details: object) -> object:
    """Some versions send their JSON as text."""
    if not isinstance(details, str):
        return details
    try:
        return json.loads(details)
    except (ValueError, RecursionError):
        return None


def _without_sizes(details: object) -> object:
    if isinstance(details, list):
        return [_without_sizes(part) for part in details]
    if isinstance(details, Mapping):
        return {name: value for name, value in details.items() if name not in ("width", "height")}
    return details
