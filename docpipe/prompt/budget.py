"""A model's window -> how many tokens each part of a prompt may take (pure)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from docpipe.errors import InvalidOption
from docpipe.prompt.options import PromptOptions
from docpipe.split.boundaries import Level, cuts

Count = Callable[[str], int]

MESSAGE_TOKENS = 4
"""What a chat template adds to each message."""
QUESTION_TOKENS = 1024
"""Kept for the question, so that a longer one does not move the history."""
UNKNOWN_WINDOW = 32_000
"""Tokens, for a model that the table does not hold and a file that does not say."""
_MARGIN = 0.95
"""Windows are told in round numbers, and local counts are estimates."""
_LONGEST_TOKEN = 32
"""Code points; it bounds how much of a huge text is counted."""
_LEVELS = (Level.PARAGRAPH, Level.SENTENCE, Level.LINE, Level.CLAUSE, Level.WORD, Level.RUN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Tokens that the parts of a prompt may take."""

    total: int
    """The whole prompt."""
    sources: int
    history: int

    def __post_init__(self) -> None:
        if self.total < 1 or self.sources < 1 or self.history < 0:
            raise ValueError(f"a budget needs room for a prompt and its sources, got {self}")


def budget(options: PromptOptions, *, window: int = 0, answer: int = 0) -> Budget:
    """The budget of a pipeline.

    Args:
        window: tokens the model takes, prompt and answer together; 0: not known. `options.window_tokens` goes first.
        answer: tokens kept for the answer.

    Raises:
        InvalidOption: the answer leaves no room for a prompt.
    """
    window = options.window_tokens or window or UNKNOWN_WINDOW
    total = int(window * _MARGIN) - answer
    if total < 2 * MESSAGE_TOKENS:
        raise InvalidOption(
            f"an answer of {answer:,} tokens leaves no room in the model's {window:,}",
            where="chat.max_tokens",
            remedy="lower chat.max_tokens, or set prompt.window_tokens if the model takes more",
        )
    return Budget(total=total, sources=min(options.context_tokens, max(1, total // 2)), history=options.history_tokens)


def remembered(count: Count, *, texts: int = 4096) -> Count:
    """The same counter, which counts a text once: of earlier turns and pinned documents each is counted every turn.

    Args:
        texts: how many counts are kept; of a text only its digest.
    """
    from hashlib import blake2b

    known: dict[bytes, int] = {}
    lock = Lock()

    def counted(text: str) -> int:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = known.get(digest)
        if found is None:
            found = count(text)
            with lock:
                while len(known) >= texts:
                    del known[next(iter(known))]
                known[digest] = found
        return found

    return counted


def first_kept(sizes: Sequence[int], allowance: int) -> int:
    """How many of the oldest turns are left out so that the others fit.

    Whenever a turn makes the history too long, the oldest go until half of the allowance is free; the newest
    stays if it fits. Law: it depends on the
    turns up to now only, never falls as turns are added, and stands still for many of them.

    Args:
        sizes: tokens of each turn, oldest first.
    """
    start = held = 0
    for number, size in enumerate(sizes):
        held += size
        if held > allowance:
            while start < number and held > allowance // 2:
                held -= sizes[start]
                start += 1
            if held > allowance:
                start, held = number + 1, 0
    return start


def shortened(text: str, room: int, count: Count) -> str:
    """The beginning of a text that has at most `room` tokens, cut at the best place of its second half; `…` behind it.

    Empty where not even a few words fit.
    """
    room -= count(" …")
    limit = _longest(text, room, count)
    at = next((at for level in _LEVELS if (at := _last_cut(text, limit, level))), limit)
    while at and count(text[:at]) > room:
        at //= 2
    head = text[:at].rstrip()
    return f"{head} …" if head else ""


def _longest(text: str, room: int, count: Count) -> int:
    """About how many code points of a text have `room` tokens."""
    low, high = 0, min(len(text), room * _LONGEST_TOKEN)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= room else (low, middle - 1)
    return low


def _last_cut(text: str, limit: int, level: Level) -> int:
    """The last place to cut at within `text[limit // 2 : limit]`; 0 for none."""
    return max((at for at in cuts(text, 0, min(limit + 1, len(text)), level) if limit // 2 <= at <= limit), default=0)
