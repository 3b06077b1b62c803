"""Upkeep: what it folds, joins, cleans and proves, what it leaves out, and that nobody notices."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docpipe._ids import document_id
from docpipe.errors import IndexMismatch, SnapshotGone
from docpipe.index import lance_upkeep, lance_vectors, rows
from docpipe.index.lance_figures import Figures, reasons, size_of
from docpipe.index.lance_pin import PUBLISHED
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget, DocumentRows
from docpipe.testing import DIM, MODEL, chunk, document, embedded, refused, vectors

NEW = "another-model"


@pytest.fixture
def index(tmp_path: Path) -> LanceIndex:
    made = LanceIndex(uri=str(tmp_path / "index"))
    made.replace([document(f"{number}.md", f"word {number}", f"other {number}") for number in range(20)])
    return made


def raw(index: LanceIndex) -> Any:
    import lancedb

    return lancedb.connect(index.uri).open_table("chunks")


def fill(index: LanceIndex) -> None:
    found = index.missing_vectors(NEW, limit=999)
    if found:
        index.fill_vectors(NEW, [key for key, _ in found], vectors(*[(1, 2, 3)] * len(found)))


def test_nothing_is_folded_where_nothing_would_be_gained() -> None:
    still = Figures(rows=25_000, dead=100, parts=2, unfolded=40, old_versions=3, live_bytes=10**7, disk_bytes=10**7)
    assert reasons(still, force=False) == []
    assert reasons(still, force=True) == ["asked for"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"unfolded": 60}, "60 rows outside an index"),
        ({"rows": 3, "unfolded": 1, "dead": 0}, "1 rows outside an index"),
        ({"dead": 6_000}, "6000 dead rows"),
        ({"parts": 9}, "9 small parts"),
        ({"old_versions": 21}, "21 old versions"),
        ({"disk_bytes": 3 * 10**7}, "19 MB superseded"),
    ],
    ids=["unfolded", "small table", "dead", "parts", "versions", "disk"],
)
def test_what_would_slow_searches_or_fill_the_disk_is_a_reason(changed: dict[str, int], reason: str) -> None:
    still = {"rows": 25_000, "dead": 0, "parts": 2, "unfolded": 0, "old_versions": 3}
    found = Figures(**({"live_bytes": 10**7, "disk_bytes": 10**7} | still | changed))
    assert reasons(found, force=False) == [reason]


@pytest.mark.slow
def test_many_nights_leave_a_table_as_small_as_a_fresh_one(tmp_path: Path, index: LanceIndex) -> None:
    for night in range(12):
        index.replace([document(f"{night % 20}.md", f"word {night} anew", f"other {night}")])
        index.optimize()
    fresh = LanceIndex(uri=str(tmp_path / "fresh"))
    fresh.replace([document(f"{number}.md", f"word {number} anew", f"other {number}") for number in range(20)])
    fresh.optimize()
    assert index.check().versions <= 22
    assert index.stats().text_rows == 40
    chunks = "chunks.lance"
    index.optimize(Budget(force=True))
    assert size_of(Path(index.uri, chunks)) <= 1.5 * size_of(Path(fresh.uri, chunks)) + 100_000
    assert index.check().versions <= 3


def test_the_parts_of_a_vector_index_do_not_keep_those_of_the_table_apart(tmp_path: Path) -> None:
    index, chance = LanceIndex(uri=str(tmp_path / "index"), vector_index_rows=300), np.random.default_rng(1)

    def made(uri: str) -> DocumentRows:
        rows = [embedded(chunk(f"word {n}", uri=uri, position=n), chance.normal(size=8)) for n in range(60)]
        return DocumentRows(document_id=document_id(uri), chunks=tuple(rows))

    index.replace([made(f"{number}.md") for number in range(40)])
    most = 0
    for night in range(20):
        index.replace([made(f"{night}.md")])
        index.optimize()
        most = max(most, raw(index).stats()["fragment_stats"]["num_fragments"])
    assert "vector" in {found.columns[0] for found in raw(index).list_indices()}
    assert most <= lance_vectors.MOST_SEGMENTS + 2


def test_vectors_of_a_length_that_no_vector_index_takes_are_searched_one_by_one(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path / "index"), vector_index_rows=10)
    index.replace([document("a.md", *(f"word {number}" for number in range(20)))])
    index.optimize()
    assert {found.columns[0] for found in raw(index).list_indices()} == {"content"}
    assert len(index.search_vector(vectors((1, 0, 0, 0)), limit=20)[0]) == 20


def test_what_would_rewrite_more_than_allowed_is_left_out_and_said(index: LanceIndex) -> None:
    index.replace([document("new.md", "brand new")])
    before = index.versions()
    kept = index.optimize(Budget(max_bytes=10))
    assert index.versions() == before
    assert "chunks: 1 rows outside an index: would rewrite 0 MB, more than is left" in kept.skipped[0]
    assert kept.done == ()
    assert index.optimize(Budget(max_seconds=0)).done == ()
    assert index.optimize().done == ("folded chunks: 1 rows outside an index",)
    assert index.optimize().done == ()


def test_where_joining_is_too_much_the_words_are_still_folded(index: LanceIndex) -> None:
    index.replace([document("new.md", "brand new")])
    live = int(raw(index).stats()["total_bytes"])
    kept = index.optimize(Budget(max_bytes=live // 2))
    assert kept.done == ("folded the full-text index of chunks: 1 rows outside an index",)
    assert "joining the parts of chunks" in kept.skipped[0]
    assert index.stats().text_rows == 41


@pytest.mark.slow
def test_large_tables_are_worked_on_in_a_process_that_can_be_ended(
    index: LanceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_upkeep, "IN_PROCESS", 0)
    index.replace([document("new.md", "brand new")])
    ended = index.optimize(Budget(max_seconds=0.01))
    assert ended.done == ()
    assert any("time for upkeep" in reason for reason in ended.skipped)
    assert index.stats().rows == 41
    assert index.optimize().done == ("folded chunks: 1 rows outside an index",)
    assert index.stats().text_rows == 41


def test_versions_that_readers_are_held_at_stay_and_it_is_said(index: LanceIndex) -> None:
    held = index.hold()
    for number in range(3):
        index.replace([document("0.md", f"changed {number}")])
    kept = index.optimize(Budget(force=True))
    assert f"old versions of chunks from {held} on: readers are held there" in kept.skipped
    assert LanceIndex(uri=index.uri).snapshot().version == held
    assert len(LanceIndex(uri=index.uri).snapshot().search_text("changed", limit=9)) == 0
    index.publish()
    assert index.optimize(Budget(force=True)).skipped == ()
    assert index.check().versions <= 3


def test_a_name_without_a_hold_is_taken_back(index: LanceIndex) -> None:
    raw(index).tags.create(PUBLISHED, raw(index).version)
    assert index.check().leftovers == (f"version named {PUBLISHED}, at which no reader is held",)
    index.optimize()
    assert index.check().leftovers == ()


def test_a_version_that_was_cleaned_away_says_so(index: LanceIndex) -> None:
    old = LanceIndex(uri=index.uri).snapshot()
    index.replace([document(f"{number}.md", f"word {number} anew") for number in range(20)])
    index.optimize(Budget(force=True))
    for work in (
        lambda: old.search_text("word", limit=3),
        lambda: old.search_vector(vectors((1, 0, 0, 0)), limit=3),
        lambda: old.fetch(["x"]),
    ):
        error = refused(SnapshotGone, work)
        assert error.retryable
        assert "was cleaned away while it was read" in error.message
    assert len(index.search_text("anew", limit=99)) == 20


def test_a_full_text_index_without_its_files_is_built_again(index: LanceIndex) -> None:
    index.optimize(Budget(force=True))
    shutil.rmtree(Path(index.uri, "chunks.lance", "_indices"))
    other = LanceIndex(uri=index.uri)
    assert not other.check().found_by_text
    kept = other.optimize()
    assert "rebuilt the full-text index: it did not know a row by its own words" in kept.done
    assert other.check().found_by_text
    assert len(other.search_text("word", limit=99)) == 20


def test_faults_within_the_rows_are_found(index: LanceIndex) -> None:
    table = raw(index)
    ids = index.chunk_ids([document_id("0.md")])[document_id("0.md")]
    table.add(table.search().where(f"id = '{ids[0]}'").select(table.schema.names).to_arrow().cast(table.schema))
    bad = embedded(chunk("bad", uri="bad.md"))
    made = rows.table([bad], schema=table.schema)
    place = made.schema.get_field_index("vector")
    import pyarrow as pa

    broken = pa.FixedSizeListArray.from_arrays(pa.array(np.full(DIM, np.inf, dtype=np.float32)), DIM)
    made = made.set_column(place, made.schema.field("vector"), broken)
    place = made.schema.get_field_index("model")
    table.add(made.set_column(place, made.schema.field("model"), pa.array(["stranger"])))
    found = index.check()
    assert found.duplicates == (ids[0],)
    assert found.bad_vectors == found.foreign == (bad.chunk.id,)
    assert found.bytes["chunks"] > 0
    assert found.oldest > 1_700_000_000
    index.remove_rows([ids[0], bad.chunk.id])
    assert index.check().duplicates == ()


@pytest.mark.parametrize("until", ["held", "filled", "active"])
def test_a_switch_that_was_killed_is_done_by_the_next_one(index: LanceIndex, until: str) -> None:
    index.migration(model=NEW, dim=3)
    fill(index)
    migration = index._migration
    index.hold()
    if until != "held":
        column = migration._bring_in(NEW, 3)
    if until == "active":
        migration._activate(column, model=NEW, made_by="")
    reader = LanceIndex(uri=index.uri)
    assert reader.snapshot().model == MODEL
    assert len(reader.snapshot().search_vector(vectors((1, 0, 0, 0)), limit=99)[0]) == 40
    again = LanceIndex(uri=index.uri)
    if until == "active":
        row = embedded(chunk("new", uri="new.md"), (1, 0, 0), model=NEW)
        again.replace([DocumentRows(document_id=row.chunk.document_id, chunks=(row,))])
    else:
        again.replace([document("new.md", "new")])
    assert again.migration(model=NEW, dim=3) == (0 if until == "active" else 1)
    fill(again)
    again.switch(model=NEW)
    again.publish()
    again.optimize()
    assert reader.snapshot().model == NEW
    assert len(reader.snapshot().search_vector(vectors((1, 0, 0)), limit=99)[0]) == 41
    assert [name for name in raw(again).schema.names if name.startswith("vector")] == [f"vector_{_hash()}"]
    assert again.check().leftovers == ()


def _hash() -> str:
    from docpipe.index.lance_migration import column_of

    return column_of(NEW, active="").removeprefix("vector_")


def test_vectors_gathered_for_a_model_that_is_no_longer_wanted_go(index: LanceIndex) -> None:
    index.migration(model="third", dim=2)
    index.migration(model=NEW, dim=3)
    assert sum(name.startswith("docpipe_filling_") for name in index._database.names()) == 1
    refused(IndexMismatch, lambda: index.open(model="third", dim=2))


def test_an_index_of_before_there_were_facts_in_columns_is_read(tmp_path: Path) -> None:
    import lancedb

    whole = rows.schema(model=MODEL, dim=DIM)
    place = whole.get_field_index("vector")
    plain = whole.set(place, whole.field("vector").with_metadata({}))
    lancedb.connect(str(tmp_path)).create_table("chunks", schema=plain)
    index = LanceIndex(uri=str(tmp_path))
    index.open(model=MODEL, dim=DIM, made_by="{}")
    index.replace([document("a.md", "word")])
    found = index.snapshot()
    assert (found.model, found.dim, found.made_by) == (MODEL, DIM, "{}")


def test_small_tables_are_read_as_they_are_however_old_a_readers_view_may_be(tmp_path: Path) -> None:
    columns = {"key": "str", "size": "int"}
    reader = LanceIndex(uri=str(tmp_path), refresh_seconds=3600).table("things", columns=columns, key="key")
    writer = LanceIndex(uri=str(tmp_path)).table("things", columns=columns, key="key")
    for size in itertools.count(1):
        writer.put([{"key": "a", "size": size}])
        assert reader.get(["a"])["a"]["size"] == size
        if size == 3:
            break
