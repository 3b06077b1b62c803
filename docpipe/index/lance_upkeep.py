"""A table after writing -> the same table with its indexes over all rows: full text, vectors, filters, compaction."""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from docpipe.index.filters import literal
from docpipe.index.lance_tables import SMALL_TABLES, Database
from docpipe.protocols import IndexStats, KeyedTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILTERED_ROWS = 10_000
"""From how many rows on the columns of filters get an index of their own; below it a scan is as quick."""
SAMPLE = 100
"""Rows whose neighbours are looked up twice, exactly and through the index, to measure recall@10."""
GROWTH = 2.0
"""A vector index is trained anew when the table has grown by this factor since."""
_UNMEASURED_GROWTH = 1.25
"""Its recall is measured again when the table has grown by this factor since."""
_SMALL_PARTS = 8
"""Small parts of a table that are let pass before they are joined."""
_VERSIONS = 20
"""Versions that are let pass before old ones are cleaned away, where nothing else is to do."""
_EVERY_PART = 100_000
_FACTS_SECONDS = 30.0
_PROBINGS: tuple[dict[str, int], ...] = (
    {"refine_factor": 10, "nprobes": 20},
    {"refine_factor": 20, "nprobes": 50},
    {"refine_factor": 50, "nprobes": 200},
)
"""How hard to look, tried in turn until the recall is reached."""


class Upkeep:
    """Keeps the indexes of one table of chunks, and knows how to search them."""

    def __init__(
        self,
        database: Database,
        *,
        table: str,
        facts: KeyedTable,
        vector_index_rows: int,
        min_recall: float,
        keep_minutes: int,
    ) -> None:
        self._database, self._name, self._facts = database, table, facts
        self._vector_index_rows, self._min_recall = vector_index_rows, min_recall
        self._keep = timedelta(minutes=keep_minutes)
        self._lock = threading.Lock()
        self._has_text_index = False
        self._known: tuple[float, dict[str, str]] = (-1e9, {})

    def ensure_text_index(self) -> None:
        """Make the full-text index if there is none. Rows that come later are found too, and folded in by `run`."""
        if self._has_text_index:
            return
        table = self._database.table(self._name)
        if table is not None and "content" not in _indexes(table) and table.count_rows():
            self._make_text_index(table)
        self._has_text_index = True

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

    def _remember(self, facts: Mapping[str, str]) -> None:
        self._facts.put([{"name": name, "value": value} for name, value in facts.items()])
        self._known = (-1e9, {})

    def stats(self) -> IndexStats:
        """Figures of the table and its indexes."""
        table = self._database.table(self._name)
        if table is None:
            return IndexStats(rows=0, documents=0, version=0, bytes=0, text_rows=0, vector_index="", vector_recall=1.0)
        with self._database.failing("read"):
            import pyarrow.compute as pc

            ids = table.search().select(["document_id"]).to_arrow().column("document_id")
            figures, indexes = table.stats(), _indexes(table)
            kind = "IVF_RQ" if "vector" in indexes else ""
            facts = self.facts()
            return IndexStats(
                rows=len(ids),
                documents=pc.count_distinct(ids).as_py(),
                version=int(table.version),
                bytes=int(figures["total_bytes"]),
                text_rows=int(indexes["content"].num_indexed_rows or 0) if "content" in indexes else 0,
                vector_index=kind,
                vector_recall=float(facts.get("vector_recall", "1.0")) if kind else 1.0,
                facts=facts,
            )

    def run(self, *, force: bool = False) -> None:
        """Fold new rows into every index, join small parts, drop old versions. Costs nothing where nothing changed."""
        table = self._database.table(self._name)
        with self._lock, self._database.failing("optimize"):
            if table is not None and (count := table.count_rows()):
                self._make_missing(table, count)
                if force or _has_work(table) or self._versions_since_folding(table) > _VERSIONS:
                    self._fold(table)
                    self._remember({"folded": str(table.version)})
                self._check_text(table)
                self._train(table, count, force=force)
        self._clean_others(force=force)

    def _make_missing(self, table: Any, count: int) -> None:
        indexes = _indexes(table)
        if "content" not in indexes:
            self._make_text_index(table)
        if count >= FILTERED_ROWS:
            from lancedb.index import Bitmap, BTree

            for column, config in (("document_id", BTree()), ("language", Bitmap())):
                if column not in indexes:
                    table.create_index(column, config=config)

    def _make_text_index(self, table: Any) -> None:
        from lancedb.index import FTS

        config = FTS(base_tokenizer="icu/split", stem=True, remove_stop_words=False, ascii_folding=True)
        self._database.commit(lambda: table.create_index("content", config=config, replace=True), doing="index")
        self._has_text_index = True

    def _fold(self, table: Any) -> None:
        keep = _keep(table, self._keep)
        self._database.commit(lambda: table.optimize(cleanup_older_than=keep), doing="optimize")

    def _versions_since_folding(self, table: Any) -> int:
        return int(table.version) - int(self.facts().get("folded", "0"))

    def _check_text(self, table: Any) -> None:
        """Ask the full-text index for a row by its own words; build it again if it does not know them."""
        from lancedb.query import MatchQuery

        rows = table.search().where("length(content) > 0").select(["id", "content"]).limit(20).to_arrow().to_pylist()
        rows = [row for row in rows if any(character.isalnum() for character in row["content"])]
        if not rows:
            return
        row = max(rows, key=lambda row: len(row["content"]))
        query = table.search(MatchQuery(row["content"][:200], "content")).where(f"id = {literal(row['id'])}")
        if not query.select(["id", "_score"]).limit(1).to_arrow().num_rows:
            self._make_text_index(table)

    def _train(self, table: Any, count: int, *, force: bool) -> None:
        """Make or renew the vector index where it pays, measure it, and keep what was measured."""
        if count < self._vector_index_rows:
            return
        known = self.facts()
        trained = int(known.get("vector_rows", "0"))
        exact = known.get("vector_exact") == "yes"
        lost = not exact and "vector" not in _indexes(table)
        if trained and count < trained * GROWTH and not lost and not force:
            if exact or count < int(known.get("vector_measured", "0")) * _UNMEASURED_GROWTH:
                return
            if self._measured(table, count) >= self._min_recall:
                return
        from lancedb.index import IvfRq

        table.create_index("vector", config=IvfRq(distance_type="cosine"), replace=True)
        exact = self._measured(table, count) < self._min_recall
        if exact:
            table.drop_index("vector_idx")
        self._remember({"vector_rows": str(count), "vector_exact": "yes" if exact else "no"})

    def _measured(self, table: Any, count: int) -> float:
        """recall@10 of the cheapest probing that reaches the one wanted, or of the last one tried; both are kept."""
        sample = _sample(table)
        exact = _neighbours(table, sample, {"bypass_vector_index": None})
        recall = 0.0
        for probing in _PROBINGS:
            recall = _recall(exact, _neighbours(table, sample, probing))
            if recall >= self._min_recall:
                break
        facts = {"vector_recall": f"{recall:.4f}", "vector_measured": str(count)}
        self._remember(facts | {name: str(value) for name, value in probing.items()})
        return recall

    def _clean_others(self, *, force: bool) -> None:
        """The small tables beside the chunks: parts joined, old versions dropped."""
        for name in self._database.names():
            table = self._database.table(name) if name.startswith(SMALL_TABLES) else None
            if table is not None and (force or _has_work(table)):
                with self._database.failing("optimize"):
                    self._fold(table)


