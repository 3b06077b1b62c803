"""POST /chat/completions: what it takes and how it answers, whole and as events."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin import fields
from standin.counting import PromptCache, count, prompt_tokens, text_of
from standin.fields import FLAG, TEXT, Field
from standin.refusals import Refusal, invalid, missing

MODELS: Mapping[str, tuple[int, int]] = {
    "glm-5.2": (200_000, 131_072),
    "glm-5.1": (200_000, 131_072),
    "glm-5": (200_000, 131_072),
    "glm-5-turbo": (200_000, 131_072),
    "glm-4.7": (200_000, 131_072),
    "glm-4.7-flashx": (200_000, 131_072),
    "glm-4.7-flash": (200_000, 131_072),
    "glm-4.6": (200_000, 131_072),
    "glm-4.5": (128_000, 98_304),
    "glm-4.5-x": (128_000, 98_304),
    "glm-4.5-air": (128_000, 98_304),
    "glm-4.5-airx": (128_000, 98_304),
    "glm-4.5-flash": (128_000, 98_304),
    "glm-4-32b-0414-128k": (128_000, 16_384),
    "glm-5v-turbo": (200_000, 131_072),
    "glm-4.6v": (128_000, 32_768),
    "glm-4.6v-flashx": (128_000, 32_768),
    "glm-4.6v-flash": (128_000, 32_768),
    "glm-4.5v": (64_000, 16_384),
}
"""Model -> window and most output, in tokens."""
VISION = {"glm-5v-turbo", "glm-4.6v", "glm-4.6v-flashx", "glm-4.6v-flash", "glm-4.5v"}
FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _one_stop(value: list[Any]) -> str:
    return "" if all(isinstance(word, str) and word for word in value) else "must hold words"


FIELDS: Mapping[str, Field] = {
    "model": Field(types=(str,), required=True),
    "messages": Field(types=(list,), required=True, shortest=1),
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
    "stream": FLAG,
    "thinking": Field(types=(dict,)),
    "do_sample": FLAG,
    "temperature": fields.number(0, 1),
    "top_p": fields.number(0.01, 1),
    "max_tokens": fields.whole(1, 131_072),
    "stop": Field(types=(list,), longest=1, check=_one_stop),
    "tools": Field(types=(list,), longest=128),
    "tool_choice": fields.one_of("auto"),
    "tool_stream": FLAG,
    "response_format": Field(types=(dict,)),
    "reasoning_effort": fields.one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "seed": fields.whole(),
    "sensitive_word_check": Field(types=(dict,)),
    "meta": Field(types=(dict,)),
    "stream_options": Field(types=(dict,)),
}
"""The last four are sent by clients of others and are ignored."""
THINKING = {"type": fields.one_of("enabled", "disabled"), "clear_thinking": FLAG}
FORMAT = {"type": fields.one_of("text", "json_object", required=True)}
MESSAGES: Mapping[str, Mapping[str, Field]] = {
    "system": {"role": TEXT, "content": Field(types=(str,), required=True)},
    "user": {"role": TEXT, "content": Field(types=(str, list), required=True, shortest=1)},
    "assistant": {
        "role": TEXT,
        "content": TEXT,
        "reasoning_content": TEXT,
        "tool_calls": Field(types=(list,), shortest=1),
    },
    "tool": {
        "role": TEXT,
        "content": Field(types=(str,), required=True),
        "tool_call_id": Field(types=(str,), required=True),
    },
}
PARTS: Mapping[str, Mapping[str, Field]] = {
    "text": {"type": TEXT, "text": Field(types=(str,), required=True)},
    "image_url": {"type": TEXT, "image_url": Field(types=(dict,), required=True)},
    "video_url": {"type": TEXT, "video_url": Field(types=(dict,), required=True)},
    "file_url": {"type": TEXT, "file_url": Field(types=(dict,), required=True)},
}
FUNCTION = {
    "name": Field(types=(str,), required=True, check=lambda name: "" if FUNCTION_NAME.fullmatch(name) else "bad name"),
    "description": Field(types=(str,), required=True),
    "parameters": Field(types=(dict,), required=True),
}
WEB_SEARCH = {
    "enable": Field(types=(bool, str)),
    "search_engine": Field(types=(str,), required=True),
    "search_query": TEXT,
    "count": Field(types=(int, str)),
    "search_domain_filter": TEXT,
    "search_recency_filter": TEXT,
    "content_size": fields.one_of("medium", "high"),
    "result_sequence": fields.one_of("before", "after"),
    "search_result": Field(types=(bool, str)),
    "require_search": Field(types=(bool, str)),
    "search_prompt": TEXT,
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the model writes."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Name and arguments of the functions it wants called."""
    finish: str = ""
    """Empty: `stop`, `tool_calls` or `length`, as it happens."""
    pieces: tuple[str, ...] = ()
    """How `text` is broken up in a stream; empty: word by word."""


