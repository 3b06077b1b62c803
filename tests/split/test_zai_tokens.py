"""Tokens as the platform counts: laws against a counter that is as unkind as its band allows, and the stand-in."""

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quick_retries import quick_retries as quick_retries
from standin import StandIn, counting, faults

from docpipe.chunk.layout import LayoutChunker
from docpipe.parse.markdown import MarkdownParser
from docpipe.split import tokenizers, zai_tokens
from docpipe.split.splitter import split
from docpipe.split.tokenizers import near, tokenizer
from docpipe.split.zai_samples import SAMPLES, Script
from docpipe.split.zai_tokens import SPREAD, UNSEEN, Band, Platform, ZaiTokens, by_script
from docpipe.types import Blob, Document, Source

PATH = "/tokenizer"
LOCAL = tokenizer("cl100k_base")
FRAME = 7
SAMPLE_TEXTS = {text for texts in SAMPLES.values() for text in texts}
PARTS = (
    "the pump |Wartungsvertrag |3.14 |заслонка |水泵的开关|。|水 |\n\n|. |, |état |👩\u200d👧|αβγ |日本語 |  |\n"
    "|unbelievably |(a) |§ 7 "
)
TEXTS = st.lists(st.sampled_from(PARTS.split("|")) | st.text(max_size=5), max_size=150).map("".join)


class Unkind:
    """Counts anything that the band allows, by the text's digest; notes what it was asked."""

    def __init__(self, ratio: float, share: float) -> None:
        self.ratio, self.share = ratio, share
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.asked.extend(texts)
        return [FRAME + (1 if text == "a" else self.count(text)) for text in texts]

    def count(self, text: str) -> int:
        luck = hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()[0] / 255 * 2 - 1
        sizes = by_script(text, LOCAL).items()
        strays = {script: 0.0 if text in SAMPLE_TEXTS else self.share * SPREAD[script] for script, _ in sizes}
        most = sum(self.ratio * tokens * (1 + luck * strays[script]) for script, tokens in sizes)
        return min(len(text.encode("utf-8", "surrogatepass")), int(most))


def nobody(texts: Sequence[str]) -> None:
    return None


def read(text: str) -> Document:
    data = text.encode()
    source = Source(uri="a.md", digest="1", media_type="text/markdown", size=len(data), modified=0)
    (document,) = MarkdownParser()(Blob(source=source, data=data))
    return document


def hundred_pages() -> str:
    rng = random.Random(3)
    sentences = [f"{part.strip()}." for text in SAMPLES["latin"] for part in text.split(". ")]
    paragraphs = [" ".join(rng.choices(sentences, k=rng.randint(1, 6))) for _ in range(520)]
    return "\n\n".join(f"## Part {n}\n\n{text}" if n % 5 == 0 else text for n, text in enumerate(paragraphs))


@settings(max_examples=60)
@given(text=TEXTS, limit=st.integers(20, 120), ratio=st.floats(0.6, 1.5), share=st.floats(0, 0.95))
def test_no_part_is_above_the_limit_however_the_platform_counts(
    text: str, limit: int, ratio: float, share: float
) -> None:
    platform = Unkind(ratio, share)
    spans = list(split(text, limit=limit, tokenizer=ZaiTokens.asking(platform, local=LOCAL)))
    assert "".join(span.of(text) for span in spans) == text
    assert all(platform.count(span.of(text)) <= limit for span in spans)


@settings(max_examples=60)
@given(text=TEXTS, limit=st.integers(20, 120), luck=st.floats(0, 1))
def test_without_anybody_to_ask_the_same_holds_in_the_wider_band(text: str, limit: int, luck: float) -> None:
    def count(part: str) -> int:
        most = sum(UNSEEN[script].high * tokens for script, tokens in by_script(part, LOCAL).items())
        return min(len(part.encode("utf-8", "surrogatepass")), int(luck * most))

    spans = list(split(text, limit=limit, tokenizer=ZaiTokens.asking(nobody, local=LOCAL)))
    assert "".join(span.of(text) for span in spans) == text
    assert all(count(span.of(text)) <= limit for span in spans)


