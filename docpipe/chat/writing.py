"""What a model writes, piece by piece -> what a reader is shown: whole markers only, each with its proof (pure).

The text may be cut anywhere on its way: what is shown does not depend on where. Letters go out as they come; a marker,
or what may become one, is held back until it is decided, and set where a source says what stands before it.
"""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from docpipe.chat.claims import is_claim, is_neutral
from docpipe.chat.needs import Compute
from docpipe.chat.support import Finding
from docpipe.prompt.system import NO_ANSWER
from docpipe.types import Citation, TextPiece

__all__ = ["Writing"]

Steps = Generator[Any, Any, None]
Check = Callable[[str, Sequence[str]], Finding]

_LONGEST = 200_000
"""Code points of an answer that are read."""
_LONGEST_SENTENCE = 4_000
_TAIL = 40
"""Code points of a sentence's end that are looked at."""
_LABEL = r"D?\d{1,4}"
_NAMED = r"(?:[Ss]ources?|来源|來源|资料|資料|文档|文檔)"
_JOINS = r"\s{0,2}[,;、，；/–-]\s{0,2}"
_MARKER = re.compile(
    rf"[\[［]\s?\^?(?:{_NAMED}\s?)?(?P<square>{_LABEL}(?:{_JOINS}{_LABEL}){{0,9}})\s?[\]］]"
    rf"|【\s?(?:{_NAMED}\s?)?(?P<lens>{_LABEL}(?:{_JOINS}{_LABEL}){{0,9}})(?:†[^】\n]{{0,20}})?\s?】"
    rf"|[(（]{_NAMED}\s?(?P<round>{_LABEL}(?:{_JOINS}{_LABEL}){{0,9}})\s?[)）]"
)
_LETTERS = "A-Za-z来來源资資料文档檔"
_UNDECIDED = re.compile(
    rf"[\[［【(（]\s?\^?[{_LETTERS}]{{0,8}}\s?[\dD,;、，；/–\s-]{{0,120}}(?:†[^】\n]{{0,20}}\s?)?\Z"
)
_HALF = re.compile(
    rf"(?:[\[［【]\s?\^?(?:{_NAMED}\s?)?|[(（]{_NAMED}\s?)[\dD,;、，；/–\s-]{{0,120}}(?:†[^】\n]{{0,20}}\s?)?\Z"
)
"""What a text ends with that was cut off within a marker."""
_WINDOW = 200
"""Code points of the longest marker, and more."""
_RANGE = re.compile(rf"({_LABEL})\s*[–-]\s*({_LABEL})")
_PLAIN = re.compile(r"[^\s\[［【(（N]+")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
_HAN_PARTS = re.compile(r"[^。！？；]*[。！？；]|[^。！？；]+")
_HAN_END = "。！？；"
_CLOSING = re.compile(r"[\"'”’」』）)》*_`。！？；.!?…]+")
"""What still belongs to a sentence that is over."""
_END = re.compile(r"[.!?…][\"'”’)\]*_`]*\Z")
_NO_END = re.compile(
    r"(?:^|[\s(])(?:(?<!\d )[A-Z]|e\.g|i\.e|etc|vs|cf|[Nn]os?|Nr|[Ff]igs?|Dr|Mr|Mrs|Ms|St|approx|ca|Prof|pp|vol)\.\Z"
    r"|\A\W*\d{1,3}\.\Z"
)
_ONLY_MARKS = re.compile(r"\W*\Z")