def _indexes(table: Any) -> dict[str, Any]:
    """The table's indexes by their column."""
    return {index.columns[0]: index for index in table.list_indices()}


def _has_work(table: Any) -> bool:
    if any(index.num_unindexed_rows for index in table.list_indices()):
        return True
    parts = table.stats()["fragment_stats"]["num_small_fragments"]
    return int(parts) > _SMALL_PARTS


def _keep(table: Any, least: timedelta) -> timedelta:
    """The age above which versions go. Lance refuses to clean past a named version, so the oldest of those stays."""
    tagged = {int(tag["version"]) for tag in table.tags.list().values()}
    if not tagged:
        return least
    made: list[datetime] = [version["timestamp"] for version in table.list_versions() if version["version"] in tagged]
    now = datetime.now(UTC).replace(tzinfo=None)
    return max([least, *(now - moment.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=5) for moment in made)])


def _sample(table: Any) -> "NDArray[np.float32]":
    import numpy as np

    from docpipe.index.rows import matrix

    count = table.count_rows()
    offsets = sorted(np.random.default_rng(0).choice(count, size=min(SAMPLE, count), replace=False).tolist())
    column = table.take_offsets(offsets).select(["vector"]).to_arrow().column("vector")
    return matrix(column, dim=column.type.list_size)


def _neighbours(table: Any, sample: "NDArray[np.float32]", options: Mapping[str, int | None]) -> list[list[str]]:
    """Ids of the nearest eleven rows of each vector: itself and ten others, nearest first."""
    query = table.search(sample, vector_column_name="vector").distance_type("cosine")
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
