"""The LanceDB index passes the contract of every index, and keeps its own promises on top."""

import itertools
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from docpipe._ids import document_id, fingerprint
from docpipe.errors import IndexFailed, IndexMismatch, SnapshotGone
from docpipe.index import rows
from docpipe.index.lance_tables import _failed
from docpipe.index.lance_vectors import _recall
from docpipe.index.lancedb import LanceIndex
from docpipe.protocols import Budget, DocumentRows
from docpipe.testing import DIM, MODEL, IndexContract, chunk, document, embedded, refused, vectors


class TestLanceIndex(IndexContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.folders = (tmp_path / f"index {n}'s" for n in itertools.count())

    def make(self) -> LanceIndex:
        return LanceIndex(uri=str(next(self.folders)))


@pytest.fixture
def index(tmp_path: Path) -> LanceIndex:
    made = LanceIndex(uri=str(tmp_path / "index"))
    made.replace([document("a.md", "alpha beta", "gamma"), document("b.md", "delta")])
    return made


def table(index: LanceIndex) -> object:
    import lancedb

    return lancedb.connect(index.uri).open_table("chunks")


def clustered(count: int, dim: int) -> list[DocumentRows]:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(20, dim))
    made = centres[generator.integers(20, size=count)] + 0.3 * generator.normal(size=(count, dim))
    return [
        DocumentRows(
            document_id=f"d{start}",
            chunks=tuple(
                embedded(chunk(f"number {n}", uri=f"{start}.md", position=n), made[n])
                for n in range(start, start + 100)
            ),
        )
        for start in range(0, count, 100)
    ]


def test_looking_at_an_index_makes_no_folder(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path / "index"))
    index.search_text("x", limit=1)
    index.stats()
    index.optimize()
    assert not (tmp_path / "index").exists()


def test_the_stage_is_its_options(index: LanceIndex) -> None:
    again = pickle.loads(pickle.dumps(index))
    assert again == index == LanceIndex(uri=index.uri)
    assert fingerprint(again) == fingerprint(index)
    assert again.stats().rows == 3


def test_a_path_with_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    LanceIndex(uri="~/index").open(model=MODEL, dim=DIM)
    assert (tmp_path / "index" / "chunks.lance").is_dir()


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = LanceIndex(uri=str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(rows, "SCHEMA_VERSION", rows.SCHEMA_VERSION + 1)
        index.replace([document("a.md", "word")])
        before = index.versions()
    reader = LanceIndex(uri=str(tmp_path))
    for work in (
        lambda: reader.open(model=MODEL, dim=DIM),
        lambda: reader.search_text("word", limit=1),
        lambda: reader.replace([document("b.md", "word")]),
        lambda: reader.optimize(Budget(force=True)),
    ):
        error = refused(IndexMismatch, work)
        assert isinstance(error, IndexMismatch)
        assert (error.remedy, error.found, error.wanted) == ("upgrade docpipe", "2", "1")
    assert index.versions() == before


def test_a_mismatch_names_the_model_to_go_back_to(index: LanceIndex) -> None:
    error = refused(IndexMismatch, lambda: index.open(model="another", dim=8))
    assert error.message.endswith(f"holds vectors of {MODEL!r} (4), this pipeline makes 'another' (8)")
    assert "set the embedder back to 'contract-model'" in error.remedy


def test_the_key_is_declared_and_never_indexed(index: LanceIndex) -> None:
    index.optimize(Budget(force=True))
    opened = table(index)
    assert opened.schema.field("id").metadata == rows.PRIMARY_KEY  # type: ignore[attr-defined]
    assert all(found.columns != ["id"] for found in opened.list_indices())  # type: ignore[attr-defined]


def test_a_vector_that_is_no_number_is_refused_before_anything_is_written(index: LanceIndex) -> None:
    before = index.versions()
    bad = embedded(chunk("bad", uri="c.md"), (float("nan"), 0, 0, 1))
    with pytest.raises(ValueError, match="not a finite number"):
        index.replace([DocumentRows(document_id="c", chunks=(bad,))])
    assert index.versions() == before


def test_a_text_that_cannot_be_encoded_is_kept_as_long_as_it_was(index: LanceIndex) -> None:
    odd = embedded(chunk("half \ud800 pair", uri="odd\udcff.md"))
    index.replace([DocumentRows(document_id=odd.chunk.document_id, chunks=(odd,))])
    found = index.fetch([odd.chunk.id])[odd.chunk.id]
    assert found.text == "half \ufffd pair"
    assert found.source.uri == "odd\ufffd.md"


def test_a_fetch_after_a_search_reads_the_newest_row(index: LanceIndex) -> None:
    old = chunk("gamma", uri="c.md", page=1)
    moved = chunk("gamma", uri="c.md", page=5)
    assert old.id == moved.id
    index.replace([DocumentRows(document_id=old.document_id, chunks=(embedded(old),))])
    for force in (False, True):
        assert old.id in dict(index.search_text("gamma", limit=5))
        index.replace([DocumentRows(document_id=old.document_id, chunks=(embedded(moved),))])
        if force:
            index.optimize(Budget(force=True))
        assert index.fetch([old.id])[old.id].pages == (5, 6)
    index.delete([old.document_id])
    assert index.fetch([old.id]) == {}


def test_upkeep_with_nothing_to_do_writes_nothing(index: LanceIndex) -> None:
    index.optimize()
    before = index.versions()
    index.optimize()
    assert index.versions() == before


def test_a_lost_full_text_index_is_made_again(index: LanceIndex) -> None:
    table(index).drop_index("content_idx")  # type: ignore[attr-defined]
    assert index.stats().text_rows == 0
    index.optimize()
    assert index.stats().text_rows == 3


def test_upkeep_goes_on_while_a_version_has_a_name(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path))
    index._upkeep._keep = timedelta(milliseconds=1)
    index.replace([document("a.md", "alpha")])
    table(index).tags.create("kept", 1)  # type: ignore[attr-defined]
    index.replace([document("b.md", "beta")])
    index.optimize(Budget(force=True))
    assert index.stats().text_rows == 2


