"""The `eval:` section of a pipeline file: the questions that tell whether an index is good."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """What an index has to reach before a staged run publishes it."""

    hit_rate: float = 0.0
    """Least share of the questions whose expected place is among the hits."""
    mrr: float = 0.0
    """Least mean reciprocal rank of the expected place."""

    def __post_init__(self) -> None:
        for name in ("hit_rate", "mrr"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, got {getattr(self, name):g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalOptions:
    """Golden questions and what they have to reach."""

    questions: str = ""
    """A YAML or JSON lines file of questions, each with where its answer stands; relative to the pipeline file."""
    limit: int = 8
    """How many hits are looked at."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """What a staged run must reach to be published."""
    max_worse: int = 0
    """How many questions may lose their expected place, compared with the published version."""

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit must be at least 1, got {self.limit}")
        if self.max_worse < 0:
            raise ValueError(f"max_worse must not be negative, got {self.max_worse}")
