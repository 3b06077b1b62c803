"""Several processes at one index: no row twice, none lost, no half document seen."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from docpipe._ids import document_id
from docpipe.index import lancedb
from docpipe.index.lance_tables import upsert
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget
from docpipe.testing import document

ROUNDS = 6

WRITER = """
import sys
from docpipe.index import lancedb
from docpipe.index.lance_tables import upsert
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget
from docpipe.testing import DIM, MODEL, document

uri, who, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
index = LanceIndex(uri=uri)
index.open(model=MODEL, dim=DIM)
ledger = index.table("ledger", columns={"uri": "str", "by": "str"}, key="uri")
for round in range(rounds):
    shared = [document(f"shared {n}.md", *(f"shared {n} part {part}" for part in range(5))) for n in range(4)]
    own = document(f"{who} {round}.md", "first " + who, "second " + who)
    edited = document("edited.md", *(f"{who} {round} {part}" for part in range(3)))
    index.replace([*shared, own, edited])
    ledger.put([{"uri": f"{who} {round}.md", "by": who}, {"uri": "shared", "by": who}])
    if round % 3 == 2:
        index.optimize(Budget(force=True))
"""


def write(uri: Path, who: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(uri), who, str(ROUNDS)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def test_writers_at_once_leave_no_row_twice_and_lose_none(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = LanceIndex(uri=str(folder))
    writers = [write(folder, who) for who in ("ann", "bob", "cem")]
    seen = set()
    shared = f"document_id = '{document_id('shared 1.md')}'"
    while any(writer.poll() is None for writer in writers):
        found = index._reading(lambda head: head.select(shared, ("id",)))
        seen.add(0 if found is None else found.num_rows)
        time.sleep(0.02)
    problems = [writer.communicate()[1].decode()[-2000:] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], problems
    everything = index.snapshot().select("", ("id", "uri", "text"))
    assert everything is not None
    assert max(Counter(everything.column("id").to_pylist()).values()) == 1
    uris = Counter(everything.column("uri").to_pylist())
    assert uris == {"edited.md": 3} | {f"shared {n}.md": 5 for n in range(4)} | {
        f"{who} {round}.md": 2 for who in ("ann", "bob", "cem") for round in range(ROUNDS)
    }
    assert seen <= {0, 5}, "a reader saw a part of a document"
    ledger = index.table("ledger", columns={"uri": "str", "by": "str"}, key="uri").columns("uri")["uri"]
    assert Counter(ledger) == dict.fromkeys(
        [*(uri for uri in uris if not uri.startswith(("shared", "edited"))), "shared"], 1
    )
    assert len(index.search_text("second", limit=99)) == 3 * ROUNDS


def test_two_instances_see_each_others_writes(tmp_path: Path) -> None:
    one, two = LanceIndex(uri=str(tmp_path / "i")), LanceIndex(uri=str(tmp_path / "i"))
    assert two.search_text("alpha", limit=3) == []
    one.replace([document("a.md", "alpha")])
    assert len(two.search_text("alpha", limit=3)) == 1
    key = two.search_text("alpha", limit=3)[0][0]
    one.replace([document("a.md", "alpha", "beta")])
    one.optimize(Budget(force=True))
    assert two.fetch([key])[key].text == "alpha"
    one.delete([document_id("a.md")])
    assert two.fetch([key]) == {}


def test_a_commit_that_was_not_the_next_one_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = LanceIndex(uri=str(tmp_path)), LanceIndex(uri=str(tmp_path))
    ours.replace([document("a.md", "first")])
    calls = 0

    def after_theirs(*arguments: Any, **options: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            monkeypatch.setattr(lancedb, "upsert", upsert)
            theirs.replace([document("a.md", "theirs")])
            monkeypatch.setattr(lancedb, "upsert", after_theirs)
        return upsert(*arguments, **options)

    monkeypatch.setattr(lancedb, "upsert", after_theirs)
    ours.replace([document("a.md", "ours")])
    assert calls == 2
    assert (len(ours.search_text("ours", limit=9)), ours.stats().rows) == (1, 1)
