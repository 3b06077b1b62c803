"""Texts -> tokens as the platform's models count: an estimate that is not too low, and exact where it cannot decide.

A local count is multiplied by what the platform was seen to count of a few fixed texts, and by a margin. The service is
asked about a text only where it is likely to be within the limit and could be above it. Without network or key the
margins are wider, and nothing else changes.
"""

import asyncio
import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, NamedTuple

from docpipe._http.endpoint import Endpoint
from docpipe.errors import ServiceError, Unavailable
from docpipe.protocols import Tokenizer
from docpipe.split.zai_samples import SAMPLES, Script

_log = logging.getLogger("docpipe.split")

Ask = Callable[[Sequence[str]], Sequence[int] | None]
"""Texts -> tokens of a message with each, its frame included; None where nobody can be asked."""


class Band(NamedTuple):
    """The platform's tokens for one local token of a script, at least and at most."""

    low: float
    high: float


UNSEEN: Mapping[Script, Band] = {"latin": Band(0.7, 1.3), "cjk": Band(0.4, 1.1), "other": Band(0.3, 1.4)}
"""Before the platform was asked. Vocabularies of its size count Latin letters within 5 % of the local one, and other
scripts as fewer tokens."""
SPREAD: Mapping[Script, float] = {"latin": 0.12, "cjk": 0.12, "other": 0.3}
"""How far a text may lie beyond the ratios of the samples."""
STRAY = 2
"""Tokens that a text may lie beyond that, however short it is."""
_POSSIBLE = Band(0.2, 4.0)
"""Ratios outside are no tokenizer's: such a reply is not believed."""
_SMALL = 8
"""A text of at most this part of the limit is not rounded up: many are summed, and what they make is counted again."""
_MOST_FRAME = 64
_REMEMBERED = 20_000
_SHORT = "a"
"""One token in any vocabulary: what is above is the frame of a message."""

_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]+")
_OTHER = re.compile(
    "[\u0250-\u02af\u0370-\u1dff\u2c00-\u2dff\ua000-\uabff\ud800-\udfff\ufb00-\ufe2f\ufe50-\ufeff\U00010000-\U0010ffff]+"
)


def by_script(text: str, local: Tokenizer) -> dict[Script, int]:
    """Local tokens of a text, those of each script by themselves."""
    if text.isascii():
        return {"latin": local.count(text)}
    cjk, rest = _CJK.findall(text), _CJK.sub(" ", text)
    other, rest = _OTHER.findall(rest), _OTHER.sub(" ", rest)
    counts: dict[Script, int] = {"latin": local.count(rest)}
    if cjk:
        counts["cjk"] = local.count("".join(cjk))
    if other:
        counts["other"] = local.count(" ".join(other))
    return counts


@dataclass(frozen=True, slots=True)
class ZaiTokens:
    """Never counts less than the platform; exactly where a text might or might not be within `limit`."""

    local: Tokenizer
    known: "_Known"
    limit: int = 0
    """0: nobody compares the counts with anything, so nothing is asked."""

    @classmethod
    def asking(cls, ask: Ask, *, local: Tokenizer) -> "ZaiTokens":
        """A tokenizer of its own, which knows nothing yet; `local` is what its estimates are made from."""
        return cls(local, _Known(ask, local))

    @property
    def name(self) -> str:
        """Its name in pipeline files."""
        return "zai"

    @property
    def special_tokens(self) -> int:
        """None: the frame of a message is the prompt's."""
        return 0

    @property
    def spaces(self) -> Literal["joined"]:
        """A space may be one token with the word after it."""
        return "joined"

    def at(self, limit: int) -> "ZaiTokens":
        """The same, for texts that must fit so many tokens."""
        return replace(self, limit=limit)

    def count(self, text: str, /) -> int:
        """Tokens of a text: not fewer than it has, and not many more."""
        return self.count_many((text,))[0]

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """`count` of each; what must be asked is asked at once."""
        sizes = [by_script(text, self.local) for text in texts]
        if self.limit:
            self.known.compare({script for size in sizes for script, tokens in size.items() if tokens})
            self.known.ask_about(
                [(text, size) for text, size in zip(texts, sizes, strict=True) if self._undecided(text, size)]
            )
        return [self._tokens(text, size) for text, size in zip(texts, sizes, strict=True)]

    def _undecided(self, text: str, size: Mapping[Script, int]) -> bool:
        """Whether it may be above the limit and is likely not to be: the others are taken to be what they may be."""
        likely, most = self.known.likely(size), self.known.most(text, size)
        return likely <= self.limit < most and _key(text) not in self.known.exact

    def _tokens(self, text: str, size: Mapping[Script, int]) -> int:
        if not text:
            return 0
        exact = self.known.exact.get(_key(text)) if self.known.exact else None
        if exact is not None:
            return exact
        rounded = round(self.known.high(size))
        return max(1, rounded) if rounded <= self.limit // _SMALL else self.known.most(text, size)


