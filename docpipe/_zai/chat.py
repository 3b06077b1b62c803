"""Chat completions: ChatRequest -> ChatReply, whole or as a stream of ChatDelta."""

import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from docpipe._http.endpoint import Endpoint
from docpipe._http.service import Capability, service
from docpipe._zai.codes import classify
from docpipe._zai.marks import Unmarked, unmarked
from docpipe._zai.values import ChatDelta, ChatReply, ChatRequest, Message, Tokens, ToolCall, ToolPiece
from docpipe.errors import BadReply, InvalidOption, Unavailable

CAPABILITY = Capability(name="chat", classify=classify, concurrency=4, read_seconds=120.0)
_PATH = "chat/completions"
_OWN = replace(CAPABILITY, request_ids=False)
_PLATFORM = "/paas/v4"
"""All addresses of the platform end so."""
_HOTTEST = 1.0
_MOST_TOKENS = 131_072


class Chat:
    """Chat at one endpoint: the platform, or a server that speaks as OpenAI's does. Both calls run on the I/O loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = service(CAPABILITY, endpoint)
        self._own = not self._service.base_url.endswith(_PLATFORM)
        if self._own:
            self._service = service(_OWN, endpoint)

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self._service.require_key()

    async def complete(self, request: ChatRequest) -> ChatReply:
        """The whole answer.

        Raises:
            ServiceError: after all attempts that make sense.
        """
        sent = await self._service.post(_PATH, self._body(request, stream=False))
        return reply(sent.payload, request_id=sent.request_id)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """The answer as it comes; the last delta has `finish`.

        Raises:
            Unavailable: it ended without a reason: what came is not the whole answer.
            ServiceError: it did not begin, or broke off.
        """
        finished, content = False, Unmarked()
        events = self._service.events(_PATH, self._body(request, stream=True), begins=says_something)
        try:
            async for payload in events:
                piece = delta(payload)
                if piece is not None and (piece := _without_marks(piece, content)) is not None:
                    finished = finished or bool(piece.finish)
                    yield piece
        finally:
            await events.aclose()
        if not finished:
            text, thought = content.rest()
            if text or thought:
                yield ChatDelta(text=text, reasoning=thought)
            raise Unavailable(
                "the answer was cut off: the stream ended without a reason",
                service=CAPABILITY.name,
                remedy="ask again",
            )

    def _body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        return (own_body if self._own else body)(request, stream=stream)


def body(request: ChatRequest, *, stream: bool) -> dict[str, Any]:
    """What is sent for a request; what is not set is left out.

    Raises:
        InvalidOption: a value is outside what the service takes.
    """
    _check(request)
    fields: dict[str, Any] = {"model": request.model, "messages": [_message(one) for one in request.messages]}
    if stream:
        fields["stream"] = True
    if request.max_tokens:
        fields["max_tokens"] = request.max_tokens
    if request.greedy:
        fields["do_sample"] = False
    elif request.temperature is not None:
        fields["temperature"] = round(request.temperature, 2)
    if request.thinking is not None or request.keep_thinking:
        fields["thinking"] = {"type": "disabled" if request.thinking is False else "enabled"}
        if request.keep_thinking:
            fields["thinking"]["clear_thinking"] = False
    if request.as_json:
        fields["response_format"] = {"type": "json_object"}
    if request.tools:
        fields["tools"], fields["tool_choice"] = list(request.tools), "auto"
        if stream and request.tool_stream:
            fields["tool_stream"] = True
    if request.stop:
        fields["stop"] = [request.stop]
    if request.user_id:
        fields["user_id"] = request.user_id
    return fields


def own_body(request: ChatRequest, *, stream: bool) -> dict[str, Any]:
    """The same for a server that is not the platform (vLLM, SGLang, Ollama): only fields that OpenAI's clients send.

    Raises:
        InvalidOption: as `body`.
    """
    fields = body(request, stream=stream)
    for name in ("do_sample", "thinking", "tool_stream", "user_id"):
        fields.pop(name, None)
    if request.greedy:
        fields["temperature"] = 0.0
    if request.thinking is not None:  # how the templates of GLM and Qwen are told
        fields["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if stream:
        fields["stream_options"] = {"include_usage": True}
    return fields


def _check(request: ChatRequest) -> None:
    hot = request.temperature
    if hot is not None and not 0 <= hot <= _HOTTEST:
        raise InvalidOption(
            f"temperature must lie in 0 .. 1, got {hot:g}",
            where="chat.temperature",
            remedy="0 with `greedy`, or up to 1",
        )
    if not 0 <= request.max_tokens <= _MOST_TOKENS:
        raise InvalidOption(
            f"max_tokens must lie in 0 .. {_MOST_TOKENS}, got {request.max_tokens}",
            where="chat.max_tokens",
            remedy="0 leaves it to the model",
        )
    if not any(message.role in ("user", "tool") for message in request.messages):
        raise InvalidOption("there is no message of a user", where="chat.messages", remedy="ask something")


def _message(message: Message) -> dict[str, Any]:
    form: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.role == "assistant":
        if message.reasoning:
            form["reasoning_content"] = message.reasoning
        if message.tool_calls:
            form["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _written(call)}}
                for call in message.tool_calls
            ]
    elif message.role == "tool":
        form["tool_call_id"] = message.tool_call_id
    return form


def _written(call: ToolCall) -> str:
    return call.raw or json.dumps(dict(call.arguments), ensure_ascii=False)


def reply(payload: Mapping[str, Any], *, request_id: str = "") -> ChatReply:
    """A reply's value.

    Raises:
        BadReply: it holds no answer.
    """
    choice = _first(payload.get("choices"))
    message = _mapping(choice.get("message"))
    if not message:
        raise BadReply(
            "the reply holds no message", service=CAPABILITY.name, remedy="ask again; check `model` and `base_url`"
        )
    text, thought = unmarked(_text(message.get("content")))
    return ChatReply(
        text=text,
        reasoning=_reasoning(message) or thought,
        finish=_text(choice.get("finish_reason")),
        tool_calls=tuple(_calls(message.get("tool_calls"))),
        tokens=tokens(payload.get("usage")) or Tokens(),
        has_usage=tokens(payload.get("usage")) is not None,
        model=_text(payload.get("model")),
        request_id=_text(payload.get("request_id")) or request_id,
    )


def delta(payload: Mapping[str, Any]) -> ChatDelta | None:
    """An event's value; None where it says nothing."""
    choice = _first(payload.get("choices"))
    piece = _mapping(choice.get("delta")) or _mapping(choice.get("message"))
    found = ChatDelta(
        text=_text(piece.get("content")),
        reasoning=_reasoning(piece),
        finish=_text(choice.get("finish_reason")),
        tool_pieces=tuple(_pieces(piece.get("tool_calls"))),
        tokens=tokens(payload.get("usage")),
        request_id=_text(payload.get("request_id")),
    )
    return found if found != ChatDelta(request_id=found.request_id) else None


