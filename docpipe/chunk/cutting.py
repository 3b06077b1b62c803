"""Document -> drafts of chunks: which span, under which headings, with what before it (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from docpipe.chunk.pieces import Counted, announces, pieces, total
from docpipe.chunk.sections import Section, common_path, is_heading, sections
from docpipe.chunk.tables import row_groups, rows
from docpipe.errors import SplitError
from docpipe.protocols import Tokenizer
from docpipe.split.boundaries import Level
from docpipe.split.splitter import Piece, pack, sized_by_length, sizes
from docpipe.split.tokenizers import spaces
from docpipe.tables import without_tags
from docpipe.types import BlockKind, Document, Span

_CONTEXT_SHARE = 4
"""Headings may take this part (one in so many) of a chunk's tokens."""
_HEADER_SHARE = 2
"""With a table's header rows and caption, the context may take this part."""
_SMALL = 4
"""A section below this part of a chunk joins its neighbour."""
_TINY = 8
"""Sections below this part join even where the next one's heading is of higher rank."""


class Draft(NamedTuple):
    """A chunk to be: it may have to be cut again when all of it is counted together."""

    span: Span
    headings: tuple[str, ...]
    contexts: tuple[str, ...]
    """What may be put before the text, best first; the last resort, nothing, is not listed."""
    tokens: int | None
    """Tokens of the first context with the text where that is certain."""


class _Measured(NamedTuple):
    section: Section
    blocks: tuple[Counted, ...]
    tokens: int


class _Line(NamedTuple):
    """A heading path as it is put before a text."""

    text: str
    tokens: int


