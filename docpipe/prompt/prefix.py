"""Two prompts -> what a service can read from its cache, and what it costs where it cannot (pure).

A cache is taken to hold exact prefixes of the serialised prompt, per model; services do not say more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from docpipe.prompt.budget import MESSAGE_TOKENS
from docpipe.prompt.builder import messages
from docpipe.prompt.prices import Price
from docpipe.types import Prompt

_CONTEXT = 40
"""Code points of each prompt that are shown from the first difference on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Where the second of two prompts leaves the first."""

    byte: int
    """How many bytes of the serialised prompts are equal (UTF-8)."""
    segment: str
    """In which part of the second prompt the first differing byte stands; `end` where it ends there."""
    extends: bool
    """The second begins with the whole first: nothing is lost."""
    before: str
    """The first prompt from there on, its beginning."""
    after: str
    """The same of the second."""
    cached_tokens: int
    """Tokens that both begin with."""
    lost_tokens: int
    """Tokens of the second behind that byte, up to the length of the first: what would have been cached."""
    lost_usd: float | None
    """What they cost more than if they came from the cache; None where the model's price is not known."""


def digest(prompt: Prompt) -> str:
    """Of the instructions and the pinned documents, 16 hexadecimal digits: equal for all turns of a conversation."""
    parts = [segment for segment in prompt.segments if segment.stable and segment.name != "history"]
    return sha256("\0".join(f"{part.role}\n{part.text}" for part in parts).encode("utf-8", "replace")).hexdigest()[:16]


def serialised(prompt: Prompt) -> str:
    """The messages as one text, as a chat template joins them."""
    return "".join(f"{_opening(role)}{content}{_CLOSING}" for role, content in messages(prompt))


def common_prefix(one: Prompt, other: Prompt) -> str:
    """What both serialised prompts begin with."""
    return _common(serialised(one), serialised(other))


def predicted_cached(now: Prompt, earlier: Iterable[Prompt], count: Callable[[str], int]) -> int:
    """Tokens of a prompt that should come from the cache, by what was sent to the same model before.

    Whole messages are counted as `build` counts them, so that a counter that remembers has them already.
    """
    text = serialised(now)
    left = max((len(_common(text, serialised(prompt))) for prompt in earlier), default=0)
    tokens = 0
    for role, content in messages(now):
        left -= len(_opening(role))
        if left <= 0:
            break
        tokens += count(content[:left]) + MESSAGE_TOKENS
        left -= len(content) + len(_CLOSING)
    return tokens


def difference(first: Prompt, second: Prompt, *, count: Callable[[str], int], price: Price | None) -> Difference:
    """Where the second prompt leaves the first, and what that costs."""
    one, other = serialised(first), serialised(second)
    same = _common(one, other)
    at = len(same)
    lost = count(other[at : len(one)]) if at < len(one) else 0
    return Difference(
        byte=len(same.encode("utf-8", "replace")),
        segment=_segment_at(second, at),
        extends=at == len(one),
        before=one[at : at + _CONTEXT],
        after=other[at : at + _CONTEXT],
        cached_tokens=count(same) if same else 0,
        lost_tokens=lost,
        lost_usd=None if price is None else lost * (price.input - price.cached) / 1e6,
    )


_CLOSING = "\n"


def _opening(role: str) -> str:
    return f"<|{role}|>\n"


def _common(one: str, other: str) -> str:
    """Their common beginning, by halves: comparing slices is much quicker than comparing letters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return one[:low]


def _segment_at(prompt: Prompt, at: int) -> str:
    """The segment of a serialised prompt's code point."""
    for number, segment in enumerate(prompt.segments):
        if at < len(serialised(Prompt(segments=prompt.segments[: number + 1]))) - 1:
            return segment.name
    return "end"