def says_something(payload: Mapping[str, Any]) -> bool:
    """Whether a reader sees something of this event, or it ends the answer: after it nothing is asked again."""
    found = delta(payload)
    return found is not None and bool(found.text or found.reasoning or found.tool_pieces or found.finish)


def joined(pieces: Sequence[ToolPiece]) -> tuple[ToolCall, ...]:
    """The calls that the pieces of a stream make, by their index."""
    calls: dict[int, ToolPiece] = {}
    for piece in pieces:
        before = calls.get(piece.index, ToolPiece(index=piece.index))
        calls[piece.index] = ToolPiece(
            index=piece.index,
            id=before.id or piece.id,
            name=before.name or piece.name,
            arguments=before.arguments + piece.arguments,
        )
    return tuple(
        ToolCall(id=call.id, name=call.name, arguments=_arguments(call.arguments), raw=call.arguments)
        for _, call in sorted(calls.items())
    )


def tokens(usage: object) -> Tokens | None:
    """What a reply's `usage` says; None where there is none."""
    if not isinstance(usage, Mapping) or not usage:
        return None
    prompt, completion = _mapping(usage.get("prompt_tokens_details")), _mapping(usage.get("completion_tokens_details"))
    return Tokens(
        prompt=_count(usage.get("prompt_tokens")),
        cached=_count(prompt.get("cached_tokens")),
        completion=_count(usage.get("completion_tokens")),
        reasoning=_count(completion.get("reasoning_tokens")),
    )


def _calls(found: object) -> list[ToolCall]:
    calls = []
    for call in found if isinstance(found, list) else []:
        function = _mapping(_mapping(call).get("function"))
        name, written = _text(function.get("name")), function.get("arguments")
        if name:
            raw = written if isinstance(written, str) else json.dumps(written or {}, ensure_ascii=False)
            calls.append(ToolCall(id=_text(call.get("id")), name=name, arguments=_arguments(raw), raw=raw))
    return calls


def _pieces(found: object) -> list[ToolPiece]:
    pieces = []
    for place, piece in enumerate(found if isinstance(found, list) else []):
        form = _mapping(piece)
        function, index = _mapping(form.get("function")), form.get("index")
        written = function.get("arguments")
        pieces.append(
            ToolPiece(
                index=index if isinstance(index, int) else place,
                id=_text(form.get("id")),
                name=_text(function.get("name")),
                arguments=written
                if isinstance(written, str)
                else (json.dumps(written, ensure_ascii=False) if written else ""),
            )
        )
    return pieces


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _without_marks(piece: ChatDelta, content: Unmarked) -> ChatDelta | None:
    """The event without marks in its text; None where nothing is left of it."""
    text, thought = content.feed(piece.text)
    if piece.finish:
        last_text, last_thought = content.rest()
        text, thought = text + last_text, thought + last_thought
    found = replace(piece, text=text, reasoning=piece.reasoning + thought)
    return found if found != ChatDelta(request_id=found.request_id) else None


def _reasoning(message: Mapping[str, Any]) -> str:
    """What the model thought; some servers call it `reasoning`."""
    return _text(message.get("reasoning_content")) or _text(message.get("reasoning"))


def _first(choices: object) -> Mapping[str, Any]:
    return _mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    if isinstance(value, list):  # parts, as some compatible servers write them
        return "".join(_text(_mapping(part).get("text")) for part in value)
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return int(value) if 0 < value < math.inf else 0
