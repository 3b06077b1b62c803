"""A column of vectors -> an index of it where that pays, its recall measured, and how hard to look in it."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docpipe.protocols import KeyedTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE = 100
"""Rows whose neighbours are looked up twice, exactly and through the index, to measure recall@10."""
GROWTH = 2.0
"""A vector index is trained anew when the table has grown by this factor since."""
_MULTIPLE = 8
"""What IVF_RQ wants the length of vectors to be a multiple of; others are searched one by one."""
MOST_SEGMENTS = 8
"""Parts of a vector index: each folding makes one more."""
_UNMEASURED_GROWTH = 1.25
"""Its recall is measured again when the table has grown by this factor since."""
_EVERY_PART = 100_000
_FACTS_SECONDS = 30.0
_PROBINGS: tuple[dict[str, int], ...] = (
    {"refine_factor": 10, "nprobes": 20},
    {"refine_factor": 20, "nprobes": 50},
    {"refine_factor": 50, "nprobes": 200},
)
"""How hard to look, tried in turn until the recall is reached."""


class VectorIndexes:
    """Makes and measures the index of the vectors that readers use.

    Args:
        facts: where is kept what was measured.
        least_rows: from how many rows on there is an index.
        least_recall: recall@10 that it must reach to be used.
    """

    def __init__(self, facts: KeyedTable, *, least_rows: int, least_recall: float) -> None:
        self._facts, self._least_rows, self._least_recall = facts, least_rows, least_recall
        self._known: tuple[float, dict[str, str]] = (-1e9, {})

    def probing(self, *, filtered: bool) -> dict[str, int]:
        """Options of a vector query: how hard to look in the index; nothing where search is exact.

        The rows that a filter lets through may lie in any part of the index, so then every part is looked at:
        with 20 of 48 parts, a filter on one document of 5,000 lost four answers in ten.
        """
        facts = self.facts()
        if facts.get("vector_exact") == "yes":
            return {}
        found = _PROBINGS[0] | {name: int(facts[name]) for name in ("refine_factor", "nprobes") if name in facts}
        return found | {"nprobes": _EVERY_PART} if filtered else found

    def facts(self) -> dict[str, str]:
        """What was measured when the indexes were built; read again now and then, for another process may build."""
        now = time.monotonic()
        if now - self._known[0] > _FACTS_SECONDS:
            columns = self._facts.columns("name", "value")
            self._known = (now, dict(zip(columns["name"], columns["value"], strict=True)))
        return self._known[1]

    def forget(self) -> None:
        """Nothing measured holds any more: the vectors are another model's."""
        self._facts.remove(list(self.facts()))
        self._known = (-1e9, {})

    def _remember(self, facts: Mapping[str, str]) -> None:
        self._facts.put([{"name": name, "value": value} for name, value in facts.items()])
        self._known = (-1e9, {})

    def train(self, table: Any, column: str, count: int, *, force: bool) -> str:
        """Make or renew the index where it pays, measure it, and keep what was measured; what was done, or nothing."""
        if count < self._least_rows or table.schema.field(column).type.list_size % _MULTIPLE:
            return ""
        known = self.facts()
        trained = int(known.get("vector_rows", "0"))
        exact = known.get("vector_exact") == "yes"
        lost = not exact and column not in indexes(table)
        if trained and count < trained * GROWTH and not lost and not force:
            if exact or count < int(known.get("vector_measured", "0")) * _UNMEASURED_GROWTH:
                return ""
            if self._measured(table, column, count) >= self._least_recall:
                return ""
        from lancedb.index import IvfRq

        table.create_index(column, config=IvfRq(distance_type="cosine"), replace=True)
        exact = self._measured(table, column, count) < self._least_recall
        if exact:
            table.drop_index(f"{column}_idx")
        self._remember({"vector_rows": str(count), "vector_exact": "yes" if exact else "no"})
        return f"trained the vector index over {count} rows" + (", not used: it misses too much" if exact else "")

    def is_split(self, table: Any, column: str) -> bool:
        """Whether the index has so many parts, one of each folding, that it should be trained anew.

        Rows of different parts cannot be joined in one file: the table would grow by a small one each night.
        """
        index = indexes(table).get(column)
        return index is not None and int(getattr(index, "num_segments", 0) or 0) > MOST_SEGMENTS

    def _measured(self, table: Any, column: str, count: int) -> float:
        """recall@10 of the cheapest probing that reaches the one wanted, or of the last one tried; both are kept."""
        sample = _sample(table, column)
        exact = _neighbours(table, column, sample, {"bypass_vector_index": None})
        recall = 0.0
        for probing in _PROBINGS:
            recall = _recall(exact, _neighbours(table, column, sample, probing))
            if recall >= self._least_recall:
                break
        facts = {"vector_recall": f"{recall:.4f}", "vector_measured": str(count)}
        self._remember(facts | {name: str(value) for name, value in probing.items()})
        return recall


def indexes(table: Any) -> dict[str, Any]:
    """The table's indexes by their column."""
    return {index.columns[0]: index for index in table.list_indices()}


def _sample(table: Any, column: str) -> "NDArray[np.float32]":
    import numpy as np

    from docpipe.index.rows import matrix

    count = table.count_rows()
    offsets = sorted(np.random.default_rng(0).choice(count, size=min(SAMPLE, count), replace=False).tolist())
    found = table.take_offsets(offsets).select([column]).to_arrow().column(column)
    return matrix(found, dim=found.type.list_size)


def _neighbours(
    table: Any, column: str, sample: "NDArray[np.float32]", options: Mapping[str, int | None]
) -> list[list[str]]:
    """Ids of the nearest eleven rows of each vector: itself and ten others, nearest first."""
    query = table.search(sample, vector_column_name=column).distance_type("cosine")
    for option, value in options.items():
        query = getattr(query, option)() if value is None else getattr(query, option)(value)
    found = query.select(["id", "_distance"]).limit(11).to_arrow()
    lists: list[list[str]] = [[] for _ in range(len(sample))]
    numbers = found.column("query_index").to_pylist() if "query_index" in found.column_names else [0] * found.num_rows
    for number, chunk_id in zip(numbers, found.column("id").to_pylist(), strict=True):
        lists[number].append(chunk_id)
    return lists


def _recall(exact: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    """The share of the exact neighbours that was found; that a row finds itself proves nothing and is left out."""
    wanted = [set(some[1:]) for some in exact]
    kept = sum(len(some & set(others)) for some, others in zip(wanted, found, strict=True))
    return kept / max(1, sum(map(len, wanted)))