Script = Callable[[dict[str, Any]], Any]


def check(body: dict[str, Any], windows: Mapping[str, int]) -> None:
    """Refuse what the contract does not allow."""
    fields.check(body, FIELDS)
    model = body["model"]
    if model not in MODELS:
        raise Refusal(code="1211")
    if body.get("thinking") is not None:
        fields.check(body["thinking"], THINKING, within="thinking")
    if body.get("response_format") is not None:
        fields.check(body["response_format"], FORMAT, within="response_format")
    if (body.get("max_tokens") or 1) > MODELS[model][1]:
        raise invalid(f"max_tokens of {model} must be at most {MODELS[model][1]}")
    if body.get("tool_stream") and not body.get("stream"):
        raise invalid("tool_stream needs stream")
    if body.get("reasoning_effort") is not None and model != "glm-5.2":
        raise invalid(f"reasoning_effort is not known to {model}")
    check_messages(body["messages"], vision=model in VISION)
    check_tools(body.get("tools") or [])
    if prompt_tokens(body["messages"], body.get("tools")) > windows.get(model, MODELS[model][0]):
        raise Refusal(code="1261")


def check_messages(messages: Sequence[Any], *, vision: bool = False, roles: Sequence[str] = tuple(MESSAGES)) -> None:
    """Roles, their fields, tool answers that answer a call; not system and assistant messages alone."""
    wanted: set[str] = set()
    for number, message in enumerate(messages):
        within = f"messages[{number}]"
        role = str(message.get("role")) if isinstance(message, dict) else ""
        if role not in roles:
            raise invalid(f"{within}.role must be one of {', '.join(roles)}")
        fields.check(message, MESSAGES[role], within=within)
        if role == "assistant":
            if not message.get("content") and not message.get("tool_calls"):
                raise invalid(f"{within}.content: Input cannot be empty")
            wanted |= {_tool_call_id(call, within) for call in message.get("tool_calls") or []}
        elif role == "tool" and message["tool_call_id"] not in wanted:
            raise invalid(f"{within}.tool_call_id answers no call")
        if isinstance(message.get("content"), list):
            _check_parts(message["content"], within, vision=vision)
    if all(message["role"] in ("system", "assistant") for message in messages):
        raise invalid("messages must hold more than system and assistant messages")


def _tool_call_id(call: Any, within: str) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if (
        not isinstance(function, dict)
        or not isinstance(call.get("id"), str)
        or not isinstance(function.get("name"), str)
    ):
        raise invalid(f"{within}.tool_calls needs id and function.name")
    if not isinstance(function.get("arguments"), (str, dict)):
        raise invalid(f"{within}.tool_calls needs function.arguments")
    return str(call["id"])


def _check_parts(parts: Sequence[Any], within: str, *, vision: bool) -> None:
    if not vision:
        raise invalid(f"{within}.content must be a string for a text model")
    for part in parts:
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        if kind not in PARTS:
            raise invalid(f"{within}.content has a part of an unknown type")
        fields.check(part, PARTS[kind], within=f"{within}.content")
    kinds = {part["type"] for part in parts}
    if "file_url" in kinds and kinds & {"image_url", "video_url"}:
        raise Refusal(code="1215")


def check_tools(tools: Sequence[Any]) -> None:
    """Functions with name, description and parameters; web search with its engine."""
    for number, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        within = f"tools[{number}]"
        if kind == "function":
            fields.check(tool, {"type": TEXT, "function": Field(types=(dict,), required=True)}, within=within)
            fields.check(tool["function"], FUNCTION, within=f"{within}.function")
        elif kind == "web_search":
            fields.check(tool, {"type": TEXT, "web_search": Field(types=(dict,), required=True)}, within=within)
            fields.check(tool["web_search"], WEB_SEARCH, within=f"{within}.web_search")
        else:
            raise missing(f"{within}.type")


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A finished completion, before it is put into words of the protocol."""

    reply: Reply
    finish: str
    usage: Mapping[str, Any]


def complete(body: Mapping[str, Any], reply: Reply, cache: PromptCache, windows: Mapping[str, int]) -> Completion:
    """Cut what the model wrote at `max_tokens`, reasoning first, and count."""
    prompt = prompt_tokens(body["messages"], body.get("tools"))
    cached = min(prompt, cache.cached(body["model"], body["messages"], body.get("tools")))
    limit = body.get("max_tokens") or MODELS[body["model"]][1]
    room = windows.get(body["model"], MODELS[body["model"]][0]) - prompt
    thinks = (body.get("thinking") or {}).get("type", "enabled") == "enabled"
    reasoning = cut(reply.reasoning, min(limit, room)) if thinks else ""
    text = cut(stopped(reply.text, body.get("stop")), min(limit, room) - count(reasoning))
    complete = text == stopped(reply.text, body.get("stop")) and (not thinks or reasoning == reply.reasoning)
    short = "length" if limit <= room else "model_context_window_exceeded"
    finish = reply.finish or ("tool_calls" if reply.tool_calls else "stop")
    calls = "".join(json.dumps(dict(arguments)) + name for name, arguments in reply.tool_calls) if complete else ""
    written = count(reasoning) + count(text) + count(calls)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": count(reasoning)}
    kept = Reply(
        text=text,
        reasoning=reasoning,
        tool_calls=reply.tool_calls if complete else (),
        pieces=reply.pieces if text == "".join(reply.pieces) else (),
    )
    return Completion(reply=kept, finish=finish if complete else short, usage=usage)


def cut(text: str, tokens: int) -> str:
    """The longest beginning of so many tokens, at a word's end."""
    if count(text) <= tokens:
        return text
    pieces, kept = words(text), ""
    for piece in pieces:
        if count(kept + piece) > max(0, tokens):
            break
        kept += piece
    return kept