class _Known:
    """What a process learned from the platform; the tokenizers of all limits share it."""

    def __init__(self, ask: Ask, local: Tokenizer) -> None:
        self._ask, self._local = ask, local
        self._guard = threading.RLock()
        self._compared: set[Script] = set()
        self._frame: int | None = None
        self.bands = dict(UNSEEN)
        self._excess = 1.0
        """Grows where a text has more tokens than its band allows."""
        self.exact: dict[bytes, int] = {}

    def high(self, size: Mapping[Script, int]) -> float:
        """The most tokens of a text with so many local ones, but for what short texts stray."""
        return self._excess * sum(self.bands[script].high * tokens for script, tokens in size.items())

    def most(self, text: str, size: Mapping[Script, int]) -> int:
        """The most tokens it can have: no token is less than a byte."""
        return min(_bytes(text), ceil(self.high(size)) + STRAY)

    def least(self, size: Mapping[Script, int]) -> int:
        """The least."""
        return int(sum(self.bands[script].low * tokens for script, tokens in size.items())) - STRAY

    def likely(self, size: Mapping[Script, int]) -> int:
        """Between the two."""
        return (self.least(size) + ceil(self.high(size))) // 2

    def compare(self, scripts: Iterable[Script]) -> None:
        """Learn the ratios of these scripts, once."""
        with self._guard:
            new = sorted(set(scripts) - self._compared)
            counts = self._without_frame([text for script in new for text in SAMPLES[script]])
            if not counts:
                return
            self._compared.update(new)
            for script in new:
                ratios = [counts[text] / self._local.count(text) for text in SAMPLES[script]]
                if _POSSIBLE.low <= min(ratios) and max(ratios) <= _POSSIBLE.high:
                    self.bands[script] = Band(min(ratios) * (1 - SPREAD[script]), max(ratios) * (1 + SPREAD[script]))

    def ask_about(self, undecided: Sequence[tuple[str, Mapping[Script, int]]]) -> None:
        """Learn the exact counts of texts, as far as somebody answers."""
        with self._guard:
            counts = self._without_frame([text for text, _ in undecided])
            for text, size in undecided if counts else ():
                exact = max(self.least(size), min(counts[text], _bytes(text)))
                self._excess *= max(1.0, exact / (self.high(size) + STRAY))
                self.exact[_key(text)] = exact
            while len(self.exact) > _REMEMBERED:
                del self.exact[next(iter(self.exact))]

    def _without_frame(self, texts: Sequence[str]) -> dict[str, int]:
        """Tokens of texts by themselves; of none where nobody answers.

        A blank at an end of a text may be one token with the frame: it is counted.
        """
        if not texts:
            return {}
        wanted = list(dict.fromkeys(texts))
        first = [] if self._frame is not None else [_SHORT]
        counts = self._ask([*first, *wanted])
        if counts is None or len(counts) != len(first) + len(wanted):
            return {}
        if first:
            self._frame = min(max(counts[0] - 1, 0), _MOST_FRAME)
        frame = self._frame or 0
        return {
            text: max(1, count - frame + (text[:1].isspace() or text[-1:].isspace()))
            for text, count in zip(wanted, counts[len(first) :], strict=True)
        }


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_PATIENCE = 15.0
"""Seconds that a process waits for counts, all attempts together: a worker has to finish its document."""
_REST = 60.0
"""Seconds without a call after one that failed."""


class Platform:
    """The platform's tokenizer, with the key and the address that the environment names."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests_until = 0.0
        self._told: set[type[ServiceError]] = set()

    def __call__(self, texts: Sequence[str], /) -> list[int] | None:
        """Tokens of a message with each text, its frame included; None without a key, or while it does not answer."""
        from docpipe._http import loop

        if self._clock() < self._rests_until or loop.on_loop():
            return None
        try:
            return loop.wait(_counts(texts))
        except ServiceError as error:
            if type(error) not in self._told:
                self._told.add(type(error))
                _log.warning("tokens are estimated, the platform's tokenizer cannot be asked: %s", error)
            self._rests_until = self._clock() + _REST
            return None


async def _counts(texts: Sequence[str]) -> list[int]:
    from docpipe._zai.tokens import TokenCounter

    counter = TokenCounter(Endpoint(attempts=2, connect_seconds=5, read_seconds=10))
    counter.require_key()
    try:
        async with asyncio.timeout(_PATIENCE):
            return list(await asyncio.gather(*(counter.count([{"role": "user", "content": text}]) for text in texts)))
    except TimeoutError:
        raise Unavailable(f"no counts within {_PATIENCE:g} seconds", service="tokenizer", remedy="try later") from None
