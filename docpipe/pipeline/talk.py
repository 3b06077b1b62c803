"""Questions and answers in order: a conversation with a pipeline, for code with and without an event loop."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, TypeVar

from docpipe.chat import session
from docpipe.chat.needs import Flow
from docpipe.errors import InvalidOption
from docpipe.prompt.neutral import without_roles
from docpipe.types import Answer, Citation, Exchange, ReasoningPiece, TextPiece, Turn, Usage

T = TypeVar("T")
Piece = TextPiece | ReasoningPiece | Citation
"""What an answer consists of while it comes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionReport:
    """What a conversation read, wrote and cost."""

    answers: tuple[Answer, ...]
    """In order, each with its own usage and cost."""
    usage: Usage
    """The sum of theirs; `prefix` is the last one's."""
    cost_usd: float

    @property
    def cached_share(self) -> float:
        """Which share of the tokens that should have come from the service's cache did; 1 where none should have."""
        expected = self.usage.predicted_cached_tokens
        return min(1.0, self.usage.cached_tokens / expected) if expected else 1.0


class Talking(Protocol):
    """What a conversation is held with: a `Pipe`."""

    @property
    def is_ready(self) -> bool:
        """Whether its parts are open, so that `begun` takes no time."""
        ...

    def begun(self, turn: Turn, /) -> tuple[Flow, session.World]:
        """The flow that answers a turn, and the world it asks."""
        ...

    def marked(self, piece: T, /) -> T:
        """A piece of an answer as it is shown: what is known of its sources by now is marked."""
        ...


class Session:
    """A conversation: what was said is kept word for word and never changed. One question at a time.

    A question while another is being answered raises InvalidOption: each answer stands on those before it.
    """

    def __init__(self, pipe: Talking) -> None:
        self._pipe = pipe
        self.history: tuple[Exchange, ...] = ()
        self.answers: tuple[Answer, ...] = ()
        self._free = Lock()

    def ask(self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None) -> Answer:
        """`Pipe.ask` with all that was said before."""
        *_, answer = self._told(question, where=where, web=web, thinking=thinking, stream=False)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> Iterator[Piece | Answer]:
        """`Pipe.stream` with all that was said before. An answer that is not read to its end is not remembered."""
        return self._told(question, where=where, web=web, thinking=thinking, stream=True)

    async def aask(self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None) -> Answer:
        """`ask` on any event loop; cancelling it cancels the call to the model."""
        answer = None
        async for piece in self._atold(question, where=where, web=web, thinking=thinking, stream=False):
            answer = piece
        assert isinstance(answer, Answer)
        return answer

    def astream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> AsyncIterator[Piece | Answer]:
        """`stream` on any event loop."""
        return self._atold(question, where=where, web=web, thinking=thinking, stream=True)

    def report(self) -> SessionReport:
        """What was read, written and paid for until now."""
        names = ("prompt_tokens", "cached_tokens", "completion_tokens", "predicted_cached_tokens")
        sums = {name: sum(getattr(answer.usage, name) for answer in self.answers) for name in names}
        prefix = self.answers[-1].usage.prefix if self.answers else ""
        cost = sum(answer.cost_usd for answer in self.answers)
        return SessionReport(answers=self.answers, usage=Usage(**sums, prefix=prefix), cost_usd=cost)

    def _turn(self, question: str, **options: Any) -> Turn:
        return Turn(question=question, history=self.history, **options)

    @contextmanager
    def _begun(self, question: str, **options: Any) -> Iterator[Turn]:
        """The turn of a question, while it is the only one that is being answered."""
        if not self._free.acquire(blocking=False):
            raise InvalidOption(
                "a question of this conversation is still being answered",
                where="session",
                remedy="read its answer to the end or close it, or open another session",
            )
        try:
            yield self._turn(question, **options)
        finally:
            self._free.release()

    def _told(self, question: str, **options: Any) -> Iterator[Piece | Answer]:
        exchange = None
        with self._begun(question, **options) as turn, closing(session.stream(*self._pipe.begun(turn))) as pieces:
            for piece in pieces:
                if isinstance(piece, Exchange):
                    exchange = piece
                    continue
                shown = self._pipe.marked(piece)
                if isinstance(shown, Answer):
                    self._keep(shown, exchange)
                yield shown

    async def _atold(self, question: str, **options: Any) -> AsyncIterator[Piece | Answer]:
        exchange = None
        pipe = self._pipe
        with self._begun(question, **options) as turn:
            begun = pipe.begun(turn) if pipe.is_ready else await session.on_pool(lambda: pipe.begun(turn))
            async with aclosing(session.astream(*begun)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Exchange):
                        exchange = piece
                        continue
                    shown = pipe.marked(piece)
                    if isinstance(shown, Answer):
                        self._keep(shown, exchange)
                    yield shown

    def _keep(self, answer: Answer, exchange: Exchange | None) -> None:
        self.history = (*self.history, exchange or _plain(answer))
        self.answers = (*self.answers, answer)


def _plain(answer: Answer) -> Exchange:
    """The turn of a chat stage that sends no messages."""
    return Exchange(question=answer.question, message=without_roles(answer.question), answer=answer.text)
