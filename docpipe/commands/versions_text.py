"""Versions, restores, differences -> text for people (pure)."""

import io
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docpipe.console import safe
from docpipe.pipeline.report.versions_forms import COUNTS

if TYPE_CHECKING:
    from docpipe.pipeline.golden.evaluation import Moved
    from docpipe.pipeline.history.difference import Difference, DocumentChange
    from docpipe.pipeline.history.restoring import Restored
    from docpipe.pipeline.history.rows import RunRow
    from docpipe.pipeline.history.tagging import Version, Versions

_LISTED = 50
"""Entries of a list that are shown; the rest is counted."""


def tags_text(found: "Versions") -> str:
    """A table of the runs, newest first, and what it costs to have them back."""
    if not found.versions:
        return "no run yet\n"
    headings = ("run (UTC)", "names", "what it did", "documents", "chunks", "")
    table = _table(headings, [_row(version) for version in found.versions[:_LISTED]])
    names = f", {_size(found.bytes_for_names)} of it only for runs with names" if found.bytes_for_names else ""
    return table + _more(len(found.versions)) + f"to have them back, {_size(found.bytes)} are kept{names}\n"


def tag_text(run: "RunRow") -> str:
    """What a run is called now."""
    return f"{run.id} is called {safe(', '.join(run.names))}\n" if run.names else f"{run.id} has no name any more\n"


def restored_text(done: "Restored", *, pipeline: str) -> str:
    """What a restore did, what the next run will do, and how to undo it."""
    return (
        f"restored {_called(done.to)}: {done.documents:,} documents ({done.chunks:,} chunks) as they were, "
        f"{done.removed:,} taken out, in {done.seconds:.1f} s\n"
        "the sources are as they are: the next run brings the index in line with them again\n"
        f"to undo it: docpipe tags {safe(pipeline)}, then restore the run before {done.run.id}\n"
    )


def difference_text(found: "Difference") -> str:
    """Counts, then the documents, then the golden questions."""
    documents = found.documents
    counts = ", ".join(f"{found.count(word):,} {word}" for word in ("added", "removed", "changed", "renamed"))
    added, removed = (sum(getattr(one, name) for one in documents) for name in ("chunks_added", "chunks_removed"))
    lines = [
        f"from {safe(found.before)} to {safe(found.after)}",
        f"documents: {counts}",
        f"chunks: {added:,} added, {removed:,} removed",
        *(_change(document) for document in documents[:_LISTED]),
    ]
    return "".join(f"{line}\n" for line in lines) + _more(len(documents)) + _questions(found)


def _questions(found: "Difference") -> str:
    if found.questions is None:
        return f"golden questions: not asked at {safe(' and '.join(found.not_asked))}\n"
    if not found.questions:
        return "golden questions: the same hits\n"
    others = [one for one in found.questions if one.before != one.after]
    lines = "".join(f"  {_moved(one)}\n" for one in others[:_LISTED]) + _more(len(others))
    same = len(found.questions) - len(others)
    return f"golden questions: {len(others):,} found at another rank, {same:,} with other hits below\n{lines}"


def _moved(one: "Moved") -> str:
    ranks = " -> ".join(str(rank) if rank else "not found" for rank in (one.before, one.after))
    best = f"; the best hit is {safe(one.instead)}" if one.after != 1 and one.instead else ""
    where = f" [{safe(one.where)}]" if one.where else ""
    return f"{safe(one.question)}{where}: rank {ranks}{best}"


def _change(document: "DocumentChange") -> str:
    was = f"  (was {safe(document.was)})" if document.was else ""
    counts = [f"+{document.chunks_added}"] * bool(document.chunks_added)
    counts += [f"-{document.chunks_removed}"] * bool(document.chunks_removed)
    return f"{document.change:8}  {safe(document.uri)}{was}" + (f"  {' '.join(counts)} chunks" if counts else "")


def _row(version: "Version") -> tuple[str, ...]:
    run = version.run
    did = ", ".join(f"{run.report[name]:,} {name}" for name in COUNTS if run.report.get(name)) or "nothing changed"
    if not run.is_finished:
        error = run.report.get("ended_by")
        did = f"ended by {error['type']}" if error else "at work, or did not come to its end"
    elif run.kind == "restore":
        did = f"restore: {did}"
    state = version.serving if version.serving != "unfinished" else ""
    state = ", ".join(
        part for part in (state, "cannot be restored" if run.is_finished and version.why_not else "") if part
    )
    return run.id, ", ".join(run.names), did, f"{run.documents:,}", f"{run.chunks:,}", state


def _called(run: "RunRow") -> str:
    return f"{run.id} ({safe(', '.join(run.names))})" if run.names else run.id


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _more(count: int) -> str:
    return f"... and {count - _LISTED:,} more (--json gives all)\n" if count > _LISTED else ""


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        right = heading in ("documents", "chunks")
        whole = right or heading.startswith("run")
        table.add_column(heading, justify="right" if right else "left", no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
    terminal = sys.stdout.isatty()
    buffer = io.StringIO()
    width = shutil.get_terminal_size().columns if terminal else 120
    Console(file=buffer, width=width, force_terminal=terminal).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines() if line.strip()) + "\n"
