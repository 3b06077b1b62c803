"""What every index does over time: versions that stay as they are, rows that come back, another model."""

from typing import Any

from docpipe._ids import document_id
from docpipe.errors import IndexFailed, IndexMismatch
from docpipe.protocols import Budget, DocumentRows, Index, Reading, Shelved, Upkept
from docpipe.testing.samples import DIM, MODEL, Opened, chunk, document, embedded, refused, vectors

NEW, NEW_DIM = "another-model", 3


def texts(found: Reading, word: str) -> set[str]:
    """Texts of the chunks that a word finds."""
    hits = found.search_text(word, limit=99)
    return {one.text for one in found.fetch([key for key, _ in hits]).values()}


class VersionContract(Opened):
    """Snapshots, rows kept and brought back, repairs, a second model."""

    def test_a_snapshot_of_what_was_never_written_gives_nothing(self) -> None:
        found = self.make().snapshot()
        assert (found.version, found.model, found.dim, found.made_by) == (0, "", 0, "")
        assert found.search_text("word", limit=5) == []
        assert found.search_vector(vectors((1, 0, 0, 0)), limit=5) == [[]]
        assert found.fetch(["x"]) == {}
        assert found.vectors(["x"]) == {}

    def test_a_snapshot_says_its_model_and_how_it_was_made(self) -> None:
        index = self.make()
        index.open(model=MODEL, dim=DIM, made_by='{"use": "one"}')
        found = index.snapshot()
        assert (found.model, found.dim, found.made_by) == (MODEL, DIM, '{"use": "one"}')
        index.open(model=MODEL, dim=DIM)
        assert index.snapshot().made_by == '{"use": "one"}'
        index.open(model=MODEL, dim=DIM, made_by='{"use": "two"}')
        assert index.snapshot().made_by == '{"use": "two"}'

    def test_a_snapshot_stays_as_it_was(self) -> None:
        rows = document("a.md", "word one", "word two")
        index = self.opened(rows, document("b.md", "word three"))
        before = index.snapshot()
        index.replace([document("a.md", "word four")])
        index.delete([document_id("b.md")])
        assert texts(before, "word") == {"word one", "word two", "word three"}
        assert len(before.search_vector(vectors((1, 0, 0, 0)), limit=9)[0]) == 3
        assert [one.text for one in before.neighbours(rows.chunks[0].chunk, before=1, after=1)] == ["word two"]
        assert len(before.vectors([document_id("a.md")])) == 2
        after = index.snapshot()
        assert texts(after, "word") == {"word four"}
        assert after.version > before.version

    def test_a_snapshot_is_the_same_while_nothing_is_written(self) -> None:
        index = self.opened(document("a.md", "word"))
        assert index.snapshot() is index.snapshot()
        assert index.snapshot(latest=True) is index.snapshot()

    def test_readers_are_held_while_others_are_written(self) -> None:
        index = self.opened(document("a.md", "word one"))
        assert index.held() == 0
        held = index.hold()
        assert (index.hold(), index.held(), index.snapshot().version) == (held, held, held)
        index.replace([document("a.md", "word two"), document("b.md", "word three")])
        index.optimize(Budget(force=True))
        assert texts(index.snapshot(), "word") == {"word one"}
        assert texts(index.snapshot(latest=True), "word") == {"word two", "word three"}
        assert texts(index, "word") == {"word two", "word three"}
        assert index.publish() == index.versions()
        assert index.held() == 0
        assert texts(index.snapshot(), "word") == {"word two", "word three"}
        index.publish()

    def test_holding_what_was_never_written_holds_nothing(self) -> None:
        index = self.make()
        assert (index.hold(), index.held(), index.publish()) == (0, 0, 0)

    def test_rows_that_were_kept_come_back_as_they_were(self) -> None:
        one, two = document("a.md", "word one", "word two 世界"), document("b.md", "word three")
        index = self.opened(one, two, document("c.md", "word four"))
        ids = [one.document_id, two.document_id]
        kept = index.export([*ids, "gone"])
        vectors_before = {key: index.vectors([key]) for key in ids}
        assert set(kept) == set(ids)
        index.replace([document("a.md", "other"), document("b.md")])
        before = index.versions()
        version = index.replace([document("c.md", "word five")], restored=kept)
        assert version == index.versions() == before + 1
        assert texts(index, "word") == {"word one", "word two 世界", "word three", "word five"}
        chunks = [row.chunk for row in (*one.chunks, *two.chunks)]
        assert index.fetch([found.id for found in chunks]) == {found.id: found for found in chunks}
        for key in ids:
            found = index.vectors([key])
            assert {name: row.tobytes() for name, row in found.items()} == {
                name: row.tobytes() for name, row in vectors_before[key].items()
            }
        again = index.export(ids)
        index.replace([], restored=again)
        assert index.fetch([found.id for found in chunks]) == {found.id: found for found in chunks}

    def test_nothing_is_exported_of_what_is_not_there(self) -> None:
        assert self.make().export(["x"]) == {}
        assert self.opened(document("a.md", "one")).export(["x"]) == {}

    def test_kept_rows_come_back_into_an_empty_index(self) -> None:
        kept = self.opened(document("a.md", "word one")).export([document_id("a.md")])
        index = self.make()
        index.replace([], restored=kept)
        assert texts(index, "word") == {"word one"}

    def test_damaged_rows_are_refused_and_nothing_changes(self) -> None:
        index = self.opened(document("a.md", "word one"))
        kept = index.export([document_id("a.md")])
        broken = {key: data[: len(data) // 2] for key, data in kept.items()}
        refused(IndexFailed, lambda: index.replace([], restored=broken))
        refused(IndexFailed, lambda: index.replace([], restored={"x": b"nothing"}))
        assert texts(index, "word") == {"word one"}

    def test_what_is_held_is_listed_by_document(self) -> None:
        index = self.opened(document("a.md", "one", "two"), document("it's.md", "three"))
        assert index.document_ids() == {
            document_id("a.md"): Shelved("a.md", 2),
            document_id("it's.md"): Shelved("it's.md", 1),
        }
        assert self.make().document_ids() == {}

    def test_chunk_ids_are_listed_by_position(self) -> None:
        rows = document("a.md", *(f"text {number}" for number in range(12)))
        index = self.opened(rows, document("b.md", "other"))
        found = index.chunk_ids([rows.document_id, "gone"])
        assert found == {rows.document_id: tuple(row.chunk.id for row in rows.chunks)}

    def test_single_rows_are_removed(self) -> None:
        rows = document("a.md", "word one", "word two")
        index = self.opened(rows)
        index.remove_rows([rows.chunks[0].chunk.id, "unknown' OR '1'='1"])
        assert texts(index, "word") == {"word two"}
        index.remove_rows([])
        assert self.make().remove_rows(["x"]) == 0

    def test_upkeep_says_what_it_did_and_a_sound_index_has_no_faults(self) -> None:
        index = self.opened(document("a.md", "word one", "word two"), document("b.md", "word three"))
        assert isinstance(index.optimize(Budget(force=True)), Upkept)
        assert index.optimize() == Upkept(seconds=index.optimize().seconds) or index.optimize().done == ()
        index.rebuild_indexes()
        found = index.check()
        assert (found.rows, found.text_rows, found.model, found.dim, found.held) == (3, 3, MODEL, DIM, 0)
        assert found.found_by_text and found.found_by_vector
        assert (found.duplicates, found.bad_vectors, found.foreign, found.unreadable) == ((), (), (), ())
        assert found.leftovers == ()
        assert index.remove_unreadable() == ()
        assert self.make().check().rows == 0

    def _fill(self, index: Index, count: int) -> list[tuple[str, str]]:
        """Give up to `count` texts a vector that turns with their length."""
        found = index.missing_vectors(NEW, limit=count)
        made = vectors(*((1, len(content), 0) for _, content in found)) if found else None
        if made is not None:
            index.fill_vectors(NEW, [key for key, _ in found], made)
        return found

    def test_readers_go_on_with_the_old_model_until_the_switch(self) -> None:
        index = self.opened(document("a.md", "word one", "word two"), document("b.md", "word two", "word four!"))
        assert index.migration(model=MODEL, dim=DIM) == 0
        assert index.migration(model=NEW, dim=NEW_DIM) == 3
        index.open(model=NEW, dim=NEW_DIM)
        refused(IndexMismatch, lambda: index.open(model="third", dim=DIM))
        assert len(self._fill(index, 2)) == 2
        early = refused(IndexMismatch, lambda: index.switch(model=NEW))
        assert "1 texts have no vector of it yet" in early.message
        assert index.migration(model=NEW, dim=NEW_DIM) == 1
        before = index.snapshot()
        assert (before.model, before.dim) == (MODEL, DIM)
        assert len(before.search_vector(vectors((1, 0, 0, 0)), limit=9)[0]) == 4
        assert len(self._fill(index, 9)) == 1
        version = index.switch(model=NEW, made_by="{}")
        after = index.snapshot()
        assert (after.model, after.dim, after.made_by, after.version) == (NEW, NEW_DIM, "{}", version)
        assert index.held() == 0
        (hits,) = after.search_vector(vectors((1, len("Part > word four!"), 0)), limit=4)
        assert after.fetch([hits[0][0]])[hits[0][0]].text == "word four!"
        assert abs(hits[0][1] - 1) < 1e-5
        assert len(hits) == 4
        assert texts(after, "word") == {"word one", "word two", "word four!"}
        assert index.switch(model=NEW) == index.versions()
        assert index.migration(model=NEW, dim=NEW_DIM) == 0

    def test_after_a_switch_rows_of_the_new_model_are_written_and_those_of_the_old_refused(self) -> None:
        index = self.opened(document("a.md", "word one"))
        kept = index.export([document_id("a.md")])
        index.migration(model=NEW, dim=NEW_DIM)
        self._fill(index, 9)
        index.switch(model=NEW)
        refused(IndexMismatch, lambda: index.replace([document("b.md", "word two")]))
        refused(IndexMismatch, lambda: index.replace([], restored=kept))
        refused(IndexMismatch, lambda: index.open(model=MODEL, dim=DIM))
        row = embedded(chunk("word three", uri="c.md"), (1, 0, 0), model=NEW)
        index.replace([DocumentRows(document_id=row.chunk.document_id, chunks=(row,))])
        back = index.export([document_id("a.md")])
        index.delete([document_id("a.md")])
        index.replace([], restored=back)
        index.optimize(Budget(force=True))
        assert texts(index.snapshot(), "word") == {"word one", "word three"}
        assert len(index.search_vector(vectors((1, 0, 0)), limit=9)[0]) == 2
        assert index.check().leftovers == ()
        index.migration(model=MODEL, dim=DIM)
        found: list[Any] = index.missing_vectors(MODEL, limit=9)
        index.fill_vectors(MODEL, [key for key, _ in found], vectors(*[(1, 0, 0, 0)] * len(found)))
        index.switch(model=MODEL)
        assert len(index.snapshot().search_vector(vectors((1, 0, 0, 0)), limit=9)[0]) == 2

    def test_what_is_written_during_a_migration_lacks_only_its_new_texts(self) -> None:
        index = self.opened(document("a.md", "one", "two"), document("b.md", "three"))
        index.migration(model=NEW, dim=NEW_DIM)
        self._fill(index, 9)
        index.replace([document("a.md", "one", "new text")])
        index.delete([document_id("b.md")])
        assert index.migration(model=NEW, dim=NEW_DIM) == 1
        assert [content for _, content in self._fill(index, 9)] == ["Part > new text"]
        index.switch(model=NEW)
        assert index.stats().rows == 2

    def test_readers_that_are_held_stay_with_the_old_model_through_a_switch(self) -> None:
        index = self.opened(document("a.md", "one"))
        index.hold()
        index.migration(model=NEW, dim=NEW_DIM)
        self._fill(index, 9)
        index.switch(model=NEW)
        assert (index.snapshot().model, index.snapshot(latest=True).model) == (MODEL, NEW)
        assert len(index.snapshot().search_vector(vectors((1, 0, 0, 0)), limit=9)[0]) == 1
        index.publish()
        assert index.snapshot().model == NEW

    def test_vectors_of_a_wrong_shape_are_refused(self) -> None:
        import pytest

        index = self.opened(document("a.md", "one"))
        index.migration(model=NEW, dim=NEW_DIM)
        (found,) = index.missing_vectors(NEW, limit=9)
        for wrong in ((1, 0, 0, 0), (float("nan"), 0, 0)):
            with pytest.raises(ValueError, match="vector"):
                index.fill_vectors(NEW, [found[0]], vectors(wrong))
        index.fill_vectors(NEW, ["gone"], vectors((1, 0, 0)))
        assert index.migration(model=NEW, dim=NEW_DIM) == 1
