"""The frozen values that flow through a pipeline, from Entry to Answer. One type per state of the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from docpipe.geometry import Geometry, Line, PageBox
from docpipe.places import BBox, Elsewhere, Link, OutlineEntry, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_vector = NDArray[np.float32]

__all__ = [
    "FURNITURE",
    "HIDDEN",
    "NOTES",
    "SUSPICIOUS",
    "UNPROMPTED",
    "Answer",
    "BBox",
    "Blob",
    "Block",
    "BlockKind",
    "Chunk",
    "Citation",
    "Document",
    "Elsewhere",
    "EmbeddedChunk",
    "Entry",
    "Exchange",
    "Failure",
    "Geometry",
    "Hit",
    "Line",
    "Link",
    "Outcome",
    "OutlineEntry",
    "Page",
    "PageBox",
    "Prompt",
    "Query",
    "ReasoningPiece",
    "Segment",
    "Source",
    "Span",
    "Status",
    "TextPiece",
    "Turn",
    "Usage",
]


class BlockKind(StrEnum):
    """What a block is. Nothing is thrown away at parse time: furniture is labelled, the chunker chooses."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"
    FIGURE = "figure"
    CAPTION = "caption"
    FORMULA = "formula"
    CODE = "code"
    HEADER = "header"
    FOOTER = "footer"
    FOOTNOTE = "footnote"
    REFERENCE = "reference"
    PAGE_NUMBER = "page_number"
    OTHER = "other"


FURNITURE = frozenset({BlockKind.HEADER, BlockKind.FOOTER, BlockKind.PAGE_NUMBER})
"""Kinds that repeat on page after page and say nothing of their own."""


HIDDEN = "hidden"
"""Native label of text that a document holds and does not show to its reader: it is parsed, and given to no model."""

