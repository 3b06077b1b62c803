"""`prompt.pin` -> the whole documents, from what the index keeps of them."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from docpipe import _codec, _ids
from docpipe._metadata import settled
from docpipe.errors import InvalidOption
from docpipe.pipeline.ingest.ledger import Ledger, Row, parsed_key
from docpipe.protocols import Index
from docpipe.types import UNPROMPTED, BlockKind, Chunk, Document, Span


class Pinned:
    """The pinned documents, a chunk each; read again when the index has changed."""

    def __init__(self, index: Index, uris: Sequence[str]) -> None:
        self._index = index
        self._uris = tuple(uris)
        self._lock = Lock()
        self._version = -1
        self._chunks: tuple[Chunk, ...] = ()

    def __call__(self) -> tuple[Chunk, ...]:
        """One chunk for each document, in the order of the pipeline file.

        Raises:
            InvalidOption: the index does not hold one of them.
        """
        if not self._uris:
            return ()
        with self._lock:
            version = self._index.versions()
            if version != self._version:
                self._chunks, self._version = self._read(), version
            return self._chunks

    def _read(self) -> tuple[Chunk, ...]:
        ledger = Ledger(self._index)
        rows = ledger.rows(self._uris)
        kept = {uri: _parsed(ledger, row) for uri, row in rows.items()}
        missing = [uri for uri in self._uris if not kept.get(uri)]
        if missing:
            raise InvalidOption(
                f"the index does not hold {', '.join(missing)}",
                where="prompt.pin",
                remedy="run the pipeline first; write the uri as `docpipe search` shows it",
            )
        return tuple(_whole(_codec.decode(kept[uri]), uri) for uri in self._uris)


def _parsed(ledger: Ledger, row: Row) -> bytes:
    """What is kept of a source: as it was parsed last, or by another parser where it fails now; else nothing."""
    key = parsed_key(row.digest, row.parsed_by, row.media_type)
    return ledger.parsed([key]).get(key) or next(iter(ledger.parsed_from(row.digest)), b"")


def _whole(parsed: Document, uri: str) -> Chunk:
    """All of a document but the running lines behind the rest of it; blanks stand for what no model is given."""
    # What was parsed under another name is kept once.
    document = replace(parsed, id=_ids.document_id(uri), source=replace(parsed.source, uri=uri))
    span = Span(0, max((block.span.end for block in document.blocks if block.is_content), default=0))
    return Chunk(
        id=f"{document.id}:whole",
        document_id=document.id,
        source=document.source,
        span=span,
        text=_blanked(document, span),
        context="",
        headings=(),
        block_ids=(),
        kind=document.blocks[0].kind if document.blocks else BlockKind.OTHER,
        pages=tuple(page.number for page in document.pages),
        boxes=(),
        token_count=0,
        position=0,
        title=document.metadata.get("title", ""),
        language=document.metadata.get("language", "").partition("-")[0],
        geometry=document.geometry,
        metadata=settled(document.metadata),
    )


def _blanked(document: Document, span: Span) -> str:
    parts, at = list[str](), span.start
    for block in document.blocks:
        if block.native_label in UNPROMPTED and block.span.end <= span.end:
            parts += (document.text[at : block.span.start], " " * (block.span.end - block.span.start))
            at = block.span.end
    return "".join(parts) + document.text[at : span.end]
