"""`why`: at which stage a page was lost, one test for each stage that can lose it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import docpipe
from docpipe import _ids, cli
from docpipe.chat.extractive import ExtractiveChat
from docpipe.chat.glm import GlmChat
from docpipe.errors import InvalidOption, SnapshotGone
from docpipe.pipeline.golden import tracing
from docpipe.pipeline.golden.questions import Spot
from docpipe.pipeline.golden.ranking import Ranking
from docpipe.types import HIDDEN, BBox, Block, BlockKind, Document, Page, Source, Span

PIPELINE = """
version: 1
name: island
source: {use: load.files, path: docs, exclude: [drafts]}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 200, overlap: 0}
  - use: embed.hashing
index: {use: index.lancedb, uri: ./index}
retrieve: {limit: 2}
run: {workers: 1}
chat: {use: chat.extractive, reader: none, limit: 2, confidence: 0}
"""
BUILT = "When was the lighthouse built?"
FROZEN = "lighthouse built harbour freezes winters"
FILES = {
    "tower.md": "# Tower\n\nThe lighthouse was built in 1911.\n",
    "harbour.md": "# Harbour\n\nThe harbour freezes in hard winters.\n",
    "ferry.md": "# Ferry\n\nThe ferry calls on Mondays.\n",
    "mill.md": "# Mill\n\nThe mill grinds oats.\n",
    "copy of mill.md": "# Mill\n\nThe mill grinds oats.\n",
    "gone.md": "# Gone\n\nThis has no rows any more.\n",
    "drafts/tower.md": "# Tower\n\nA draft.\n",
    "broken.pdf": "%PDF-1.7 and nothing else",
}


@pytest.fixture(scope="module")
def island(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docpipe.Pipe]:
    """A pipeline that has run; since then a document lost its rows, and a file came."""
    folder = tmp_path_factory.mktemp("island")
    for name, text in FILES.items():
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    (folder / "island.yaml").write_text(PIPELINE, encoding="utf-8")
    with docpipe.open(folder / "island.yaml") as pipe:
        assert pipe.run().failed == 1
        pipe.stages.index.delete([_ids.document_id("gone.md")])
        (folder / "docs" / "new.md").write_text("# New\n\nThe mill was built in 1790.\n", encoding="utf-8")
        yield pipe


def changed(pipe: docpipe.Pipe, answerer: Any = None, **retrieve: Any) -> docpipe.Pipe:
    """The same index behind other options."""
    stages = replace(pipe.stages, retrieve=replace(pipe.stages.retrieve, **retrieve))
    return docpipe.Pipe(stages if answerer is None else replace(stages, answerer=answerer))


def test_a_place_that_is_quoted_was_not_lost(island: docpipe.Pipe) -> None:
    found = island.why(BUILT, "tower.md")
    assert found.lost is None
    assert [look.stage for look in found.looks] == [
        *("ledger", "parsed", "chunked", "indexed", "vectors", "words", "vector leg", "text leg", "fused", "search"),
        "answer",
    ]
    assert {look.stage: look.rank for look in found.looks if look.rank}["search"] == 1
    assert found.verdict.startswith("tower.md was not lost: quoted as [1]: “The lighthouse was built in 1911.”")
    assert found.remedies == ()


@pytest.mark.parametrize(
    ("expect", "stage", "said", "remedy"),
    [
        ("towr.md", "source", "holds no such file", "did you mean tower.md?"),
        ("drafts/tower.md", "source", "its folder drafts/ ignored", "change `exclude`"),
        ("new.md", "ledger", "not indexed yet", "docpipe run"),
        ("broken.pdf", "ledger", "failed: parse", ""),
        ("tower.md#p2", "parsed", "its format knows none", "expect tower.md"),
        ("gone.md", "indexed", "the index holds no chunk of it", "docpipe doctor --fix"),
    ],
)
def test_what_is_not_in_the_index(island: docpipe.Pipe, expect: str, stage: str, said: str, remedy: str) -> None:
    found = island.why(BUILT, expect)
    assert found.lost is not None
    assert found.lost.stage == stage
    assert found.lost == found.looks[-1]
    assert said in found.lost.said
    assert remedy in "".join(found.remedies)
    assert found.verdict == f"{expect} was lost at `{stage}`: {found.lost.said}"


def test_a_filter_that_keeps_the_place_out_is_named(island: docpipe.Pipe) -> None:
    found = island.why(BUILT, "tower.md", where="uri = harbour.md")
    assert found.lost is not None
    assert (found.lost.stage, found.lost.said) == ("filter", "0 of 1 chunk fit `uri = harbour.md`")


def test_a_leg_that_knows_none_of_the_words_does_not_bring_the_place(island: docpipe.Pipe) -> None:
    lost = changed(island, mode="text").why(BUILT, "ferry.md").lost
    assert lost is not None
    assert lost.stage == "text leg"
    assert "ask in words that stand on the page" in lost.remedy


def test_what_is_cut_by_the_limit_says_how_many_hits_to_ask_for(island: docpipe.Pipe) -> None:
    lost = island.why(FROZEN, "ferry.md").lost
    assert lost is not None
    assert lost.stage == "search"
    assert "not among the 2 hits" in lost.said
    assert re.search(r"-k [3-5],", lost.remedy)
    further = island.why(FROZEN, "ferry.md", limit=8).lost
    assert further is not None
    assert further.stage == "answer"


def test_the_same_words_in_another_place_are_told(island: docpipe.Pipe) -> None:
    told = [island.why("What does the mill grind?", uri).lost for uri in ("mill.md", "copy of mill.md")]
    (lost,) = [one for one in told if one is not None]
    assert "the same words stand at" in lost.said
    assert "at rank 1 in its place" in lost.said


def test_a_hit_that_is_not_evidence_enough_is_lost_at_the_answer(island: docpipe.Pipe) -> None:
    lost = changed(island, ExtractiveChat(reader="none", confidence=1.0)).why(BUILT, "tower.md").lost
    assert lost is not None
    assert lost.stage == "answer"
    assert "confidence 1" in lost.said
    lost = changed(island, ExtractiveChat(reader="none", confidence=0.0, sentences=1)).why(BUILT, "harbour.md").lost
    assert lost is not None
    assert lost.said == "other sentences are better evidence, from tower.md"


def test_a_models_prompt_is_looked_at_and_the_model_is_not_asked(island: docpipe.Pipe) -> None:
    pipe = changed(island, GlmChat(limit=1))
    assert pipe.why(BUILT, "tower.md").verdict.endswith("the model is shown it as source [1]")
    lost = pipe.why("lighthouse harbour", "tower.md").lost or pipe.why("lighthouse harbour", "harbour.md").lost
    assert lost is not None
    assert (lost.stage, lost.said) == ("prompt", "the model is shown 1 other")


@pytest.mark.parametrize(
    ("question", "expect", "where"),
    [("?", "tower.md", ""), (BUILT, "tower.md#p0", ""), (BUILT, "tower.md", "page <<")],
    ids=["no words", "no place", "no filter"],
)
def test_what_cannot_be_followed_is_refused(island: docpipe.Pipe, question: str, expect: str, where: str) -> None:
    with pytest.raises(InvalidOption):
        island.why(question, expect, where=where)


def test_a_version_that_is_cleaned_away_meanwhile_is_looked_at_again(
    island: docpipe.Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, failures = Ranking.held, [SnapshotGone("gone", stage="index", remedy="ask again")] * 3

    def unsteady(self: Ranking, made: Any) -> Any:
        if failures:
            raise failures.pop()
        return held(self, made)

    monkeypatch.setattr(Ranking, "held", unsteady)
    assert island.why(BUILT, "tower.md").lost is None
    failures += [SnapshotGone("gone", stage="index", remedy="ask again")] * 4
    with pytest.raises(SnapshotGone):
        island.why(BUILT, "tower.md")


def page(*blocks: tuple[str, BlockKind, str], needs_ocr: bool = False) -> Document:
    """A document of two pages; blocks of text, kind and native label stand on the second."""
    found, at = [], 0
    for number, (text, kind, label) in enumerate(blocks):
        span = Span(at, at + len(text))
        box = BBox(0, 0, 1, 1)
        found.append(Block(id=str(number), kind=kind, span=span, page=2, bbox=box, native_label=label))
        at += len(text) + 1
    source = Source(uri="a.pdf", media_type="application/pdf", digest="0", size=1, modified=1)
    pages = (Page(number=1, width=1, height=1), Page(number=2, width=1, height=1, needs_ocr=needs_ocr))
    text = "\n".join(text for text, _, _ in blocks)
    return Document(id="a", source=source, text=text, pages=pages, blocks=tuple(found))


def test_a_page_of_furniture_is_left_out_on_purpose() -> None:
    document = page(("Page 2", BlockKind.PAGE_NUMBER, ""), ("secret", BlockKind.PARAGRAPH, HIDDEN))
    look, made = tracing.chunked(document, lambda document: (), Spot("a.pdf", 2, 2))
    assert look.lost
    assert made == ()
    assert look.said == "left out on purpose: 1 page_number, 1 hidden"


def test_pages_without_text_say_whether_they_need_ocr() -> None:
    assert "needs OCR" in tracing.parsed(page(needs_ocr=True), Spot("a.pdf", 2, 2)).said
    assert tracing.parsed(page(), Spot("a.pdf", 2, 2)).said == "there is no text"
    assert tracing.parsed(page(), Spot("a.pdf", 3, 3)).said == "the document has 2 pages"
    assert (
        tracing.parsed(page(("word", BlockKind.PARAGRAPH, "")), Spot("a.pdf", 1, 2)).said == "4 characters in 1 block"
    )


def test_the_command_prints_verdict_stages_and_what_to_try(
    island: docpipe.Pipe, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(island.stages.path)
    assert cli.main(["why", path, BUILT, "--expect", "harbour.md", "--where", "uri = tower.md"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("harbour.md was lost at `filter`: 0 of 1 chunk fit")
    assert "filter (lost)" in out
    assert out.endswith("try: ask without it\n")
    assert cli.main(["why", path, BUILT, "--expect", "tower.md", "--json"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert (form["lost"], form["expect"], form["remedies"]) == (None, "tower.md", [])
    assert [look["rank"] for look in form["stages"] if look["stage"] == "search"] == [1]
    assert cli.main(["why", path, BUILT]) == 2
