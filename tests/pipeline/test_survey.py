"""Loaders and ledger -> what there is to do."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.errors import SourceError
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest import survey as module
from docpipe.pipeline.ingest.ledger import Known, Ledger, Row, Stamp, new_row
from docpipe.pipeline.ingest.plan import Action, Retry, Terms, decide
from docpipe.pipeline.ingest.survey import Survey, check_deletions, survey
from docpipe.types import Blob, Entry, Failure, Outcome, Status

BY = Stamp(parse="p", chunk="pc", tried="pct")
NOW = 2_000_000_000
TERMS = Terms(now=NOW)
OPTIONS = RunOptions()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A source of which only the listing counts."""

    found: Sequence[Entry | Outcome]
    prefix: str = ""
    path: str = "docs"

    def entries(self) -> Iterator[Entry | Outcome]:
        return iter(self.found)

    def read(self, entry: Entry, /) -> Blob:
        raise AssertionError("a survey reads no file")


def entry(uri: str, size: int = 3, modified: int = 7) -> Entry:
    return Entry(uri=uri, location=f"/{uri}", size=size, modified=modified)


def row(uri: str, **facts: Any) -> Row:
    indexed = {"status": "indexed", "size": 3, "modified": 7, "parsed_by": "p", "chunked_by": "pc", "chunks": 1}
    return replace(new_row(uri, f"id of {uri}"), **{**indexed, "digest": f"bytes of {uri}", **facts})


def ledger(*rows: Row) -> Ledger:
    made = Ledger(MemoryIndex())
    made.put(rows)
    return made


def unread(uri: str) -> Outcome:
    return Outcome(uri=uri, status=Status.FAILED, error=Failure(stage="load", type="E", message="", remedy=""))


uris = st.sampled_from([f"{folder}{name}" for folder in ("", "a/", "é/") for name in "abcdefgh"])
entries = st.builds(entry, uris, st.integers(0, 3), st.sampled_from([7, NOW * 10**9, NOW * 10**9 + 10**18]))
rows = st.builds(
    row,
    uris,
    status=st.sampled_from(["indexed", "indexed", "failed", "ignored", ""]),
    size=st.integers(0, 3),
    modified=st.sampled_from([7, NOW * 10**9, NOW * 10**9 + 10**18]),
    parsed_by=st.sampled_from(["p", "p", "old"]),
    chunked_by=st.sampled_from(["pc", "pc", "pct", "old"]),
    retryable=st.booleans(),
    next_try=st.sampled_from([0, NOW - 1, NOW + 60]),
    last_tried=st.sampled_from([0, NOW, NOW - 86_400]),
    digest=st.sampled_from(["x", "y"]),
)
terms = st.builds(
    Terms,
    now=st.just(float(NOW)),
    detect=st.sampled_from(["stat", "digest"]),
    full=st.booleans(),
    retry=st.builds(Retry, every=st.booleans(), uris=st.frozensets(uris, max_size=3)),
)


@settings(max_examples=50)
@given(
    lists=st.lists(st.lists(entries, max_size=12, unique_by=lambda one: one.uri), min_size=1, max_size=3),
    held=st.lists(rows, max_size=12, unique_by=lambda one: one.uri),
    asked=terms,
    size=st.integers(1, 5),
)
def test_a_survey_by_columns_is_that_of_each_source_by_itself(
    lists: list[list[Entry]], held: list[Row], asked: Terms, size: int
) -> None:
    with patch.object(module, "_SLICE", size):
        found = survey([Listing(found=one) for one in lists], ledger(*held), BY, asked)
    by_uri = {one.uri: Known._make(getattr(one, name) for name in Known._fields) for one in held}
    first: dict[str, Entry] = {}
    for one in (one for some in lists for one in some):
        first.setdefault(one.uri, one)
    expected = {uri: decide(one, by_uri.get(uri), BY, asked) for uri, one in first.items()}
    steps = {step.uri: step for step in (*found.work, *found.remaining)}
    renamed = {uri for uri, step in steps.items() if step.action is Action.RENAME}
    assert all(uri not in by_uri or not by_uri[uri].status for uri in renamed)  # new, or in hand when a run ended
    assert {uri: step.action for uri, step in steps.items() if uri not in renamed} == {
        uri: action for uri, (action, _) in expected.items() if action is not Action.KEEP and uri not in renamed
    }
    assert all(step.row == by_uri.get(uri) and step.entry == first[uri] for uri, step in steps.items())
    assert all(step.why == expected[step.uri][1] for step in steps.values() if step.action is not Action.RENAME)
    assert [step.uri for step in found.deleted] == sorted(by_uri.keys() - first.keys())
    assert found.listed == sum(map(len, lists))
    assert found.listed == len(found.work) + len(found.remaining) + found.unchanged + len(found.outcomes)
    assert found.known == len(held)


