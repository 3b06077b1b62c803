"""Document -> chunks that follow its layout: sections under their headings, tables by rows, furniture left out."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe._language import primary_language
from docpipe.chunk.cutting import Cutter
from docpipe.chunk.finishing import Finisher
from docpipe.protocols import Tokenizer
from docpipe.split.tokenizers import check_name, near, tokenizer
from docpipe.types import BlockKind, Chunk, Document

_AUTO = "auto"
_ALONE = "bge-small-en"
_LEAST = 16


@dataclass(frozen=True, kw_only=True)
class LayoutChunker:
    """Documents -> chunks of at most so many tokens, each within a section as far as its size allows."""

    VERSION = 3

    max_tokens: int = 256
    """Most tokens of a chunk with its context and the model's special tokens."""

    overlap: int = 32
    """Most tokens repeated from the chunk before, where a paragraph had to be cut."""

    tokenizer: str = _AUTO
    """Name of the tokenizer that counts; `auto` is the embedder's own, alone `bge-small-en`. `zai` counts as the
    platform, which it asks where that decides; without key or network chunks are smaller, on the safe side."""

    limit: int = 0
    """The embedder's own limit, which holds where it is below `max_tokens`; 0 for none."""

    def __post_init__(self) -> None:
        if self.max_tokens < _LEAST:
            raise ValueError(f"max_tokens must be at least {_LEAST}, got {self.max_tokens}")
        if self.overlap < 0:
            raise ValueError(f"overlap must not be negative, got {self.overlap}")
        if self.limit < 0 or 0 < self.limit < _LEAST:
            raise ValueError(f"limit must be 0 or at least {_LEAST}, got {self.limit}")
        if self.tokenizer != _AUTO:
            check_name(self.tokenizer)

    def __call__(self, document: Document, /) -> Iterator[Chunk]:
        """Cut a document. One without text, or of furniture only, gives no chunks.

        Raises:
            SplitError: one character takes more tokens than a chunk may have.
        """
        most = min(self.max_tokens, self.limit or self.max_tokens)
        counter = near(self._tokenizer(), most)
        title = _title(document)
        cutter = Cutter(document, title, counter, most - counter.special_tokens, self.overlap)
        language = document.metadata.get("language", "").partition("-")[0].lower()
        finisher = Finisher(document, title, language or primary_language(document.text), counter, most)
        for draft in cutter.drafts():
            yield from finisher.chunks(draft)

    def _tokenizer(self) -> Tokenizer:
        return tokenizer(_ALONE if self.tokenizer == _AUTO else self.tokenizer)


def _title(document: Document) -> str:
    """What the document is called: by its metadata, or by its title block."""
    named = " ".join(document.metadata.get("title", "").split())
    if named:
        return named
    blocks = (block for block in document.blocks if block.kind is BlockKind.TITLE)
    return next((" ".join(block.span.of(document.text).split()) for block in blocks), "")
