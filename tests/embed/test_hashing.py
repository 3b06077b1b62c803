"""Laws of the hashing embedder, and what must not be lost by its speed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.embed.hashing import HashingEmbedder
from docpipe.protocols import Embedder

EMBEDDER: Embedder = HashingEmbedder(dim=64)


@given(texts=st.lists(st.text(), max_size=8))
def test_rows_have_length_one_and_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    together = EMBEDDER.embed_passages(texts)
    assert together.shape == (len(texts), 64) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, EMBEDDER.embed_passages([text])[0])


@given(words=st.lists(st.text("abcdeé中文字", min_size=1, max_size=6), min_size=1, max_size=9), seed=st.randoms())
def test_only_the_bag_of_words_counts(words: list[str], seed: object) -> None:
    shuffled = list(words)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = EMBEDDER.embed_passages([" ".join(words), ", ".join(shuffled).upper() + "!"])
    assert np.allclose(one, other, atol=1e-6)


def test_texts_that_share_words_are_nearer_than_those_that_do_not() -> None:
    vectors = HashingEmbedder().embed_passages(["the pump is broken", "a broken pump", "annual report of 2019"])
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2]


def test_chinese_characters_and_latin_words_beside_them_are_words_of_their_own() -> None:
    vectors = HashingEmbedder().embed_passages(["模型GPT四", "四 gpt 模型", "模型"])
    assert np.array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] > 0.5


def test_a_text_in_a_later_block_gets_the_same_vector_as_alone() -> None:
    texts = [f"word{number} " * 3000 for number in range(40)]
    together = EMBEDDER.embed_passages(texts)
    assert np.array_equal(together[37], EMBEDDER.embed_passages([texts[37]])[0])


def test_a_text_without_words_and_a_half_surrogate_still_have_a_vector() -> None:
    vectors = EMBEDDER.embed_passages(["", " \n!", "\ud800 word"])
    assert np.array_equal(vectors[0], vectors[1])
    assert np.isfinite(vectors).all()


def test_the_dimension_is_part_of_its_identity_and_the_batch_size_is_not() -> None:
    assert HashingEmbedder(dim=8).model != HashingEmbedder(dim=16).model
    assert HashingEmbedder(batch_size=1) == HashingEmbedder(batch_size=9)


@pytest.mark.parametrize("option", ["dim", "batch_size"])
def test_sizes_below_one_are_refused_by_name(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be positive, got 0"):
        HashingEmbedder(**{option: 0})
