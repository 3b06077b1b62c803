"""Rows are written down in the background: in order, together where they come quickly, and never silently lost."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from docpipe.errors import IndexFailed
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest import journal
from docpipe.pipeline.ingest.journal import Journal

COLUMNS = {"key": "str", "data": "bytes"}


class Gate:
    """A table that writes when it is let."""

    def __init__(self, *, fails: bool = False) -> None:
        self.table = MemoryIndex().table("t", columns=COLUMNS, key="key")
        self.open, self.fails, self.puts = threading.Event(), fails, 0

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        assert self.open.wait(10)
        if self.fails:
            raise IndexFailed("the disk is full", stage="index", item="t", remedy="free some space")
        self.puts += 1
        self.table.put(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)


def row(number: int, data: bytes = b"x") -> dict[str, Any]:
    return {"key": str(number), "data": data}


def test_what_comes_while_others_are_written_is_written_together() -> None:
    table = Gate()
    kept = Journal(table, key="key")
    for number in range(50):
        kept.keep([row(number)])
    assert kept.find(["3", "99"]) == {"3": row(3)}
    table.open.set()
    kept.wait(["49"])
    assert (table.puts <= 3, table.table.count(), kept.find(["3"])) == (True, 50, {"3": row(3)})
    kept.close()


def test_a_row_that_comes_again_while_it_is_written_is_written_again() -> None:
    table = Gate()
    kept = Journal(table, key="key")
    kept.keep([row(1, b"old")])
    kept.keep([row(1, b"new")])
    table.open.set()
    kept.close()
    assert table.table.get(["1"])["1"]["data"] == b"new"


def test_what_cannot_be_written_is_told_to_who_waits_and_to_who_closes() -> None:
    table = Gate(fails=True)
    kept = Journal(table, key="key")
    table.open.set()
    kept.keep([row(1)])
    with pytest.raises(IndexFailed, match="the disk is full"):
        kept.wait(["1"])
    with pytest.raises(IndexFailed):
        kept.close()


def test_waiting_for_rows_that_never_came_takes_no_time() -> None:
    kept = Journal(Gate(), key="key")
    kept.wait(["nobody"])
    assert not kept.has_written
    kept.close()


def test_who_brings_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST_BYTES", 10)
    table = Gate()
    kept = Journal(table, key="key")
    threading.Timer(0.05, table.open.set).start()
    kept.keep([row(1, b"x" * 20)])
    assert table.table.count() == 1
    kept.close()
