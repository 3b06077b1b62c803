"""A pipeline file to run, search and ask."""

import asyncio
from pathlib import Path

import pytest

import docpipe
from docpipe.errors import InvalidOption
from docpipe.pipeline.pipe import Pipe
from docpipe.types import Answer, Citation, TextPiece

PIPELINE = """
version: 1
name: small
source: {{use: load.files, path: docs}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 200, overlap: 0}}
  - use: embed.hashing
index: {{use: index.memory}}
retrieve: {{mode: {mode}, limit: 2}}
chat: {{use: chat.extractive, reader: none}}
"""


def opened(folder: Path, mode: str = "hybrid") -> Pipe:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "tower.md").write_text("# Tower\n\nThe lighthouse was built in 1911.\n", encoding="utf-8")
    (folder / "docs" / "harbour.md").write_text("# Harbour\n\nThe harbour freezes in hard winters.\n", encoding="utf-8")
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE.format(mode=mode), encoding="utf-8")
    pipe = docpipe.open(path)
    assert pipe.run().indexed == 2
    return pipe


@pytest.mark.parametrize("mode", ["hybrid", "text", "vector"])
def test_ask_searches_as_the_pipeline_file_says(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = opened(tmp_path, mode)
    asked: list[str] = []
    search = type(pipe.retriever).search

    def watched(self: object, query: object, /) -> object:
        asked.append(query.mode)  # type: ignore[attr-defined]
        return search(self, query)  # type: ignore[arg-type]

    monkeypatch.setattr(type(pipe.retriever), "search", watched)
    pipe.ask("When was the lighthouse built?")
    assert set(asked) == {mode}


def test_a_quote_is_looked_up_in_the_stored_source(tmp_path: Path) -> None:
    pipe = opened(tmp_path)
    (hit, *_) = pipe.search("lighthouse", mode="text")
    assert pipe.source_text(hit.chunk) == hit.chunk.text
    (citation, *_) = pipe.ask("When was the lighthouse built?").citations
    assert citation.verified
    assert "1911" in citation.quote


def test_a_stream_ends_with_the_answer_and_a_session_remembers(tmp_path: Path) -> None:
    pipe = opened(tmp_path)
    *pieces, answer = pipe.stream("When was the lighthouse built?")
    assert isinstance(answer, Answer)
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextPiece)) == answer.text
    assert tuple(piece for piece in pieces if isinstance(piece, Citation)) == answer.citations
    session = pipe.session()
    session.ask("When was the lighthouse built?")
    session.ask("When does the harbour freeze?")
    assert [turn.question for turn in session.history] == [
        "When was the lighthouse built?",
        "When does the harbour freeze?",
    ]


def test_the_limit_is_the_pipelines_unless_given(tmp_path: Path) -> None:
    pipe = opened(tmp_path)
    assert len(pipe.search("the")) <= 2
    assert len(pipe.search("lighthouse harbour", limit=1)) == 1
    with pytest.raises(InvalidOption, match="from 1 to"):
        pipe.search("the", limit=0)


def test_an_event_loop_stays_free(tmp_path: Path) -> None:
    opened(tmp_path)

    async def main() -> list[Answer]:
        async with docpipe.aopen(tmp_path / "pipeline.yaml") as pipe:
            pipe.pipe.run()
            assert [hit.chunk.source.uri for hit in await pipe.asearch("lighthouse", limit=1, mode="text")] == [
                "tower.md"
            ]
            assert [piece async for piece in pipe.astream("When was the lighthouse built?")]
            return await asyncio.gather(*(pipe.aask("When was the lighthouse built?") for _ in range(5)))

    answers = asyncio.run(main())
    assert len({answer.text for answer in answers}) == 1
    assert "1911" in answers[0].text
