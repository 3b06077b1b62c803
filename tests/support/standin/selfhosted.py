"""GLM-OCR as people run it themselves: a model server, Ollama, the glmocr server. No key, no codes, no page sizes."""

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from typing import Any

from standin import chat, fields, model, ocr, small
from standin.counting import count, prompt_tokens
from standin.fields import ANY, FLAG, TEXT, Field
from standin.refusals import Refusal
from standin.spoiling import Spoiled, spoil

PROMPTS: Mapping[str, str] = {
    "Text Recognition:": "text",
    "Table Recognition:": "table",
    "Formula Recognition:": "formula",
}
SMALLEST, LARGEST, STEP = 12_544, 71_372_800, 28
"""Area and sides of a region's picture, in pixels."""
SERVED = "glm-ocr"
DROPPED = {"header", "footer", "number", "footnote", "aside_text", "reference", "header_image", "footer_image"}
"""Labels that the glmocr server leaves out."""
CHAT = {
    "model": Field(types=(str,), required=True),
    "messages": Field(types=(list,), required=True, shortest=1),
    "max_tokens": fields.whole(1),
    "max_completion_tokens": fields.whole(1),
    "temperature": fields.number(0, 2),
    "top_p": fields.number(0, 1),
    "top_k": fields.whole(-1),
    "repetition_penalty": fields.number(0),
    "stop": Field(types=(str, list)),
    "seed": fields.whole(),
    "stream": FLAG,
    "stream_options": Field(types=(dict,)),
    "response_format": Field(types=(dict,)),
    "tools": Field(types=(list,)),
    "tool_choice": ANY,
    "user": TEXT,
    "chat_template_kwargs": Field(types=(dict,)),
    "thinking": Field(types=(dict,)),
}
GENERATE = {
    "model": Field(types=(str,), required=True),
    "prompt": Field(types=(str,), required=True),
    "images": Field(types=(list,), required=True, shortest=1, longest=1),
    "stream": FLAG,
    "options": Field(types=(dict,)),
    "keep_alive": ANY,
}
OPTIONS = {
    "num_predict": fields.whole(-1),
    "temperature": fields.number(0, 2),
    "top_p": fields.number(0, 1),
    "top_k": fields.whole(),
    "repeat_penalty": fields.number(0),
    "num_ctx": fields.whole(1),
    "seed": fields.whole(),
}
PARSE = {"images": Field(types=(list,), shortest=1), "file": TEXT}
PATHS = {"/v1/chat/completions", "/v1/embeddings", "/api/generate", "/glmocr/parse"}


def bad_request(message: str, *, status: int = 400) -> Refusal:
    """As a model server says it."""
    return Refusal(code="", status=status, message=message, shape="openai")


def answer(
    path: str, body: dict[str, Any], reader: ocr.Reader, manner: model.Manner, spoiled: Sequence[Spoiled]
) -> Any:
    """What the server at a path says -> a payload, or a list of events; waits for the reader.

    Raises:
        Refusal: in the shape of that server.
    """
    shape: Any = "openai" if path.startswith("/v1/") else "string"
    try:
        match path:
            case "/v1/embeddings":
                return small.openai_embeddings(body)
            case "/v1/chat/completions":
                return _chat(body, reader, manner)
            case "/api/generate":
                return _generate(body, reader)
            case _:
                return _parse(body, reader, spoiled)
    except Refusal as refusal:
        raise Refusal(code="", status=refusal.status, message=refusal.message, shape=shape) from refusal


