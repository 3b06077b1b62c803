"""Sample rows of a table, old and new -> whether searches find them by their own words and by their own vectors."""

from collections.abc import Mapping
from typing import Any

from docpipe.index.filters import literal
from docpipe.index.rows import matrix

_LOOKED_AT = 20
"""Rows of each end from which one with words is taken."""
_ASKED = 50
_FAR = 0.01
"""Cosine distance above which a vector did not find itself."""


def text_found(table: Any) -> bool:
    """Whether a row of the oldest part and one of the newest are found by their own words.

    An index that cannot even be asked finds nothing.
    """
    rows = _ends(table)
    try:
        return all(_found_by_words(table, row) for row in rows)
    except (RuntimeError, OSError, ValueError):
        return False


def vector_found(table: Any, column: str, probing: Mapping[str, int]) -> bool:
    """Whether the vectors of these rows find a row just there, looking as hard as searches do."""
    rows = _ends(table)
    try:
        return all(_found_by_vector(table, column, row["id"], probing) for row in rows)
    except (RuntimeError, OSError, ValueError):
        return False


def _ends(table: Any) -> list[dict[str, Any]]:
    """The row with most words among the first ones and among the last ones; none where no row has words."""
    count = int(table.count_rows())
    first = list(range(min(count, _LOOKED_AT)))
    last = list(range(max(0, count - _LOOKED_AT), count))
    chosen = []
    for offsets in (first, last):
        rows = table.take_offsets(offsets).select(["id", "content"]).to_arrow().to_pylist() if offsets else []
        told = [row for row in rows if any(map(str.isalnum, row["content"][:200]))]
        if told:
            chosen.append(max(told, key=lambda row: len(row["content"])))
    return chosen


def _found_by_words(table: Any, row: Mapping[str, str]) -> bool:
    from lancedb.query import MatchQuery

    query = table.search(MatchQuery(row["content"][:200], "content")).where(f"id = {literal(row['id'])}")
    return bool(query.select(["id", "_score"]).limit(1).to_arrow().num_rows)


def _found_by_vector(table: Any, column: str, chunk_id: str, probing: Mapping[str, int]) -> bool:
    import numpy as np

    found = table.search().where(f"id = {literal(chunk_id)}").select([column]).limit(1).to_arrow().column(column)
    if not len(found) or found.null_count:
        return False
    vector = matrix(found, dim=found.type.list_size)[0]
    if not np.isfinite(vector).all() or not vector.any():
        return True  # no direction: nothing can be near it
    query = table.search(vector, vector_column_name=column).distance_type("cosine")
    for option, value in probing.items():
        query = getattr(query, option)(value)
    # Searches ask for as many, and the index looks more closely at ten times those.
    nearest = query.select(["id", "_distance"]).limit(_ASKED).to_arrow().column("_distance").to_pylist()
    return bool(nearest) and min(nearest) < _FAR
