"""Lance tables -> their parts that cannot be read, found and taken out."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.errors import IndexFailed
from docpipe.index.lance_tables import SMALL_TABLES, Database
from docpipe.protocols import Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = -1
"""Stands for all parts of a table."""
_ROWS_AT_ONCE = 2_048
_SECOND_LOOK = 1.0
"""Seconds after which what could not be read is tried again, before anything is taken out: a mount may be away."""


class Broken(NamedTuple):
    """A part of a table that cannot be read."""

    number: int
    """Of its fragment; `_WHOLE` for a table that cannot be opened or scanned at all."""
    told: Unreadable


def unreadable(database: Database) -> tuple[Unreadable, ...]:
    """What of all tables cannot be read. Every column of every row is read once."""
    return tuple(broken.told for name in database.names() for broken in _broken(database, name))


def remove_unreadable(database: Database) -> tuple[Unreadable, ...]:
    """Take out what cannot be read, so that the next run can write it anew; returns what was taken out.

    A table of which nothing can be read is moved aside, where it lies in a folder: `chunks.lance` becomes
    `chunks.damaged-1795273560`.

    Raises:
        IndexFailed: it cannot be written.
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
    return tuple(gone)


def _broken(database: Database, name: str) -> list[Broken]:
    try:
        database.reading(name, _read_all, nothing=None)
    except IndexFailed as error:
        return _broken_fragments(database, name, error)
    return []


def _broken_fragments(database: Database, name: str, error: IndexFailed) -> list[Broken]:
    """Which parts of a table cannot be read, of which something cannot."""
    try:
        numbers: list[int] = database.reading(name, _fragments, nothing=[])
    except IndexFailed:
        return [_told(name, _WHOLE, error, ())]
    table = database.table(name)
    return [broken for number in numbers for broken in _broken_fragment(database, table, name, number)]


def _read_all(table: Any) -> None:
    for _ in _batches(table, ""):
        pass


def _broken_fragment(database: Database, table: Any, name: str, number: int) -> Iterator[Broken]:
    try:
        with database.failing("read"):
            for _ in _batches(table, _within(number)):
                pass
    except IndexFailed as error:
        yield _told(name, number, error, _document_ids(database, table, number))


def _told(name: str, number: int, error: IndexFailed, documents: tuple[str, ...]) -> Broken:
    part = "all of it" if number == _WHOLE else f"fragment {number}"
    told = Unreadable(table=name.removeprefix(SMALL_TABLES), part=part, document_ids=documents, reason=error.message)
    return Broken(number, told)


def _document_ids(database: Database, table: Any, number: int) -> tuple[str, ...]:
    """Whose rows a fragment has, as far as that column can still be read."""
    if "document_id" not in table.schema.names:
        return ()
    try:
        with database.failing("read"):
            found = {
                key for batch in _batches(table, _within(number), "document_id") for key in batch.column(0).to_pylist()
            }
    except IndexFailed:
        return ()
    return tuple(sorted(found))


def _batches(table: Any, where: str, *columns: str) -> "Iterator[pa.RecordBatch]":
    query = table.search().select(list(columns or table.schema.names))
    yield from (query.where(where) if where else query).to_batches(batch_size=_ROWS_AT_ONCE)


def _fragments(table: Any) -> list[int]:
    """Numbers of its fragments: the upper half of the addresses of their rows, which no file has to be read for."""
    import pyarrow.compute as pc

    addresses = table.search().select(["_rowaddr"]).to_arrow().column("_rowaddr")
    return [int(number) for number in pc.unique(pc.shift_right(addresses, 32)).to_pylist()]


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
