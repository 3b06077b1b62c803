"""Citations meet their sources again, and one file can be parsed by itself."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from docpipe.errors import ConfigError, SourceError
from docpipe.load.files import FileLoader
from docpipe.pipeline import single
from docpipe.pipeline.proofs import proofs
from docpipe.types import Answer, BlockKind, Chunk, Citation, Entry, Span


@pytest.fixture
def loader(tmp_path: Path) -> FileLoader:
    (tmp_path / "a.md").write_text("the words", encoding="utf-8")
    (tmp_path / "b.md").write_text("more words", encoding="utf-8")
    return FileLoader(path=str(tmp_path))


def pipe(loader: FileLoader) -> Any:
    chunks = {}
    for entry in loader.entries():
        assert isinstance(entry, Entry)
        blob = loader.read(entry)
        chunks[entry.uri] = Chunk(
            id=entry.uri,
            document_id="d",
            source=blob.source,
            span=Span(0, 9),
            text=blob.data.decode(),
            context="",
            headings=(),
            block_ids=(),
            kind=BlockKind.PARAGRAPH,
            pages=(),
            boxes=(),
            token_count=2,
            position=0,
        )
    index = SimpleNamespace(fetch=lambda ids: {one: chunks[one] for one in ids if one in chunks})
    return SimpleNamespace(stages=SimpleNamespace(index=index, loaders=(loader,)))


def answer(*uris: str) -> Answer:
    cited = tuple(Citation(marker=f"[{uri}]", uri=uri, chunk_id=uri, quote="words") for uri in uris)
    web = Citation(marker="[w]", uri="", chunk_id="", quote="x", url="https://example.org")
    return Answer(question="q", text="t", origin="documents", citations=(*cited, web))


def test_each_citation_of_a_document_meets_its_source(loader: FileLoader) -> None:
    found = proofs(pipe(loader), answer("b.md", "a.md", "b.md"))
    assert [proof.citation.uri for proof in found] == ["b.md", "a.md", "b.md"]
    assert [proof.blob.data for proof in found if proof.blob] == [b"more words", b"the words", b"more words"]
    assert [proof.passage for proof in found] == ["more words", "the words", "more words"]
    assert {proof.remark for proof in found} == {""}


def test_a_source_that_changed_is_told(loader: FileLoader, tmp_path: Path) -> None:
    opened = pipe(loader)
    (tmp_path / "a.md").write_text("other words", encoding="utf-8")
    (proof,) = proofs(opened, answer("a.md"))
    assert proof.remark == "the file changed since it was indexed: the marks may stand in the wrong place"
    assert proof.passage == "the words"


def test_a_source_that_is_gone_is_told(loader: FileLoader, tmp_path: Path) -> None:
    opened = pipe(loader)
    (tmp_path / "a.md").unlink()
    (proof,) = proofs(opened, answer("a.md"))
    assert (proof.blob, proof.remark) == (None, "the file cannot be shown: the source no longer holds it")


def test_a_root_that_is_gone_is_told(loader: FileLoader, tmp_path: Path) -> None:
    opened = pipe(loader)
    opened.stages.loaders = (FileLoader(path=str(tmp_path / "none")),)
    (proof,) = proofs(opened, answer("a.md"))
    assert proof.remark.startswith("the file cannot be shown")


class TestOneFile:
    def test_a_file_is_parsed_by_its_type(self, tmp_path: Path) -> None:
        path = tmp_path / ".hidden.md"
        path.write_text("# Title\n\nText.\n", encoding="utf-8")
        blob, document = single.parse_file(path, pipeline=None, environment={})
        assert blob.source.uri == ".hidden.md"
        assert [block.kind for block in document.blocks] == [BlockKind.HEADING, BlockKind.PARAGRAPH]

    def test_it_can_be_parsed_as_a_pipeline_does(self, tmp_path: Path) -> None:
        (tmp_path / "p.yaml").write_text(
            "version: 1\nsource: {use: load.files, path: .}\n"
            "stages: [{use: parse.text}, {use: chunk.layout}, {use: embed.hashing}]\n"
            "index: {use: index.memory}\n",
            encoding="utf-8",
        )
        (tmp_path / "a.txt").write_text("Plain.", encoding="utf-8")
        _, document = single.parse_file(tmp_path / "a.txt", pipeline=tmp_path / "p.yaml", environment={})
        assert document.text.strip() == "Plain."

    def test_what_is_no_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="there is no file"):
            single.parse_file(tmp_path / "none", pipeline=None, environment={})
        with pytest.raises(ConfigError, match="is a folder") as caught:
            single.parse_file(tmp_path, pipeline=None, environment={})
        assert caught.value.remedy == "give one file"

    def test_a_broken_file_says_what_is_wrong_with_it(self, tmp_path: Path) -> None:
        path = tmp_path / "x.pdf"
        path.write_bytes(b"%PDF-1.4\nnothing more")
        with pytest.raises(SourceError) as caught:
            single.parse_file(path, pipeline=None, environment={})
        assert caught.value.remedy
