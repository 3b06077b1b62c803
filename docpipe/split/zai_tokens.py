"""Counts as the platform's models do: an estimate that is never too low, and the service where that cannot decide."""

import hashlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from docpipe.errors import DocpipeError
from docpipe.protocols import Tokenizer

_log = logging.getLogger("docpipe.split")
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_CJK_SHARE = 0.3
"""From this share of its characters on, a text's tokens are estimated as those of Chinese."""
_FIRST_FACTOR = 1.35
"""Tokens of the platform for one of cl100k_base at most, before anything was learned."""
_SPREAD = 0.06
"""How far single texts were seen to lie from the highest and the lowest ratio that was asked for."""
_SAMPLES = 6
"""Texts of each kind that are asked about to learn the ratio."""
_LEAST_SAMPLE = 120
"""Tokens of such a text at least: short ones say little."""
_REMEMBERED = 20_000
_SLACK = 2
"""Tokens that a text may have more whatever its length: where it is cut, words join otherwise."""


@dataclass(frozen=True, slots=True)
class Band:
    """What is known of the ratio between the platform's tokens and the local count."""

    low: float = 0.0
    high: float = 0.0
    samples: int = 0

    def learned(self, ratio: float) -> "Band":
        """The band with one more observation."""
        if not self.samples:
            return Band(ratio, ratio, 1)
        return Band(min(self.low, ratio), max(self.high, ratio), self.samples + 1)

    def most(self, local: int) -> int:
        """Tokens that a text of so many local ones has at most."""
        factor = self.high * (1 + _SPREAD) if self.samples >= _SAMPLES else max(_FIRST_FACTOR, self.high)
        return ceil(local * factor) + _SLACK

    def least(self, local: int) -> int:
        """Tokens that it has at least."""
        factor = self.low * (1 - _SPREAD) if self.samples >= _SAMPLES else min(0.4, self.low or 0.4)
        return max(0, int(local * factor) - _SLACK)


class _Known:
    """What a process has learned; shared by the tokenizers of all limits."""

    def __init__(self, ask: Callable[[str], int]) -> None:
        self.ask = ask
        self.guard = threading.RLock()
        self.bands: dict[Literal["cjk", "other"], Band] = {"cjk": Band(), "other": Band()}
        self.exact: OrderedDict[bytes, int] = OrderedDict()
        self.silent = False
        """The service cannot be asked: estimates have to do."""


@dataclass(frozen=True, slots=True)
class ZaiTokens:
    """Never counts less than the platform; exactly where a text might or might not be within `limit`."""

    local: Tokenizer
    known: _Known
    limit: int = 0
    """0: nobody compares the counts with anything, so nothing is asked."""

    @classmethod
    def asking(cls, ask: Callable[[str], int], *, local: Tokenizer) -> "ZaiTokens":
        """A tokenizer of its own.

        Args:
            ask: text -> its tokens as the platform counts, without those of a message; raises DocpipeError where it
                cannot be asked.
            local: what estimates.
        """
        return cls(local, _Known(ask))

    @property
    def name(self) -> str:
        """Its name in pipeline files."""
        return "zai"

    @property
    def special_tokens(self) -> int:
        """None: what a message adds is the prompt's."""
        return 0

    @property
    def spaces(self) -> Literal["joined"]:
        """A space may be one token with the word after it."""
        return "joined"

    def at(self, limit: int) -> "ZaiTokens":
        """The same, for texts that must fit this many tokens."""
        return replace(self, limit=limit)

    def count(self, text: str, /) -> int:
        """Tokens of a text; at most a few too many."""
        return self._count(text, self.local.count(text))

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """Estimates of each: pieces that are joined, and counted again as a whole."""
        return [self._estimate(text, local) for text, local in zip(texts, self.local.count_many(texts), strict=True)]

    def _estimate(self, text: str, local: int) -> int:
        return self.known.bands[_kind(text)].most(local) - _SLACK if local else 0

    def _count(self, text: str, local: int) -> int:
        if not local:
            return 0
        known, kind, key = self.known, _kind(text), _key(text)
        with known.guard:
            if key in known.exact:
                return known.exact[key]
            band = known.bands[kind]
        most = band.most(local)
        undecided = band.least(local) <= self.limit < most
        unlearned = band.samples < _SAMPLES and local >= _LEAST_SAMPLE
        if not self.limit or known.silent or not (undecided or unlearned):
            return most
        asked = self._ask(text)
        if asked is None:
            return most
        with known.guard:
            if local >= _LEAST_SAMPLE:
                known.bands[kind] = known.bands[kind].learned(asked / local)
            known.exact[key] = asked
            while len(known.exact) > _REMEMBERED:
                known.exact.popitem(last=False)
        return asked

    def _ask(self, text: str) -> int | None:
        try:
            return self.known.ask(text)
        except DocpipeError as error:
            self.known.silent = True
            _log.warning("tokens are estimated, the tokenizer service cannot be asked: %s", error)
            return None


def _kind(text: str) -> Literal["cjk", "other"]:
    sample = text[:4000]
    return "cjk" if len(_CJK.findall(sample)) >= _CJK_SHARE * max(1, len(sample)) else "other"


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def service_counter() -> Callable[[str], int]:
    """Asks the platform; the tokens of its template are found by one short question and taken off."""
    from docpipe._http import loop
    from docpipe._http.endpoint import Endpoint
    from docpipe._zai.tokens import TokenCounter

    counter = TokenCounter(Endpoint(attempts=2, read_seconds=20))
    overhead: list[int] = []

    def ask(text: str) -> int:
        if not overhead:
            counter.require_key()
            overhead.append(max(0, loop.wait(counter.count([{"role": "user", "content": "a"}])) - 1))
        whole = loop.wait(counter.count([{"role": "user", "content": text}]))
        return max(1, whole - overhead[0])

    return ask
