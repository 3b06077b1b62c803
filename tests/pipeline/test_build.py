"""Stages that fit are built; those that do not are refused with what to do."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from docpipe._ids import fingerprint
from docpipe.chat.needs import Flow
from docpipe.errors import ConfigError, InvalidOption, StageMismatch
from docpipe.pipeline.file import catalog
from docpipe.pipeline.file.build import ChunkerChain, Stages, build
from docpipe.pipeline.file.spec import load
from docpipe.types import Answer, Blob, Block, BlockKind, Chunk, Document, Source, Span, TextPiece, Turn


@dataclass(frozen=True, kw_only=True)
class Text:
    """Bytes as one paragraph."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        text = blob.data.decode()
        block = Block(id="b0", kind=BlockKind.PARAGRAPH, span=Span(0, len(text)))
        yield Document(id="d", source=blob.source, text=text, pages=(), blocks=(block,))


@dataclass(frozen=True, kw_only=True)
class Either:
    """Picks a parser."""

    plain: Text | None = None
    other: Text = Text()

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        yield from self.other(blob)


@dataclass(frozen=True, kw_only=True)
class Words:
    """One chunk per word."""

    tokenizer: str = "auto"
    max_tokens: int = 512

    def __post_init__(self) -> None:
        if self.tokenizer == "forbidden":
            raise ValueError("tokenizer must not be forbidden")

    def __call__(self, document: Document, /) -> Iterator[Chunk]:
        at = 0
        for number, word in enumerate(document.text.split()):
            at = document.text.index(word, at)
            yield _chunk(document, Span(at, at + len(word)), number)


@dataclass(frozen=True, kw_only=True)
class DropDrafts:
    """Documents that are no drafts."""

    def __call__(self, document: Document, /) -> Iterable[Document]:
        return () if document.text.startswith("DRAFT") else (document,)


@dataclass(frozen=True, kw_only=True)
class DropShort:
    """Chunks that are long enough."""

    least: int = 2

    def __call__(self, chunk: Chunk, /) -> Iterator[Chunk]:
        if len(chunk.text) >= self.least:
            yield chunk


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """An embedder that makes nothing."""

    max_tokens: int = 64
    tokenizer: str = "theirs"
    model: str = "none"
    dim: int = 2
    batch_size: int = 8
    languages: tuple[str, ...] = ()

    def embed_passages(self, texts: Sequence[str], /) -> Any:
        raise NotImplementedError

    embed_queries = embed_passages


