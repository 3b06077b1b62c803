"""Drafts -> chunks: counted as a whole, named, with pages, boxes and language (pure)."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from docpipe import _ids
from docpipe._language import language_of_part
from docpipe._metadata import settled
from docpipe.chunk.cutting import Draft
from docpipe.chunk.sections import is_heading
from docpipe.protocols import Tokenizer
from docpipe.split.splitter import Piece, pack
from docpipe.tables import is_table, without_tags
from docpipe.types import Block, Chunk, Document, PageBox, Span


@dataclass(slots=True)
class Finisher:
    """Makes the chunks of one document, in order."""

    document: Document
    title: str
    language: str
    """Primary language of the document."""
    tokenizer: Tokenizer
    most: int
    """Tokens of a chunk, special tokens counted."""
    blocks: list[Block] = field(init=False)
    starts: list[int] = field(init=False)
    ends: list[int] = field(init=False)
    metadata: dict[str, str] = field(init=False)
    position: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.blocks = [block for block in self.document.blocks if block.is_content]
        self.starts = [block.span.start for block in self.blocks]
        self.ends = [block.span.end for block in self.blocks]
        self.metadata = settled({**self.document.metadata, "title": self.title})

    def chunks(self, draft: Draft) -> Iterator[Chunk]:
        """The draft as a chunk; as several where it turns out too long as a whole."""
        span = _stripped(draft.span, self.document.text)
        if not span:
            return
        text = span.of(self.document.text)
        for context in dict.fromkeys((*draft.contexts, "")):
            tokens = self._tokens(draft, context, text)
            if tokens <= self.most:
                yield from self._chunk(span, text, context, draft.headings, tokens)
                return
        draft = draft._replace(tokens=None)
        for part in self._cut_again(span, text):
            words = part.of(self.document.text)
            yield from self._chunk(part, words, "", draft.headings, self._tokens(draft, "", words))

    def _tokens(self, draft: Draft, context: str, text: str) -> int:
        special = self.tokenizer.special_tokens
        whole = context + text
        if is_table(whole):
            return special + self.tokenizer.count(without_tags(whole))
        if draft.tokens is not None and context == draft.contexts[0]:
            return special + draft.tokens
        return special + self.tokenizer.count(whole)

    def _cut_again(self, span: Span, text: str) -> Iterator[Span]:
        """Spans of a text that is too long whatever stands before it: a row of a table, mostly."""
        budget = self.most - self.tokenizer.special_tokens
        whole = Piece(0, len(text), self.tokenizer.count(text))
        for packed in pack(text, [whole], budget=budget, tokenizer=self.tokenizer, sums_hold=False):
            part = _stripped(Span(span.start + packed.span.start, span.start + packed.span.end), self.document.text)
            if part:
                yield part

    def _chunk(self, span: Span, text: str, context: str, headings: tuple[str, ...], tokens: int) -> Iterator[Chunk]:
        """One chunk; none where the text is of no block: a long rule under a heading, say."""
        blocks = self.blocks[bisect_right(self.ends, span.start) : bisect_left(self.starts, span.end)]
        if not blocks:
            return
        content, repetition = context + text, self.seen[context + text]
        self.seen[content] += 1
        boxes = self._boxes(span, blocks)
        pages = {box.page for box in boxes} or {block.page for block in blocks if block.page}
        self.position += 1
        yield Chunk(
            id=_ids.chunk_id(self.document.id, content, repetition),
            document_id=self.document.id,
            source=self.document.source,
            span=span,
            text=text,
            context=context,
            headings=headings,
            block_ids=tuple(block.id for block in blocks),
            kind=next((block.kind for block in blocks if not is_heading(block)), blocks[0].kind),
            pages=tuple(sorted(pages)),
            boxes=boxes,
            token_count=tokens,
            position=self.position - 1,
            title=self.title,
            language=language_of_part(text, usual=self.language),
            geometry=self.document.geometry.slice(*span) if self.document.geometry.records else self.document.geometry,
            metadata=self.metadata,
        )

    def _boxes(self, span: Span, blocks: list[Block]) -> tuple[PageBox, ...]:
        """One box per block and page: around its lines within the span, or the block's own where it has none."""
        found: list[PageBox] = []
        geometry = self.document.geometry
        for block in blocks:
            areas = (
                geometry.areas(max(span.start, block.span.start), min(span.end, block.span.end))
                if geometry.records
                else ()
            )
            if areas:
                found.extend(areas)
            elif block.bbox is not None and block.page is not None:
                found.append(block.bbox.on(block.page))
        return tuple(found)


def _stripped(span: Span, text: str) -> Span:
    """The span without white space at its ends."""
    part = span.of(text)
    start = span.start + len(part) - len(part.lstrip())
    return Span(start, max(start, span.start + len(part.rstrip())))