@dataclass(slots=True)
class Cutter:
    """Cuts one document."""

    document: Document
    title: str
    tokenizer: Tokenizer
    room: int
    """Tokens of a chunk, special tokens not counted."""
    overlap: int
    sums_hold: bool = True
    """Tokens of neighbouring blocks add up exactly."""
    lines: dict[tuple[str, ...], _Line] = field(default_factory=dict)

    def drafts(self) -> Iterator[Draft]:
        """All drafts in the order of the text; they cover every block that is not furniture.

        Raises:
            SplitError: one character takes more tokens than a chunk may have.
        """
        group: list[_Measured] = []
        tokens = 0
        for measured in self._measured():
            if group and not self._joins(group, tokens, measured):
                if self._introduces(group, tokens, measured):
                    measured = _introduced(group, measured)
                else:
                    yield from self._group(group, tokens)
                group, tokens = [], 0
            group.append(measured)
            tokens += measured.tokens
        if group:
            yield from self._group(group, tokens)

    def _measured(self) -> list[_Measured]:
        """The sections with the tokens of each block, all counted in one go."""
        found = sections(self.document, self.title)
        text = self.document.text
        blocks = [block for section in found for block in section.blocks]
        self.sums_hold = spaces(self.tokenizer) == "free" and all(
            text[one.span.end : other.span.start].strip("\n") == "" != text[one.span.end : other.span.start]
            for one, other in pairwise(blocks)
        )
        texts = [
            without_tags(block.span.of(text)) if block.kind is BlockKind.TABLE else block.span.of(text)
            for block in blocks
        ]
        counts = iter(sizes(texts, self.tokenizer))
        measured = []
        for section in found:
            counted = tuple(Counted(block, next(counts)) for block in section.blocks)
            measured.append(_Measured(section, counted, total(counted)))
        return measured

    def _joins(self, group: Sequence[_Measured], tokens: int, following: _Measured) -> bool:
        """Whether a section is put into one chunk with those before it."""
        section = following.section
        if not section.follows or self._line(group[0].section.above).tokens + tokens + following.tokens > self.room:
            return False
        if section.level < _level(group):
            return max(tokens, following.tokens) <= self.room // _TINY
        return min(tokens, following.tokens) <= self.room // _SMALL

    def _introduces(self, group: Sequence[_Measured], tokens: int, following: _Measured) -> bool:
        """Whether a few words go with a section below them that has to be cut anyway."""
        section = following.section
        long = following.tokens > self.room and section.follows
        return long and tokens <= self.room // _TINY and section.level > _level(group)

    def _group(self, group: Sequence[_Measured], tokens: int) -> Iterator[Draft]:
        """One chunk for sections that fit together; several for one that does not fit."""
        first = group[0].section
        path = common_path([member.section for member in group])
        above = self._line(first.above[: len(path)])
        if above.tokens + tokens <= self.room or len(group) > 1:
            blocks = [counted for member in group for counted in member.blocks]
            yield self._draft(blocks, path or first.path, above)
        else:
            yield from self._section(group[0])

    def _section(self, measured: _Measured) -> Iterator[Draft]:
        """The chunks of a section that is too long for one: running text and tables apart."""
        section, own = measured.section, self._line(measured.section.path)
        line, lead = self._line(section.above), section.lead
        for before, table, after in self._segments(measured.blocks):
            if table is None:
                found = self._running(before, lead, section.path, own)
            else:
                found = self._table(before, table, after, section.path, own)
            for draft in found:
                yield draft._replace(contexts=(line.text,), tokens=None) if line is not own and lead else draft
                line, lead = own, 0

    def _segments(self, blocks: Sequence[Counted]) -> Iterator[tuple[list[Counted], Counted | None, list[Counted]]]:
        """Running text, or a table with what belongs before and after it."""
        running: list[Counted] = []
        at = 0
        while at < len(blocks):
            counted = blocks[at]
            at += 1
            if counted.block.kind is not BlockKind.TABLE:
                running.append(counted)
                continue
            keep = self._start_of_lead(running)
            if keep:
                yield running[:keep], None, []
            before, after = running[keep:], []
            captioned = any(part.block.kind is BlockKind.CAPTION for part in before)
            if not captioned and at < len(blocks) and blocks[at].block.kind is BlockKind.CAPTION:
                after, at = [blocks[at]], at + 1
            yield before, counted, after
            running = []
        if running:
            yield running, None, []

    def _start_of_lead(self, running: Sequence[Counted]) -> int:
        """How many of the blocks before a table stay apart from it."""
        keep = len(running)
        if keep and running[keep - 1].block.kind is BlockKind.CAPTION:
            keep -= 1
        if keep and announces(running[keep - 1], self.document.text):
            keep -= 1
        only_headings = all(is_heading(part.block) for part in running[:keep])
        return 0 if only_headings or total(running) <= self.room // _TINY else keep

    def _running(self, blocks: Sequence[Counted], lead: int, path: tuple[str, ...], line: _Line) -> Iterator[Draft]:
        """Chunks of running text, cut at sentence ends where a paragraph has to be cut."""
        budget = self.room - line.tokens
        if total(blocks) <= budget:
            yield self._draft(blocks, path, line)
            return
        packed = pack(
            self.document.text,
            pieces(blocks, lead, self.document.text),
            budget=budget,
            tokenizer=self.tokenizer,
            overlap=min(self.overlap, budget // 2),
            overlap_after=Level.SENTENCE,
            sums_hold=self.sums_hold,
        )
        for span, tokens in packed:
            yield Draft(span, path, (line.text,), line.tokens + tokens if self.sums_hold else None)

    def _table(
        self,
        before: Sequence[Counted],
        table: Counted,
        after: Sequence[Counted],
        path: tuple[str, ...],
        line: _Line,
    ) -> Iterator[Draft]:
        """A table with its caption in one chunk, or groups of its rows, each under the header rows."""
        blocks = [*before, table, *after]
        if line.tokens + total(blocks) + 1 <= self.room:
            yield self._draft(blocks, path, line)
            return
        text, lead = self.document.text, total(before)
        if lead > self.room // _SMALL:
            yield from self._running(before, 0, path, line)
            before, lead = [], 0
        found = rows(text, table.block.span, self.tokenizer)
        caption = "".join(
            f"{part.block.span.of(text).strip()}\n"
            for part in [*before, *after]
            if part.block.kind is BlockKind.CAPTION
        )
        contexts = self._contexts(line, caption, found.header, found.header_tokens)
        later = self.room - self.tokenizer.count(without_tags(contexts[0])) - 1
        first = self.room - line.tokens - lead - 1
        groups = list(row_groups(found, first=first, later=later, tokenizer=self.tokenizer))
        start = before[0].block.span.start if before else table.block.span.start
        for number, (row, stop) in enumerate(groups):
            last = number == len(groups) - 1
            end = table.block.span.end if last else found.spans[stop].start
            under = tuple(context + found.reaching[row] for context in contexts if row in found.reaching)
            yield Draft(Span(start, end), path, (*under, *contexts) if number else (line.text,), None)
            start = end
        if not groups:
            yield from self._running([table], 0, path, line)
        if after:
            yield from self._running(after, 0, path, line)

    def _contexts(self, line: _Line, caption: str, header: str, header_tokens: int) -> tuple[str, ...]:
        """What may stand before later rows of a table, best first."""
        most = self.room // _HEADER_SHARE
        header = header if header_tokens else ""
        caption_tokens = self.tokenizer.count(caption)
        options = [
            (line.text + caption + header, line.tokens + caption_tokens + header_tokens),
            (line.text + header, line.tokens + header_tokens),
            (header, header_tokens),
            (line.text, line.tokens),
        ]
        return tuple(text for text, tokens in options if tokens <= most)

    def _draft(self, blocks: Sequence[Counted], path: tuple[str, ...], line: _Line) -> Draft:
        span = Span(blocks[0].block.span.start, blocks[-1].block.span.end)
        certain = self.sums_hold and not any(
            block.kind is BlockKind.TABLE or sized_by_length(block.span.end - block.span.start, tokens)
            for block, tokens in blocks
        )
        return Draft(span, path, (line.text,), line.tokens + total(blocks) if certain else None)

    def _line(self, path: tuple[str, ...]) -> _Line:
        """The heading path in one line, cut from the top to its share of the room; the deepest heading stays."""
        line = self.lines.get(path)
        if line is None:
            line = self.lines[path] = self._new_line(path)
        return line

    def _new_line(self, path: tuple[str, ...]) -> _Line:
        most = self.room // _CONTEXT_SHARE
        while path:
            text = " > ".join(path) + "\n"
            tokens = self.tokenizer.count(text)
            if tokens <= most:
                return _Line(text, tokens)
            if len(path) == 1:
                return self._cut_line(path[0], tokens, most)
            path = path[1:]
        return _Line("", 0)

    def _cut_line(self, name: str, tokens: int, most: int) -> _Line:
        """The beginning of a heading that is too long; nothing where there is room for next to nothing."""
        if most < 4:
            return _Line("", 0)
        whole = Piece(0, len(name), tokens, Level.SENTENCE)
        try:
            first = next(pack(name, [whole], budget=most - 1, tokenizer=self.tokenizer))
        except SplitError:  # not even its first character has room
            return _Line("", 0)
        text = first.span.of(name).rstrip() + "\n"
        return _Line(text, self.tokenizer.count(text))


def _level(group: Sequence[_Measured]) -> int:
    return min(member.section.level for member in group)


def _introduced(group: Sequence[_Measured], following: _Measured) -> _Measured:
    """The section with everything of the group as its lead."""
    first, section = group[0].section, following.section
    blocks = (*(counted for member in group for counted in member.blocks), *following.blocks)
    whole = Section(
        path=section.path,
        above=first.above,
        level=_level(group),
        blocks=tuple(counted.block for counted in blocks),
        lead=len(blocks) - len(following.blocks) + section.lead,
        follows=first.follows,
    )
    return _Measured(whole, blocks, total(blocks))
