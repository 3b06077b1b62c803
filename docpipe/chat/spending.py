"""Replies of models -> what a question cost altogether (pure)."""

from dataclasses import dataclass, field

from docpipe._zai.values import Tokens
from docpipe.prompt.prices import CALLS, cost
from docpipe.types import Usage

__all__ = ["Spent"]


@dataclass
class Spent:
    """The calls of one question."""

    model: str
    free: bool = False
    """The model is one's own: its name says nothing of a price."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    predicted: int = 0
    searches: int = 0
    asked: int = 0
    untold: bool = field(default=False)
    """A reply had no usage."""

    def add(self, tokens: Tokens | None, *, predicted: int = 0) -> None:
        """Count a call.

        Args:
            predicted: tokens of its prompt that should come from the cache.
        """
        self.asked += 1
        if tokens is None:
            self.untold = True
            return
        self.prompt_tokens += tokens.prompt
        self.cached_tokens += tokens.cached
        self.completion_tokens += tokens.completion
        self.predicted += min(predicted, tokens.prompt)

    def usage(self, *, prefix: str = "") -> Usage:
        """The sums."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            predicted_cached_tokens=self.predicted,
            prefix=prefix,
        )

    @property
    def usd(self) -> float:
        """What is known of the price."""
        tokens = 0.0 if self.free else cost(self.model, self) or 0.0
        return tokens + self.searches * CALLS["web_search"].call

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the price leaves out."""
        if not self.asked or self.free:
            return ()
        if cost(self.model, self) is None:
            return (f"the price of {self.model} is not known: its tokens are not in the cost",)
        return ("the service did not tell all tokens: the cost is higher",) if self.untold else ()
