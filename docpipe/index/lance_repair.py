"""Lance tables -> their parts that cannot be read, found and taken out."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.errors import IndexDamaged
from docpipe.index.lance_tables import SMALL_TABLES, Database
from docpipe.protocols import Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = -1
"""Stands for all parts of a table."""
_DOCUMENT = "document_id"
_ROWS_AT_ONCE = 256
_VERSIONS = "_versions/*.manifest"
_NEWEST_FIRST, _DIGITS = 2**64 - 1, 20
"""Lance names the description of a version by this number less its own, in so many digits; older tables by its own."""
_SECOND_LOOK = 1.0
"""Seconds after which what could not be read is tried again, before anything is taken out: a mount may be away."""


class Broken(NamedTuple):
    """A part of a table that cannot be read."""

    number: int
    """Of its fragment; `_WHOLE` for a table that cannot be opened or scanned at all."""
    told: Unreadable


def unreadable(database: Database) -> tuple[Unreadable, ...]:
    """What of all tables cannot be read. Every column of every row is read once."""
    found = [broken.told for name in database.names() for broken in _broken(database, name)]
    return (*found, *(_told_version(path) for name in database.names() for path in _broken_versions(database, name)))


def remove_unreadable(database: Database) -> tuple[Unreadable, ...]:
    """Take out what cannot be read, so that the next run can write it anew; returns what was taken out.

    A table of which nothing can be read is moved aside, where it lies in a folder: `chunks.lance` becomes
    `chunks.damaged-1795273560`.

    Raises:
        IndexFailed: it cannot be written, or cannot be read for a reason that no repair can mend (a lost permission).
    """
    gone = []
    for name in database.names():
        if not _broken(database, name):
            continue
        time.sleep(_SECOND_LOOK)
        database.forget()
        for broken in _broken(database, name):
            _take_out(database, name, broken)
            gone.append(broken.told)
        database.forget()
    return (*gone, *_take_out_versions(database))


def _broken(database: Database, name: str) -> list[Broken]:
    try:
        database.reading(name, _read_all, nothing=None)
    except IndexDamaged as error:
        return _broken_fragments(database, name) or [_told(name, _WHOLE, error, ())]
    return []


def _broken_fragments(database: Database, name: str) -> list[Broken]:
    """The fragments that cannot be read; none where that cannot be told."""
    try:
        fragments: dict[int, list[int]] = database.reading(name, _fragments, nothing={})
    except IndexDamaged:
        return []
    return [
        broken for number, places in fragments.items() for broken in _broken_fragment(database, name, number, places)
    ]


def _read_all(table: Any) -> None:
    if not table.schema.names:  # what is left of a garbled description can be read
        raise IndexDamaged("the table has no columns", stage="index", remedy="`docpipe doctor` with --fix")
    for _ in table.search().select(table.schema.names).to_batches(batch_size=_ROWS_AT_ONCE):
        pass


def _broken_fragment(database: Database, name: str, number: int, places: Sequence[int]) -> Iterator[Broken]:
    try:
        with database.failing("read"):
            _read(database.table(name), places)
    except IndexDamaged as error:
        yield _told(name, number, error, _document_ids(database, name, places))


def _read(table: Any, places: Sequence[int], *columns: str) -> "list[pa.Table]":
    """Rows by their places: no other fragment is touched, as a filter on places would."""
    wanted = list(columns or table.schema.names)
    starts = range(0, len(places), _ROWS_AT_ONCE)
    return [table.take_row_ids(places[at : at + _ROWS_AT_ONCE]).select(wanted).to_arrow() for at in starts]


def _broken_versions(database: Database, name: str) -> list[Path]:
    """Descriptions of older versions that cannot be read: searches do not need them, upkeep stops at them."""
    folder = database.folder(name)
    if folder is None:
        return []
    try:
        head = database.reading(name, lambda table: int(table.version), nothing=0)
    except IndexDamaged:  # nothing of the table can be read
        return []
    try:
        database.reading(name, lambda table: bool(table.list_versions()), nothing=False)
    except IndexDamaged:
        numbered = [path for path in sorted(folder.glob(_VERSIONS)) if path.stem.isdigit()]
        return [path for path in numbered if _number(path) != head and not _can_be_read(database, name, path)]
    return []


def _number(path: Path) -> int:
    """Of the version that a file describes."""
    return _NEWEST_FIRST - int(path.stem) if len(path.stem) == _DIGITS else int(path.stem)


def _can_be_read(database: Database, name: str, path: Path) -> bool:
    """Whether a description of a version can be read, or was cleaned away meanwhile."""
    try:
        with database.failing("open"):
            return database.at(name, _number(path)) is not None or not path.exists()
    except IndexDamaged:
        return not path.exists()


def _take_out_versions(database: Database) -> list[Unreadable]:
    gone = []
    for name in database.names():
        for path in _broken_versions(database, name):
            with database.failing("write"):
                path.rename(path.with_suffix(".damaged"))
            gone.append(_told_version(path))
    database.forget()
    return gone


def _told_version(path: Path) -> Unreadable:
    table = path.parent.parent.stem.removeprefix(SMALL_TABLES)
    return Unreadable(table=table, part=f"an older version ({path.name})", document_ids=(), reason="it is damaged")


def _told(name: str, number: int, error: IndexDamaged, documents: tuple[str, ...]) -> Broken:
    part = "all of it" if number == _WHOLE else f"fragment {number}"
    told = Unreadable(table=name.removeprefix(SMALL_TABLES), part=part, document_ids=documents, reason=error.message)
    return Broken(number, told)


def _document_ids(database: Database, name: str, places: Sequence[int]) -> tuple[str, ...]:
    """Whose rows a fragment has, as far as that column can still be read."""
    table = database.table(name)
    if table is None or _DOCUMENT not in table.schema.names:
        return ()
    try:
        with database.failing("read"):
            parts = _read(table, places, _DOCUMENT)
    except IndexDamaged:
        return ()
    return tuple(sorted({key for part in parts for key in part.column(_DOCUMENT).to_pylist()}))


def _fragments(table: Any) -> dict[int, list[int]]:
    """Places of its rows by fragment, which no data file has to be read for."""
    found = table.search().select(["_rowaddr", "_rowid"]).to_arrow()
    fragments: dict[int, list[int]] = {}
    for address, place in zip(*(found.column(name).to_pylist() for name in ("_rowaddr", "_rowid")), strict=True):
        fragments.setdefault(address >> 32, []).append(place)
    return fragments


def _within(number: int) -> str:
    return f"_rowaddr >= {number << 32} AND _rowaddr < {(number + 1) << 32}"


def _take_out(database: Database, name: str, broken: Broken) -> None:
    if broken.number != _WHOLE:
        table = database.table(name)
        assert table is not None
        database.commit(lambda: table.delete(_within(broken.number)), doing="write")
        return
    folder = database.folder(name)
    if folder is None:
        database.drop(name)
        return
    with database.failing("write"):
        folder.rename(folder.with_suffix(f".damaged-{time.time():.0f}"))
