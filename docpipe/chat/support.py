"""A statement of an answer -> the words of its sources that say it, or nothing (pure).

A statement is supported where a source holds its words (to the letter, or as `folding` and a printer's eye even them
out), or where few sentences of the sources hold enough of its content words, all of its numbers and most of its names,
and deny nothing of what it claims.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Literal
from unicodedata import normalize

from docpipe.chat.folding import Folded, fold
from docpipe.chat.grounding import SourceText, citation, find
from docpipe.chat.orders import commands
from docpipe.chat.sentences import Statement, statements
from docpipe.chat.terms import is_chinese, specific, terms
from docpipe.types import Chunk, Citation, Span

__all__ = ["Finding", "Ground", "Proofs", "numbers", "plain"]

_MARKED, _UNMARKED = 0.45, 0.6
"""Share of a statement's content words that its sources must hold: where it names them, and where they are guessed."""
_OF_PAIRS = 0.7
"""The part of it that is asked of Chinese, whose terms are pairs of letters: other words between them break them."""
_NEWS = 0.75
"""The same for what the question does not hold already, as a part of that share."""
_MOST_NAMES_MISSING = 0.34
_MOST_QUOTES = 3
"""Sentences that may say together what the statement says."""
_SHORTEST_CONFUSED = 12
"""Characters from which a match that evens out what scanners confuse is no accident."""
_SHORTEST = 4
_LIKELY = 0.4
"""Share of a statement's terms that a source must have before its whole text is gone through for it."""
_CONFUSED = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b"})
_RAISED = str.maketrans("", "", "²³¹⁰⁴⁵⁶⁷⁸⁹")
"""Exponents and footnote signs."""
_NUMBER = re.compile(r"(?!(?:[kcdm]?m)[23]\b)[A-Za-z]{1,5}-?\d[A-Za-z\d]*(?![.,]\d)|\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_WORDS = tuple(
    re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty",
    )
)
_SPELLED = {word: str(value) for value, word in enumerate(_WORDS)}
_SPELLED_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.I)
_HAN_DIGITS = dict(
    zip("〇一二两三四五六七八九十", ("0", "1", "2", "2", "3", "4", "5", "6", "7", "8", "9", "10"), strict=True)
)
_DENIED = re.compile(
    r"\b(?:not(?! only)|never|no(?!\.? ?\d)|cannot|without|nor|neither)\b|n['’]t\b"
    r"|[不没沒未無无非勿禁](?!仅|僅|但|只|论|論|管|同|少|断|斷|过|過|常|锈|銹)",
    re.I,
)
_EXCLUDED = re.compile(
    r"\b(?:excluded|prohibited|forbidden|void|invalid|lapses?|impossible|unable|disallowed)\b|禁止|除外|排除|不得|失效|作废",
    re.I,
)
"""Words that deny by what they mean."""
_CLAUSE = re.compile(r"[.,;:!?，。；：！？\n]")
_REACH = 40
"""Code points behind a denial that it speaks of, within its clause."""
_MARKUP = re.compile(r"\*\*|__|`+|^\s*(?:#{1,6}|[-*•+>]|\d{1,3}[.)、])\s+", re.M)
_SENTENCE_ENDS = ".!?。！？"
_NAMED_ENDS = " \t\n.。!！"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """A source that the model was shown."""

    chunk: Chunk
    kind: Literal["document", "web", "pinned"] = "document"
    published: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What became of a statement."""

    citations: tuple[Citation, ...] = ()
    """Empty: no source says it."""
    remarks: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The markers to set, without brackets, each once."""
        return tuple(dict.fromkeys(one.marker.strip("[]") for one in self.citations))


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence of a source, and what it can support."""

    statement: Statement
    terms: frozenset[str]
    numbers: frozenset[str]
    denied: frozenset[str]
    excludes: bool
    """It denies by a word of its own, such as `excluded`."""
    subjects: frozenset[str]
    """Terms of which one at least must be the claim's: a row's own cells, without the names of its columns."""

    def speaks_of(self, claim: "_Claim") -> bool:
        """Whether it has to do with a claim at all."""
        return not (self.subjects and claim.terms) or bool(self.subjects & claim.terms)


@dataclass(frozen=True)
class _Reading:
    """A source as it is compared."""

    said: tuple[_Said, ...]
    around: frozenset[str]
    """Terms of title, headings and header rows."""
    around_numbers: frozenset[str]
    all: frozenset[str]
    orders: tuple[Span, ...]
    """Where it speaks to a machine, and the sentence behind that: no proof of anything."""
    text: str
    chinese: bool

    @cached_property
    def folded(self) -> Folded:
        """Its text, evened out."""
        return fold(self.text, any_case=True)

    @cached_property
    def confused(self) -> str:
        """The same where letters and digits that look alike are one."""
        return self.folded.text.translate(_CONFUSED)


@dataclass(frozen=True, kw_only=True)
class Proofs:
    """The sources of one answer, by what stands in their markers: `1`, `D1`."""

    grounds: Mapping[str, Ground]
    question: str
    source_text: SourceText | None = None
    _witnesses: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)

    def check(self, claim: str, labels: Sequence[str]) -> Finding:
        """The proofs of a statement.

        Args:
            labels: the sources that it names; none: any may say it. Where those that it names do not say it but
                another does, that one is cited and a remark tells.
        """
        words = plain(claim)
        remarks = [f"the answer cites [{name}], which is no source" for name in labels if name not in self.grounds]
        named = [name for name in dict.fromkeys(labels) if name in self.grounds]
        found = self._proven(words, named, enough=_MARKED) if named else ()
        if not found:
            others = [name for name in self.grounds if name not in named]
            found = self._proven(words, others, enough=_UNMARKED)
            across = found or self._proven(words, named or others, enough=_MARKED, across=True)
            found, named = across, named if found else []
            if found and named:
                told, right = "".join(f"[{name}]" for name in named), found[0].marker
                remarks.append(f"the answer cites {told} for what {right} says: corrected")
        return Finding(citations=found, remarks=tuple(remarks))

    def _proven(
        self, claim: str, labels: Sequence[str], *, enough: float, across: bool = False
    ) -> tuple[Citation, ...]:
        """Citations of these sources; `across`: of those in another language, by numbers and names."""
        asked = _Claim.of(claim, self.question)
        readings = [(name, _read(self.grounds[name].chunk)) for name in labels]
        whole = [(name, span) for name, reading in readings if (span := _whole(asked, reading)) is not None]
        if whole:
            return tuple(self._cited(name, span) for name, span in whole)
        chosen = _chosen(asked, readings, enough=enough, across=across)
        return tuple(self._cited(name, said.statement.span) for name, said in chosen)

    def _cited(self, label: str, span: Span) -> Citation:
        ground = self.grounds[label]
        chunk = ground.chunk
        stored = self._witness if ground.kind == "document" and self.source_text else None
        found = citation(f"[{label}]", chunk, span.of(chunk.text), span=span, source_text=stored)
        return replace(found, url=found.uri, published=ground.published) if ground.kind == "web" else found

    def _witness(self, chunk: Chunk) -> str | None:
        assert self.source_text is not None
        if chunk.id not in self._witnesses:
            self._witnesses[chunk.id] = self.source_text(chunk)
        return self._witnesses[chunk.id]


def plain(text: str) -> str:
    """A statement without marks of Markdown."""
    return " ".join(_MARKUP.sub("", text).split()).strip(" |")


def numbers(text: str) -> frozenset[str]:
    """Numbers and codes that stand in digits, evened out: `1,200` is `1200`."""
    plain = normalize("NFKC", text.translate(_RAISED))
    return frozenset(_evened(match[0]) for match in _NUMBER.finditer(plain))


def _evened(number: str) -> str:
    return number.replace(",", "") if _THOUSANDS.match(number) else number.casefold()


def _offered(text: str) -> frozenset[str]:
    """Numbers a source gives, spelled ones too."""
    spelled = {_SPELLED[match[0].casefold()] for match in _SPELLED_WORD.finditer(text)}
    return numbers(text) | spelled | {value for letter, value in _HAN_DIGITS.items() if letter in text}


@dataclass(frozen=True, slots=True)
class _Claim:
    """A statement as it is compared."""

    terms: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    denied: frozenset[str]
    asked: frozenset[str]
    """Terms of the question: they count half where no source has them."""
    folded: str
    chinese: bool
    excludes: bool

    @classmethod
    def of(cls, claim: str, question: str) -> "_Claim":
        counts = numbers(claim)
        words = frozenset(terms(claim)) - counts
        return cls(
            terms=frozenset(word for word in words if not word[0].isdecimal()),
            numbers=counts,
            names=frozenset(specific(claim)) & words,
            denied=_denied(claim),
            asked=frozenset(terms(question)),
            folded=fold(claim.strip(_NAMED_ENDS), any_case=True).text,
            chinese=is_chinese(claim),
            excludes=bool(_denied(claim)) or _EXCLUDED.search(claim) is not None,
        )

    def covered(self, known: frozenset[str]) -> float:
        """Share of the terms that are known, 0 to 1; 1 where there are none."""
        missing = sum(0.5 if term in self.asked else 1.0 for term in self.terms - known)
        there = len(self.terms & known)
        return there / (there + missing) if self.terms else 1.0

    def news(self, known: frozenset[str]) -> float:
        """Share of what the question does not say that is known, its numbers taken to be; 1 where there is nothing."""
        fresh, counts = self.terms - self.asked, len(self.numbers - self.asked)
        return (len(fresh & known) + counts) / (len(fresh) + counts) if fresh or counts else 1.0


def _chosen(
    claim: _Claim, sources: Sequence[tuple[str, _Reading]], *, enough: float, across: bool
) -> list[tuple[str, _Said]]:
    """Few sentences that say it together, of as few sources as possible; none where they do not."""
    fit = [(name, reading) for name, reading in sources if (reading.chinese != claim.chinese) == across]
    pool = [(name, said, reading) for name, reading in fit for said in reading.said if across or said.speaks_of(claim)]
    chosen: list[tuple[str, _Said, _Reading]] = []
    while pool and len(chosen) < _MOST_QUOTES and not _says(claim, chosen, enough=enough, across=across):
        best = max(pool, key=lambda one: _gain(claim, chosen, one))
        if _gain(claim, chosen, best) <= 0:
            break
        pool.remove(best)
        chosen.append(best)
    return [(name, said) for name, said, _ in chosen] if _says(claim, chosen, enough=enough, across=across) else []


def _gain(claim: _Claim, chosen: Sequence[tuple[str, _Said, _Reading]], one: tuple[str, _Said, _Reading]) -> float:
    """How much a further sentence adds: new terms and numbers; its own source is preferred to another one."""
    name, said, _ = one
    known, counted = _union(other.terms for _, other, _ in chosen), _union(other.numbers for _, other, _ in chosen)
    fresh = len((claim.terms & said.terms) - known) + 2 * len((claim.numbers & said.numbers) - counted)
    return fresh + 0.5 * any(name == other for other, _, _ in chosen) if fresh else 0.0


def _says(claim: _Claim, chosen: Sequence[tuple[str, _Said, _Reading]], *, enough: float, across: bool) -> bool:
    if not chosen:
        return False
    own = _union(said.terms for _, said, _ in chosen)
    known = own | _union(reading.around for _, _, reading in chosen)
    counted = _union(said.numbers | reading.around_numbers for _, said, reading in chosen)
    if not claim.numbers <= counted or _contradicts(claim, chosen):
        return False
    if across:
        return bool(claim.numbers) or len(claim.names & known) > 0
    missing = claim.names - claim.asked - _union(reading.all for _, _, reading in chosen)
    if len(missing) > _MOST_NAMES_MISSING * len(claim.names):
        return False
    enough *= _OF_PAIRS if claim.chinese else 1
    return claim.covered(known) >= enough and claim.covered(own) >= enough / 2 and claim.news(known) >= _NEWS * enough


def _contradicts(claim: _Claim, chosen: Sequence[tuple[str, _Said, _Reading]]) -> bool:
    """Whether a word that both hold is denied by the sources and not by the claim, or only the claim denies at all."""
    shared = [(said, claim.terms & said.terms) for _, said, _ in chosen]
    if not claim.denied and any(term in said.denied for said, both in shared for term in both):
        return not any(_affirmed(term, shared) for said, both in shared for term in both if term in said.denied)
    if not claim.excludes and any(said.excludes and both for said, both in shared):
        return True
    return bool(claim.denied) and not any(said.denied or said.excludes for said, _ in shared)


def _affirmed(term: str, shared: Iterable[tuple[_Said, frozenset[str]]]) -> bool:
    return any(term in both and term not in said.denied for said, both in shared)


def _denied(text: str) -> frozenset[str]:
    """Terms that stand shortly behind a denial, in its clause."""
    found: set[str] = set()
    for match in _DENIED.finditer(text):
        behind = text[match.end() : match.end() + _REACH]
        found.update(terms(_CLAUSE.split(behind, maxsplit=1)[0])[:3])
    return frozenset(found)


def _whole(claim: _Claim, reading: _Reading) -> Span | None:
    """Where a source says it word for word, whatever a scanner made of its letters; not where it gives orders."""
    if len(claim.folded) < _SHORTEST or claim.covered(reading.all) < _LIKELY:
        return None
    span = _located(claim.folded, reading)
    if span is None or any(one.start < span.end and span.start < one.end for one in reading.orders):
        return None
    end = span.end
    while end < len(reading.text) and reading.text[end] in _SENTENCE_ENDS:
        end += 1
    return Span(span.start, end)


def _located(words: str, reading: _Reading) -> Span | None:
    """Where the folded words stand; `l` and `1` count as equal where digits are not confused with each other."""
    at = find(words, reading.folded.text)
    if at < 0 and len(words) >= _SHORTEST_CONFUSED:
        at = reading.confused.find(words.translate(_CONFUSED))
    return reading.folded.original(at, at + len(words)) if at >= 0 else None


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


_KEPT = 1024
_readings: "OrderedDict[tuple[str, str], _Reading]" = OrderedDict()
_guard = Lock()


def _read(chunk: Chunk) -> _Reading:
    """A source, taken apart once: the latest stay in memory."""
    key = (chunk.id, chunk.source.digest)
    with _guard:
        known = _readings.get(key)
        if known is not None:
            _readings.move_to_end(key)
            return known
    made = _made(chunk)
    with _guard:
        _readings[key] = made
        while len(_readings) > _KEPT:
            _readings.popitem(last=False)
    return made


def _made(chunk: Chunk) -> _Reading:
    found = statements(chunk)
    orders = {number + next for number, one in enumerate(found) if commands(one.text) for next in (0, 1)}
    sound = [one for number, one in enumerate(found) if number not in orders]
    said = tuple(_said(one) for one in [one for one in sound if not one.is_heading] or sound)
    around = f"{chunk.title}\n{' '.join(chunk.headings)}\n{chunk.context}"
    words = frozenset(terms(around))
    known = words | _union(one.terms for one in said)
    given = tuple(one.span for number, one in enumerate(found) if number in orders)
    return _Reading(said, words, _offered(around), known, given, chunk.text, is_chinese(chunk.text))


def _said(statement: Statement) -> _Said:
    text = statement.told
    known = frozenset(terms(text))
    own = frozenset(terms(statement.text)) if statement.is_row else known
    subjects = frozenset(term for term in own if not term[0].isdecimal())
    excludes = _EXCLUDED.search(text) is not None
    return _Said(statement, known, _offered(text), _denied(text), excludes, subjects)
