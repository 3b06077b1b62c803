"""Answer -> each citation with the bytes it was taken from, read again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docpipe.errors import DocpipeError
from docpipe.load.inside.members import around
from docpipe.pipeline.pipe import Pipe
from docpipe.pipeline.single import ReadOne, isolated, within
from docpipe.protocols import HoldsFiles, Loader
from docpipe.types import Answer, Blob, Chunk, Citation, Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """A citation and what is needed to show it."""

    citation: Citation
    passage: str
    """The text of the cited chunk; nothing where the index no longer has it."""
    blob: Blob | None
    """The source as it is now; None where it cannot be read."""
    remark: str = ""
    """What a reader must be told: the file changed since it was indexed, or is gone."""


def proofs(pipe: Pipe, answer: Answer) -> list[Proof]:
    """The citations of an answer, in order, with their sources read again; pages of the web have none."""
    cited = [citation for citation in answer.citations if citation.chunk_id and not citation.url]
    chunks = pipe.stages.index.fetch([citation.chunk_id for citation in cited])
    blobs = _blobs(pipe.stages.loaders, {citation.uri for citation in cited})
    return [_proof(citation, chunks.get(citation.chunk_id), blobs) for citation in cited]


def _proof(citation: Citation, chunk: Chunk | None, blobs: dict[str, Blob | str]) -> Proof:
    blob = blobs.get(citation.uri, "the source no longer holds it")
    passage = chunk.text if chunk is not None else ""
    if isinstance(blob, str):
        return Proof(citation=citation, passage=passage, blob=None, remark=f"the file cannot be shown: {blob}")
    changed = chunk is None or chunk.source.digest != blob.source.digest
    remark = "the file changed since it was indexed: the marks may stand in the wrong place" if changed else ""
    return Proof(citation=citation, passage=passage, blob=blob, remark=remark)


def _blobs(loaders: Sequence[Loader], uris: set[str]) -> dict[str, Blob | str]:
    """The sources with these uris, or why one cannot be read."""
    found: dict[str, Blob | str] = {}
    wanted: dict[str, set[str]] = {}
    for uri in uris:
        for outer in around(uri):
            wanted.setdefault(outer, set()).add(uri)
    for loader in loaders:
        for entry in _entries(loader):
            for uri in wanted.pop(entry.uri, set()) - found.keys():
                found[uri] = _read(loader, entry, uri)
            if len(found) == len(uris):
                return found
    return found


def _read(loader: Loader, entry: Entry, uri: str) -> Blob | str:
    """A listed file, or one inside it, or why it cannot be read. Nothing is unpacked or unlocked in this process."""
    plain = entry.uri == uri and not (isinstance(loader, HoldsFiles) and loader.may_hold(uri))
    try:
        if plain and not getattr(loader, "passwords", ()):
            return loader.read(entry)
        blob: Blob = isolated(ReadOne(loader=loader), "read", within(loader, entry, uri.removeprefix(entry.uri)))
    except DocpipeError as error:
        return error.message
    return blob


def _entries(loader: Loader) -> Iterable[Entry]:
    try:
        for entry in loader.entries():
            if isinstance(entry, Entry):
                yield entry
    except DocpipeError:
        return  # the root is gone: its documents are told of one by one
