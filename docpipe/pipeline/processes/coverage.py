"""A document and its chunks -> how much of its text they hold, what is left out on purpose, what is lost (pure)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from docpipe.types import UNPROMPTED, Block, BlockKind, Document, Span

BETWEEN = "between"
"""Kind of what stands outside of any block."""
FILTERED = "filtered"
"""Kind of what a filter of the pipeline took out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Counts of code points, blanks left out. Law: `characters == covered + sum(left_out) + gap`."""

    characters: int = 0
    covered: int = 0
    """In at least one chunk."""
    left_out: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """In no chunk on purpose, by kind: `header`, `footer`, `page_number`, `hidden`, `suspicious`, `between`,
    `filtered`."""

    @property
    def gap(self) -> int:
        """In no chunk, and nobody meant it so."""
        return self.characters - self.covered - sum(self.left_out.values())


def coverage(document: Document, spans: Iterable[Span], *, drops: bool = False) -> Coverage:
    """How far spans cover a document's text.

    Running lines, hidden and suspicious text are left out on purpose, and what belongs to no block.

    Args:
        drops: content may be left out on purpose too: then what is in no chunk was `filtered`, and none of it is lost.
    """
    text = document.text
    held = merged(spans)
    missed = list(_gaps(held, len(text)))
    left_out: Counter[str] = Counter()
    lost = 0
    for kind, span in _parts(missed, document.blocks):
        count = counted(span.of(text))
        if kind or drops:
            left_out[kind or FILTERED] += count
        else:
            lost += count
    covered = sum(counted(span.of(text)) for span in held)
    kinds = {kind: count for kind, count in sorted(left_out.items()) if count}
    return Coverage(characters=covered + lost + sum(kinds.values()), covered=covered, left_out=kinds)


def counted(text: str) -> int:
    """Code points that are no blanks."""
    return sum(map(len, text.split()))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Their union, as disjoint spans in order."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def _gaps(held: Sequence[Span], end: int) -> Iterator[Span]:
    at = 0
    for span in held:
        if span.start > at:
            yield Span(at, span.start)
        at = span.end
    if at < end:
        yield Span(at, end)


def _parts(missed: Sequence[Span], blocks: Sequence[Block]) -> Iterator[tuple[str, Span]]:
    """Each missed stretch, cut at the blocks' borders, with the kind by which it is left out; "" for what is lost."""
    number = 0
    for span in missed:
        at = span.start
        while at < span.end:
            while number < len(blocks) and blocks[number].span.end <= at:
                number += 1
            block = blocks[number] if number < len(blocks) else None
            if block is None or block.span.start >= span.end:
                yield BETWEEN, Span(at, span.end)
                break
            if block.span.start > at:
                yield BETWEEN, Span(at, block.span.start)
            at = min(block.span.end, span.end)
            yield _reason(block), Span(max(block.span.start, span.start), at)


def _reason(block: Block) -> str:
    if block.is_content:
        return ""
    return block.native_label if block.native_label in UNPROMPTED else BlockKind(block.kind).value