def _chat(body: dict[str, Any], reader: ocr.Reader, manner: model.Manner) -> Any:
    fields.check(body, CHAT)
    shown: dict[str, Any] = {"id": f"chatcmpl-{time.monotonic_ns():x}", "created": int(time.time()), "request_id": ""}
    if body["model"] == SERVED or isinstance(body["messages"][0].get("content"), list):
        text = _region(body, reader)
        usage = _usage(400, count(text))
        done = chat.Completion(reply=chat.Reply(text=text), finish="stop", usage=usage)
    else:
        roles = ("system", "user", "assistant", "tool")
        chat.check_messages(body["messages"], roles=roles)
        reply = model.answer(body, manner)
        usage = _usage(prompt_tokens(body["messages"], body.get("tools")), count(reply.text))
        finish = "tool_calls" if reply.tool_calls else "stop"
        done = chat.Completion(reply=reply, finish=finish, usage=usage)
    if not body.get("stream"):
        payload = chat.whole(body, done, **shown)
        payload.pop("request_id")
        return payload
    *events, last = chat.events(body, done, **shown)
    told = {**last, "choices": [], "usage": last.pop("usage")}
    return [*events, last, *([told] if (body.get("stream_options") or {}).get("include_usage") else [])]


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _region(body: dict[str, Any], reader: ocr.Reader) -> str:
    if body["model"] != SERVED:
        raise bad_request(f"The model `{body['model']}` does not exist.", status=404)
    if len(body["messages"]) != 1 or body["messages"][0].get("role") != "user":
        raise bad_request("one user message is wanted")
    parts = body["messages"][0].get("content")
    if not isinstance(parts, list) or [part.get("type") for part in parts] != ["image_url", "text"]:
        raise bad_request("the image comes first, then the prompt")
    head, _, encoded = str(parts[0]["image_url"].get("url")).partition(",")
    if head != "data:image/jpeg;base64":
        raise bad_request("the image must be a JPEG as a data URI")
    return _read(encoded, str(parts[1].get("text")), reader)


def _read(encoded: str, prompt: str, reader: ocr.Reader) -> str:
    if prompt not in PROMPTS:
        raise bad_request(f"unknown prompt {prompt!r}")
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise bad_request("the image is not base64") from error
    if not data.startswith(b"\xff\xd8\xff"):
        raise bad_request("the image is not a JPEG")
    text, width, height = reader.region(data, PROMPTS[prompt])
    if width % STEP or height % STEP or not SMALLEST <= width * height <= LARGEST:
        raise bad_request(f"sides must be multiples of {STEP} and the area right, got {width} x {height}")
    return text


def _generate(body: dict[str, Any], reader: ocr.Reader) -> Any:
    fields.check(body, GENERATE)
    if body["model"] not in (SERVED, f"{SERVED}:latest"):
        raise Refusal(code="", status=404, message=f"model '{body['model']}' not found")
    if body.get("stream") is not False:
        raise bad_request("this stand-in answers with stream: false only")
    fields.check(body.get("options") or {}, OPTIONS, within="options")
    text = _read(body["images"][0], body["prompt"], reader)
    return {
        "model": body["model"],
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "response": text,
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 400,
        "eval_count": count(text),
    }


def _parse(body: dict[str, Any], reader: ocr.Reader, spoiled: Sequence[Spoiled]) -> Any:
    fields.check(body, PARSE)
    files = body.get("images") or ([body["file"]] if body.get("file") else [])
    if not files:
        raise bad_request("No images provided")
    pages = [dict(page) for file in files for page in spoil(_pages(file, reader), spoiled)]
    for page in pages:
        page["elements"] = [element for element in page["elements"] if element["native_label"] not in DROPPED]
    payload = ocr.reply(pages, boxes="thousandths", sizes="none")
    for element in [element for page in payload["layout_details"] for element in page]:
        element["polygon"] = _polygon(element["bbox_2d"])
    details, markdown = payload["layout_details"], payload["md_results"]
    return {
        "id": f"glmocr-{time.monotonic_ns():x}",
        "created": int(time.time()),
        "model": "GLM-OCR",
        "json_result": details,
        "layout_details": details,
        "markdown_result": markdown,
        "md_results": markdown,
        "data_info": {"pages": []},
        "usage": {},
    }


def _pages(file: Any, reader: ocr.Reader) -> list[dict[str, Any]]:
    """Of anything but a data URI of an image nothing is read, and nothing said."""
    head, _, encoded = str(file).partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        return []
    data = base64.b64decode(encoded)
    return [dict(page) for page in reader.pages(data, head[5:-7], 1, 0)]


def _polygon(box: Sequence[int] | None) -> list[list[int]] | None:
    return None if box is None else [[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]
