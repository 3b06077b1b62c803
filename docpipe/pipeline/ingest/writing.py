"""Parsed documents -> vectors -> rows of the index, a batch of documents at a time."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from docpipe._ids import text_key
from docpipe.errors import EmbedError
from docpipe.pipeline.ingest.attached import Guard, Keeps
from docpipe.pipeline.ingest.in_hand import Item, Job, Written, as_read
from docpipe.pipeline.ingest.journal import Journal
from docpipe.pipeline.ingest.ledger import Ledger, Row, Stamp, in_hand, parsed_key
from docpipe.pipeline.ingest.paid_vectors import PaidVectors
from docpipe.pipeline.processes.work import Parsed
from docpipe.protocols import DocumentRows, Embedder, Index, RepliesKept
from docpipe.types import Chunk, EmbeddedChunk, Status

if TYPE_CHECKING:
    from docpipe.types import type_vector

_SLICE = 256
"""Texts embedded between two looks at whether the run was stopped."""
_WORTH_KEEPING = 1.0
"""Seconds: vectors of a slice that took longer are kept until the run has ended, so that a kill does not cost them."""
_REMEMBERED = 16_384
"""Vectors of this run kept at hand, so that a text that comes again is not embedded again."""


class BatchWriter:
    """Embeds and commits.

    The order of its commits is what makes a kill harmless: what was parsed; vectors that were paid for; what is
    replaced, to the history; that the documents are in hand; the chunks; the ledger. Whatever is missing of these,
    the next run sees the document as not done, and finds what was finished.
    """

    def __init__(
        self,
        *,
        index: Index,
        embedder: Embedder,
        ledger: Ledger,
        stamp: Stamp,
        run_id: str,
        parses: Journal,
        vectors: PaidVectors,
        history: Keeps,
        guard: Guard,
    ) -> None:
        self._index, self._embedder, self._ledger, self._stamp = index, embedder, ledger, stamp
        self._run_id, self._parses, self._paid = run_id, parses, vectors
        self._history, self._guard = history, guard
        self._stopped = False
        self._remembered: OrderedDict[str, type_vector] = OrderedDict()

    def write(self, items: Sequence[Item]) -> Written:
        """Replace these documents in the index, then in the ledger; what they were called before goes with it.

        Raises:
            LeaseLost: another process took the index over; nothing more is written.
        """
        started = time.monotonic()
        keys = [[text_key(chunk.content) for chunk in item.parsed.chunks] for item in items]
        vectors, embedded = self._vectors(items, keys)
        middle = time.monotonic()
        self._commit(items, keys, vectors)
        _give_back()
        total = sum(map(len, keys))
        return Written(
            chunks=total,
            embedded=embedded,
            reused=total - embedded,
            embed_seconds=middle - started,
            index_seconds=time.monotonic() - middle,
        )

    def drop(self, rows: Sequence[Row]) -> None:
        """Remove what the index holds of these sources; they are noted before, and in hand until they are `put`."""
        self._note(rows)
        self._take_in_hand(rows)
        self._guard.check()
        self._index.delete([row.document_id for row in rows])

    def put(self, rows: Sequence[Row]) -> None:
        """Write ledger rows of sources whose chunks stay as they are."""
        if rows:
            self._guard.check()
            self._ledger.put(rows)

    def stop(self) -> None:
        """Give up what is being embedded; a commit that has begun is finished."""
        self._stopped = True

    def _commit(
        self, items: Sequence[Item], keys: Sequence[Sequence[str]], vectors: "Mapping[str, type_vector]"
    ) -> None:
        self._parses.wait([self._parsed_key(item.parsed) for item in items])
        self._note([row for item in items for row in item.job.before])
        self._take_in_hand([row for item in items for row in item.job.before])
        written = [self._rows(item.parsed, own, vectors) for item, own in zip(items, keys, strict=True)]
        renamed = [item.job.renamed_from for item in items if item.job.renamed_from is not None]
        emptied = [DocumentRows(document_id=row.document_id, chunks=()) for row in renamed]
        self._guard.check()
        self._index.replace([*written, *emptied])
        self._guard.check()
        self._ledger.remove([row.uri for row in renamed])
        self.put([self._ledger_row(item.parsed, item.job) for item in items])

    def _note(self, rows: Sequence[Row]) -> None:
        self._guard.check()
        known = {row.uri: asdict(row) for row in rows if row.status or row.chunks}
        self._history.note([(row.uri, row.document_id) for row in rows], known)

    def _take_in_hand(self, rows: Sequence[Row]) -> None:
        self.put([in_hand(row) for row in rows if row.status or not row.chunks])

    def _parsed_key(self, parsed: Parsed) -> str:
        return parsed_key(parsed.source.digest, self._stamp.parse, parsed.source.media_type)

    def _vectors(self, items: Sequence[Item], keys: Sequence[Sequence[str]]) -> "tuple[dict[str, type_vector], int]":
        """The vector of every key, and how many texts had to be embedded for it."""
        held = [row.document_id for item in items for row in item.job.before if row.chunks]
        known = self._index.vectors(held) if held else {}
        texts: dict[str, str] = {}
        vectors: dict[str, type_vector] = {}
        for item, own in zip(items, keys, strict=True):
            for chunk, key in zip(item.parsed.chunks, own, strict=True):
                vector = known.get(key)
                if vector is None:
                    vector = self._remembered.get(key)
                if vector is not None:
                    vectors[key] = vector
                else:
                    texts[key] = chunk.content
        vectors.update(self._paid.find(list(texts)))
        missing = {key: text for key, text in texts.items() if key not in vectors}
        if missing:
            fresh = self._embed(missing)
            self._remember(fresh)
            vectors.update(fresh)
        return vectors, len(missing)

    def _embed(self, texts: Mapping[str, str]) -> "dict[str, type_vector]":
        """Embed by falling length, in slices between which the work can be given up."""
        keys = sorted(texts, key=lambda key: (-len(texts[key]), key))
        vectors: dict[str, type_vector] = {}
        for start in range(0, len(keys), _SLICE):
            if self._stopped:
                raise EmbedError("given up, because the run ends", stage="embed", remedy="run again")
            some = {key: texts[key] for key in keys[start : start + _SLICE]}
            vectors.update(self._embed_slice(some))
        return vectors

    def _embed_slice(self, texts: Mapping[str, str]) -> "dict[str, type_vector]":
        """Vectors of some texts; those that cost money or much time are kept until the run has ended."""
        embedder = self._embedder
        begun = time.monotonic()
        if isinstance(embedder, RepliesKept):
            keys = {text: key for key, text in texts.items()}

            def keep(replies: "Mapping[str, type_vector]") -> None:
                self._paid.keep({keys[text]: vector for text, vector in replies.items()})

            return dict(zip(texts, embedder.embed_keeping(list(texts.values()), keep), strict=True))
        vectors = dict(zip(texts, embedder.embed_passages(list(texts.values())), strict=True))
        if time.monotonic() - begun > _WORTH_KEEPING:
            self._paid.keep(vectors)
        return vectors

    def _remember(self, vectors: "Mapping[str, type_vector]") -> None:
        for key, vector in vectors.items():
            self._remembered[key] = vector.copy()  # a view would keep its whole batch alive
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    def _rows(self, parsed: Parsed, keys: Iterable[str], vectors: "Mapping[str, type_vector]") -> DocumentRows:
        model = self._embedder.model
        pairs: Iterable[tuple[Chunk, str]] = zip(parsed.chunks, keys, strict=True)
        return DocumentRows(
            document_id=parsed.document_id,
            chunks=tuple(EmbeddedChunk(chunk=chunk, vector=vectors[key], model=model) for chunk, key in pairs),
        )

    def _ledger_row(self, parsed: Parsed, job: Job) -> Row:
        source, coverage = as_read(job, parsed.source), parsed.coverage
        return Row(
            uri=job.row.uri,
            document_id=parsed.document_id,
            status=Status.INDEXED.value,
            size=source.size,
            modified=source.modified,
            digest=source.digest,
            media_type=source.media_type,
            parsed_by=self._stamp.parse,
            chunked_by=self._stamp.chunk,
            chunks=len(parsed.chunks),
            tokens=sum(chunk.token_count for chunk in parsed.chunks),
            pages=parsed.pages,
            ocr_pages=",".join(map(str, parsed.ocr_pages)),
            last_tried=job.began,
            characters=coverage.characters,
            covered=coverage.covered,
            left_out=json.dumps(dict(coverage.left_out)) if coverage.left_out else "",
            run=self._run_id,
            members=job.step.members,
            outer_lines=parsed.outer_lines,
        )


@cache
def _trim() -> Callable[[int], int] | None:
    """The C library's call that gives freed memory back to the system, where it has one (glibc)."""
    import ctypes

    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


def _give_back() -> None:
    """Freed memory would stay with each of LanceDB's many threads otherwise: 50 to 80 MB of a long run."""
    if trim := _trim():
        trim(0)
