"""`why`: at which stage a page was lost, one test for each stage that can lose it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import docpipe
from docpipe import _ids, cli
from docpipe.errors import InvalidOption
from docpipe.pipeline.golden import tracing
from docpipe.pipeline.golden.questions import Spot
from docpipe.types import HIDDEN, BBox, Block, BlockKind, Document, Page, Source, Span

PIPELINE = """
version: 1
name: island
source: {use: load.files, path: docs, exclude: [drafts]}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 200, overlap: 0}
  - use: embed.hashing
index: {use: index.memory}
retrieve: {limit: 2}
chat: {use: chat.extractive, reader: none, limit: 2, confidence: 0}
"""
BUILT = "When was the lighthouse built?"
TOWER = "# Tower\n\nThe lighthouse was built in 1911.\n"
FILES = {
    "tower.md": TOWER,
    "harbour.md": "# Harbour\n\nThe harbour freezes in hard winters.\n",
    "ferry.md": "# Ferry\n\nThe ferry calls on Mondays.\n",
    "drafts/tower.md": TOWER,
    "broken.pdf": "%PDF-1.7 and nothing else",
}
Open = Callable[..., docpipe.Pipe]


@pytest.fixture
def island(tmp_path: Path) -> Iterator[Open]:
    """Opens a pipeline over some files that has run, with parts of its text replaced."""
    opened: list[docpipe.Pipe] = []

    def make(files: dict[str, str] = FILES, **replaced: str) -> docpipe.Pipe:
        for name, text in files.items():
            (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
        text = PIPELINE
        for name, value in replaced.items():
            assert f"{name}: " in text
            text = "\n".join(f"{name}: {value}" if line.startswith(f"{name}:") else line for line in text.split("\n"))
        (tmp_path / "island.yaml").write_text(text, encoding="utf-8")
        opened.append(docpipe.open(tmp_path / "island.yaml"))
        opened[-1].run()
        return opened[-1]

    yield make
    for pipe in opened:
        pipe.close()


def test_a_place_that_is_quoted_was_not_lost(island: Open) -> None:
    found = island().why(BUILT, "tower.md")
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
        ("broken.pdf", "ledger", "failed: parse", ""),
        ("tower.md#p2", "parsed", "its format knows none", "expect tower.md"),
    ],
)
def test_what_never_came_to_the_index(island: Open, expect: str, stage: str, said: str, remedy: str) -> None:
    found = island().why(BUILT, expect)
    assert found.lost is not None
    assert found.lost.stage == stage
    assert found.lost == found.looks[-1]
    assert said in found.lost.said
    assert remedy in "".join(found.remedies)
    assert found.verdict == f"{expect} was lost at `{stage}`: {found.lost.said}"


def test_a_file_that_came_after_the_run_is_not_indexed_yet(island: Open, tmp_path: Path) -> None:
    pipe = island()
    (tmp_path / "docs" / "new.md").write_text("# New\n\nThe mill was built in 1790.\n", encoding="utf-8")
    found = pipe.why("When was the mill built?", "new.md")
    assert [(look.stage, look.said, look.remedy) for look in found.looks] == [
        ("source", "found, 35 bytes", ""),
        ("ledger", "not indexed yet", "docpipe run"),
    ]


def test_rows_that_are_gone_from_the_index_are_missed(island: Open) -> None:
    pipe = island()
    pipe.stages.index.delete([_ids.document_id("tower.md")])
    lost = pipe.why(BUILT, "tower.md").lost
    assert lost is not None
    assert (lost.stage, lost.said) == ("indexed", "the index holds no chunk of it")
    assert "docpipe doctor --fix" in lost.remedy


def test_a_filter_that_keeps_the_place_out_is_named(island: Open) -> None:
    found = island().why(BUILT, "tower.md", where="uri = harbour.md")
    assert found.lost is not None
    assert (found.lost.stage, found.lost.said) == ("filter", "0 of 1 chunk fit `uri = harbour.md`")


def test_a_leg_that_knows_none_of_the_words_does_not_bring_the_place(island: Open) -> None:
    lost = island(retrieve="{limit: 2, mode: text}").why(BUILT, "ferry.md").lost
    assert lost is not None
    assert lost.stage == "text leg"
    assert "ask in words that stand on the page" in lost.remedy


def test_what_is_cut_by_the_limit_says_how_many_hits_to_ask_for(island: Open) -> None:
    found = island().why("lighthouse built harbour freezes winters", "ferry.md")
    assert found.lost is not None
    assert found.lost.stage == "search"
    assert "not among the 2 hits" in found.lost.said
    assert "-k 3" in found.lost.remedy
    assert island().why("lighthouse built harbour freezes winters", "ferry.md", limit=3).lost != found.lost


def test_the_same_words_in_another_place_are_told(island: Open) -> None:
    pipe = island({**FILES, "copy.md": TOWER})
    told = [found.lost for found in (pipe.why(BUILT, "tower.md"), pipe.why(BUILT, "copy.md")) if found.lost]
    assert len(told) == 1
    assert "the same words stand at" in told[0].said
    assert "at rank 1 in its place" in told[0].said


def test_a_hit_that_is_not_evidence_enough_is_lost_at_the_answer(island: Open) -> None:
    found = island(chat="{use: chat.extractive, reader: none, limit: 2, confidence: 1}").why(BUILT, "tower.md")
    assert found.lost is not None
    assert found.lost.stage == "answer"
    assert "confidence 1" in found.lost.said
    found = island(chat="{use: chat.extractive, reader: none, limit: 2, confidence: 0, sentences: 1}").why(
        BUILT, "harbour.md"
    )
    assert found.lost is not None
    assert found.lost.said == "other sentences are better evidence, from tower.md"


def test_a_models_prompt_is_looked_at_and_the_model_is_not_asked(island: Open) -> None:
    pipe = island(chat="{use: chat.glm, limit: 1}")
    assert pipe.why(BUILT, "tower.md").verdict.endswith("the model is shown it as source [1]")
    lost = pipe.why(BUILT, "harbour.md").lost
    assert lost is not None
    assert (lost.stage, lost.said) == ("prompt", "the model is shown 1 others")


@pytest.mark.parametrize(
    ("question", "expect", "where"),
    [("?", "tower.md", ""), (BUILT, "tower.md#p0", ""), (BUILT, "tower.md", "page <<")],
    ids=["no words", "no place", "no filter"],
)
def test_what_cannot_be_followed_is_refused(island: Open, question: str, expect: str, where: str) -> None:
    with pytest.raises(InvalidOption):
        island().why(question, expect, where=where)


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
    island: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    island(index="{use: index.lancedb, uri: ./index}")
    path = str(tmp_path / "island.yaml")
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
