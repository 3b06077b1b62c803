"""An index that was made before documents' own metadata were kept goes on."""

from pathlib import Path

import lancedb
import pyarrow as pa
import pytest

from docpipe._ids import document_id
from docpipe.errors import IndexMismatch
from docpipe.index import rows
from docpipe.index.lancedb import LanceIndex
from docpipe.testing import DIM, MODEL, document, refused, vectors

QUESTION = vectors((1, 0, 0, 0))


def of_before(*documents: object) -> pa.Table:
    """Rows with the columns of before."""
    made = [row for one in documents for row in one.chunks]  # type: ignore[attr-defined]
    return rows.table(made, schema=rows.schema(model=MODEL, dim=DIM)).drop_columns(list(rows.LATER_COLUMNS))


@pytest.fixture
def index(tmp_path: Path) -> LanceIndex:
    lancedb.connect(tmp_path).create_table("chunks", of_before(document("a.md", "word one"), document("b.md", "word")))
    return LanceIndex(uri=str(tmp_path))


def test_it_is_searched_as_it_is(index: LanceIndex) -> None:
    hits = index.search_text("word", limit=9, where="language = en")
    (near,) = index.search_vector(QUESTION, limit=9, where="uri = a.md")
    found = index.fetch([key for key, _ in hits])
    assert (len(hits), len(near)) == (2, 1)
    assert [dict(chunk.metadata) for chunk in found.values()] == [{}, {}]
    assert index.check().unreadable == () and index.remove_unreadable() == ()
    assert index.neighbours(next(iter(found.values())), before=1, after=1) == []


@pytest.mark.parametrize("where", ["created >= 2024", "not (page = 1 or authors = x)", "meta.title = ''"])
def test_a_question_for_metadata_says_what_to_do(index: LanceIndex, where: str) -> None:
    for work in (
        lambda: index.search_text("word", limit=1, where=where),
        lambda: index.search_vector(QUESTION, limit=1, where=where),
    ):
        error = refused(IndexMismatch, work)
        assert "before documents' own metadata were kept" in error.message
        assert "run once more" in error.remedy


def test_what_is_written_anew_has_its_metadata_and_the_rest_is_as_it_was(index: LanceIndex) -> None:
    index.open(model=MODEL, dim=DIM)
    index.replace([document("b.md", "word two")])
    assert len(index.search_text("word", limit=9)) == 2
    (hit,) = index.search_text("word", limit=9, where="created = 2024 and authors ~ Ann*")
    assert index.fetch([hit[0]])[hit[0]].metadata["subject"] == "100%_x"
    (other,) = index.search_text("word", limit=9, where="authors = '' and not created >= 1900")
    assert index.fetch([other[0]])[other[0]].text == "word one"
    faults = index.check()
    assert (faults.rows, faults.unreadable, faults.duplicates) == (2, (), ())


def test_rows_that_were_kept_before_come_back(index: LanceIndex) -> None:
    kept = index.export([document_id("a.md")])
    index.replace([document("a.md", "other")])
    index.replace([], restored=kept)
    (hit,) = index.search_text("one", limit=9)
    assert dict(index.fetch([hit[0]])[hit[0]].metadata) == {}
    again = index.export([document_id("a.md"), document_id("b.md")])
    index.delete([document_id("a.md"), document_id("b.md")])
    index.replace([], restored=again)
    assert index.stats().rows == 2


def test_readers_who_are_held_go_on_with_what_they_see(index: LanceIndex) -> None:
    index.hold()
    index.replace([document("a.md", "word three")])
    assert len(index.snapshot().search_text("one", limit=9)) == 1
    refused(IndexMismatch, lambda: index.snapshot().search_text("word", limit=1, where="created = 2024"))
    index.publish()
    assert len(index.snapshot().search_text("word", limit=9, where="created = 2024")) == 1