def test_nothing_is_known_of_an_index_that_is_lost() -> None:
    found = survey([Listing(found=[entry("a.md")])], None, BY, TERMS)
    assert ([step.action for step in found.work], found.deleted, found.known) == ([Action.ADD], (), 0)


def test_an_unchanged_source_leaves_no_object_behind() -> None:
    names = [f"{number}.md" for number in range(50)]
    found = survey([Listing(found=[entry(name) for name in names])], ledger(*map(row, names)), BY, TERMS)
    assert (found.unchanged, found.work, found.remaining, found.deleted, found.outcomes) == (50, (), (), (), ())


def test_a_source_that_is_listed_twice_is_taken_once() -> None:
    sources = [Listing(found=[entry("a.md"), entry("new.md")]), Listing(found=[entry("a.md"), entry("new.md")])]
    found = survey(sources, ledger(row("a.md")), BY, TERMS)
    assert (found.unchanged, [step.uri for step in found.work]) == (1, ["new.md"])
    assert [(one.uri, one.status) for one in found.outcomes] == [("a.md", "ignored"), ("new.md", "ignored")]


def test_what_lies_below_a_folder_that_could_not_be_listed_is_not_gone() -> None:
    held = ledger(row("a.md"), row("shut/b.md"), row("shutter.md"), row("c.md"))
    found = survey([Listing(found=[entry("a.md"), unread("shut/")])], held, BY, TERMS)
    assert [step.uri for step in found.deleted] == ["c.md", "shutter.md"]


def test_a_uri_that_is_no_text_is_new_each_time_and_stops_nothing() -> None:
    found = survey([Listing(found=[entry("a\ud800.md"), entry("b.md")])], ledger(row("b.md")), BY, TERMS)
    assert ([step.uri for step in found.work], found.unchanged) == (["a\ud800.md"], 1)


def test_what_is_only_compared_comes_last() -> None:
    held = ledger(row("a.md"), row("b.md", size=9))
    found = survey([Listing(found=[entry("a.md"), entry("b.md")])], held, BY, replace(TERMS, detect="digest"))
    assert [(step.uri, step.action) for step in found.work] == [("b.md", Action.CHANGE), ("a.md", Action.CHECK)]


class TestRenames:
    """A new source may be one that is gone, if it has its size; its bytes decide."""

    def test_a_new_source_of_the_same_size_is_a_candidate(self) -> None:
        found = survey([Listing(found=[entry("new.md"), entry("other.md", 4)])], ledger(row("old.md")), BY, TERMS)
        assert [(step.uri, step.action, step.renamed_from) for step in found.work] == [
            ("new.md", Action.RENAME, "old.md"),
            ("other.md", Action.ADD, ""),
        ]
        claimed = found.moves.claim("bytes of old.md", "new.md")
        assert claimed is not None and claimed.row is not None and claimed.row.document_id == "id of old.md"
        assert found.moves.left(found.deleted) == ()

    def test_one_that_failed_is_carried_on_by_nothing(self) -> None:
        found = survey([Listing(found=[entry("new.md")])], ledger(row("old.md", status="failed")), BY, TERMS)
        assert (found.work[0].action, found.moves.claim("bytes of old.md", "new.md")) == (Action.ADD, None)

    def test_of_several_the_file_name_is_the_better_guess(self) -> None:
        held = ledger(row("old/x.md"), row("old/y.md"))
        found = survey([Listing(found=[entry("new/y.md"), entry("new/z.md")])], held, BY, TERMS)
        assert [step.renamed_from for step in found.work] == ["old/y.md", "old/x.md"]


def gone(found: Survey, options: RunOptions = OPTIONS) -> str:
    """What is said where it is refused."""
    with pytest.raises(SourceError) as caught:
        check_deletions(found, options)
    return str(caught.value)


