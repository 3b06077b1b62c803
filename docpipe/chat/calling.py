"""Asking a model for an answer, whatever way its answer ends (pure: a part of a flow)."""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from docpipe._zai.chat import joined
from docpipe._zai.values import ChatDelta, ChatReply, ChatRequest, Tokens, ToolCall, ToolPiece
from docpipe.chat.needs import Begin, Complete, Next
from docpipe.chat.spending import Spent
from docpipe.chat.writing import Writing
from docpipe.errors import Refused, ServiceError, Unavailable
from docpipe.types import ReasoningPiece

__all__ = ["Asked", "Ending", "call", "written"]

TOO_LONG = "1261"
"""The platform's code for a prompt that is longer than the window."""
_AGAIN = 2
"""How often an answer that broke off before its first word is asked for again."""
_LONGEST_REASONING = 200_000
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, and where its answer is written."""

    request: ChatRequest
    writing: Writing
    predicted: int = 0
    """Tokens of the prompt that should come from the cache."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a call gave, and how it ended."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    error: ServiceError | None = None
    """What broke it off."""

    @property
    def empty(self) -> bool:
        """Whether it has no word of an answer."""
        return not self.text.strip()


@dataclass(frozen=True, kw_only=True)
class Written:
    """An answer as it was written."""

    asked: Asked
    reasoning: str = ""
    partial: bool = False
    tool_calls: tuple[ToolCall, ...] = ()


def call(asked: Asked, spent: Spent, *, stream: bool, show: bool) -> Generator[Any, Any, Ending]:
    """One call.

    Args:
        show: hand its text on as it comes.

    Raises:
        ServiceError: it gave nothing.
    """
    if stream:
        return (yield from _streamed(asked, spent, show=show))
    reply: ChatReply = yield Complete(asked.request)
    spent.add(reply.tokens if reply.has_usage else None, predicted=asked.predicted)
    return Ending(
        text=reply.text,
        reasoning=_UNSEEN.sub("", reply.reasoning[:_LONGEST_REASONING]),
        finish=reply.finish,
        tool_calls=reply.tool_calls,
    )


def _streamed(asked: Asked, spent: Spent, *, show: bool) -> Generator[Any, Any, Ending]:
    yield Begin(asked.request)
    texts: list[str] = []
    thoughts: list[str] = []
    pieces: list[ToolPiece] = []
    tokens: Tokens | None = None
    finish, error = "", None
    while not asked.writing.full and (show or sum(map(len, texts)) < _LONGEST_REASONING):
        try:
            delta: ChatDelta | None = yield Next()
        except ServiceError as broken:
            if not (texts or thoughts or pieces):
                raise
            error = broken
            break
        if delta is None:
            break
        if delta.reasoning and sum(map(len, thoughts)) < _LONGEST_REASONING:
            thoughts.append(_UNSEEN.sub("", delta.reasoning))
            yield ReasoningPiece(text=thoughts[-1])
        if delta.text:
            texts.append(delta.text)
            if show:
                yield from asked.writing.feed(delta.text)
        pieces += delta.tool_pieces
        tokens, finish = delta.tokens or tokens, delta.finish or finish
    spent.add(tokens, predicted=asked.predicted)
    return Ending(
        text="".join(texts), reasoning="".join(thoughts), finish=finish, tool_calls=joined(pieces), error=error
    )


def written(
    prepare: Callable[[bool], Generator[Any, Any, Asked]],
    spent: Spent,
    remarks: list[str],
    *,
    stream: bool,
    show: bool = True,
) -> Generator[Any, Any, Written]:
    """A whole answer, or as much of one as came.

    Args:
        prepare: makes the request and a fresh `Writing`; its argument says whether the prompt must be shorter.
        show: stream the text on; else it is handed on when the call has ended in order.

    Raises:
        ServiceError: there is no answer: refused for its content, or broken off before the first word, again and again.
    """
    shorter = quiet = False
    tries = 0
    while True:
        asked = yield from prepare(shorter)
        if quiet:
            asked = replace(asked, request=replace(asked.request, thinking=False))
        try:
            ending = yield from call(asked, spent, stream=stream, show=show)
        except Refused as error:
            if error.code != TOO_LONG or shorter:
                raise
            shorter = True
            remarks.append("the prompt was too long for the model: it was asked again with less")
            continue
        fresh = ending.empty or not (stream and show)
        if ending.finish == "length" and ending.empty and ending.reasoning and not quiet:
            quiet = True
            remarks.append("the model thought until max_tokens were used: it was asked again without thinking")
        elif ending.finish == "model_context_window_exceeded" and fresh and not shorter:
            shorter = True
            remarks.append("the answer did not fit into the model's window: it was asked again with less")
        elif fresh and tries < _AGAIN and _broke(ending):
            tries += 1
        else:
            return (yield from _ended(asked, ending, remarks, shown=stream and show))


def _broke(ending: Ending) -> bool:
    """Whether it is worth asking again."""
    if ending.error is not None:
        return ending.error.retryable
    nothing = ending.empty and ending.finish == "stop" and not ending.tool_calls
    return nothing or ending.finish in ("", "network_error")


_WHY = {
    "length": "the answer was cut off: it reached max_tokens",
    "sensitive": "the answer was cut off by the service's content policy",
    "network_error": "the answer was cut off: the model's service broke",
    "model_context_window_exceeded": "the answer was cut off: prompt and answer filled the model's window",
    "": "the answer was cut off: it ended without a reason",
}


def _ended(asked: Asked, ending: Ending, remarks: list[str], *, shown: bool) -> Generator[Any, Any, Written]:
    """Write what came, and say what is wrong with it."""
    if ending.empty:
        _check_given(ending)
    why = f"the answer was cut off: {ending.error.message}" if ending.error else _WHY.get(ending.finish, "")
    if asked.writing.full:
        why = "the answer was cut off: it has no end"
    if ending.finish not in (*_WHY, "stop", "tool_calls"):
        remarks.append(f"the model stopped for a reason that is not known: {ending.finish[:40]!r}")
    if ending.empty and not ending.tool_calls and not why:
        why = "the model wrote nothing"
    if why:
        remarks.append(why)
    if not ending.tool_calls:
        if not shown:
            yield from asked.writing.feed(ending.text)
        yield from asked.writing.close()
    return Written(asked=asked, reasoning=ending.reasoning, partial=bool(why), tool_calls=ending.tool_calls)


def _check_given(ending: Ending) -> None:
    if ending.error is not None:
        raise ending.error
    if ending.finish == "sensitive":
        raise Refused(
            "the service's content policy blocked the answer",
            service="chat",
            code="sensitive",
            content_policy=True,
            remedy="ask otherwise; a source that is shown to the model may be the reason",
        )
    if ending.finish == "network_error":
        raise Unavailable("the model's service broke before the first word", service="chat", remedy="ask again later")
    if ending.finish == "model_context_window_exceeded":
        raise Refused(
            "prompt and answer do not fit into the model's window",
            service="chat",
            code=ending.finish,
            remedy="lower prompt.context_tokens or prompt.history_tokens, or choose a model with a larger window",
        )
