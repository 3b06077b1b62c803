"""Question and hits -> statements with the evidence for each, as numbers (pure)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import NamedTuple

from docpipe.chat.sentences import Statement, statements
from docpipe.chat.terms import Wanted, offers, shares, specific, terms, wanted
from docpipe.types import Hit

__all__ = ["Candidate", "Features", "gather"]

_NEAR = 3
"""Terms apart that still count as side by side."""


class Features(NamedTuple):
    """What speaks for a statement; each is about 0 to 1, and none knows the corpus or its size."""

    sentence: float
    """Share of the question's terms, weighed by rarity among the hits, that the statement holds."""
    window: float
    """The same for the statement with its neighbours."""
    chunk: float
    """The same for the whole chunk with title and headings."""
    order: float
    """Share of the question's neighbouring terms that stand side by side in the statement, too."""
    kind: float
    """1 where it holds something of the kind asked for (a date for "when"), -1 where not, 0 where any kind will do."""
    specifics: float
    """Share of the question's names and numbers that the whole chunk holds; 1 where it has none."""
    numbers: float
    """The same for its numbers and codes: a text about 2017 says nothing about 2007."""
    rank: float
    """One over the hit's rank."""
    length: float
    """Logarithm of the number of its terms."""
    news: float
    """Terms that the question does not hold, six or more count as 1."""
    known: float
    """Share of the question's terms that any hit holds."""
    terms: float
    """Logarithm of the number of the question's terms: covering three is easier than covering ten."""
    asked: float
    """1 where the statement is itself a question."""
    heading: float
    """1 where it is a heading, by its looks or by the chunk's word."""
    label: float
    """1 for a row whose first cell, its name, stands in the question word for word."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement, where it comes from, and its evidence."""

    hit: Hit
    statement: Statement
    window: str
    """The statement with what stands before it in its chunk and what its headings say: for a reader of text pairs."""
    features: Features


def gather(question: str, hits: Sequence[Hit], *, longest: int = 400) -> list[Candidate]:
    """Every statement of the hits, in their order, with its evidence. A statement that was seen before is left out."""
    asked = _Asked.of(question)
    sections = [_Section.of(hit, longest=longest) for hit in hits]
    rarity = _rarity(asked.terms, sections)
    known = _coverage(frozenset().union(*(section.all for section in sections)), rarity) if sections else 0.0
    found: list[Candidate] = []
    seen: set[str] = set()
    for section in sections:
        for number, statement in enumerate(section.statements):
            if statement.text not in seen:
                seen.add(statement.text)
                found.append(_candidate(asked, section, number, rarity, known=known))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    terms: dict[str, float]
    """The question's terms, and how much each counts."""
    pairs: frozenset[tuple[str, str]]
    kind: Wanted
    specific: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, question: str) -> "_Asked":
        found = terms(question)
        pairs = frozenset(pairwise(found))
        return cls(
            question,
            shares(question),
            pairs,
            wanted(question),
            frozenset(specific(question)),
            frozenset(term for term in found if any(letter.isdecimal() for letter in term)),
        )


@dataclass(frozen=True, slots=True)
class _Section:
    hit: Hit
    statements: list[Statement]
    terms: list[list[str]]
    all: frozenset[str]

    @classmethod
    def of(cls, hit: Hit, *, longest: int) -> "_Section":
        chunk = hit.chunk
        said = statements(chunk, longest=longest)
        words = [terms(statement.told) for statement in said]
        headings = frozenset(terms(" ".join((chunk.title, *chunk.headings))))
        everything = headings | frozenset(terms(chunk.content))
        return cls(hit, said, words, everything)

    def is_heading(self, number: int) -> bool:
        """Whether a statement is a heading, by its looks or by the chunk's word."""
        statement, chunk = self.statements[number], self.hit.chunk
        return statement.is_heading or statement.text in chunk.headings or statement.text == chunk.title

    def before(self, number: int) -> list[int]:
        """What a statement leans on: the heading above it, and what was said last; of a row, before its table."""
        told = number - 1
        while told >= 0 and self.statements[told].is_row:
            told -= 1
        above = next((at for at in range(told, -1, -1) if self.is_heading(at)), -1)
        return [at for at in dict.fromkeys((above, told)) if at >= 0]

    def around(self, number: int) -> list[int]:
        """A statement, what it leans on, and what follows it in its paragraph."""
        behind = number + 1
        follows = behind < len(self.statements) and not (self.is_heading(behind) or self.statements[behind].is_row)
        return [*self.before(number), number, *([behind] if follows else [])]

    def window(self, number: int) -> str:
        """A statement behind what it leans on."""
        before = [self.statements[at].told for at in self.before(number)]
        named = self.hit.chunk.headings[-1:] if not any(map(self.is_heading, self.before(number))) else ()
        return " ".join((*named, *before, self.statements[number].told))


def _rarity(asked: Mapping[str, float], sections: Sequence[_Section]) -> dict[str, float]:
    """Weight of each of the question's terms: the fewer statements hold it, the more it tells."""
    sets = [frozenset(words) for section in sections for words in section.terms]
    counts = Counter(term for words in sets for term in words)
    count = len(sets)
    return {term: share * log(1 + (count - counts[term] + 0.5) / (counts[term] + 0.5)) for term, share in asked.items()}


def _coverage(held: frozenset[str], rarity: dict[str, float]) -> float:
    total = sum(rarity.values())
    return sum(weight for term, weight in rarity.items() if term in held) / total if total else 0.0


def _candidate(asked: _Asked, section: _Section, number: int, rarity: dict[str, float], *, known: float) -> Candidate:
    words = section.terms[number]
    held = frozenset(words)
    around = frozenset(term for near in section.around(number) for term in section.terms[near])
    statement = section.statements[number]
    features = Features(
        sentence=_coverage(held, rarity),
        window=_coverage(around, rarity),
        chunk=_coverage(section.all, rarity),
        order=_order(words, asked.pairs),
        kind=_kind(statement.told, asked),
        specifics=_share(asked.specific, section.all),
        numbers=_share(asked.numbers, section.all),
        rank=1.0 / section.hit.rank,
        length=log(1 + len(words)) / 3,
        news=min(1.0, len(held - set(asked.terms)) / 6),
        known=known,
        terms=log(1 + len(asked.terms)) / 3,
        asked=float(statement.text.endswith(("?", "？"))),
        heading=float(section.is_heading(number)),
        label=_label(statement, asked),
    )
    return Candidate(section.hit, statement, section.window(number), features)


def _share(wanted: frozenset[str], held: frozenset[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 1.0


def _order(words: Sequence[str], pairs: frozenset[tuple[str, str]]) -> float:
    if not pairs:
        return 0.0
    near = {(word, other) for at, word in enumerate(words) for other in words[at + 1 : at + 1 + _NEAR]}
    return len(pairs & near) / len(pairs)


def _label(statement: Statement, asked: _Asked) -> float:
    if not statement.is_row:
        return 0.0
    name = terms(statement.text.partition(" | ")[0])
    return float(bool(name) and asked.terms.keys() >= set(name))


def _kind(text: str, asked: _Asked) -> float:
    if asked.kind is Wanted.OTHER:
        return 0.0
    return 1.0 if offers(text, asked.kind, asked.question) else -1.0
