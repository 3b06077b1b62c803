"""What a table's statistics say of it, and which upkeep would pay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

UNFOLDED_ROWS = 50
"""Rows that full-text search may have to scan: each costs it 0.03 ms, so these a tenth of a search."""
UNFOLDED_SHARE = 0.002
"""The same for small tables, whose searches are quicker."""
DEAD_SHARE = 0.2
"""Rows that were replaced, and are read over by each scan."""
SMALL_PARTS = 8
OLD_VERSIONS = 20
SUPERSEDED = 1.4
"""Size on disk over the size of what is in use."""
_SLACK = 4 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Of one table."""

    rows: int
    dead: int
    parts: int
    unfolded: int
    """Rows that some index does not cover."""
    old_versions: int
    """Versions that are older than they have to be kept."""
    live_bytes: int
    disk_bytes: int
    """The same as `live_bytes` where it cannot be measured."""


def figures(table: Any, *, keep: timedelta, folder: Path | None) -> Figures:
    """Look at a table; reads no row."""
    stats, live = table.stats(), int(table.count_rows())
    fragments = stats["fragment_stats"]
    physical = round(fragments["lengths"]["mean"] * fragments["num_fragments"])
    before = datetime.now(UTC) - keep
    old = [version for version in table.list_versions()[:-1] if moment(version["timestamp"]) < before]
    return Figures(
        rows=live,
        dead=max(0, physical - live),
        parts=int(fragments["num_small_fragments"]),
        unfolded=unfolded(table),
        old_versions=len(old),
        live_bytes=int(stats["total_bytes"]),
        disk_bytes=size_of(folder) if folder else int(stats["total_bytes"]),
    )


def unfolded(table: Any) -> int:
    """Rows that some index of a table does not cover."""
    return max((int(index.num_unindexed_rows or 0) for index in table.list_indices()), default=0)


def reasons(found: Figures, *, force: bool) -> list[str]:
    """Why it would pay to fold, join and clean; empty where it would not."""
    told = {
        f"{found.unfolded} rows outside an index": found.unfolded
        > min(UNFOLDED_ROWS, max(1, int(UNFOLDED_SHARE * found.rows)) - 1),
        f"{found.dead} dead rows": found.dead > DEAD_SHARE * max(found.rows, SMALL_PARTS),
        f"{found.parts} small parts": found.parts > SMALL_PARTS,
        f"{found.old_versions} old versions": found.old_versions > OLD_VERSIONS,
        f"{(found.disk_bytes - found.live_bytes) >> 20} MB superseded": superseded(found),
        "asked for": force,
    }
    return [reason for reason, holds in told.items() if holds]


def superseded(found: Figures) -> bool:
    """Whether much of what lies on disk is in no use."""
    return found.disk_bytes > SUPERSEDED * found.live_bytes + _SLACK


def moment(timestamp: datetime) -> datetime:
    """Lance's local times as UTC."""
    return timestamp.astimezone(UTC)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    return sum(files(folder).values())


def files(folder: Path | None) -> Mapping[Path, int]:
    """Sizes of all files below a folder."""
    found: dict[Path, int] = {}
    for path in folder.rglob("*") if folder else ():
        try:
            if path.is_file():
                found[path] = path.stat().st_size
        except OSError:
            continue
    return found


def kept_age(table: Any, least: timedelta) -> timedelta:
    """The age above which versions go. Lance refuses to clean past a named version, so the oldest of those stays."""
    tagged = {int(tag["version"]) for tag in table.tags.list().values()}
    if not tagged:
        return least
    made = [moment(version["timestamp"]) for version in table.list_versions() if version["version"] in tagged]
    return max([least, *(datetime.now(UTC) - one + timedelta(seconds=5) for one in made)])
