"""Model -> what it costs and how much it takes; tokens -> USD (pure).

The figures are the platform's own, from its pages as they were on `DATE`. What is not in the table is not guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

DATE = "2026-08-03"
"""When the tables were read."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens, or for one call."""

    input: float
    cached: float
    """Of the input, what came from the service's cache."""
    output: float
    call: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the table."""

    price: Price
    window: int = 0
    """Tokens of prompt and answer together; 0: not told."""
    most_output: int = 0
    """The largest `max_tokens`; 0: not told."""


class Spent(Protocol):
    """Tokens that were read and written: a `Usage`, or a tally of the meter."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens read, the cached ones too."""
        ...

    @property
    def cached_tokens(self) -> int:
        """Of these, from the cache."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Tokens written."""
        ...


class Tally(Spent, Protocol):
    """The same with the number of calls."""

    @property
    def requests(self) -> int:
        """Calls that were answered."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What some calls cost."""

    usd: float = 0.0
    unpriced: Mapping[str, str] = field(default_factory=dict)
    """Models and services that were used and whose price is not known, with what is known of it."""


def _model(price: tuple[float, float, float], window: int = 0, most_output: int = 0) -> Model:
    return Model(Price(*price), window, most_output)


_FREE = (0.0, 0.0, 0.0)
MODELS: Mapping[str, Model] = {
    "glm-5.1": _model((1.40, 0.26, 4.40), 200_000, 131_072),
    "glm-5": _model((1.00, 0.20, 3.20), 200_000, 131_072),
    "glm-5-turbo": _model((1.20, 0.24, 4.00), 200_000, 131_072),
    "glm-4.7": _model((0.60, 0.11, 2.20), 200_000, 131_072),
    "glm-4.7-flashx": _model((0.07, 0.01, 0.40), 200_000),
    "glm-4.7-flash": _model(_FREE, 200_000),
    "glm-4.6": _model((0.60, 0.11, 2.20), 200_000, 131_072),
    "glm-4.5": _model((0.60, 0.11, 2.20), 128_000, 98_304),
    "glm-4.5-x": _model((2.20, 0.45, 8.90), 128_000, 98_304),
    "glm-4.5-air": _model((0.20, 0.03, 1.10), 128_000, 98_304),
    "glm-4.5-airx": _model((1.10, 0.22, 4.50), 128_000, 98_304),
    "glm-4.5-flash": _model(_FREE, 128_000, 98_304),
    "glm-4-32b-0414-128k": _model((0.10, 0.10, 0.10), 128_000, 16_384),
    "glm-5v-turbo": _model((1.20, 0.24, 4.00), 200_000, 131_072),
    "glm-4.6v": _model((0.30, 0.05, 0.90), 128_000, 32_768),
    "glm-4.6v-flashx": _model((0.04, 0.004, 0.40), 128_000, 32_768),
    "glm-4.6v-flash": _model(_FREE, 128_000, 32_768),
    "glm-4.5v": _model((0.60, 0.11, 1.80), 64_000, 16_384),
    "glm-ocr": _model((0.03, 0.03, 0.03)),
    "glm-asr-2512": _model((0.03, 0.03, 0.03)),
}
"""By the platform's names. Of two figures for one window the smaller is taken; a discount only where one is told."""

CALLS: Mapping[str, Price] = {"web_search": Price(0.0, 0.0, 0.0, call=0.01), "selfhosted": Price(*_FREE)}
"""Services that are paid by the call, or not at all, whatever their model."""

UNPRICED: Mapping[str, str] = {
    "embedding-3": "0.50 CNY per million tokens on the mainland platform",
    "tokenizer": "no price is listed",
    "reader": "no price is listed",
    "rerank": "no price is listed",
}
"""What is known of what has no price in USD."""


def price(model: str) -> Price | None:
    """The price of a model; None where it is not known."""
    known = MODELS.get(_name(model))
    return known.price if known else None


def window(model: str) -> int:
    """How many tokens a model takes, prompt and answer together; 0 where it is not known."""
    known = MODELS.get(_name(model))
    return known.window if known else 0


def most_output(model: str) -> int:
    """The largest `max_tokens` a model takes; 0 where it is not known."""
    known = MODELS.get(_name(model))
    return known.most_output if known else 0


def cost(model: str, spent: Spent) -> float | None:
    """USD of one or more calls of a model; None where its price is not known."""
    known = price(model)
    return None if known is None else _cost(known, spent)


def bill(tallies: Mapping[tuple[str, str], Tally]) -> Bill:
    """What calls cost altogether.

    Args:
        tallies: by (capability, model), as the meter counts them.
    """
    usd, unpriced = 0.0, {}
    for (capability, model), tally in sorted(tallies.items(), key=lambda item: item[0]):
        known = CALLS.get(capability) or price(model)
        if known is not None:
            usd += _cost(known, tally) + tally.requests * known.call
        elif tally.requests:
            name = model or capability
            unpriced[name] = UNPRICED.get(_name(name)) or UNPRICED.get(capability) or "its price is not known"
    return Bill(usd=usd, unpriced=unpriced)


def _cost(known: Price, spent: Spent) -> float:
    cached = min(spent.cached_tokens, spent.prompt_tokens)
    fresh = spent.prompt_tokens - cached
    return (fresh * known.input + cached * known.cached + spent.completion_tokens * known.output) / 1e6


def _name(model: str) -> str:
    return model.strip().lower()
