"""Which words of a question full-text search looks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.index.questions import question_words


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is the boiling point of water?", "boiling point water?"),
        ("to be or not to be", "to be or not"),
        ("What did the WHO say?", "WHO say?"),
        ("WHAT IS THE COST", "COST"),
        ("What's the don't-care value?", "don't-care value?"),
        ("中国的首都是哪里", "中国的首都是哪里"),
        ("the 首都 of 中国", "首都 中国"),
        ("cost cost cost", "cost"),
        ("U.S. GDP - 2024", "U.S. GDP 2024"),
        ("?!", ""),
        ("", ""),
        ("_ _", ""),
    ],
)
def test_small_words_go_where_others_stay(question: str, words: str) -> None:
    assert question_words(question, limit=1000) == words


@given(text=st.text(max_size=200), limit=st.integers(1, 50))
def test_it_is_bounded_and_made_of_the_questions_own_words(text: str, limit: int) -> None:
    found = question_words(text, limit=limit)
    assert len(found) <= limit
    assert all(part in text for part in found.split())


@given(text=st.text(max_size=200))
def test_a_question_with_a_letter_always_looks_for_something(text: str) -> None:
    assert bool(question_words(text, limit=1000)) == any(character.isalnum() for character in text)
