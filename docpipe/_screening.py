"""Document -> the same with what no model should be given labelled: letters for machines, orders to a model (pure)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from docpipe._orders import for_machines, is_task, orders, stray_tasks
from docpipe.types import FURNITURE, HIDDEN, SUSPICIOUS, UNPROMPTED, Block, BlockKind, Document, Span

_WHOLE = frozenset({BlockKind.TABLE, BlockKind.FORMULA})
"""Their text is not cut: what is suspicious in them is left to those who read it."""
_SHORTEST = 12
"""Code points: no shorter metadata is an order."""


def screened(document: Document) -> Document:
    """Cut the blocks around what is not for a model, and label that `hidden` or `suspicious`.

    Laws: the text stays; the blocks hold the same stretches of it; what is labelled so already stays as it is;
    applied twice it changes nothing. A part of a block keeps its page and box; a title or heading that is
    suspicious is none any more, as headings stand before the text below them. Metadata that speaks to a model is
    dropped, and its names are told as `suspicious`.
    """
    marks = _marks(document.text)
    said = {key: value for key, value in document.metadata.items() if not _is_order(value, document.text)}
    if len(said) < len(document.metadata):
        names = ", ".join(key for key in document.metadata if key not in said)
        document = replace(document, metadata={**said, "suspicious": names})
    if not marks:
        return document
    ends = [span.end for span, _ in marks]
    parts = (_cut(block, _within(block.span, marks, ends), document.text) for block in document.blocks)
    blocks = chain.from_iterable(parts)
    return replace(document, blocks=tuple(blocks))


def _marks(text: str) -> list[tuple[Span, str]]:
    """What is to be labelled, in order, apart from each other; letters for machines go first."""
    found = [(span, HIDDEN) for span in for_machines(text)]
    ends = [span.end for span, _ in found]
    for span in sorted([*orders(text), *stray_tasks(text)]):
        following = bisect_right(ends, span.start)
        if following == len(ends) or found[following][0].start >= span.end:
            found.append((span, SUSPICIOUS))
    return _apart(sorted(found))


def _apart(marks: list[tuple[Span, str]]) -> list[tuple[Span, str]]:
    kept: list[tuple[Span, str]] = []
    for span, label in marks:
        if not kept or kept[-1][0].end <= span.start:
            kept.append((span, label))
    return kept


def _is_order(value: str, text: str) -> bool:
    """Whether what a file says of itself speaks to a model; put below its text, it is a sentence among others."""
    if len(value) < _SHORTEST:
        return False
    if orders(value):
        return True
    return is_task(value) and any(span.start > len(text) for span in stray_tasks(f"{text}\n\n{value}"))


def _within(span: Span, marks: Sequence[tuple[Span, str]], ends: Sequence[int]) -> list[tuple[Span, str]]:
    """The marks that touch a span, cut to it; `ends`: of the marks, rising."""
    found = []
    number = bisect_right(ends, span.start)
    while number < len(marks) and marks[number][0].start < span.end:
        mark, label = marks[number]
        found.append((Span(max(span.start, mark.start), min(span.end, mark.end)), label))
        number += 1
    return found


def _cut(block: Block, marks: Sequence[tuple[Span, str]], text: str) -> Iterator[Block]:
    """A block, or what it is cut into: its first part keeps its name."""
    if not marks or block.kind in _WHOLE or block.kind in FURNITURE or block.native_label in UNPROMPTED:
        yield block
        return
    edges = [block.span.start, *(edge for mark, _ in marks for edge in mark), block.span.end]
    labels = ["", *(name for _, label in marks for name in (label, ""))]
    number = 0
    for (start, end), label in zip(pairwise(edges), labels, strict=True):
        span = _trimmed(text, start, end)
        if not span:
            continue
        kind = BlockKind.OTHER if label else block.kind
        name = f"{block.id}.{number}" if number else block.id
        level = 0 if label else block.level
        yield replace(block, id=name, span=span, kind=kind, level=level, native_label=label or block.native_label)
        number += 1


def _trimmed(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    return Span(start + len(part) - len(part.lstrip()), start + len(part.rstrip()))
