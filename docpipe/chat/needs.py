"""What a chat flow asks the world for, and what it tells the reader (pure).

A flow is a generator: it yields needs and gets their replies by `send`, or a `DocpipeError` by `throw`. What else it
yields is for the reader (`TextPiece`, `ReasoningPiece`, `Citation`) or, as an `Exchange`, for the history of a
conversation; the reply is None. It returns an Answer. `docpipe.chat.session` has the drivers that run one.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from docpipe._zai.values import ChatRequest
from docpipe.types import Answer, Query

Flow = Generator[Any, Any, Answer]


@dataclass(frozen=True, slots=True)
class Retrieve:
    """-> `list[Hit]`."""

    query: Query


@dataclass(frozen=True, slots=True)
class Compute:
    """Milliseconds of CPU or more, away from an event loop -> what `work` returns."""

    work: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Complete:
    """A whole chat completion -> `ChatReply`."""

    request: ChatRequest


@dataclass(frozen=True, slots=True)
class Begin:
    """Open a stream; an earlier one is closed -> None."""

    request: ChatRequest


@dataclass(frozen=True, slots=True)
class Next:
    """The stream's next event -> `ChatDelta`; None at its end. A stream that breaks off throws `ServiceError`."""


@dataclass(frozen=True, slots=True)
class SearchWeb:
    """-> `list[WebResult]`; none is a normal outcome."""

    query: str


@dataclass(frozen=True, slots=True)
class ReadPages:
    """-> `list[WebPage | ServiceError]`, one for each address, in order, read at once."""

    urls: tuple[str, ...]
