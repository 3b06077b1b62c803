"""Bad service on demand."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from standin.refusals import Shape

Edit = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one answer.

    Without `code`, `status` and `body` the answer itself is good and then spoiled.
    """

    code: str = ""
    """A business code of the error table; its usual status and message unless given."""
    status: int = 0
    message: str = ""
    shape: Shape = "nested"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent as it is, with `status` (or 200) and `media_type`."""
    media_type: str = "application/json"
    edit: Edit | None = None
    """Changes the payload; of a stream the list of events, in which bytes are sent as they are."""
    manner: Literal["", "reset", "close", "hang", "drip", "truncate"] = ""
    """What happens on the way: reset (RST), closed before the promised length, silent for ever, a few bytes at a time,
    or a body that ends too early and says it is whole."""
    after_bytes: int = -1
    """How much of the body is sent before; -1: half of it. Of a stream see `after_events`."""
    after_events: int = -1
    """How many events of a stream are sent before; -1: all."""
    within: bool = False
    """Half of the next event is sent too."""
    done: bool = True
    """Whether a stream ends with `[DONE]`."""
    rate: float = 0.0
    """Bytes per second of a drip."""
    when: Callable[[Mapping[str, Any]], bool] | None = None
    """Only for such requests; others pass and do not count."""


def error(code: str, *, shape: Shape = "nested", status: int = 0, message: str = "", retry_after: str = "") -> Fault:
    """A refusal with a business code."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Fault(code=code, shape=shape, status=status, message=message, headers=headers)


def http_error(status: int, *, shape: Shape = "html", message: str = "Error", retry_after: str = "") -> Fault:
    """A refusal without a business code, by default a proxy's HTML page."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Fault(status=status, shape=shape, message=message, headers=headers)


def error_in_200(code: str, *, shape: Shape = "nested") -> Fault:
    """HTTP 200 with an error in it."""
    return Fault(code=code, status=200, shape=shape)


def reset(*, after_bytes: int = -1) -> Fault:
    """The connection is reset in the middle of the body; with 0 before any answer."""
    return Fault(manner="reset", after_bytes=after_bytes)


def short_body() -> Fault:
    """The connection is closed before all that was promised has come."""
    return Fault(manner="close")


def truncated() -> Fault:
    """The JSON ends in the middle, the HTTP answer is whole."""
    return Fault(manner="truncate")


def malformed(body: bytes = b'{"id": "1", choices: [}') -> Fault:
    """Not JSON."""
    return Fault(body=body)


def hang(*, after_bytes: int = 0, after_events: int = 0) -> Fault:
    """Nothing comes any more; of a stream after some events."""
    return Fault(manner="hang", after_bytes=after_bytes, after_events=after_events)


def drip(rate: float) -> Fault:
    """So many bytes per second, from the first one on."""
    return Fault(manner="drip", rate=rate, after_bytes=0, after_events=0)


def huge(size: int) -> Fault:
    """A JSON text of so many bytes."""
    return Fault(body=b'{"id":"' + b"x" * size + b'"}')


def nested(depth: int) -> Fault:
    """Brackets within brackets."""
    return Fault(body=b"[" * depth + b"]" * depth)


def without(*names: str) -> Fault:
    """Fields (`usage`, `data_info.pages`) are missing; `layout_details.width` names the elements' own."""

    def drop(payload: Any) -> Any:
        for name in names:
            _drop(payload, name.split("."))
        return payload

    return Fault(edit=drop)


def _drop(value: Any, path: Sequence[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _drop(item, path)
    elif isinstance(value, dict):
        if len(path) == 1:
            value.pop(path[0], None)
        elif path[0] in value:
            _drop(value[path[0]], path[1:])


def cut_stream(*, after_events: int, within: bool = False, by_reset: bool = False, done: bool = False) -> Fault:
    """A stream that ends too early: `done` with `[DONE]` all the same, else it is closed in order or reset."""
    manner: Literal["", "reset"] = "reset" if by_reset else ""
    return Fault(after_events=after_events, within=within, manner=manner, done=done)


def no_done() -> Fault:
    """All events, no `[DONE]`."""
    return Fault(done=False)


def null_choices(*, at: int = 0) -> Fault:
    """One more event with an empty id and `choices: null`."""
    return _inserted({"id": "", "created": 0, "model": "", "choices": None}, at)


def broken_line(*, at: int = 1) -> Fault:
    """One more event whose JSON is cut off."""
    return _inserted(b'data: {"id": "2026", "choices": [{"index": 0, "delta": {"con\n\n', at)


def comments(*, at: int = 0) -> Fault:
    """Comment lines, an event type and blank lines between the events."""
    return _inserted(b": keep-alive\n\n:\n\nevent: ping\n\n\n", at)


def error_event(code: str, *, at: int = 2) -> Fault:
    """An error object as an event; the stream ends with it."""

    def edit(events: list[Any]) -> list[Any]:
        return [*events[:at], {"error": {"code": code, "message": "Network error, error id: 20260118102255"}}]

    return Fault(edit=edit, done=False)


def _inserted(event: Any, at: int) -> Fault:
    return Fault(edit=lambda events: [*events[:at], event, *events[at:]])


def finish(reason: str | None, *, keep: int = -1) -> Fault:
    """Another finish reason; of a stream only the first `keep` events and the last one."""

    def edit(payload: Any) -> Any:
        if isinstance(payload, dict):
            payload["choices"][0]["finish_reason"] = reason
            return payload
        events = payload if keep < 0 else [*payload[:keep], payload[-1]]
        events[-1]["choices"][0]["finish_reason"] = reason
        return events

    return Fault(edit=edit)


def no_usage() -> Fault:
    """No usage at all."""
    return without("usage")


def usage_everywhere() -> Fault:
    """Usage on every event, rising; the last one counts."""

    def edit(events: list[Any]) -> list[Any]:
        usage = events[-1]["usage"]
        return [{"usage": {**usage, "completion_tokens": n}, **event} for n, event in enumerate(events)]

    return Fault(edit=edit)


def last_words_in_final_event() -> Fault:
    """The last piece of text comes in the event with the finish reason."""

    def edit(events: list[Any]) -> list[Any]:
        *others, before, last = json.loads(json.dumps(events))
        last["choices"][0]["delta"] = before["choices"][0]["delta"]
        return [*others, last]

    return Fault(edit=edit)


def arguments_as_object() -> Fault:
    """Tool arguments as a JSON object instead of a text (not in pieces)."""

    def edit(payload: Any) -> Any:
        for event in payload if isinstance(payload, list) else [payload]:
            for choice in event["choices"]:
                for call in (choice.get("message") or choice.get("delta") or {}).get("tool_calls", []):
                    call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        return payload

    return Fault(edit=edit)
