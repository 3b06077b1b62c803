"""The `prompt:` section of a pipeline file: what a chat model is told, and how much of it (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptOptions:
    """The `prompt:` section: what a chat model is told."""

    system: str = "default"
    """`default`, or who the model is and how it should write; the rules on sources and markers follow in any case."""
    context_tokens: int = 6000
    """How many tokens of sources it is shown at most for one question."""
    history_tokens: int = 60_000
    """How many tokens of earlier turns it is shown at most. Beyond, the oldest half goes at once: what is left is then
    the same for many turns, and read from the service's cache."""
    pin: tuple[str, ...] = ()
    """Uris of documents whose whole text the model always has before it; it is cached from the second question on."""
    window_tokens: int = 0
    """The longest prompt and answer that the model takes; 0: what the table of models says of it."""

    def __post_init__(self) -> None:
        if not self.system.strip():
            raise ValueError("system must not be empty; leave it out for docpipe's own")
        if self.context_tokens < 1:
            raise ValueError(f"context_tokens must be at least 1, got {self.context_tokens}")
        for name in ("history_tokens", "window_tokens"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if len(set(self.pin)) < len(self.pin):
            raise ValueError("pin names a document twice")