@settings(max_examples=60)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), limit=st.integers(0, 200), ratio=st.floats(0.6, 1.5))
def test_no_count_is_too_low_for_any_decision_about_the_limit(texts: list[str], limit: int, ratio: float) -> None:
    platform = Unkind(ratio, 0.95)
    counts = near(ZaiTokens.asking(platform, local=LOCAL), limit).count_many(texts)
    for text, count in zip(texts, counts, strict=True):
        true = platform.count(text)
        assert true <= count or (limit and true <= max(limit // 8 + 1, count * 1.2) <= limit)
        assert (count <= limit) <= (true <= limit) or not limit


def test_what_is_counted_does_not_depend_on_what_was_counted_before() -> None:
    texts = ["The pump is off. " * 9, "水泵的开关在侧面。" * 20, "Насос выключен. " * 30, "pump 水 насос " * 25]
    found = set()
    for order in permutations(texts):
        counter = ZaiTokens.asking(Unkind(0.9, 0.5), local=LOCAL).at(100)
        counts = {text: counter.count(text) for text in order}
        found.add(tuple(counts[text] for text in texts))
    assert len(found) == 1


@pytest.mark.parametrize(("most", "calls"), [(256, 80), (512, 30)])
def test_a_hundred_pages_need_few_calls(monkeypatch: pytest.MonkeyPatch, most: int, calls: int) -> None:
    platform = Unkind(1.05, 0.8)
    counter = ZaiTokens.asking(platform, local=LOCAL)
    monkeypatch.setitem(tokenizers.TOKENIZERS, "zai", lambda: counter)
    chunks = list(LayoutChunker(max_tokens=most, tokenizer="zai")(read(hundred_pages())))
    sizes = [platform.count(one.content) for one in chunks]
    samples = [text for text in platform.asked if text in SAMPLE_TEXTS]
    assert sum(sizes) > 50_000
    assert max(sizes) <= most
    assert len(platform.asked) == len(set(platform.asked)) < calls
    assert len(samples) <= len(SAMPLE_TEXTS)


def test_nothing_is_asked_where_nobody_has_a_limit() -> None:
    platform = Unkind(1.0, 0.0)
    counter = ZaiTokens.asking(platform, local=LOCAL)
    assert counter.count("word " * 400) > 400
    assert platform.asked == []


def test_a_text_near_the_limit_is_asked_about_once_and_counted_exactly() -> None:
    platform = Unkind(1.0, 0.0)
    counter = ZaiTokens.asking(platform, local=LOCAL).at(100)
    text = "word " * 99 + "word"
    assert [counter.count(text), *counter.count_many([text, text])] == [100, 100, 100]
    assert platform.asked.count(text) == 1
    assert counter.count("word " * 300) > 300
    assert counter.count("word " * 20) in range(20, 30)
    assert platform.asked.count("a") == 1
    assert set(platform.asked) == {"a", *SAMPLES["latin"], text}


@pytest.mark.parametrize("script", ["latin", "cjk", "other"])
def test_the_band_follows_the_platform(script: Script) -> None:
    counter = ZaiTokens.asking(Unkind(0.8, 0.0), local=LOCAL).at(50)
    counter.count(SAMPLES[script][0])
    low, high = counter.known.bands[script]
    assert low == pytest.approx(0.8 * (1 - SPREAD[script]), rel=0.03)
    assert high == pytest.approx(0.8 * (1 + SPREAD[script]), rel=0.03)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(lambda texts: [1] * len(texts), id="always-one"),
        pytest.param(lambda texts: [10**12] * len(texts), id="huge"),
        pytest.param(lambda texts: [0] * len(texts), id="zero"),
        pytest.param(lambda texts: [5], id="too-few"),
    ],
)
def test_replies_that_no_tokenizer_gives_do_not_spoil_the_counts(reply: Callable[[Sequence[str]], list[int]]) -> None:
    counter = ZaiTokens.asking(reply, local=LOCAL).at(100)
    text = "The pump is switched off. " * 15
    local = LOCAL.count(text)
    assert UNSEEN["latin"].low * local - 3 <= counter.count(text) <= len(text)
    assert counter.known.bands == UNSEEN


def test_a_text_above_its_band_widens_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = ZaiTokens.asking(lambda texts: [FRAME + 2 * LOCAL.count(text) for text in texts], local=LOCAL).at(100)
    monkeypatch.setattr(counter.known, "compare", lambda scripts: counter.known.bands.update({"latin": Band(0.9, 1.1)}))
    assert counter.count("word " * 95) == 192
    assert counter.count("term " * 200) > 350


def test_against_the_platform_the_frame_is_taken_off(platform: StandIn) -> None:
    counter = ZaiTokens.asking(Platform(), local=LOCAL).at(70)
    text = " ".join(["pump"] * 60)
    assert counter.count(text) == counting.count(text) == 60
    bodies = [call.body for call in platform.calls(PATH)]
    assert {body["model"] for body in bodies} == {"glm-4.6"}
    assert len(bodies) == 2 + len(SAMPLES["latin"])


def test_the_named_tokenizer_works_without_a_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    counter = ZaiTokens.asking(Platform(), local=LOCAL).at(100)
    with caplog.at_level(logging.WARNING, logger="docpipe.split"):
        counts = [counter.count(f"{n} " + "word " * 90) for n in range(20)]
    assert min(counts) >= 90
    assert caplog.text.count("tokens are estimated") == 1
    assert "ZAI_API_KEY is not set" in caplog.text
    assert tokenizer("zai").name == "zai"


def test_a_platform_that_fails_is_left_in_peace_and_asked_again_later(
    platform: StandIn, quick_retries: None, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    asking = Platform(clock=lambda: now[0])
    platform.fault(PATH, faults.error("1234"), times=-1)
    assert asking(["one", "two"]) is None
    sent = len(platform.calls(PATH))
    assert asking(["three"]) is None
    assert len(platform.calls(PATH)) == sent
    platform.mend()
    now[0] += 61
    assert asking(["four"]) == [counting.prompt_tokens([{"role": "user", "content": "four"}])]


def test_a_platform_that_hangs_does_not_hold_a_document_up(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zai_tokens, "_PATIENCE", 0.2)
    platform.fault(PATH, faults.hang(), times=-1)
    assert Platform()(["one"]) is None


def test_letters_that_utf_8_cannot_write_do_not_stop_the_count(platform: StandIn) -> None:
    counter = ZaiTokens.asking(Platform(), local=LOCAL).at(50)
    assert counter.count("a\ud800b " * 20) > 0