def stopped(text: str, stop: Sequence[str] | None) -> str:
    """The text up to a stop word."""
    return text.split(stop[0])[0] if stop else text


def words(text: str) -> list[str]:
    """The text in pieces of a word and the blanks before it, as a stream gives them."""
    return (
        re.findall(r"\s*[^\s\u3400-\u9fff]+|\s*[\u3400-\u9fff]{1,3}|\s+$", text)
        if text.strip()
        else [text] * bool(text)
    )


def tool_call(number: int, name: str, arguments: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """A call as the platform writes it: the arguments are a JSON text."""
    text = json.dumps(dict(arguments), ensure_ascii=False)
    function = {"name": name, "arguments": text}
    return {"index": number, "id": f"call_{request_id[-12:]}_{number}", "type": "function", "function": function}


def whole(body: Mapping[str, Any], done: Completion, *, id: str, created: int, request_id: str) -> dict[str, Any]:  # noqa: A002
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": done.reply.text}
    if done.reply.reasoning:
        message["reasoning_content"] = done.reply.reasoning
    if done.reply.tool_calls:
        message["content"] = done.reply.text or None
        message["tool_calls"] = [tool_call(n, *call, request_id) for n, call in enumerate(done.reply.tool_calls)]
    return {
        "id": id,
        "created": created,
        "model": body["model"],
        "object": "chat.completion",
        "request_id": request_id,
        "choices": [{"index": 0, "finish_reason": done.finish, "message": message}],
        "usage": dict(done.usage),
    }


def events(
    body: Mapping[str, Any],
    done: Completion,
    *,
    id: str,  # noqa: A002
    created: int,
    request_id: str,
) -> Iterator[dict[str, Any]]:
    """The answer as the events of a stream; the last one has the finish reason and the usage."""

    def event(delta: dict[str, Any]) -> dict[str, Any]:
        choices = [{"index": 0, "delta": {"role": "assistant", **delta}}]
        return {
            "id": id,
            "created": created,
            "model": body["model"],
            "object": "chat.completion.chunk",
            "choices": choices,
        }

    for piece in words(done.reply.reasoning):
        yield event({"reasoning_content": piece})
    for piece in done.reply.pieces or words(done.reply.text):
        yield event({"content": piece})
    for number, (name, arguments) in enumerate(done.reply.tool_calls):
        call = tool_call(number, name, arguments, request_id)
        if not body.get("tool_stream"):
            yield event({"tool_calls": [call]})
            continue
        text = call["function"]["arguments"]
        yield event({"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]})
        for start in range(0, len(text), 7):
            yield event({"tool_calls": [{"index": number, "function": {"arguments": text[start : start + 7]}}]})
    last = event({"content": ""})
    last["choices"][0]["finish_reason"] = done.finish
    yield {**last, "usage": dict(done.usage)}


def as_reply(said: Any) -> Reply:
    """What a script may return: a text, the pieces of a text, or a whole reply."""
    if isinstance(said, Reply):
        return said
    if isinstance(said, str):
        return Reply(text=said)
    if isinstance(said, (list, tuple)) and all(isinstance(piece, str) for piece in said):
        return Reply(text="".join(said), pieces=tuple(said))
    raise TypeError(f"a script must return str, Reply, a list of str or a list of events, got {type(said).__name__}")


def last_user_text(body: Mapping[str, Any]) -> str:
    """The last user message."""
    return next((text_of(m.get("content")) for m in reversed(body["messages"]) if m["role"] == "user"), "")
