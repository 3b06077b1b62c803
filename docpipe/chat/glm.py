"""Question + retriever -> an answer that a GLM model writes from the documents, each statement with its proof."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from docpipe._http.endpoint import Endpoint
from docpipe.chat.grounding import SourceText
from docpipe.chat.needs import Flow
from docpipe.chat.support import Ground
from docpipe.chat.web import Web, WebGrounds, WebOptions
from docpipe.prompt.budget import Budget, Count, budget, remembered
from docpipe.prompt.builder import Built, Excerpt, Pinned, build
from docpipe.prompt.options import PromptOptions
from docpipe.prompt.prices import most_output, window
from docpipe.prompt.system import instructions
from docpipe.types import Chunk, Exchange, Hit, Prompt, Turn

if TYPE_CHECKING:
    from docpipe._zai.chat import Chat

__all__ = ["GlmChat"]

_REMEMBERED = 24
"""Prompts that were sent last, to predict what the service has in its cache."""
_ANSWER = 8192
"""Tokens kept for the answer where `max_tokens` leaves it to the model."""


@dataclass(frozen=True, kw_only=True)
class GlmChat:
    """Answers in the model's words, from the sources alone: what no source says is marked, or left out."""

    VERSION = 1

    model: str = "glm-4.6"
    """Name of the model, as its service knows it."""
    thinking: Literal["enabled", "disabled"] = "disabled"
    """Whether it thinks before it answers, unless a question says otherwise: slower, and paid as output."""
    max_tokens: int = 8192
    """Tokens it may write, its thoughts included; 0: as many as the model does by itself."""
    temperature: float = 0.2
    """0 to 1: how freely it chooses its words."""
    greedy: bool = False
    """Always the likeliest word; `temperature` then says nothing."""
    strict: bool = False
    """Leave out what no source says, in place of marking it; sentences are then streamed whole."""
    judge: Literal["auto", "always", "never"] = "auto"
    """Whether a model judges, before it answers, that the sources suffice; `auto`: where the web could be asked instead
    and the words alone leave it open."""
    rewrite: Literal["auto", "never"] = "auto"
    """Whether a follow-up that cannot be understood alone is made into a question that can, before it is searched."""
    fallback: Literal["none", "web"] = "none"
    """Where to look when the documents do not say."""
    web: WebOptions = field(default_factory=WebOptions)
    """How the web is searched."""
    tools: bool = False
    """Let the model search by itself, as often as `rounds` says, in place of one search before it answers."""
    rounds: int = 5
    """How often it may call functions for one question."""
    limit: int = 8
    """How many chunks are searched for an answer."""
    longest_question: int = 4000
    """Code points; a longer one is refused."""
    service: Endpoint = Endpoint()
    """Where the model is."""
    prompt: PromptOptions | None = field(default=None, compare=False, repr=False)
    """The pipeline's `prompt:` section."""
    source_text: SourceText | None = field(default=None, compare=False, repr=False)
    """Where quotes are looked up again; the stored chunk where there is none."""
    grounds: WebGrounds | None = field(default=None, compare=False, repr=False)
    """How pages of the web are cut and ranked: with the pipeline's own chunker and embedder."""
    pinned: Callable[[], Sequence[Chunk]] | None = field(default=None, compare=False, repr=False)
    """The pinned documents, each as one chunk."""

    def __post_init__(self) -> None:
        for name in ("limit", "rounds", "longest_question"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 <= self.temperature <= 1:
            raise ValueError(f"temperature must lie from 0 to 1, got {self.temperature:g}")
        if not self.model.strip():
            raise ValueError("model must not be empty")
        most = most_output(self.model) or 131_072
        if not 0 <= self.max_tokens <= most:
            raise ValueError(f"max_tokens must lie from 0 to {most:,} for {self.model}, got {self.max_tokens:,}")

    def flow(self, turn: Turn, /) -> Flow:
        """The steps to one answer."""
        from docpipe.chat.flow import Question
        from docpipe.chat.tools import ToolQuestion

        return ToolQuestion(self, turn).answer() if self.tools else Question(self, turn).answer()

    def client(self) -> "Chat":
        """The model."""
        from docpipe._zai.chat import Chat

        return Chat(self.service)

    def web_client(self) -> Web | None:
        """Search and reader, where the web may be asked."""
        return Web(self.web) if self.asks_web else None

    @property
    def asks_web(self) -> bool:
        """Whether the web may be asked at all."""
        return self.fallback == "web"

    def require_key(self) -> None:
        """Raises: Unauthorized: the variable with the key is not set."""
        self.client().require_key()

    @cached_property
    def count(self) -> Count:
        """Tokens of a text, estimated here; a text is counted once."""
        from docpipe.split.tokenizers import tokenizer

        return remembered(lambda text: tokenizer("o200k_base").count(text))

    @cached_property
    def sent(self) -> "deque[Prompt]":
        """The prompts that were sent last."""
        return deque(maxlen=_REMEMBERED)

    @property
    def options(self) -> PromptOptions:
        """The `prompt:` section, or its defaults."""
        return self.prompt or PromptOptions()

    def built(self, turn: Turn, hits: Sequence[Hit]) -> Built:
        """The prompt of a question with these hits as its sources; takes some milliseconds.

        Raises:
            InvalidOption: the question or the pinned documents are too long.
        """
        return self.assembled(turn.question, turn.history, [Ground(chunk=hit.chunk) for hit in hits])

    def assembled(
        self,
        question: str,
        history: Sequence[Exchange],
        grounds: Sequence[Ground],
        *,
        shorter: bool = False,
        manual: str = "",
    ) -> Built:
        """The prompt of a question.

        Args:
            shorter: give sources and history half their room, as the model's window is smaller than was thought.
            manual: what the instructions end with.
        """
        options = self.options
        return build(
            system=instructions(options.system) + manual,
            pinned=[Pinned(uri=one.source.uri, title=one.title, text=one.text) for one in self.pinned_chunks()],
            history=history,
            excerpts=[excerpt(ground) for ground in grounds],
            question=question,
            budget=self._budget(options, shorter=shorter),
            count=self.count,
        )

    def pinned_chunks(self) -> Sequence[Chunk]:
        """The pinned documents."""
        return self.pinned() if self.pinned else ()

    def _budget(self, options: PromptOptions, *, shorter: bool) -> Budget:
        whole = budget(options, window=window(self.model), answer=self.max_tokens or _ANSWER)
        if not shorter:
            return whole
        return Budget(total=max(1, whole.total // 2), sources=max(1, whole.sources // 2), history=whole.history // 4)


def excerpt(ground: Ground) -> Excerpt:
    """A source as the model is shown it."""
    kind: Literal["document", "web"] = "web" if ground.kind == "web" else "document"
    return replace(Excerpt.of(ground.chunk, kind=kind), published=ground.published)
