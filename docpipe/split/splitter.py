"""Text -> spans that tile it, each within a limit of tokens (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from docpipe.errors import SplitError
from docpipe.protocols import Tokenizer
from docpipe.split.boundaries import Level, cuts
from docpipe.split.tokenizers import near, spaces
from docpipe.types import Span

_FULL_ENOUGH = {
    Level.PARAGRAPH: 0.5,
    Level.SENTENCE: 0.3,
    Level.LINE: 0.2,
    Level.CLAUSE: 0.1,
    Level.WORD: 0.05,
    Level.RUN: 0.02,
    Level.CLUSTER: 0.0,
    Level.CODE_POINT: 0.0,
}
"""A piece of this level that does not fit is broken only while less than this share of the budget is used."""


class Piece(NamedTuple):
    """A stretch of text that stays whole while it can."""

    start: int
    end: int
    tokens: int
    level: Level = Level.PARAGRAPH
    """What it is: it breaks into the levels below."""
    after: Level = Level.PARAGRAPH
    """The kind of boundary at its end."""
    parts: tuple["Piece", ...] = ()
    """What it breaks into first, where the caller knows better than the text (the items of a list)."""


class Packed(NamedTuple):
    """A span that fits, and its tokens exactly."""

    span: Span
    tokens: int


def split(text: str, *, limit: int, tokenizer: Tokenizer, context_tokens: int = 0, overlap: int = 0) -> Iterator[Span]:
    """Cut a text at the best places so that each part fits.

    Args:
        limit: tokens of a part, with `context_tokens` and the tokenizer's special tokens.
        context_tokens: room to leave for what is put before each part.
        overlap: about how many tokens at the end of a part are repeated at the start of the next, cut at a boundary.

    Returns:
        Spans in order that cover the whole text; without overlap they tile it. None for an empty text.

    Raises:
        SplitError: the limit cannot hold anything, or not one of the characters.
        ValueError: `overlap` is negative or not below the room for text.
    """
    budget = limit - context_tokens - tokenizer.special_tokens
    if budget < 1:
        raise SplitError(
            f"a limit of {limit} tokens leaves no room for text: {context_tokens} go to the context and "
            f"{tokenizer.special_tokens} to special tokens",
            stage="split",
            remedy=f"raise the limit above {context_tokens + tokenizer.special_tokens}",
        )
    if not 0 <= overlap < budget:
        raise ValueError(f"overlap must be at least 0 and below the room for text ({budget}), got {overlap}")
    if not text:
        return
    tokenizer = near(tokenizer, budget)
    ends = [*cuts(text, 0, len(text), Level.PARAGRAPH), len(text)]
    pieces = measured(text, 0, ends, tokenizer, level=Level.PARAGRAPH, after=Level.PARAGRAPH)
    for packed in pack(text, pieces, budget=budget, tokenizer=tokenizer, overlap=overlap):
        yield packed.span


def measured(
    text: str, start: int, ends: Iterable[int], tokenizer: Tokenizer, *, level: Level, after: Level
) -> list[Piece]:
    """Neighbouring pieces from `start` on with these ends, counted; the last one's boundary is `after`."""
    bounds = [start, *ends]
    texts = [text[a:b] for a, b in pairwise(bounds)]
    if spaces(tokenizer) == "joined":  # a space belongs to the word after it; the packed whole is counted again
        texts = [part.rstrip(" ") for part in texts]
    counts = sizes(texts, tokenizer)
    pieces = [Piece(a, b, n, level, level) for (a, b), n in zip(pairwise(bounds), counts, strict=True)]
    if pieces:
        pieces[-1] = pieces[-1]._replace(after=after)
    return pieces


