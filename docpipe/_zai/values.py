"""What is said to the platform and what it answers, as values (pure). Field names follow the platform's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """The `usage` of a reply; zero where the service did not say."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A function that the model wants called."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    """Empty where they could not be read as an object."""
    raw: str = ""
    """The arguments as the model wrote them, to be sent back unchanged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning: str = ""
    """Sent back as the platform asks: with tool calls, or where thinking is kept."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """One chat completion to ask for."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int = 0
    """0: the model's default."""
    temperature: float | None = None
    greedy: bool = False
    """`do_sample: false`: always the likeliest word."""
    thinking: bool | None = None
    """None: as the model does by itself."""
    keep_thinking: bool = False
    """`clear_thinking: false`: earlier reasoning is sent back and read again."""
    as_json: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_stream: bool = False
    stop: str = ""
    user_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatReply:
    """A whole answer of the model."""

    text: str
    reasoning: str = ""
    finish: str = ""
    """`finish_reason`; empty where the answer was cut off."""
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: Tokens = Tokens()
    has_usage: bool = False
    """Whether the service told any usage."""
    model: str = ""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolPiece:
    """A part of a tool call in a stream; pieces of one call share their index."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatDelta:
    """One event of a stream. `finish` is set on the last one."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    tool_pieces: tuple[ToolPiece, ...] = ()
    tokens: Tokens | None = None
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebResult:
    """One result of a web search."""

    title: str
    link: str
    content: str
    media: str = ""
    published: str = ""
    """`YYYY-MM-DD`, or empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebPage:
    """A page as the web reader gives it."""

    url: str
    title: str
    content: str
    """Markdown."""
    description: str = ""
    published: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
