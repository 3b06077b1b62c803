"""A table after writing -> the same table with its indexes over all rows, few parts and few versions, and proved."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from docpipe.index import lance_canary, rows
from docpipe.index.lance_child import make_text_index, optimize
from docpipe.index.lance_figures import Figures, figures, files, kept_age, reasons, superseded, unfolded
from docpipe.index.lance_tables import SMALL_TABLES, Database
from docpipe.index.lance_vectors import VectorIndexes, indexes
from docpipe.protocols import ORDINARY, Budget, IndexStats, Upkept

FILTERED_ROWS = 10_000
"""From how many rows on the columns of filters get an index of their own; below it a scan is as quick."""
_UNFOLDED_ROWS, _UNFOLDED_SHARE = 10_000, 0.25
"""How many rows a long run may write before the indexes are folded under way: so few folds cost less than embedding."""
IN_PROCESS = 64 * 2**20
"""Bytes of a table up to which its upkeep takes a second or two and needs no process that can be ended."""
_TEXT_SHARE = 0.2
"""How much of a table's size its full-text index takes, at most."""


@dataclass
class _Account:
    """What was done, and what is left of the budget."""

    budget: Budget
    started: float = field(default_factory=time.monotonic)
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    bytes: int = 0

    def left(self) -> float:
        """Seconds."""
        return self.budget.max_seconds - (time.monotonic() - self.started)

    def allows(self, size: int, what: str) -> bool:
        """Whether this much may still be rewritten; where not, it is said."""
        if self.bytes + size > self.budget.max_bytes:
            self.skipped.append(f"{what}: would rewrite {size >> 20} MB, more than is left of the allowance")
        elif self.left() <= 0:
            self.skipped.append(f"{what}: the time for upkeep is over")
        else:
            return True
        return False

    def upkept(self) -> Upkept:
        """The account as a value."""
        seconds = time.monotonic() - self.started
        return Upkept(done=tuple(self.done), skipped=tuple(self.skipped), bytes=self.bytes, seconds=seconds)


