"""shared_rows: what of a question one row of a table holds."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe.retrieve.fusion import Fused, raised
from docpipe.retrieve.table_rows import shared_rows

HEADER = "Stores\nItem | Part | Store | Price"
WHOLE = f"{HEADER}\n1 | brass anchor | north quay | 3.50\n2 | oak mast | dry dock | 8.10"
PARTS = f"{HEADER}\n3 | brass mast | dry dock | 1.20\n4 | oak anchor | north quay | 7.70"
PROSE = "The price of the brass anchor in the north quay is set by the warden."
QUESTION = "What is the price of the brass anchor in the north quay?"


def test_the_row_that_holds_the_whole_question_counts_more_than_two_that_hold_it_in_parts() -> None:
    whole, parts = shared_rows(QUESTION, [WHOLE, PARTS])
    assert whole == 1.0
    assert 0 < parts < 0.8


def test_a_row_with_the_small_words_of_a_question_that_prose_answers_counts_little() -> None:
    prose = "The warden of the lighthouse paints its lantern every second spring, when the tide is low."
    _, row = shared_rows("When does the warden paint the lantern of the lighthouse?", [prose, WHOLE])
    assert row < 0.2


def test_prose_has_no_rows() -> None:
    assert shared_rows(QUESTION, [PROSE, PROSE]) == [0.0, 0.0]
    assert shared_rows(QUESTION, []) == []


def test_names_of_columns_and_what_stands_above_hold_for_each_row() -> None:
    assert shared_rows("price of the stores", [WHOLE]) == [1.0]


def test_a_row_alone_brings_a_candidate_to_the_top() -> None:
    found = [Fused(id=name, score=score, found_by=("text",)) for name, score in (("a", 0.5), ("b", 0.45), ("c", 0.3))]
    assert [one.id for one in raised(found, [0.0, 0.0, 0.0], [0.4, 0.3, 1.0])] == ["c", "a", "b"]


@given(question=st.text(max_size=40), texts=st.lists(st.text(alphabet="ab1 |\n表", max_size=60), max_size=6))
def test_figures_are_parts_of_one(question: str, texts: list[str]) -> None:
    figures = shared_rows(question, texts)
    assert len(figures) == len(texts)
    assert all(0 <= figure <= 1.000001 for figure in figures)
