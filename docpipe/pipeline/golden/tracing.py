"""A place in a document -> what source, ledger, parser and chunker made of it."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from docpipe import _codec
from docpipe.errors import DocpipeError, SourceError
from docpipe.load.inside.members import SEPARATOR
from docpipe.pipeline.golden.questions import Spot
from docpipe.pipeline.ingest.ledger import Ledger, Row, parsed_key
from docpipe.pipeline.single import ReadOne, isolated
from docpipe.protocols import Chunker, Loader
from docpipe.types import UNPROMPTED, Block, Chunk, Document, Entry, Outcome, Status

_NEAR = 3
"""Names that are alike, to suggest."""
_NAMES = 20_000
"""Names of a listing that are compared with one that is not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one stage made of a place."""

    stage: str
    """`source`, `ledger`, `parsed`, `chunked`, `indexed`, `vectors`, `words`, `filter`, `vector leg`, `text leg`,
    `fused`, `reread`, `search`, `prompt` or `answer`."""
    said: str
    """What was seen, with its figures."""
    lost: bool = False
    """Whether the place goes no further than this."""
    rank: int = 0
    """Of the place's best chunk, from 1, where the stage orders chunks; 0 elsewhere, or where it has none."""
    remedy: str = ""


def many(count: int, word: str) -> str:
    """`1 chunk`, `2,000 chunks`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def listed(loaders: Sequence[Loader], uri: str) -> Look:
    """Whether the source gives a file; if not, why not, or which names are alike."""
    names: list[str] = []
    try:
        for loader, found in ((one, found) for one in loaders for found in one.entries()):
            if (look := _seen(loader, found, uri)) is not None:
                return look
            names.append(found.uri)
    except SourceError as error:
        return Look(
            stage="source", said=f"the source cannot be listed: {error.message}", lost=True, remedy=error.remedy
        )
    return Look(stage="source", said="the source holds no such file", lost=True, remedy=_alike(uri, names))


def _seen(loader: Loader, found: Entry | Outcome, uri: str) -> Look | None:
    """What one line of a listing says of a file; None where it is of another one."""
    if isinstance(found, Outcome):
        return _refused(found, uri) if _covers(found.uri, uri) and found.error is not None else None
    if found.uri == uri:
        return Look(stage="source", said=f"found, {found.size:,} bytes")
    return _inside(loader, found, uri) if uri.startswith(found.uri + SEPARATOR) else None


def _inside(loader: Loader, around: Entry, uri: str) -> Look:
    """Whether a file lies in another one, which is opened in a process of its own."""
    try:
        members: list[Entry | Outcome] = isolated(ReadOne(loader=loader), "members", around)
    except DocpipeError as error:
        said = f"{around.uri} cannot be opened: {error.message}"
        return Look(stage="source", said=said, lost=True, remedy=error.remedy)
    looks = (_seen(loader, member, uri) for member in members)
    remedy = _alike(uri, [member.uri for member in members])
    nothing = Look(stage="source", said=f"{around.uri} holds no such file", lost=True, remedy=remedy)
    return next((look for look in looks if look is not None), nothing)


def _covers(outcome: str, uri: str) -> bool:
    """Whether what is said of a file or a whole folder is said of this file."""
    return outcome == uri or (outcome.endswith("/") and uri.startswith(outcome))


def _refused(outcome: Outcome, uri: str) -> Look:
    error = outcome.error
    assert error is not None
    of = "" if outcome.uri == uri else f"its folder {outcome.uri} "
    word = "ignored" if outcome.status == Status.IGNORED else "not read"
    return Look(stage="source", said=f"{of}{word}: {error.message}", lost=True, remedy=error.remedy)


def _alike(uri: str, names: Sequence[str]) -> str:
    some = list(islice((name for name in names if not name.endswith("/")), _NAMES))
    ends = [name for name in some if name.endswith(f"/{uri}")]
    near = ends[:_NEAR] or difflib.get_close_matches(uri, some, n=_NEAR, cutoff=0.7)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "names are paths below the source's folder, as `docpipe search` prints them"


def recorded(row: Row | None) -> Look:
    """What the ledger knows of a file that the source gives."""
    if row is None:
        return Look(stage="ledger", said="not indexed yet", lost=True, remedy="docpipe run")
    error = f"{row.stage}: {row.message}" if row.error else ""
    if row.status == Status.INDEXED:
        return Look(stage="ledger", said=f"indexed: {many(row.pages, 'page')}, {many(row.chunks, 'chunk')}")
    if row.status == Status.IGNORED:
        return Look(stage="ledger", said=f"left out: {error}", lost=True, remedy=row.remedy)
    if row.status != Status.FAILED:
        return Look(stage="ledger", said="a run was at work on it and was ended", lost=True, remedy="docpipe run")
    if row.chunks:
        said = f"it fails now ({error}); an older version stays searchable"
        return Look(stage="ledger", said=said, remedy=row.remedy)
    said = f"failed at the latest of {row.attempts:,} tries: {error}" if row.attempts > 1 else f"failed: {error}"
    return Look(stage="ledger", said=said, lost=True, remedy=row.remedy or "docpipe failures")


def stored(ledger: Ledger, row: Row) -> Document | None:
    """What was parsed of a file, under its present name; None where it is not kept."""
    key = parsed_key(row.digest, row.parsed_by, row.media_type)
    data = ledger.parsed([key]).get(key)
    if data is None:
        return None
    document = _codec.decode(data)
    return replace(document, id=row.document_id, source=replace(document.source, uri=row.uri))


def parsed(document: Document | None, place: Spot) -> Look:
    """Whether the parser found text on the pages."""
    if document is None:
        return Look(stage="parsed", said="what was parsed is not kept; the index is looked at")
    last = max((page.number for page in document.pages), default=0)
    if place.first > last:
        said = f"the document has {many(last, 'page')}" if last else "the document has no pages: its format knows none"
        remedy = f"expect {place.uri}" + (f"#p{last} or before" if last else "")
        return Look(stage="parsed", said=said, lost=True, remedy=remedy)
    blocks = list(_blocks(document, place))
    characters = sum(len("".join(block.span.of(document.text).split())) for block in blocks)
    if characters:
        return Look(stage="parsed", said=f"{many(characters, 'character')} in {many(len(blocks), 'block')}")
    unread = [page.number for page in document.pages if page.needs_ocr and _within(page.number, place)]
    if unread:
        remedy = "have scans read: `pdf: {use: parse.ocr}` below parse.auto, or parse.glm_ocr, and run again"
        return Look(stage="parsed", said="it shows something and holds no text: it needs OCR", lost=True, remedy=remedy)
    return Look(stage="parsed", said="there is no text", lost=True, remedy="look at it: docpipe parse FILE --html OUT")


def chunked(document: Document | None, chunker: Chunker, place: Spot) -> tuple[Look, tuple[Chunk, ...]]:
    """Whether today's chunker makes chunks of the pages; and these chunks."""
    if document is None:
        return Look(stage="chunked", said="not looked at"), ()
    chunks = tuple(chunk for chunk in chunker(document) if place.holds(chunk))
    if chunks:
        tokens = sum(chunk.token_count for chunk in chunks)
        return Look(stage="chunked", said=f"{many(len(chunks), 'chunk')}, {many(tokens, 'token')}"), chunks
    kinds = Counter(_label(block) for block in _blocks(document, place) if not block.is_content)
    if kinds:
        named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        remedy = "what repeats on every page, is hidden, or speaks to a model is not searched"
        said = f"left out on purpose: {named}"
    else:
        said, remedy = "no chunk was made of it", "docpipe parse FILE --html OUT shows the blocks; a filter stage?"
    return Look(stage="chunked", said=said, lost=True, remedy=remedy), ()


def _label(block: Block) -> str:
    return block.native_label if block.native_label in UNPROMPTED else str(block.kind)


def _blocks(document: Document, place: Spot) -> Iterator[Block]:
    """The blocks that stand there, in part at least."""
    for block in document.blocks:
        pages = {box.page for box in document.geometry.areas(*block.span)} | {block.page}
        if any(_within(page, place) for page in pages):
            yield block


def _within(page: int | None, place: Spot) -> bool:
    return not place.first or (page is not None and place.first <= page <= place.last)