def test_a_vector_index_is_made_when_it_pays_and_its_recall_is_kept(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path), vector_index_rows=1000)
    index.replace(clustered(900, 32))
    index.optimize()
    assert (index.stats().vector_index, index.stats().vector_recall) == ("", 1.0)
    index.replace(clustered(1200, 32))
    index.optimize()
    stats = index.stats()
    assert stats.vector_index == "IVF_RQ"
    assert stats.vector_recall >= 0.95
    assert (stats.facts["vector_rows"], stats.facts["vector_measured"]) == ("1200", "1200")
    one = index.fetch([index.search_text("1100", limit=1)[0][0]]).popitem()[1]
    vector = index.vectors([one.document_id]) or index.vectors(["d1100"])
    (hits,) = index.search_vector(next(iter(vector.values()))[None], limit=5)
    assert hits[0][1] > 0.999


def test_a_vector_index_that_misses_too_much_is_not_used(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path), vector_index_rows=500, min_recall=1.01)
    index.replace(clustered(600, 8))
    index.optimize()
    stats = index.stats()
    assert (stats.vector_index, stats.vector_recall, stats.facts["vector_exact"]) == ("", 1.0, "yes")
    assert len(index.search_vector(vectors((1,) * 8), limit=10)[0]) == 10


def test_a_damaged_table_says_what_to_do(index: LanceIndex) -> None:
    for part in Path(index.uri, "chunks.lance", "data").iterdir():
        part.write_bytes(b"garbage" * 10)
    other = LanceIndex(uri=index.uri)
    error = refused(IndexFailed, lambda: other.search_vector(vectors((1, 0, 0, 0)), limit=3))
    assert "it is damaged" in error.message
    assert "move its folder away and run again" in error.remedy


def test_a_table_without_its_manifests_says_what_to_do(index: LanceIndex) -> None:
    for part in Path(index.uri, "chunks.lance", "_versions").iterdir():
        part.write_bytes(b"")
    other = LanceIndex(uri=index.uri)
    error = refused(IndexFailed, lambda: other.open(model=MODEL, dim=DIM))
    assert "damaged" in error.message


def test_a_file_in_the_place_of_the_folder_says_what_to_do(tmp_path: Path) -> None:
    place = tmp_path / "index"
    place.write_text("not a folder")
    refused(IndexFailed, lambda: LanceIndex(uri=str(place)).open(model=MODEL, dim=DIM))


@pytest.mark.parametrize(
    ("message", "cause", "remedy"),
    [
        ("IO error: No space left on device (os error 28)", "the disk is full", "free some space"),
        ("Permission denied (os error 13)", "no permission", "check the owner"),
        ("Retryable commit conflict for version 7", "other writers", "run again"),
        ("Not found: data/1.lance", "damaged", "move its folder away"),
        ("something new", "LanceDB gave an error", "run again"),
    ],
    ids=["full", "permission", "conflict", "damaged", "other"],
)
def test_an_error_names_cause_and_remedy(message: str, cause: str, remedy: str) -> None:
    error = _failed(RuntimeError(message), doing="write", index="here")
    assert cause in error.message
    assert remedy in error.remedy
    assert error.where == "index: here"


FULL = """
import resource, sys
from docpipe.errors import IndexFailed
from docpipe.index.lancedb import LanceIndex
from docpipe.testing import document

index = LanceIndex(uri=sys.argv[1])
index.versions()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    index.replace([document("big.md", *("word " * 2_000 + str(n) for n in range(50)))])
except IndexFailed as error:
    print(error)
"""


def test_a_full_disk_loses_nothing_of_what_was_there(index: LanceIndex) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, index.uri], capture_output=True, text=True, check=True)
    assert "the disk is full" in done.stdout
    assert "free some space" in done.stdout
    assert index.stats().rows == 3
    index.replace([document("big.md", "now it fits")])
    assert len(index.search_text("fits", limit=3)) == 1


