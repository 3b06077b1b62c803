"""The laws of splitting: spans tile the text, fit the limit, and break at the best places."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
