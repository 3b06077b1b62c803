"""Blocks -> sections: the stretches of text under one heading path, in order (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from docpipe.types import Block, BlockKind, Document

_HEADINGS = frozenset({BlockKind.TITLE, BlockKind.HEADING})


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, or a few that follow each other at once, with the blocks below it up to the next heading."""

    path: tuple[str, ...]
    """Texts of the headings it stands under, its own last; the document's title first."""
    above: tuple[str, ...]
    """The part of the path that is not among its blocks."""
    level: int
    """Rank of its first heading, from 1; 0 for a title, or where nothing stands above it."""
    blocks: tuple[Block, ...]
    lead: int
    """How many of the blocks, at its start, are headings."""
    follows: bool
    """Nothing but white space stands between it and the section before it."""


def sections(document: Document, title: str) -> list[Section]:
    """Cut a document at its headings; furniture, hidden and blank blocks are left out.

    Args:
        title: the document's title, or nothing; headings are put below it unless they say the same.
    """
    found: list[Section] = []
    for section in _plain_sections(document, title):
        last = found[-1] if found else None
        if last and section.follows and last.lead == len(last.blocks) and section.lead and section.level >= last.level:
            found[-1] = _with_lead(last, section)
        else:
            found.append(section)
    return found


def common_path(members: Sequence[Section]) -> tuple[str, ...]:
    """The headings that all of these sections stand under or begin with."""
    paths = [section.path for section in members]
    same = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return tuple(names[0] for names in same)


def is_heading(block: Block) -> bool:
    """Whether a block is a title or a heading."""
    return block.kind in _HEADINGS


def _plain_sections(document: Document, title: str) -> Iterator[Section]:
    """Every heading begins a section, and so does the text after furniture."""
    text = document.text
    path: list[tuple[int, str]] = [(0, title)] if title else []
    above, level = _names(path), 0
    blocks: list[Block] = []
    follows = False
    for block in document.blocks:
        content, heading = block.is_content, is_heading(block)
        if content and not block.span.of(text).strip():
            continue
        if blocks and (heading or not content):
            yield Section(_names(path), above, level, tuple(blocks), int(is_heading(blocks[0])), follows)
            blocks, follows, above = [], True, _names(path)
        if heading:
            level = _rank(block)
            path = _below(path, level, " ".join(block.span.of(text).split()))
            above = _names(path[:-1])
        if content:
            blocks.append(block)
        else:
            follows = False
    if blocks:
        yield Section(_names(path), above, level, tuple(blocks), int(is_heading(blocks[0])), follows)


def _names(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in path)


def _below(path: list[tuple[int, str]], level: int, name: str) -> list[tuple[int, str]]:
    """The path of a heading that is met below `path`; the title stays, unless the heading repeats it."""
    if path and path[0][0] == 0 and (level == 0 or _same(path[0][1], name)):
        return [(0, name)]
    return [*(step for step in path if step[0] < level), (level, name)]


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()


def _rank(block: Block) -> int:
    return 0 if block.kind is BlockKind.TITLE else max(1, block.level)


def _with_lead(heading: Section, section: Section) -> Section:
    """A heading without text of its own goes with the section that follows it."""
    blocks, lead = heading.blocks + section.blocks, heading.lead + section.lead
    return Section(section.path, heading.above, heading.level, blocks, lead, heading.follows)
