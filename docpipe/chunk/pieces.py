"""Blocks of running text -> pieces to pack: lists kept together, captions with their figures (pure)."""

from collections.abc import Sequence
from typing import NamedTuple

from docpipe.split.boundaries import Level
from docpipe.split.splitter import Piece
from docpipe.types import Block, BlockKind

_INTRODUCTION = 60
"""Tokens of a paragraph that may stay with the list or table it announces."""
_VERBATIM = frozenset({BlockKind.CODE, BlockKind.FORMULA})
_CAPTIONED = frozenset({BlockKind.FIGURE, BlockKind.CODE, BlockKind.FORMULA})


class Counted(NamedTuple):
    """A block and its tokens, a table's without its tags."""

    block: Block
    tokens: int


def total(blocks: Sequence[Counted]) -> int:
    """Tokens of these blocks."""
    return sum(counted.tokens for counted in blocks)


def pieces(blocks: Sequence[Counted], lead: int, text: str) -> list[Piece]:
    """Pieces of neighbouring blocks; the first `lead` blocks are headings and stay with what follows them."""
    found: list[Piece] = []
    at = lead
    while at < len(blocks):
        stop = _group_end(blocks, at, text)
        found.append(_grouped(blocks[at:stop]))
        at = stop
    if lead and found:
        found[0] = _led(blocks[:lead], found[0])
    return found or [_piece(counted) for counted in blocks]


def announces(counted: Counted, text: str) -> bool:
    """Whether a block is a short paragraph that ends with a colon."""
    block, tokens = counted
    if block.kind is not BlockKind.PARAGRAPH or tokens > _INTRODUCTION:
        return False
    return text[max(block.span.start, block.span.end - 8) : block.span.end].rstrip().endswith((":", "："))


def _group_end(blocks: Sequence[Counted], at: int, text: str) -> int:
    """Where the blocks that should stay with block `at` end."""
    kind, stop = blocks[at].block.kind, at + 1
    if kind is BlockKind.CAPTION or kind in _CAPTIONED:
        wanted = _CAPTIONED if kind is BlockKind.CAPTION else {BlockKind.CAPTION}
        return stop + (stop < len(blocks) and blocks[stop].block.kind in wanted)
    if kind is not BlockKind.LIST_ITEM and not announces(blocks[at], text):
        return stop
    while stop < len(blocks) and blocks[stop].block.kind is BlockKind.LIST_ITEM:
        stop += 1
    return stop


def _grouped(blocks: Sequence[Counted]) -> Piece:
    parts = tuple(_piece(counted) for counted in blocks)
    if len(parts) == 1:
        return parts[0]
    return Piece(parts[0].start, parts[-1].end, total(blocks), Level.SENTENCE, Level.PARAGRAPH, parts)


def _piece(counted: Counted) -> Piece:
    block, tokens = counted
    level = Level.SENTENCE if block.kind in _VERBATIM else Level.PARAGRAPH
    return Piece(block.span.start, block.span.end, tokens, level, Level.PARAGRAPH)


def _led(headings: Sequence[Counted], piece: Piece) -> Piece:
    """The piece with headings before it; where it breaks, they stay with its first part."""
    parts = (_led(headings, piece.parts[0]), *piece.parts[1:]) if piece.parts else ()
    return piece._replace(start=headings[0].block.span.start, tokens=total(headings) + piece.tokens, parts=parts)