def test_importing_the_module_imports_nothing_heavy() -> None:
    code = (
        "import sys, docpipe.index.lancedb, docpipe.index.memory, docpipe.testing\n"
        "print([name for name in ('lancedb', 'pyarrow', 'numpy', 'pytest') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_deleting_the_same_document_again_is_no_error(index: LanceIndex) -> None:
    for _ in range(2):
        index.delete([document_id("a.md")])
    assert index.stats().documents == 1


@pytest.mark.parametrize("make", [document, lambda uri, text: document(uri, text, text)], ids=["one", "two"])
def test_rows_come_back_from_their_arrow_form(make: Callable[[str, str], DocumentRows]) -> None:
    made = make("a.md", "words")
    back = rows.table(made.chunks, schema=rows.schema(model=MODEL, dim=DIM))
    assert rows.chunks(back) == [row.chunk for row in made.chunks]
    assert np.array_equal(rows.matrix(back.column("vector"), dim=DIM), np.stack([row.vector for row in made.chunks]))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="keep_minutes must not be negative"):
        LanceIndex(uri="x", keep_minutes=-1)
    with pytest.raises(ValueError, match="vector_index_rows must not be negative"):
        LanceIndex(uri="x", vector_index_rows=-1)


def test_a_filter_finds_all_its_rows_through_the_vector_index(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path), vector_index_rows=1000)
    index.replace(clustered(3000, 32))
    index.optimize()
    assert index.stats().vector_index == "IVF_RQ"
    every_part = index._vectors.probing(filtered=True)["nprobes"]
    assert every_part > 10 * index._vectors.probing(filtered=False).get("nprobes", 20)
    question = np.random.default_rng(5).normal(size=(1, 32)).astype(np.float32)
    (hits,) = index.search_vector(question, limit=200, where="uri in (700.md, 2900.md)")
    assert len(hits) == 200
    assert {one.source.uri for one in index.fetch([key for key, _ in hits]).values()} == {"700.md", "2900.md"}


def test_an_index_made_anew_under_an_open_handle_is_read_anew(index: LanceIndex) -> None:
    shutil.rmtree(index.uri)
    index.open(model="another", dim=DIM)
    assert index.stats().rows == 0
    index.replace([DocumentRows(document_id="d", chunks=(embedded(chunk("fresh"), model="another"),))])
    assert len(index.search_text("fresh", limit=2)) == 1


def test_an_index_built_anew_by_another_process_is_seen_though_its_versions_have_the_same_numbers(
    tmp_path: Path,
) -> None:
    def build(word: str) -> LanceIndex:
        made = LanceIndex(uri=str(tmp_path / "i"))
        made.replace([document("a.md", word)])
        made.table("things", columns={"key": "str"}, key="key").put([{"key": word}])
        return made

    ours = build("first")
    reader = ours.snapshot()
    table = ours.table("things", columns={"key": "str"}, key="key")
    assert len(ours.search_text("first", limit=3)) == table.count() == 1
    shutil.rmtree(ours.uri)
    theirs = build("second")
    assert theirs.versions() == reader.version
    assert len(ours.snapshot().search_text("second", limit=3)) == 1
    assert ours.search_text("first", limit=3) == []
    assert table.columns("key") == {"key": ["second"]}
    refused(SnapshotGone, lambda: reader.search_text("first", limit=3))


def test_a_small_table_with_other_columns_is_refused(index: LanceIndex) -> None:
    index.table("things", columns={"name": "str", "size": "int"}, key="name").put([{"name": "a", "size": 1}])
    other = index.table("things", columns={"name": "str", "cost": "float"}, key="name")
    error = refused(IndexMismatch, lambda: other.get(["a"]))
    assert "has the columns name, size, not name, cost" in error.message
    with pytest.raises(ValueError, match="'uri' is not one of the columns name"):
        index.table("things", columns={"name": "str"}, key="uri")


@pytest.mark.parametrize("left", ["", "data", "_versions"], ids=["nothing", "data", "versions"])
def test_what_a_kill_left_of_a_new_table_is_no_table(tmp_path: Path, left: str) -> None:
    (tmp_path / "chunks.lance" / left).mkdir(parents=True)
    index = LanceIndex(uri=str(tmp_path))
    assert index.search_text("word", limit=1) == []
    index.replace([document("a.md", "word")])
    assert len(index.search_text("word", limit=1)) == 1


def test_recall_is_measured_again_as_the_index_grows(tmp_path: Path) -> None:
    index = LanceIndex(uri=str(tmp_path), vector_index_rows=1000)
    measured = []
    for count in (1000, 1200, 1400, 2100):
        index.replace(clustered(count, 16))
        index.optimize()
        facts = index.stats().facts
        measured.append((facts["vector_rows"], facts["vector_measured"]))
    assert measured == [("1000", "1000"), ("1000", "1000"), ("1000", "1400"), ("2100", "2100")]


def test_a_row_that_finds_itself_is_no_recall() -> None:
    assert _recall([["own", "a", "b"]], [["own", "b", "c"]]) == 0.5
    assert _recall([["own", "a"]], [["own"]]) == 0.0
