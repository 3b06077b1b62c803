"""Versions, restores, differences -> the JSON promised to programs (pure). Fields may be added, never renamed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docpipe.pipeline.golden.evaluation import Moved
    from docpipe.pipeline.history.difference import Difference
    from docpipe.pipeline.history.restoring import Restored
    from docpipe.pipeline.history.rows import RunRow
    from docpipe.pipeline.history.tagging import Version, Versions

Json = dict[str, Any]

COUNTS = ("indexed", "updated", "renamed", "deleted", "failed")
"""What a run changed, as its report counts it."""


def tags(found: "Versions") -> Json:
    """What `docpipe tags --json` prints."""
    return {
        "index": found.index,
        "versions": [_version(version) for version in found.versions],
        "bytes": found.bytes,
        "bytes_for_names": found.bytes_for_names,
    }


def tag(run: "RunRow") -> Json:
    """What `docpipe tag --json` prints."""
    return {"id": run.id, "names": list(run.names)}


def restore(done: "Restored") -> Json:
    """What `docpipe restore --json` prints."""
    return {
        "id": done.run.id,
        "to": done.to.id,
        "names": list(done.to.names),
        "documents": done.documents,
        "removed": done.removed,
        "chunks": done.chunks,
        "version": done.run.version,
        "seconds": round(done.seconds, 3),
    }


def diff(found: "Difference") -> Json:
    """What `docpipe diff --json` prints."""
    return {
        "before": found.before,
        "after": found.after,
        **{change: found.count(change) for change in ("added", "removed", "changed", "renamed")},
        "chunks_added": sum(document.chunks_added for document in found.documents),
        "chunks_removed": sum(document.chunks_removed for document in found.documents),
        "documents": [asdict(document) for document in found.documents],
        "questions": None if found.questions is None else _questions(found.questions),
        "not_asked": list(found.not_asked),
    }


def _version(version: "Version") -> Json:
    run = version.run
    return {
        **{name: getattr(run, name) for name in ("id", "kind", "started", "ended", "version", "changed")},
        "names": list(run.names),
        **{name: run.report.get(name, 0) for name in COUNTS},
        "documents": run.documents,
        "chunks": run.chunks,
        "restorable": not version.why_not,
        "why_not": version.why_not,
        "serving": version.serving,
    }


def _questions(moved: "Sequence[Moved]") -> list[Json]:
    return [one._asdict() for one in moved]
