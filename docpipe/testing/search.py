"""What every index does with documents: it replaces them whole, and finds them by words and by vectors."""

import threading

from docpipe._ids import document_id, text_key
from docpipe.errors import IndexMismatch, InvalidOption
from docpipe.index.filters import quoted
from docpipe.protocols import Budget, DocumentRows
from docpipe.testing.samples import AWKWARD, DIM, MODEL, Opened, chunk, document, embedded, refused, vectors
from docpipe.types import BlockKind, Chunk, Source, Span


class SearchContract(Opened):
    """An index holds what it was given, and finds it."""

    def test_an_index_that_was_never_written_gives_nothing(self) -> None:
        index = self.make()
        assert index.versions() == 0
        assert index.search_text("word", limit=5) == []
        assert index.search_vector(vectors((1, 0, 0, 0)), limit=5) == [[]]
        assert index.fetch(["x"]) == {}
        assert index.vectors(["x"]) == {}
        assert index.stats().rows == 0
        index.optimize()
        index.delete(["x"])

    def test_an_opened_index_without_rows_gives_nothing(self) -> None:
        index = self.opened()
        assert index.search_text("word", limit=5) == []
        assert index.search_vector(vectors((1, 0, 0, 0), (0, 1, 0, 0)), limit=5) == [[], []]
        index.optimize()
        assert index.stats().rows == 0

    def test_what_was_put_in_comes_out_whole(self) -> None:
        rows = document("a.md", "alpha beta", "gamma 世界")
        index = self.opened(rows)
        found = index.fetch([row.chunk.id for row in rows.chunks] + ["gone"])
        assert found == {row.chunk.id: row.chunk for row in rows.chunks}

    def test_bare_chunks_come_out_whole_too(self) -> None:
        bare = Chunk(
            id="c",
            document_id="d",
            source=Source(uri="", media_type="", digest="", size=0, modified=0),
            span=Span(0, 1),
            text="x",
            context="",
            headings=(),
            block_ids=(),
            kind=BlockKind.TABLE,
            pages=(),
            boxes=(),
            token_count=1,
            position=0,
        )
        index = self.opened(DocumentRows(document_id="d", chunks=(embedded(bare),)))
        assert index.fetch(["c"]) == {"c": bare}

    def test_replacing_a_document_leaves_nothing_of_the_old_one(self) -> None:
        index = self.opened(document("a.md", "old one", "old two"), document("b.md", "other"))
        index.replace([document("a.md", "new one")])
        assert index.stats().rows == 2
        assert index.search_text("old", limit=5) == []
        assert len(index.search_text("new", limit=5)) == 1
        assert len(index.search_text("other", limit=5)) == 1

    def test_writing_the_same_again_adds_nothing(self) -> None:
        rows = document("a.md", "one", "two")
        index = self.opened(rows)
        index.replace([rows])
        assert (index.stats().rows, index.stats().documents) == (2, 1)

    def test_a_document_without_chunks_disappears(self) -> None:
        index = self.opened(document("a.md", "one"), document("b.md", "two"))
        index.replace([DocumentRows(document_id=document_id("a.md"), chunks=())])
        assert index.stats().rows == 1
        assert index.search_text("one", limit=5) == []

    def test_the_last_of_two_versions_in_one_batch_counts(self) -> None:
        index = self.opened(document("a.md", "first"), document("a.md", "second"))
        assert index.stats().rows == 1
        assert index.search_text("first", limit=5) == []

    def test_one_batch_is_one_version(self) -> None:
        index = self.opened(document("x.md", "warm"))
        before = index.versions()
        after = index.replace([document("a.md", "one", "two"), document("b.md", "three"), document("x.md")])
        assert (after, index.versions()) == (before + 1, before + 1)

    def test_deleting_removes_these_documents_and_no_others(self) -> None:
        index = self.opened(*(document(uri, "word") for uri in AWKWARD))
        for left, uri in zip(range(len(AWKWARD) - 1, -1, -1), AWKWARD, strict=True):
            index.delete([document_id(uri), "unknown' OR '1'='1"])
            assert index.stats().rows == left

    def test_ids_with_quotes_are_only_ids(self) -> None:
        odd = "x' OR '1'='1"
        index = self.opened(document("a.md", "one"))
        index.replace([DocumentRows(document_id=odd, chunks=())])
        index.delete([odd])
        assert index.fetch([odd]) == {}
        assert index.vectors([odd]) == {}
        assert index.stats().rows == 1

    def test_another_model_or_dimension_is_refused_and_nothing_changes(self) -> None:
        index = self.opened(document("a.md", "one"))
        error = refused(IndexMismatch, lambda: index.open(model="another", dim=DIM))
        assert MODEL in str(error)
        assert "another" in str(error)
        refused(IndexMismatch, lambda: index.open(model=MODEL, dim=DIM + 1))
        row = embedded(chunk("two", uri="b.md"), model="another")
        refused(IndexMismatch, lambda: index.replace([DocumentRows(document_id="b", chunks=(row,))]))
        index.open(model=MODEL, dim=DIM)
        assert index.stats().rows == 1

    def test_vectors_are_found_by_falling_cosine(self) -> None:
        index = self.opened(document("a.md", "one", "two", "three"))
        (hits,) = index.search_vector(vectors((1, 0, 0, 0.01)), limit=2)
        texts = [index.fetch([key])[key].text for key, _ in hits]
        assert texts == ["one", "two"]
        assert abs(hits[0][1] - 1) < 1e-5
        assert hits[0][1] > hits[1][1]

    def test_many_questions_at_once_are_answered_as_one_by_one(self) -> None:
        index = self.opened(document("a.md", *(f"text {n}" for n in range(12))))
        questions = vectors((1, 0, 0, 0), (1, 1, 0, 0), (0, 1, 0, 0))
        together = index.search_vector(questions, limit=5)
        alone = [index.search_vector(questions[n : n + 1], limit=5)[0] for n in range(3)]
        assert [[key for key, _ in hits] for hits in together] == [[key for key, _ in hits] for hits in alone]
        assert all(len(hits) == 5 for hits in together)

    def test_a_question_of_another_length_is_refused(self) -> None:
        index = self.opened(document("a.md", "one"))
        error = refused(IndexMismatch, lambda: index.search_vector(vectors((1, 0)), limit=1))
        assert "length 4" in error.message

    def test_a_question_of_zeros_is_no_error(self) -> None:
        index = self.opened(document("a.md", "one", "two"))
        (hits,) = index.search_vector(vectors((0, 0, 0, 0)), limit=5)
        assert all(-1 <= score <= 1 for _, score in hits)

    def test_words_are_found_in_english_and_chinese(self) -> None:
        simplified = document("zh.md", "人工智能正在改变世界经济的发展方式", "今天的天气非常好", language="zh")
        traditional = document("tw.md", "台灣的鐵路運輸歷史悠久", "圖書館收藏古代文獻", language="zh")
        index = self.opened(document("en.md", "The railway opened in 1912.", "Nothing here"), simplified, traditional)
        for _ in range(2):
            for question, expected in (
                ("When did the RAILWAY open?", "railway"),
                ("经济发展", "经济"),
                ("鐵路運輸", "鐵路"),
                ("古代文獻在哪裡?", "文獻"),
            ):
                best = index.search_text(question, limit=3)[0][0]
                assert expected in index.fetch([best])[best].text
            index.optimize(Budget(force=True))

    def test_rows_written_after_an_upkeep_are_found(self) -> None:
        index = self.opened(document("a.md", "alpha"))
        index.optimize(Budget(force=True))
        index.replace([document("b.md", "omega 新加坡")])
        assert len(index.search_text("omega", limit=5)) == 1
        assert len(index.search_text("新加坡", limit=5)) == 1
        index.optimize()
        assert index.stats().text_rows == 2

    def test_any_text_is_a_question(self) -> None:
        index = self.opened(document("a.md", "plain words"))
        for nothing in ("", "   ", "?!...", "\x00", '"', "AND", "((("):
            assert index.search_text(nothing, limit=5) == []
        for some in ('words AND ("', "words:*~^2", "words\ud800", "\x00words plain", "words " + "w" * 100_000):
            assert len(index.search_text(some, limit=5)) == 1, some[:20]
        assert len(index.search_text("plain " * 50_000, limit=5)) == 1

    def test_filters_hold_for_both_searches(self) -> None:
        index = self.opened(document("a.md", "word", "word"), document("b.md", "word 世", language="zh"))
        for where, count in (
            ("language = zh", 1),
            ("language=en", 2),
            ("uri = a.md and page >= 3", 1),
            ("uri ~ '?.md'", 3),
            ("not uri = a.md", 1),
            ("page = 9", 0),
            ("modified = 2024-05-01", 3),
            ("modified > 2024-05-01", 0),
            ("kind in (table, paragraph) and size = 7", 3),
            ("created >= 2024 and created < 2024-06", 3),
            ("not created = 2024-05", 0),
            ("authors ~ '*王伟*' and meta.subject = '100%_x'", 3),
            ("meta.subject ~ '100_x*'", 0),
            ("meta.nothing = '' and meta.modified != 2024", 3),
            ("meta.modified < 2024 or meta.modified >= 2024", 0),
        ):
            assert len(index.search_text("word", limit=9, where=where)) == count, where
            assert len(index.search_vector(vectors((1, 0, 0, 0)), limit=9, where=where)[0]) == count, where

    def test_filters_take_any_character_in_a_value(self) -> None:
        index = self.opened(*(document(uri, "word") for uri in AWKWARD))
        for uri in AWKWARD:
            hits = index.search_text("word", limit=9, where=f"uri = {quoted(uri)}")
            assert [hit.source.uri for hit in index.fetch([key for key, _ in hits]).values()] == [uri]

    def test_a_wrong_filter_is_refused_even_by_an_empty_index(self) -> None:
        index = self.make()
        refused(InvalidOption, lambda: index.search_text("word", limit=1, where="colour = red"))
        refused(InvalidOption, lambda: index.search_vector(vectors((1, 0, 0, 0)), limit=1, where="language ="))

    def test_neighbours_stand_around_a_chunk(self) -> None:
        rows = document("a.md", "zero", "one", "two", "three")
        index = self.opened(rows, document("b.md", "other"))
        found = index.neighbours(rows.chunks[1].chunk, before=1, after=2)
        assert [one.text for one in found] == ["zero", "two", "three"]

    def test_vectors_come_back_by_the_key_of_their_text(self) -> None:
        import numpy as np

        rows = document("a.md", "one", "two")
        index = self.opened(rows, document("b.md", "three"))
        found = index.vectors([document_id("a.md")])
        assert set(found) == {text_key(row.chunk.content) for row in rows.chunks}
        for row in rows.chunks:
            assert np.allclose(found[text_key(row.chunk.content)], row.vector)

    def test_searches_from_many_threads_agree(self) -> None:
        index = self.opened(document("a.md", *(f"word {n}" for n in range(20))))
        expected = index.search_text("word 7", limit=5)
        found: list[object] = []

        def ask() -> None:
            found.append(index.search_text("word 7", limit=5))
            found.append(len(index.search_vector(vectors((1, 0, 0, 0)), limit=5)[0]))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found.count(expected) == 8
        assert found.count(5) == 8