class TestDeletions:
    """An index is not emptied because its source looks empty."""

    MANY = tuple(row(f"{number}.md") for number in range(10_000))

    def test_ten_thousand_that_are_gone_at_once_are_not_deleted_and_it_says_how_to_go_on(self) -> None:
        found = survey([Listing(found=[entry("0.md")])], ledger(*self.MANY), BY, TERMS)
        said = gone(found)
        assert "9,999 of 10,000" in said and "--max-delete 1" in said and "{max_delete: 1}" in said
        check_deletions(found, replace(OPTIONS, max_delete=1.0))

    def test_a_folder_of_ten_thousand_may_be_moved(self) -> None:
        moved = [entry(f"moved/{number}.md") for number in range(10_000)]
        found = survey([Listing(found=moved)], ledger(*self.MANY), BY, TERMS)
        check_deletions(found, OPTIONS)
        assert {step.action for step in found.work} == {Action.RENAME}
        with pytest.raises(SourceError, match="10,000 of 10,000"):
            check_deletions(found, OPTIONS, deleted=found.moves.left(found.deleted))

    def test_a_folder_that_is_empty_now_is_not_believed_however_few_were_there(self) -> None:
        assert "1 of 1" in gone(survey([Listing(found=[])], ledger(row("a.md")), BY, TERMS))

    def test_a_few_may_go_whatever_their_share(self) -> None:
        check_deletions(survey([Listing(found=[entry("0.md")])], ledger(*self.MANY[:21]), BY, TERMS), OPTIONS)

    def test_a_source_that_never_had_a_file_is_an_error(self) -> None:
        assert "no file to index" in gone(survey([Listing(found=[])], ledger(), BY, TERMS))

    def shares(self, third: Sequence[Entry]) -> Survey:
        """Three shares; the third had 50 of 1,050 documents."""
        held = [*(row(f"a/{n}.md") for n in range(500)), *(row(f"b/{n}.md") for n in range(500))]
        held += (row(f"c/{n}.md") for n in range(50))
        sources = [
            Listing(found=[entry(f"a/{n}.md") for n in range(500)], prefix="a/", path="/mnt/a"),
            Listing(found=[entry(f"b/{n}.md") for n in range(500)], prefix="b/", path="/mnt/b"),
            Listing(found=third, prefix="c/", path="/mnt/c"),
        ]
        return survey(sources, ledger(*held), BY, TERMS)

    def test_one_of_three_shares_that_shows_nothing_is_not_believed(self) -> None:
        said = gone(self.shares([]))
        assert "50 of 50" in said and "/mnt/c shows no file at all" in said

    def test_the_share_of_each_source_counts(self) -> None:
        assert "40 of 50 indexed documents are no longer in the source /mnt/c" in gone(
            self.shares([entry(f"c/{n}.md") for n in range(10)])
        )
        check_deletions(self.shares([entry(f"c/{n}.md") for n in range(40)]), OPTIONS)

    def test_of_sources_without_prefixes_one_that_shows_nothing_is_enough(self) -> None:
        held = ledger(*(row(f"{n}.md") for n in range(1000)))
        first = Listing(found=[entry(f"{n}.md") for n in range(950)], path="/mnt/a")
        silent, other = Listing(found=[], path="/mnt/b"), Listing(found=[entry("x.md", 9)], path="/mnt/b")
        assert "/mnt/b shows no file at all" in gone(survey([first, silent], held, BY, TERMS))
        check_deletions(survey([first, other], held, BY, TERMS), OPTIONS)

    def test_a_source_that_was_taken_out_of_the_pipeline_counts_as_a_part_of_all(self) -> None:
        found = survey(
            [Listing(found=[entry("a/0.md")], prefix="a/"), Listing(found=[entry("b/0.md")], prefix="b/")],
            ledger(row("a/0.md"), row("b/0.md"), row("c/0.md"), row("c/1.md")),
            BY,
            TERMS,
        )
        check_deletions(found, OPTIONS)
        assert len(found.deleted) == 2


@pytest.mark.parametrize(
    "year", [-2_208_988_800, 0, 4_102_444_800, 10_413_792_000], ids=["1900", "1970", "2100", "2300"]
)
def test_a_file_of_any_year_is_known_again_and_its_change_is_seen(year: int, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("alpha", encoding="utf-8")
    os.utime(file, (year, year))
    loader = FileLoader(path=str(tmp_path))
    (listed,) = loader.entries()
    assert isinstance(listed, Entry)
    held = ledger(row("a.md", size=listed.size, modified=listed.modified, last_tried=NOW - 1000))
    assert survey([loader], held, BY, TERMS).unchanged == 1
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert [step.action for step in survey([loader], held, BY, TERMS).work] == [Action.CHANGE]


def test_uris_of_one_hash_are_told_apart() -> None:
    known, listed = [row("a.md"), row("b.md"), row("c.md")], [entry("b.md"), entry("x.md"), entry("a.md")]
    with patch("docpipe.pipeline.ingest.known_columns.hash", lambda uri: 7, create=True):
        found = survey([Listing(found=listed)], ledger(*known), BY, TERMS)
    assert (found.unchanged, [step.uri for step in found.work]) == (2, ["x.md"])
    assert [step.uri for step in found.deleted] == ["c.md"]
