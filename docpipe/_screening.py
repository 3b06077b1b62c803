"""Document -> the same with what no model should be given labelled: letters for machines, orders to a model (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from docpipe._orders import for_machines, orders, stray_tasks
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
    blocks = [part for block in document.blocks for part in _cut(block, _within(block.span, marks), document.text)]
    return replace(document, blocks=tuple(blocks))


def _marks(text: str) -> list[tuple[Span, str]]:
    """What is to be labelled, in order, apart from each other; letters for machines go first."""
    found = [(span, HIDDEN) for span in for_machines(text)]
    for span in sorted([*orders(text), *stray_tasks(text)]):
        if not any(span.start < other.end and other.start < span.end for other, _ in found):
            found.append((span, SUSPICIOUS))
    return sorted(found)


def _is_order(value: str, text: str) -> bool:
    """Whether what a file says of itself speaks to a model; put below its text, it is a sentence among others."""
    if len(value) < _SHORTEST:
        return False
    return bool(orders(value)) or any(span.start > len(text) for span in stray_tasks(f"{text}\n\n{value}"))


def _within(span: Span, marks: Sequence[tuple[Span, str]]) -> list[tuple[Span, str]]:
    cut = ((Span(max(span.start, mark.start), min(span.end, mark.end)), label) for mark, label in marks)
    return [(mark, label) for mark, label in cut if mark]


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