NOTES = "notes"
"""Native label of what a speaker says to a slide: it stands behind the slide's own text."""
SUSPICIOUS = "suspicious"
"""Native label of text that everybody sees and that speaks to a language model: parsed, shown, and given to none."""
UNPROMPTED = frozenset({HIDDEN, SUSPICIOUS})
"""Native labels of text that no model is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Something a loader found and has not read yet."""

    uri: str
    """Its identity: the path below the source's root, with `/`; moving the root changes nothing."""
    location: str
    """Where to read it: an absolute path or a URL."""
    size: int
    """In bytes."""
    modified: int
    """Nanoseconds since 1970 (UTC)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file that was read: what it is and exactly which bytes."""

    uri: str
    media_type: str
    digest: str
    """SHA-256 of the bytes, in hexadecimal."""
    size: int
    modified: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A source with its bytes."""

    source: Source
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as it is shown (after its rotation), in points of 1/72 inch; 0 by 0 for a sheet, which has no size."""

    number: int
    width: float
    height: float
    needs_ocr: bool = False
    """It shows something, but has no text layer that can be trusted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, heading, table ...: a span of the document's text and its place."""

    id: str
    """Unique in its document."""
    kind: BlockKind
    span: Span
    page: int | None = None
    """Number of its page, from 1; None in a document that has no pages."""
    bbox: BBox | None = None
    level: int = 0
    """Rank of a title or heading, from 1; depth of a list item, from 1; otherwise 0."""
    native_label: str = ""
    """What the parser's own engine or format called it (`h2`, `doc_title` ...), or `hidden` or `suspicious`."""

    @property
    def is_content(self) -> bool:
        """Whether it is for chunks and prompts: neither furniture nor hidden nor suspicious."""
        return self.kind not in FURNITURE and self.native_label not in UNPROMPTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A parsed source. Law: blocks are ordered, disjoint spans of `text`.

    Furniture stands after all else in `text`, so that a paragraph which goes on over a page break is one
    stretch of text. A table block's text is `<table>` HTML as `docpipe.tables` writes it, one row a line.
    """

    id: str
    source: Source
    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What it says of itself: `title`, `authors` (parted by `; `), `created` and `modified` (ISO 8601), `language`
    (BCP 47: `en`, `zh-Hans`, ...) and `keywords` where known, and what else the format says."""
    geometry: Geometry = Geometry()
    """The printed lines and table cells of `text`; empty in a document without pages."""
    outline: tuple[OutlineEntry, ...] = ()
    """The format's own outline (the bookmarks of a PDF); empty where it has none."""
    links: tuple[Link, ...] = ()
    """Links to other documents and pages of the web, in the order of the text."""

    @property
    def contents(self) -> tuple[OutlineEntry, ...]:
        """Its outline, made of its title and headings where the format has none of its own."""
        kinds = (BlockKind.TITLE, BlockKind.HEADING)
        headings = [block for block in self.blocks if block.kind in kinds and block.is_content]
        return self.outline or tuple(
            OutlineEntry(max(1, block.level), " ".join(block.span.of(self.text).split()), block.page)
            for block in headings
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A piece of a document to find and to quote.

    Laws: `text == span.of(document.text)`; `token_count` is that of `content` with the tokenizer's special
    tokens, and never above the limit; the embedder and the full-text index see `content`, the reader `text`.
    """

    id: str
    document_id: str
    source: Source
    span: Span
    text: str
    context: str
    """What is put before `text` for the model: headings, a table's header row."""
    headings: tuple[str, ...]
    block_ids: tuple[str, ...]
    kind: BlockKind
    """Kind of its first block that is not a heading."""
    pages: tuple[int, ...]
    boxes: tuple[PageBox, ...]
    token_count: int
    position: int
    """Its number within the document, from 0: neighbours differ by one."""
    title: str = ""
    language: str = ""
    """BCP 47 primary language (`en`, `zh`), or nothing where unknown."""
    geometry: Geometry = Geometry()
    """The printed lines of `text`, in code points of the document's text."""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What its document says of itself, as `Document.metadata`; `language` there is the whole document's."""

    @property
    def content(self) -> str:
        """What is embedded and searched: context and text, a table's tags replaced by cell marks."""
        from docpipe.tables import without_tags

        return without_tags(self.context + self.text)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmbeddedChunk:
    """A chunk with its vector: float32, shape (dim,), of length 1."""

    chunk: Chunk
    vector: "type_vector"
    model: str
    """Identity of the embedder that made it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A question to an index."""

    text: str
    limit: int = 8
    where: str = ""
    """Filter, as `docpipe.index.filters` reads it: `language = zh and page <= 3`."""
    mode: Literal["hybrid", "vector", "text"] = "hybrid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A chunk that was found."""

    chunk: Chunk
    score: float
    """Higher is better; comparable within one result only."""
    rank: int
    """From 1."""
    found_by: tuple[str, ...]
    """The legs that brought it: `vector`, `text`, and `rerank` where it was scored again."""
    stale: bool = False
    """Its file has changed since, and cannot be read or parsed as it is now."""
    also_in: tuple[Elsewhere, ...] = ()
    """Where else nearly the same text was found: such chunks are no hits of their own."""
    boilerplate: bool = False
    """Nearly all of it stands in many documents (navigation, a footer, a disclaimer): it comes after all others."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What its document says of itself: `title`, `authors`, `created`, `modified`, `language`, `keywords` ..."""
        return self.chunk.metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """A proof: the quoted words and where they stand."""

    marker: str
    """As it appears in the answer, `[1]`."""
    uri: str
    chunk_id: str
    quote: str
    pages: tuple[int, ...] = ()
    boxes: tuple[PageBox, ...] = ()
    """Boxes of the quoted words themselves, one per printed line."""
    verified: bool = False
    """The quote was looked for again in the source's text, and found."""
    url: str = ""
    title: str = ""
    published: str = ""
    stale: bool = False
    """Its file has changed since, and cannot be read or parsed as it is now."""
    also_in: tuple[Elsewhere, ...] = ()
    """Where else nearly the same text was found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens a model read and wrote; zero where no model was asked."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's, those that the service did not have to read again."""
    completion_tokens: int = 0
    predicted_cached_tokens: int = 0
    """What should have been cached, by what was sent before."""
    prefix: str = ""
    """Digest of the prompt's stable prefix; equal digests mean equal bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A grounded answer. `origin` says on what: the documents, the web, or nothing (then `text` says so)."""

    question: str
    text: str
    origin: Literal["documents", "web", "none"]
    citations: tuple[Citation, ...] = ()
    usage: Usage = Usage()
    cost_usd: float = 0.0
    partial: bool = False
    """It was cut off: by a limit, by the service, or on the way."""
    unsupported: tuple[str, ...] = ()
    """Sentences of the model for which no source was found; marked in `text`, or removed from it in strict mode."""
    remarks: tuple[str, ...] = ()
    """What else a reader should know: why it is partial, which page could not be read."""
    reasoning: str = ""
    """What the model thought, where it tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPiece:
    """Some of an answer's text, as it comes."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasoningPiece:
    """Some of what the model thinks, as it comes."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A part of a prompt."""

    name: Literal["system", "pinned", "history", "sources", "question", "instruction"]
    role: Literal["system", "user", "assistant"]
    text: str
    stable: bool
    """The same bytes will stand there in the next turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What a model is given, from most to least stable. Law: each turn extends the previous prompt.

    Segments of one role that follow each other make one message; `history` segments are a message each.
    """

    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A turn that is over, word for word as it was sent and answered."""

    question: str
    """As the user put it."""
    message: str
    """The user message that was sent: sources, question and all."""
    answer: str
    """What the model wrote."""
    reasoning: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A question within a conversation."""

    question: str
    history: tuple[Exchange, ...] = ()
    where: str = ""
    web: bool = True
    """Whether the web may be asked, if the pipeline has it."""
    thinking: bool | None = None
    """Whether the model thinks first; None: as the pipeline says."""
    stream: bool = False
    """Whether pieces of the answer are wanted as they come."""


class Status(StrEnum):
    """What a run did with a source."""

    INDEXED = "indexed"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    FAILED = "failed"
    IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a source failed or was left out: an error as a value."""

    stage: str
    type: str
    message: str
    remedy: str
    retryable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one source in a run. Every source that was seen has one."""

    uri: str
    status: Status
    chunks: int = 0
    pages: int = 0
    ocr_pages: tuple[int, ...] = ()
    """Pages that need OCR and gave no text."""
    error: Failure | None = None
    seconds: float = 0.0