@dataclass(frozen=True, kw_only=True)
class Rows:
    """An index that holds nothing."""

    uri: str = ""

    def replace(self) -> None: ...
    def search_vector(self) -> None: ...
    def search_text(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Files:
    """A source without documents."""

    path: str

    def entries(self) -> None: ...
    def read(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Says:
    """Answers nothing."""

    def flow(self, turn: Turn, /) -> Flow:
        yield TextPiece(text="")
        return Answer(question=turn.question, text="", origin="none")


def _chunk(document: Document, span: Span, number: int) -> Chunk:
    return Chunk(
        id=str(number),
        document_id=document.id,
        source=document.source,
        span=span,
        text=span.of(document.text),
        context="",
        headings=(),
        block_ids=(),
        kind=BlockKind.PARAGRAPH,
        pages=(),
        boxes=(),
        token_count=1,
        position=number,
    )


STAGES = {
    "load.fake": Files,
    "parse.fake": Text,
    "parse.either": Either,
    "chunk.fake": Words,
    "chunk.drafts": DropDrafts,
    "chunk.short": DropShort,
    "embed.fake": Vectors,
    "index.fake": Rows,
    "chat.fake": Says,
    "chat.words": Words,
}

Make = Callable[..., Stages]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    for name, kind in STAGES.items():
        monkeypatch.setitem(catalog.STAGES, name, f"{__name__}:{kind.__name__}")

    def build_from(
        *stages: str, index: str = "index.fake", source: str = "load.fake", chat: str = "chat.fake"
    ) -> Stages:
        lines = ["version: 1", f"source: {{use: {source}, path: docs}}", "stages:"]
        lines += [f"  - {{use: {stage}}}" for stage in stages] or ["  []"]
        lines += [f"index: {{use: {index}, uri: store}}", f"chat: {{use: {chat}}}"]
        path = tmp_path / "p.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return build(load(path, environment={}))

    return build_from


def test_a_file_becomes_stages_that_fit(make: Make, tmp_path: Path) -> None:
    stages = make("parse.fake", "chunk.fake, max_tokens: 32", "embed.fake")
    assert stages.parser == Text()
    assert stages.chunker == Words(tokenizer="theirs", max_tokens=32)
    assert stages.loaders == (Files(path=str(tmp_path / "docs")),)
    assert stages.index == Rows(uri=str(tmp_path / "store"))
    assert stages.reranker is None
    assert stages.name == "p"


def test_the_chunkers_own_limit_gives_way_to_the_embedders(make: Make) -> None:
    assert make("parse.fake", "chunk.fake", "embed.fake").chunker == Words(tokenizer="theirs", max_tokens=64)


def test_a_limit_that_was_asked_for_and_does_not_fit_is_refused(make: Make) -> None:
    with pytest.raises(InvalidOption) as caught:
        make("parse.fake", "chunk.fake, max_tokens: 65", "embed.fake")
    assert caught.value.message == "65 is above the 64 tokens that the embedder reads"
    assert caught.value.where.endswith("p.yaml:5: stages[1].max_tokens")
    assert caught.value.remedy == "set max_tokens to 64 or less"


def test_a_chosen_tokenizer_stays(make: Make) -> None:
    assert make("parse.fake", "chunk.fake, tokenizer: characters", "embed.fake").chunker == Words(
        tokenizer="characters", max_tokens=64
    )


def test_nested_options_reach_the_stage_below(make: Make) -> None:
    parser = make("parse.either, plain: parse.fake, other: {use: parse.fake}", "chunk.fake", "embed.fake").parser
    assert parser == Either(plain=Text(), other=Text())


MISFITS = {
    "no parser": (("chunk.fake", "embed.fake"), "`chunk.fake` takes Document, but what comes before it gives Blob"),
    "no chunker": (("parse.fake", "embed.fake"), "`embed.fake` takes Chunk, but what comes before it gives Document"),
    "no embedder": (("parse.fake", "chunk.fake"), "nothing turns Chunk into EmbeddedChunk"),
    "only a parser": (("parse.fake",), "nothing turns Document into Chunk"),
    "two parsers": (
        ("parse.fake", "parse.either", "chunk.fake", "embed.fake"),
        "`parse.either` takes Blob, but the stage before it already gives Document",
    ),
    "two embedders": (
        ("parse.fake", "chunk.fake", "embed.fake", "embed.fake"),
        "`embed.fake` takes Chunk, but the stage before it already gives EmbeddedChunk",
    ),
    "wrong order": (
        ("chunk.fake", "parse.fake", "embed.fake"),
        "`chunk.fake` takes Document, but what comes before it gives Blob",
    ),
    "an index among them": (("parse.fake", "index.fake"), "`index.fake` is no stage that stands here"),
}


@pytest.mark.parametrize(("stages", "message"), MISFITS.values(), ids=MISFITS.keys())
def test_stages_that_do_not_meet_are_refused(make: Make, stages: tuple[str, ...], message: str) -> None:
    with pytest.raises(StageMismatch) as caught:
        make(*stages)
    assert caught.value.message == message
    assert "stages[" in caught.value.where
    assert caught.value.where.endswith(".use")
    assert caught.value.remedy


def test_the_remedy_names_the_stage_that_is_missing(make: Make) -> None:
    with pytest.raises(StageMismatch) as caught:
        make("parse.fake", "embed.fake")
    assert caught.value.remedy == "put `- use: chunk.layout` before it"
    with pytest.raises(StageMismatch) as caught:
        make("parse.fake", "chunk.fake")
    assert caught.value.remedy == "add `- use: embed.local`"


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"index": "load.fake, path: x"}, "`load.fake` does not belong into this section (stages named index.* do)"),
        ({"source": "parse.fake"}, "`parse.fake` does not belong into this section (stages named load.* do)"),
        ({"chat": "chat.words"}, "`chat.words` is not a chat stage: it has no `flow`"),
    ],
    ids=["index", "source", "chat"],
)
def test_a_stage_in_the_wrong_section_is_refused(make: Make, roles: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make("parse.fake", "chunk.fake", "embed.fake", **roles)
    assert message in str(caught.value)


def test_an_empty_list_of_stages_is_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match=r"stages: the list is empty \(write `- use: \.\.\.`\)"):
        make()


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "pipelines").glob("*.yaml")), ids=lambda path: path.name
)
def test_the_pipeline_files_that_come_with_us_are_right(path: Path) -> None:
    assert build(load(path, environment={})).name == path.stem


def test_filters_between_the_stages_become_part_of_the_chunker(make: Make) -> None:
    chunker = make("parse.fake", "chunk.drafts", "chunk.fake", "chunk.short, least: 3", "embed.fake").chunker
    assert isinstance(chunker, ChunkerChain)
    assert chunker.chunker == Words(tokenizer="theirs", max_tokens=64)
    source = Source(uri="u", media_type="text/plain", digest="0", size=1, modified=0)
    keep, drop = (next(Text()(Blob(source=source, data=data))) for data in (b"a bc def ghij", b"DRAFT of something"))
    assert [chunk.text for chunk in chunker(keep)] == ["def", "ghij"]
    assert list(chunker(drop)) == []
    assert pickle.loads(pickle.dumps(chunker)) == chunker
    other = make("parse.fake", "chunk.drafts", "chunk.fake", "chunk.short, least: 4", "embed.fake").chunker
    assert fingerprint(chunker) != fingerprint(other)