class Upkeep:
    """Keeps the indexes of one table of chunks, and all tables of its database small."""

    def __init__(self, database: Database, *, table: str, vectors: VectorIndexes, keep_minutes: int) -> None:
        self._database, self._name, self._vectors = database, table, vectors
        self._keep = timedelta(minutes=keep_minutes)
        self._lock = threading.Lock()
        self._has_text_index = False

    def ensure_text_index(self) -> None:
        """Make the full-text index if there is none. Rows that come later are found too, and folded in by `run`."""
        if self._has_text_index:
            return
        table = self._database.table(self._name)
        if table is not None and "content" not in indexes(table) and table.count_rows():
            self._make_text_index(table)
        self._has_text_index = True

    def fold_growth(self) -> None:
        """Fold what a long run wrote so far, where it is much: readers wait for it, or search it row by row."""
        outside, count = self._database.reading(
            self._name, lambda newest: (unfolded(newest), int(newest.count_rows())), nothing=(0, 0)
        )
        table = self._database.table(self._name)
        if table is not None and outside > max(_UNFOLDED_ROWS, _UNFOLDED_SHARE * count):
            with self._lock, self._database.failing("optimize"):
                self._fold(table, self._name, self._keep, _Account(ORDINARY))

    def stats(self) -> IndexStats:
        """Figures of the table and its indexes."""
        nothing = IndexStats(rows=0, documents=0, version=0, bytes=0, text_rows=0, vector_index="", vector_recall=1.0)
        return self._database.reading(self._name, self._stats, nothing=nothing)

    def _stats(self, table: Any) -> IndexStats:
        import pyarrow.compute as pc

        ids = table.search().select(["document_id"]).to_arrow().column("document_id")
        found, stats = indexes(table), table.stats()
        kind = "IVF_RQ" if rows.facts(table.schema).column in found else ""
        facts = self._vectors.facts()
        return IndexStats(
            rows=len(ids),
            documents=pc.count_distinct(ids).as_py(),
            version=int(table.version),
            bytes=int(stats["total_bytes"]),
            text_rows=int(found["content"].num_indexed_rows or 0) if "content" in found else 0,
            vector_index=kind,
            vector_recall=float(facts.get("vector_recall", "1.0")) if kind else 1.0,
            facts=facts,
        )

    def run(self, budget: Budget) -> Upkept:
        """Fold, join, clean and prove, where it pays. Writes nothing where nothing changed."""
        account = _Account(budget)
        table = self._database.table(self._name)
        with self._lock, self._database.failing("optimize"):
            if table is not None and (count := table.count_rows()):
                column = rows.facts(table.schema).column
                self._make_missing(table, count, account)
                self._fold(table, self._name, self._keep, account)
                anew = budget.force or (
                    self._vectors.is_split(table, column)
                    and account.allows(int(table.stats()["total_bytes"]), "joining the parts of the vector index")
                )
                if trained := self._vectors.train(table, column, count, force=anew):
                    account.done.append(trained)
                    self._fold(table, self._name, self._keep, account, clean=True)
                self._prove(table, column, account)
        for name in self._database.names():
            small = self._database.table(name) if name.startswith(SMALL_TABLES) else None
            if small is not None:
                with self._database.failing("optimize"):
                    self._fold(small, name, self._keep, account)
        return account.upkept()

    def fold_all(self) -> None:
        """Bring all rows into the indexes and drop what was superseded, whatever it costs."""
        table = self._database.table(self._name)
        if table is not None:
            account = _Account(Budget(max_bytes=2**62, max_seconds=1e9, force=True))
            with self._lock, self._database.failing("optimize"):
                count, column = int(table.count_rows()), rows.facts(table.schema).column
                self._make_missing(table, count, account)
                self._fold(table, self._name, self._keep, account)
                self._vectors.train(table, column, count, force=False)

    def rebuild(self) -> None:
        """Build all indexes over the rows anew."""
        table = self._database.table(self._name)
        if table is None or not table.count_rows():
            return
        with self._lock, self._database.failing("index"):
            self._make_text_index(table)
            self._vectors.train(table, rows.facts(table.schema).column, int(table.count_rows()), force=True)

    def _make_missing(self, table: Any, count: int, account: _Account) -> None:
        found = indexes(table)
        if "content" not in found and count:
            self._make_text_index(table)
            account.done.append(f"made the full-text index over {count} rows")
        if count >= FILTERED_ROWS:
            from lancedb.index import Bitmap, BTree

            for column, config in (("document_id", BTree()), ("language", Bitmap())):
                if column not in found:
                    table.create_index(column, config=config)

    def _make_text_index(self, table: Any) -> None:
        self._database.commit(lambda: make_text_index(table), doing="index")
        self._has_text_index = True

    def _fold(self, table: Any, name: str, keep: timedelta, account: _Account, *, clean: bool = False) -> None:
        """Optimize one table where it pays and the budget allows it."""
        folder = self._database.folder(name)
        found = self._figures(name, keep)
        why = reasons(found, force=clean or account.budget.force)
        if not why:
            return
        keep = self._named(table, name, keep, account)
        what = f"{_plain(name)}: {', '.join(why)}"
        before = files(folder)
        if account.allows(found.live_bytes, f"joining the parts of {what}"):
            self._work(table, name, ("optimize", keep), found, account, what)
            self._sweep(table, name, keep, found)
        elif (
            name == self._name
            and found.unfolded
            and account.allows(int(_TEXT_SHARE * found.live_bytes), f"the full-text index of {what}")
        ):
            self._work(table, name, ("text", keep), found, account, f"the full-text index of {what}")
        new = sum(size for path, size in files(folder).items() if path not in before)
        account.bytes += new if folder else found.live_bytes

    def _figures(self, name: str, keep: timedelta) -> Figures:
        """Of the newest version; looked at again where another writer cleans versions away meanwhile."""
        folder = self._database.folder(name)
        nothing = Figures(rows=0, dead=0, parts=0, unfolded=0, old_versions=0, live_bytes=0, disk_bytes=0)
        return self._database.reading(name, lambda table: figures(table, keep=keep, folder=folder), nothing=nothing)

    def _named(self, table: Any, name: str, keep: timedelta, account: _Account) -> timedelta:
        """The age from which on versions go; what a named version keeps alive is said."""
        age = kept_age(table, keep)
        if age > keep:
            held = min(int(tag["version"]) for tag in table.tags.list().values())
            account.skipped.append(f"old versions of {_plain(name)} from {held} on: readers are held there")
        return age

    def _work(
        self, table: Any, name: str, work: tuple[str, timedelta], found: Figures, account: _Account, what: str
    ) -> None:
        """Do it here where it is small, else in a process that is ended when the time is over."""
        kind, keep = work
        if found.live_bytes <= IN_PROCESS:
            here: Callable[[], None] = (
                (lambda: optimize(table, keep)) if kind == "optimize" else (lambda: make_text_index(table))
            )
            self._database.commit(here, doing="optimize")
        else:
            milliseconds = str(max(1, int(keep.total_seconds() * 1000)))
            command = ["-m", "docpipe.index.lance_child", self._database.location, name, kind, milliseconds]
            try:
                ended = subprocess.run(
                    [sys.executable, *command],
                    capture_output=True,
                    text=True,
                    timeout=max(1.0, account.left()),
                    start_new_session=True,  # Ctrl-C is ours to answer
                )
            except subprocess.TimeoutExpired:
                account.skipped.append(f"{what}: ended, the time for upkeep was over")
                return
            if ended.returncode:
                raise RuntimeError(ended.stderr.strip()[-500:] or f"upkeep ended with {ended.returncode}")
        account.done.append(f"folded {what}")

    def _sweep(self, table: Any, name: str, keep: timedelta, before: Figures) -> None:
        """Drop files of no version, left by killed writers; only of the chunks, which one run writes at a time."""
        if name != self._name or not superseded(before):
            return
        if superseded(self._figures(name, keep)):
            self._database.commit(lambda: optimize(table, keep, unverified=True), doing="optimize")

    def _prove(self, table: Any, column: str, account: _Account) -> None:
        """Ask for an old and a new row; what does not know them is built again, and asked again."""
        if not lance_canary.text_found(table):
            self._make_text_index(table)
            account.done.append("rebuilt the full-text index: it did not know a row by its own words")
            if not lance_canary.text_found(table):
                account.skipped.append("the full-text index still does not know a row by its own words")
        probing = self._vectors.probing(filtered=False)
        if column in indexes(table) and not lance_canary.vector_found(table, column, probing):
            self._note(account, self._vectors.train(table, column, int(table.count_rows()), force=True))
            account.done.append("rebuilt the vector index: it did not know a row by its own vector")

    @staticmethod
    def _note(account: _Account, told: str) -> None:
        if told:
            account.done.append(told)


def _plain(table: str) -> str:
    """The name of a table as docpipe calls it."""
    return table.removeprefix(SMALL_TABLES)
