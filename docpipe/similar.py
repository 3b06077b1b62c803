"""Two texts -> whether they say the same (pure)."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zlib import crc32

__all__ = ["ALIKE", "WIDE", "Fingerprint", "alike", "resemblance"]

ALIKE = 0.8
"""Share of runs of words that two texts must have in common to be one: measured, see decision 0124."""
_RUN = 3
"""Words that make a run."""
_WORD = re.compile(r"\d+(?:[.,:/\-]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A letter of Chinese, Japanese or Korean: such texts have no blanks between words."""
_NOT = frozenset((
    "no", "not", "never", "none", "nor", "neither", "without", "cannot", "nicht", "kein", "keine", "ohne", "ne", "pas",
    "sans", "sin", "nunca", "不", "没", "沒", "無", "无", "未", "非", "勿",
))  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?。！？:\n|]\W*$")
_MASK = (1 << 61) - 1


@dataclass(frozen=True)
class Fingerprint:
    """A text, as it is compared: its runs of words, and what must not differ at all."""

    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words in small letters; Chinese and Japanese letters one by one."""
        return tuple(word for word, _ in self._words)

    @cached_property
    def runs(self) -> frozenset[int]:
        """Digests of all runs of three words; of the words where there are fewer."""
        found = [_digest(word) for word in self.words]
        if len(found) < _RUN:
            return frozenset(found)
        steps = zip(found, found[1:], found[2:], strict=False)
        return frozenset([((one * 1_000_003 + two) * 1_000_003 + three) & _MASK for one, two, three in steps])

    @cached_property
    def telling(self) -> Mapping[str, int]:
        """Numbers, names within sentences and negations, with how often they stand: a text that differs in one of
        them says something else."""
        return Counter(word for word, is_telling in self._words if is_telling)

    @cached_property
    def _words(self) -> tuple[tuple[str, bool], ...]:
        text = unicodedata.normalize("NFKC", self.text)
        found: list[tuple[str, bool]] = []
        end = 0
        for match in _WORD.finditer(text):
            word, small = match[0], match[0].casefold()
            if WIDE.match(word):
                found += [(letter, letter in _NOT) for letter in small]
            else:
                name = word[0].isupper() and bool(found) and not _SENTENCE_END.search(text, end, match.start())
                found.append((small, name or word[0].isdecimal() or small in _NOT or small.endswith("n't")))
            end = match.end() - 1
        return tuple(found)


def alike(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two texts say the same: nearly all runs of words, and every number, name and negation."""
    return one.telling == other.telling and resemblance(one, other) >= ALIKE


def resemblance(one: Fingerprint, other: Fingerprint) -> float:
    """Jaccard similarity of the runs, 0 to 1; 1 where neither has any."""
    if not one.runs and not other.runs:
        return 1.0
    shared = len(one.runs & other.runs)
    return shared / (len(one.runs) + len(other.runs) - shared)


@lru_cache(maxsize=65_536)
def _digest(word: str) -> int:
    return crc32(word.encode("utf-8", "replace"))
