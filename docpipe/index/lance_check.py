"""A table of chunks and the small ones beside it -> what is wrong with them. Reads everything once, changes nothing."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from docpipe.errors import IndexFailed
from docpipe.index import lance_canary, rows
from docpipe.index.lance_figures import moment, size_of
from docpipe.index.lance_migration import filling
from docpipe.index.lance_pin import PUBLISHED
from docpipe.index.lance_repair import unreadable
from docpipe.index.lance_tables import SMALL_TABLES, Database
from docpipe.index.lance_vectors import VectorIndexes, indexes
from docpipe.protocols import IndexCheck, Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 2_000
_TOLD = 100_000
"""Ids that are named of each kind of fault; a repair needs them all."""


def check(database: Database, name: str, vectors: VectorIndexes) -> IndexCheck:
    """What the chunks and the tables beside them look like."""
    broken = unreadable(database)
    sizes = {_plain(one): size_of(folder) for one in database.names() if (folder := database.folder(one))}
    nothing = IndexCheck(unreadable=broken, bytes=sizes)

    def look(table: Any) -> IndexCheck:
        still = database.at(name, int(table.version)) or table
        return _chunks(database, still, vectors, broken=broken, sizes=sizes)

    try:
        found = database.reading(name, look, nothing=nothing)
        if found.found_by_text and found.found_by_vector:
            return found
        return database.reading(name, look, nothing=nothing)  # upkeep of a run at work must not look like damage
    except IndexFailed:
        if any(one.table == _plain(name) for one in broken):
            return nothing
        raise


def _chunks(
    database: Database, table: Any, vectors: VectorIndexes, *, broken: tuple[Unreadable, ...], sizes: dict[str, int]
) -> IndexCheck:
    about = rows.facts(table.schema)
    readable = not any(part.table == "chunks" for part in broken)
    ids, bad, foreign = _faults(table, about) if readable else ([], [], [])
    found = indexes(table)
    probing = vectors.probing(filtered=False)
    versions = table.list_versions() if readable else []
    return IndexCheck(
        rows=int(table.count_rows()),
        model=about.model,
        dim=about.dim,
        text_rows=int(found["content"].num_indexed_rows or 0) if "content" in found else 0,
        found_by_text=not readable or lance_canary.text_found(table),
        found_by_vector=not readable or bool(bad) or lance_canary.vector_found(table, about.column, probing),
        duplicates=tuple(key for key, count in Counter(ids).items() if count > 1)[:_TOLD],
        bad_vectors=tuple(bad[:_TOLD]),
        foreign=tuple(foreign[:_TOLD]),
        unreadable=broken,
        versions=len(versions),
        oldest=min((moment(version["timestamp"]).timestamp() for version in versions), default=0.0),
        held=about.pinned,
        bytes=sizes,
        leftovers=tuple(_leftovers(database, table, about)),
    )


def _faults(table: Any, about: rows.Facts) -> tuple[list[str], list[str], list[str]]:
    """All ids; those without a usable vector; those of another model."""
    import numpy as np

    ids: list[str] = []
    bad: list[str] = []
    foreign: list[str] = []
    reader = table.search().select(["id", "model", about.column]).to_batches(_ROWS_AT_ONCE)
    for batch in reader:
        some, column = batch.column("id").to_pylist(), batch.column(about.column)
        ids += some
        foreign += [
            one for one, model in zip(some, batch.column("model").to_pylist(), strict=True) if model != about.model
        ]
        there = column.is_valid().to_numpy(zero_copy_only=False)
        finite = np.ones(len(some), dtype=bool)
        finite[there] = np.isfinite(_matrix(column, about.dim)).all(axis=1)
        bad += [one for one, good in zip(some, there & finite, strict=True) if not good]
    return ids, bad, foreign


def _matrix(column: "pa.Array", dim: int) -> Any:
    """The vectors that are there."""
    return column.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)


def _leftovers(database: Database, table: Any, about: rows.Facts) -> list[str]:
    """What an interrupted run left."""
    told = [
        f"column {name}"
        for name in table.schema.names
        if name != about.column and (name == rows.VECTOR or name.startswith(f"{rows.VECTOR}_"))
    ]
    if not about.pinned and PUBLISHED in table.tags.list():
        told.append(f"version named {PUBLISHED}, at which no reader is held")
    return told + [f"table {_plain(name)}" for name in database.names() if name == filling(about.model)]


def _plain(table: str) -> str:
    return table.removeprefix(SMALL_TABLES)