def sizes(texts: Sequence[str], tokenizer: Tokenizer) -> list[int]:
    """Tokens of each text, and at least one for every 32 code points.

    A long word that the model does not know is one token to it, but whoever is shown the chunk reads all of it.
    """
    counts = tokenizer.count_many(texts)
    return [max(count, len(text) // _LONGEST_TOKEN) for count, text in zip(counts, texts, strict=True)]


def sized_by_length(length: int, tokens: int) -> bool:
    """Whether `sizes` may have given a text of this length more than its tokens."""
    return length >= _LONGEST_TOKEN * tokens


def pack(
    text: str,
    pieces: Iterable[Piece],
    *,
    budget: int,
    tokenizer: Tokenizer,
    overlap: int = 0,
    overlap_after: Level = Level.PARAGRAPH,
    sums_hold: bool = True,
) -> Iterator[Packed]:
    """Join neighbouring pieces into spans of at most `budget` tokens, breaking those that must be broken.

    Args:
        pieces: in order.
        overlap: tokens to repeat at most; 0 for none.
        overlap_after: repeat only after a boundary of this kind or a finer one.
        sums_hold: false where something else than white space stands between pieces, or nothing at all.

    Raises:
        SplitError: one code point needs more than `budget` tokens.
    """
    packing = _Packing(text, tokenizer, budget, free=sums_hold and spaces(tokenizer) == "free")
    packing.pending = list(pieces)[::-1]
    packing.remaining = sum(piece.tokens for piece in packing.pending)
    while packing.pending:
        packed = packing.next_span()
        last = packing.taken[-1]
        packing.taken = packing.tail(overlap) if overlap and packing.pending and last.after >= overlap_after else []
        yield packed


@dataclass(slots=True)
class _Packing:
    """The state of one packing: what is to come, and what the next span holds so far."""

    text: str
    tokenizer: Tokenizer
    budget: int
    free: bool
    """White space costs nothing, so counts of pieces that are cut at words add up."""
    pending: list[Piece] = field(default_factory=list)
    """What is to come, the next one last."""
    remaining: int = 0
    """Tokens of `pending`."""
    taken: list[Piece] = field(default_factory=list)
    """What the next span holds: first what it repeats, then what is new."""
    repeated: int = 0
    """How many of `taken` are repeated."""

    def next_span(self) -> Packed:
        """Fill a span and take its pieces out of `pending`."""
        self.repeated = len(self.taken)
        tokens = self._fill()
        while not self._sums_are_exact():
            tokens = self.tokenizer.count(self._span().of(self.text))
            if tokens <= self.budget:
                break
            fresh = len(self.taken) - self.repeated
            if fresh > 1:
                for _ in range(max(1, fresh // 16)):
                    self._give_back()
            elif self.repeated:
                del self.taken[: self.repeated]
                self.repeated = 0
            else:
                self._give_back()
                if not self._break_next():
                    raise self._too_narrow(self.pending[-1])
                self._fill()
        return Packed(self._span(), tokens)

    def tail(self, overlap: int) -> list[Piece]:
        """The last pieces of what was taken, broken down to words if need be, of at most `overlap` tokens."""
        kept: list[Piece] = []
        room, source = overlap, list(self.taken)
        first = source[0].start
        while source:
            piece = source.pop()
            if piece.start > first and piece.tokens <= room:
                room -= piece.tokens
                kept.append(piece)
            elif not kept and piece.level < Level.WORD and (parts := self._parts(piece)) and len(parts) > 1:
                source.extend(parts)
            else:
                break
        return kept[::-1]

    def _fill(self) -> int:
        """Take pieces until the next one does not fit; returns the tokens taken."""
        filled = sum(piece.tokens for piece in self.taken)
        total = filled + self.remaining
        goal = total / max(1, ceil(total / self.budget))
        while self.pending:
            piece = self.pending[-1]
            fits = filled + piece.tokens <= self.budget
            fresh = len(self.taken) > self.repeated
            if fits and (not fresh or filled + piece.tokens / 2 <= goal):
                self.taken.append(self.pending.pop())
                self.remaining -= piece.tokens
                filled += piece.tokens
            elif not fits and filled < self.budget * _FULL_ENOUGH[piece.level] and self._break_next():
                continue
            elif fresh:
                break
            elif self.repeated:
                filled -= self.taken.pop(0).tokens
                self.repeated -= 1
            elif not self._break_next():
                raise self._too_narrow(piece)
        return filled

    def _break_next(self) -> bool:
        """Replace the next pending piece by its parts; False where it is a single code point."""
        parts = self._parts(self.pending[-1])
        if not parts:
            return False
        self.remaining += sum(part.tokens for part in parts) - self.pending.pop().tokens
        self.pending.extend(reversed(parts))
        return True

    def _parts(self, piece: Piece) -> list[Piece]:
        """What a piece breaks into at the next level that has a boundary inside it."""
        if piece.parts:
            return list(piece.parts)
        for level in _FINER[piece.level]:
            ends = cuts(self.text, piece.start, piece.end, level)
            if ends:
                ends.append(piece.end)
                return measured(self.text, piece.start, ends, self.tokenizer, level=level, after=piece.after)
        return []

    def _give_back(self) -> None:
        piece = self.taken.pop()
        self.pending.append(piece)
        self.remaining += piece.tokens

    def _span(self) -> Span:
        return Span(self.taken[0].start, self.taken[-1].end)

    def _sums_are_exact(self) -> bool:
        return self.free and all(
            piece.level <= Level.WORD and not sized_by_length(piece.end - piece.start, piece.tokens)
            for piece in self.taken
        )

    def _too_narrow(self, piece: Piece) -> SplitError:
        character = self.text[piece.start : piece.end]
        return SplitError(
            f"the character {character!r} alone takes {piece.tokens} tokens, and there is room for {self.budget}",
            stage="split",
            remedy=f"raise the limit by at least {piece.tokens - self.budget}, or shorten the context",
        )


_LONGEST_TOKEN = 32
_FINER = {level: [finer for finer in Level if finer > level] for level in Level}