@dataclass
class Writing:
    """An answer on its way to the reader. Feed it in any pieces, then close it; its steps are those of a flow."""

    check: Check
    strict: bool = False
    """Leave out what no source says; a sentence is then shown when it is over."""
    chinese: bool = False
    raw: str = ""
    """What the model wrote, all of it."""
    text: str = ""
    """What the reader was shown."""
    citations: list[Citation] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    declined: bool = False
    """It said that its sources do not hold the answer."""
    full: bool = False
    """It wrote more than is read."""
    _held: str = ""
    _gap: str = ""
    """White space that is shown when something follows."""
    _sentence: str = ""
    _claim: str = ""
    """The sentence's text behind its last markers."""
    _group: list[str] = field(default_factory=list)
    """Markers that stand behind the claim."""
    _spaced: str = ""
    """The blank before them."""
    _lead: list[str] = field(default_factory=list)
    """Markers before the first word of the sentence."""
    _ended: bool = False
    _proven: bool = False
    """Some of the sentence has its proof."""
    _bad: bool = False
    _kept: str = ""
    """Text of the sentence that waits, in strict mode."""
    _out: str = ""
    _cited: list[Citation] = field(default_factory=list)
    """Of the sentence."""
    _ready: list[Citation] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether the model wrote nothing yet."""
        return not self.raw.strip()

    @property
    def mark(self) -> str:
        """What stands behind a statement that no source makes."""
        return "[无依据]" if self.chinese else "[unsupported]"

    def feed(self, text: str) -> Steps:
        """More of the model's text -> what can be shown of it."""
        room = _LONGEST - len(self.raw)
        self.full = self.full or len(text) > room
        self.raw += text[:room]
        self._held += _UNSEEN.sub("", text[:room])
        yield from self._read(final=False)
        yield from self._shown()

    def close(self) -> Steps:
        """The rest."""
        yield from self._read(final=True)
        yield from self._finish()
        if self.declined and not self.text and _ONLY_MARKS.match(self._out):
            self._out = ""
        yield from self._shown(final=True)

    def _read(self, *, final: bool) -> Steps:
        at = 0
        while at < len(self._held):
            letter = self._held[at]
            if letter.isspace():
                self._blank(letter)
                at += 1
            elif letter in "[［【(（N":
                taken = yield from self._special(at, final=final)
                if not taken:
                    break
                at += taken
            else:
                match = _PLAIN.match(self._held, at)
                assert match is not None
                yield from self._words(match[0])
                at = match.end()
        self._held = self._held[at:]

    def _special(self, at: int, *, final: bool) -> Generator[Any, Any, int]:
        """How many letters of what may be a marker were used up; 0 while it is not decided."""
        rest = self._held[at : at + _WINDOW]
        if marker := _MARKER.match(rest):
            yield from self._markers(_labels(marker))
            return marker.end()
        if rest.startswith(NO_ANSWER):
            self.declined = True
            return len(NO_ANSWER)
        if not final and (NO_ANSWER.startswith(rest) or (len(rest) < _WINDOW and _UNDECIDED.match(rest))):
            return 0
        if final and len(rest) < _WINDOW and (_HALF.match(rest) or (len(rest) > 2 and NO_ANSWER.startswith(rest))):
            return len(rest)
        if rest[0] == "[" and not self._gap and self._sentence.endswith("!"):
            self._gap = " "  # a picture that a document talked the model into would call on its address when shown
        yield from self._words(rest[0])
        return 1

    def _blank(self, letter: str) -> None:
        if letter == "\n":
            self._ended = self._ended or bool(self._sentence.strip())
        else:
            self._ended = self._ended or (not self._gap and _ends(self._sentence))
            self._ended = self._ended or len(self._sentence) > _LONGEST_SENTENCE
        self._gap += letter

    def _markers(self, labels: Sequence[str]) -> Steps:
        if "\n" in self._gap or (self._ended and self._gap and not self._claim.strip() and not self._group):
            yield from self._finish()
        if not self._claim.strip():
            (self._group if self._group else self._lead).extend(labels)
            return
        if not self._group:
            self._spaced = " " if self._gap else ""
        self._ended = self._ended or _stops(self._sentence)
        self._group.extend(labels)
        self._gap = ""

    def _words(self, text: str) -> Steps:
        for part in _HAN_PARTS.findall(text):
            closers = _CLOSING.match(part) if self._ended and not self._gap else None
            attached = closers[0] if closers else ""
            if attached:
                if self._group:
                    yield from self._settle()
                self._add(attached)
            if rest := part[len(attached) :]:
                if self._ended:
                    yield from self._finish()
                elif self._group:
                    yield from self._settle()
                self._add(self._gap + rest)
                self._gap = ""
                self._ended = rest[-1] in _HAN_END

    def _add(self, text: str) -> None:
        self._tell(text)
        self._sentence += text
        self._claim += text

    def _settle(self) -> Steps:
        """Prove the claim that stands before a group of markers."""
        claim, labels, spaced = self._claim, self._group, self._spaced
        self._group, self._claim = [], ""
        finding = yield Compute(lambda: self.check(claim, labels))
        if not finding.citations and self._sentence != claim:
            whole = self._sentence
            finding = yield Compute(lambda: self.check(whole, labels))
        self._found(finding, claim, spaced, owed=True)

    def _finish(self) -> Steps:
        """The sentence is over."""
        if self._group:
            yield from self._settle()
        labels, claim = self._lead, self._claim
        if is_claim(claim, alone=not self._proven) or (labels and not _ONLY_MARKS.match(claim)):
            finding = yield Compute(lambda: self.check(claim, labels))
            neutral = not finding.citations and is_neutral(claim)
            self._found(finding, claim, "" if self.chinese else " ", owed=not neutral)
        if self.strict and not self._bad:
            self._out += self._kept
            self._ready += self._cited
        if self.strict:
            self._cited = []
        self._sentence = self._claim = self._kept = ""
        self._lead, self._ended, self._proven, self._bad = [], False, False, False

    def _found(self, finding: Finding, claim: str, spaced: str, *, owed: bool) -> None:
        self.remarks += [remark for remark in finding.remarks if remark not in self.remarks]
        if finding.citations:
            self._proven = True
            known = (*self.citations, *self._ready, *self._cited)
            self._cited += [one for one in finding.citations if one not in known]
            self._tell(spaced + "".join(f"[{label}]" for label in finding.labels))
        elif owed and not _ONLY_MARKS.match(claim):
            self._bad = True
            self.unsupported.append(" ".join(claim.split()))
            self._tell(f" {self.mark}")

    def _tell(self, text: str) -> None:
        if self.strict:
            self._kept += text
        else:
            self._out += text

    def _shown(self, *, final: bool = False) -> Steps:
        if not self.text:
            self._out = self._out.lstrip()
        if self._out and (final or self.text or len(self._out) > _WINDOW or not _ONLY_MARKS.match(self._out)):
            piece, self._out = self._out, ""
            self.text += piece
            yield TextPiece(text=piece)
        if not self.strict:
            self._ready, self._cited = self._cited, []
        for one in self._ready:
            self.citations.append(one)
            yield one
        self._ready = []


def _ends(sentence: str) -> bool:
    return _stops(sentence) and not _NO_END.search(sentence if len(sentence) < _TAIL else sentence[-_TAIL:])


def _stops(sentence: str) -> bool:
    return _END.search(sentence[-_TAIL:]) is not None


def _labels(marker: re.Match[str]) -> list[str]:
    """`1, 3-5` -> its labels."""
    inner = marker["square"] or marker["lens"] or marker["round"]
    found: list[str] = []
    for part in re.split(r"[,;、，；/]", inner):
        span = _RANGE.fullmatch(part.strip())
        if span and span[1].isdecimal() and span[2].isdecimal() and 0 < int(span[2]) - int(span[1]) <= 10:
            found += [str(number) for number in range(int(span[1]), int(span[2]) + 1)]
        else:
            found += re.findall(_LABEL, part)
    return found
