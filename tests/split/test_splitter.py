"""The laws of splitting: spans tile the text, fit the limit, and break at the best places."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.errors import SplitError
from docpipe.split.splitter import split
from docpipe.split.tokenizers import TOKENIZERS, tokenizer

NAMES = list(TOKENIZERS)
WORDS = st.sampled_from(
    ["word ", "Sentence ends. ", "e.g. this ", "\n\n", "\n", "3.14 ", "中文句子。", "他说：“好！”",
     "，", "然后；", "👩‍👩‍👧", "🇨🇳",
     "e\u0301", "x" * 30, " " * 9, "\x00", "\u200b", "한국어 ", "[SEP]", "…", "\ud800",
     "\r\n", "ß", "\x0c", "https://a.b/c?d=e "]
)  # fmt: skip
TEXTS = st.text(max_size=200) | st.lists(WORDS | st.text(max_size=5), max_size=80).map("".join)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS, limit=st.integers(16, 60), context=st.integers(0, 4))
def test_spans_tile_the_text_and_fit(name: str, text: str, limit: int, context: int) -> None:
    counter = tokenizer(name)
    spans = list(split(text, limit=limit, tokenizer=counter, context_tokens=context))
    assert "".join(span.of(text) for span in spans) == text
    assert all(counter.count(span.of(text)) + context + counter.special_tokens <= limit for span in spans)
    assert all(spans)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None)
@given(text=TEXTS, limit=st.integers(16, 60), overlap=st.integers(1, 12))
def test_overlapping_spans_cover_the_text_and_fit(name: str, text: str, limit: int, overlap: int) -> None:
    counter = tokenizer(name)
    spans = list(split(text, limit=limit, tokenizer=counter, overlap=overlap))
    assert not text or (spans[0].start, spans[-1].end) == (0, len(text))
    for before, after in pairwise(spans):
        assert before.start < after.start <= before.end < after.end
    assert all(counter.count(span.of(text)) + counter.special_tokens <= limit for span in spans)


def parts(text: str, limit: int, name: str = "characters", **options: int) -> list[str]:
    """The text of each span."""
    return [span.of(text) for span in split(text, limit=limit, tokenizer=tokenizer(name), **options)]


def test_paragraphs_are_cut_before_sentences_and_sentences_before_words() -> None:
    text = "First one here. Second one.\n\nThird one is here. Fourth, longer one, with commas."
    assert parts(text, 30) == [
        "First one here. Second one.\n\n",
        "Third one is here. ",
        "Fourth, longer one, ",
        "with commas.",
    ]


def test_chinese_is_cut_at_its_own_marks() -> None:
    text = "今天天气很好。我们去公园散步，看到了许多花；真美！你呢？"
    assert parts(text, 16) == ["今天天气很好。", "我们去公园散步，看到了许多花；", "真美！你呢？"]


def test_the_last_part_is_not_a_remnant() -> None:
    text = "One two three four. " * 11
    sizes = [len(part) for part in parts(text, 200)]
    assert len(sizes) == 2 and min(sizes) >= 80


def test_a_character_of_several_code_points_stays_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    found = parts(family * 5, 12)
    assert len(found) <= 4 and all(part == family * (len(part) // len(family)) for part in found)
    assert parts(family, 2) == ["👩\u200d", "👩\u200d", "👧"]


def test_a_word_longer_than_the_limit_is_cut() -> None:
    assert parts("x" * 50, 20) == ["x" * 16, "x" * 16, "x" * 18]


def test_a_word_that_the_model_does_not_know_is_still_bounded() -> None:
    text = "x" * 100_000
    assert tokenizer("bge-small-en").count(text) < 10
    assert max(len(part) for part in parts(text, 100, "bge-small-en")) <= 32 * 100


def test_overlap_repeats_whole_sentences() -> None:
    text = "Alpha beta gamma. Delta eps. Zeta eta theta. Iota kappa. "
    assert parts(text, 32, overlap=12)[:2] == ["Alpha beta gamma. Delta eps. ", "Delta eps. Zeta eta theta. "]


def test_an_empty_text_has_no_parts_and_a_short_one_is_one() -> None:
    assert parts("", 5) == []
    assert parts(" a ", 5) == [" a "]


def test_a_limit_without_room_for_text_is_refused() -> None:
    with pytest.raises(
        SplitError, match=r"limit of 6 tokens leaves no room.*4 go to the context.*2 to special.*above 6"
    ):
        parts("a", 6, "bge-small-en", context_tokens=4)


def test_a_character_that_does_not_fit_is_named() -> None:
    with pytest.raises(SplitError, match=r"'한' alone takes 3 tokens.*room for 2.*raise the limit by at least 1"):
        parts("한", 4, "bge-small-en")


def test_an_overlap_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match=r"overlap must be at least 0 and below the room for text \(5\), got 5"):
        parts("a", 5, overlap=5)


@pytest.mark.parametrize("text", ["word " * 40_000, "x" * 200_000, "好" * 60_000, "\n" * 200_000, "a.\n\n" * 50_000])
def test_work_grows_with_the_text_and_no_faster(text: str) -> None:
    class Counting:
        name, special_tokens, spaces, seen = "counting", 0, "free", 0

        def count(self, text: str, /) -> int:
            self.seen += len(text)
            return tokenizer("bge-small-en").count(text)

        def count_many(self, texts: Sequence[str], /) -> list[int]:
            self.seen += sum(map(len, texts))
            return tokenizer("bge-small-en").count_many(texts)

    counter = Counting()
    for _ in split(text, limit=64, tokenizer=counter):
        pass
    assert counter.seen <= 6 * len(text)
