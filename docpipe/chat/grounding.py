"""Quotes -> where they stand: spans, boxes, and Citations that were looked up again (pure)."""

import re
from collections.abc import Callable, Iterable

from docpipe.chat.folding import fold
from docpipe.tables import is_table, without_tags
from docpipe.types import Chunk, Citation, PageBox, Span

__all__ = ["SourceText", "citation", "find", "locate", "locate_any_case", "readable"]

SourceText = Callable[[Chunk], str | None]
"""What the source says today where a chunk was taken from; None where the source cannot be read."""

_NUMBER_BEFORE = re.compile(r"\d[.,]?$")
_NUMBER_BEHIND = re.compile(r"[.,]?\d")
_TRIES = 64
"""How many places inside numbers are passed over: it bounds the time for a text of one repeated digit."""


def locate(quote: str, text: str) -> Span | None:
    """Where a quote stands in a text: to the letter, else as `folding.fold` evens both out; None where it does not.

    The span is always one of the text as it is, without blanks at its ends. The first place wins. A quote never begins
    or ends inside a number: `9.5 m` is no quote from `19.5 m`. Time is linear in the length of both.
    """
    words = quote.strip()
    if not words:
        return None
    at = find(words, text)
    return Span(at, at + len(words)) if at >= 0 else _locate_folded(words, text, any_case=False)


def locate_any_case(quote: str, text: str) -> Span | None:
    """The same, where `THE TIDE` and `the tide` are equal too."""
    return locate(quote, text) or _locate_folded(quote, text, any_case=True)


def readable(chunk: Chunk, span: Span) -> str:
    """A part of a chunk's text as it is quoted: in one line, the cells of a table's row parted by ` | `."""
    text = span.of(chunk.text)
    if is_table(chunk.text):
        text = without_tags(f"<tr>{text}</td>").replace("\n", " | ")
    return " ".join(text.split())


def citation(
    marker: str,
    chunk: Chunk,
    quote: str,
    *,
    span: Span | None = None,
    source_text: SourceText | None = None,
) -> Citation:
    """The proof of a quote from a chunk: page, boxes of the quoted words, and whether the source has them.

    `verified` says that the quote was found again in what `source_text` gives, or in the stored chunk where that is
    None. A quote that the chunk does not hold is never verified and has no place.

    Args:
        marker: as it appears in the answer.
        quote: words of the chunk, as `locate` understands them.
        span: where they stand in the chunk's text, if that is known; the quote may occur more than once.
    """
    place = span or locate(quote, chunk.text)
    if place is None:
        return Citation(marker=marker, uri=chunk.source.uri, chunk_id=chunk.id, quote=quote, title=chunk.title)
    base = chunk.span.start
    boxes = chunk.geometry.boxes(base + place.start, base + place.end, chunk.text, offset=base)
    words = readable(chunk, place)
    today = source_text(chunk) if source_text else None
    witness = chunk.text if today is None else today
    return Citation(
        marker=marker,
        uri=chunk.source.uri,
        chunk_id=chunk.id,
        quote=words,
        pages=_pages(boxes) or chunk.pages,
        boxes=boxes,
        verified=bool(locate(place.of(chunk.text), witness) or locate(words, witness)),
        title=chunk.title,
    )


def _pages(boxes: Iterable[PageBox]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(box.page for box in boxes))


def _locate_folded(quote: str, text: str, *, any_case: bool) -> Span | None:
    wanted = fold(quote, any_case=any_case).text
    if not wanted:
        return None
    folded = fold(text, any_case=any_case)
    at = find(wanted, folded.text)
    return folded.original(at, at + len(wanted)) if at >= 0 else None


def find(words: str, text: str) -> int:
    """Where `words` first stand in `text` without cutting a number of it; -1 where they do not."""
    at = text.find(words)
    for _ in range(_TRIES):
        if at < 0 or not _cuts_a_number(text, at, at + len(words)):
            return at
        at = text.find(words, at + 1)
    return -1


def _cuts_a_number(text: str, start: int, end: int) -> bool:
    if text[start].isdecimal() and _NUMBER_BEFORE.search(text, max(0, start - 2), start):
        return True
    return text[end - 1].isdecimal() and _NUMBER_BEHIND.match(text, end, end + 2) is not None
