"""The runs of an index as versions: which there are, what they are called, what they cost."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docpipe.errors import ConfigError
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.history.past import NOW, Past, why_not
from docpipe.pipeline.history.rows import RUN_COLUMNS, RUN_ID, RUNS, RunRow, stored_run
from docpipe.protocols import Index

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What one run made."""

    run: RunRow
    why_not: str
    """Why it cannot be restored; nothing where it can."""
    serving: str
    """`published`: what readers see; `staged`: made, and not yet shown to them; `unfinished`; else nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """The versions of an index, newest first."""

    index: str
    """Where it is."""
    versions: tuple[Version, ...]
    bytes: int
    """What the rows that were replaced take, so that versions can be restored."""
    bytes_for_names: int
    """Of these, what is kept only because an older run has a name."""


def versions(index: Index, keep: KeepOptions) -> Versions:
    """All runs that are remembered, and what it costs to have them back."""
    past = Past(index)
    rows = past.rows()
    serving = _serving(rows, held=bool(index.held()))
    sizes = past.bytes_by_run()
    changed = [row.seq for row in rows if row.is_finished and row.changed][: keep.runs]
    oldest = min(changed, default=0)
    return Versions(
        index=index.name,
        versions=tuple(
            Version(run=run, why_not=why_not(run, rows), serving=serving.get(run.id, "")) for run in past.told(rows)
        ),
        bytes=sum(sizes.values()),
        bytes_for_names=sum(size for seq, size in sizes.items() if seq <= oldest),
    )


def _serving(rows: Sequence[RunRow], *, held: bool) -> dict[str, str]:
    """Which runs readers see, by id. `rows`: newest first."""
    serving = {row.id: "unfinished" for row in rows if not row.is_finished}
    finished = [row for row in rows if row.is_finished]
    shown = [row for row in finished if row.published or not held]
    for row in finished:
        if shown and row.seq > shown[0].seq:
            serving[row.id] = "staged"
    return serving | ({shown[0].id: "published"} if shown else {})


def name_run(index: Index, name: str, *, run: str = "") -> RunRow:
    """Give a run a name: it can be restored until the name is taken away, whatever `keep` says.

    Args:
        run: its id or another name; unless given, the newest that came to its end.

    Raises:
        ConfigError: the name cannot be one, or names another run; there is no such run, or it did not come to its end.
    """
    _check_name(name)
    past = Past(index)
    rows = past.rows()
    found = past.find(run) if run else next((row for row in rows if row.is_finished), None)
    if found is None or not found.is_finished:
        which = f"the run {found.id} did not come to its end" if found else "there is no run yet"
        raise ConfigError(f"nothing to name: {which}", where=name, remedy="run first, or name another one with --run")
    other = next((row for row in rows if name in row.names and row.id != found.id), None)
    if other is not None:
        remedy = f"take it away first (`docpipe tag P {name} --delete`), or choose another name"
        raise ConfigError(f"{name!r} is the name of the run {other.id} already", where=name, remedy=remedy)
    return _renamed(index, past, found, (*(known for known in found.names if known != name), name))


def unname_run(index: Index, name: str) -> RunRow:
    """Take a name away. What it alone kept goes at the end of the next run.

    Raises:
        ConfigError: no run has this name.
    """
    past = Past(index)
    found = past.find(name)
    if name not in found.names:
        raise ConfigError(f"{name!r} is a run, not a name", where=name, remedy="`keep` says how long runs stay")
    return _renamed(index, past, found, tuple(known for known in found.names if known != name))


def _renamed(index: Index, past: Past, run: RunRow, names: tuple[str, ...]) -> RunRow:
    (whole,) = past.told([run])
    changed = replace(whole, names=names)
    index.table(RUNS, columns=RUN_COLUMNS, key="id").put([stored_run(changed)])
    return changed


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) and not RUN_ID.fullmatch(name) and name != NOW:
        return
    raise ConfigError(
        f"{name!r} cannot be the name of a version",
        where=name,
        remedy="use letters, digits, `.`, `_`, `-`: `before-move`, say; not `now`, and nothing like the id of a run",
    )
