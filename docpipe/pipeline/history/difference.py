"""Two versions of an index -> the documents, chunks and golden questions in which they differ."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from docpipe.pipeline.golden import evaluation
from docpipe.pipeline.golden.evaluation import Evaluation, Moved
from docpipe.pipeline.golden.options import EvalOptions
from docpipe.pipeline.history.past import NOW, Past, require_restorable
from docpipe.pipeline.history.rows import RunRow
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.protocols import Index
from docpipe.types import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentChange:
    """A document that two versions hold differently."""

    uri: str
    change: Literal["added", "removed", "changed", "renamed"]
    was: str = ""
    """Of a renamed one: its uri before."""
    chunks_added: int = 0
    chunks_removed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What has to be done to the first version to get the second."""

    before: str
    """Id of the run that made it; `now`: the index as it is."""
    after: str
    documents: tuple[DocumentChange, ...]
    """By uri."""
    questions: tuple[Moved, ...] | None
    """Golden questions whose hits moved; None where one of the two was not asked."""
    not_asked: tuple[str, ...] = ()
    """Of `before` and `after`: those that were not asked."""

    def count(self, change: str) -> int:
        """How many documents changed in this way."""
        return sum(document.change == change for document in self.documents)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """One document in one version."""

    digest: str
    chunks: frozenset[str]


def difference(index: Index, before: str, after: str) -> Difference:
    """What changed from one version to another, in either direction of time.

    Args:
        before: a name, the id of a run, or `now`.
        after: the same.

    Raises:
        ConfigError: there is no such version, or what it held is no longer kept.
    """
    past = Past(index)
    rows = past.rows()
    first, last = (_version(past, rows, wanted) for wanted in (before, after))
    places = [_keys_after(past, run) for run in (first, last)]
    states = _states(index, past, *places)
    newest = next((row for row in rows if row.is_finished), None)
    asked = [evaluation.read(past.asked(run or newest, rows)) for run in (first, last)]
    names = [run.id if run else NOW for run in (first, last)]
    return Difference(
        before=names[0],
        after=names[1],
        documents=tuple(_changes(states[0], states[1])),
        questions=_moved(asked[0], asked[1]),
        not_asked=tuple(name for name, found in zip(names, asked, strict=True) if found is None),
    )


def _version(past: Past, rows: Sequence[RunRow], wanted: str) -> RunRow | None:
    if wanted == NOW:
        return None
    found = past.find(wanted)
    require_restorable(found, rows)
    return found


def _keys_after(past: Past, run: RunRow | None) -> dict[str, str]:
    """uri -> the image that says what the document was after the run."""
    return {image.uri: image.key for image in past.images_after(run.seq)} if run else {}


def _states(
    index: Index, past: Past, before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[dict[str, _Held], dict[str, _Held]]:
    """What the two versions held of the documents that were replaced since either, by uri."""
    images = past.descriptions({*before.values(), *after.values()})
    touched = before.keys() | after.keys()
    present = _present(index, sorted(uri for uri in touched if uri not in before or uri not in after))

    def state(keys: Mapping[str, str]) -> dict[str, _Held]:
        found = {uri: _held(images[keys[uri]]) if uri in keys else present.get(uri) for uri in touched}
        return {uri: held for uri, held in found.items() if held}

    return state(before), state(after)


def _present(index: Index, uris: Sequence[str]) -> dict[str, _Held | None]:
    """What the index holds of these documents now."""
    rows = Ledger(index).rows(uris)
    chunks = index.chunk_ids([row.document_id for row in rows.values()])
    return {
        uri: _held({"ledger": json.dumps(asdict(row)), "chunk_ids": json.dumps(list(chunks.get(row.document_id, ())))})
        for uri, row in rows.items()
    }


def _held(image: Mapping[str, Any]) -> _Held | None:
    """None where the document was not in the index."""
    ledger, chunks = json.loads(image["ledger"]), frozenset(json.loads(image["chunk_ids"]))
    indexed = ledger.get("status") == Status.INDEXED
    return _Held(digest=ledger["digest"] if indexed else "", chunks=chunks) if indexed or chunks else None


def _changes(before: Mapping[str, _Held], after: Mapping[str, _Held]) -> Iterable[DocumentChange]:
    """By uri. A file that is gone and one that is new with the same bytes are one that was renamed."""
    gone: dict[str, list[str]] = {}
    for uri in sorted(before.keys() - after.keys(), reverse=True):
        gone.setdefault(before[uri].digest or uri, []).append(uri)
    renamed = {}
    for uri in sorted(after.keys() - before.keys()):
        if after[uri].digest and gone.get(after[uri].digest):
            renamed[uri] = gone[after[uri].digest].pop()
    left_out = set(renamed.values())
    for uri in sorted(before.keys() | after.keys()):
        if uri not in left_out and (change := _change(uri, before, after, was=renamed.get(uri, ""))):
            yield change


def _change(uri: str, before: Mapping[str, _Held], after: Mapping[str, _Held], *, was: str) -> DocumentChange | None:
    old, new = before.get(was or uri), after.get(uri)
    if old == new:
        return None
    kind: Literal["added", "removed", "changed", "renamed"] = "changed"
    if was:
        return DocumentChange(uri=uri, change="renamed", was=was)
    if old is None or new is None:
        kind = "added" if old is None else "removed"
    had, has = old.chunks if old else frozenset(), new.chunks if new else frozenset()
    return DocumentChange(uri=uri, change=kind, chunks_added=len(has - had), chunks_removed=len(had - has))


def _moved(before: Evaluation | None, after: Evaluation | None) -> tuple[Moved, ...] | None:
    if before is None or after is None:
        return None
    verdict = evaluation.compare(before, after, EvalOptions())
    return (*verdict.worse, *verdict.better, *verdict.moved)
