"""A small library, indexed once; each test opens it with a chat stage of its own and a fresh service."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn

import docpipe
from docpipe.pipeline.pipe import Pipe

LIBRARY = {
    "tower.md": "# Tower\n\nThe Brill lighthouse was built in 1911 by Oda Linnet. Its lamp reaches 19.5 miles.\n",
    "harbour.md": "# Harbour\n\nThe harbour of Brill freezes in hard winters. Ferries stop when ice is thick.\n",
}
TEXT = """\
version: 1
name: service
source: {use: load.files, path: docs}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 128, overlap: 0, tokenizer: characters}
  - {use: embed.hashing, dim: 64}
index: {use: index.lancedb, uri: index}
"""
CHAT = "chat: {use: chat.glm%s}\n"

type_opened = Callable[..., Pipe]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents and their index."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "docs").mkdir()
    for name, text in LIBRARY.items():
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    (folder / "begin.yaml").write_text(TEXT, encoding="utf-8")
    with docpipe.open(folder / "begin.yaml") as pipe:
        assert pipe.run().indexed == len(LIBRARY)
    return folder


@pytest.fixture
def opened(indexed: Path, platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[type_opened]:
    """Opens the library: `opened("fallback: web", retrieve="rerank: zai")`."""
    monkeypatch.setenv("ZAI_RERANK_URL", platform.base_url)
    pipes: list[Pipe] = []

    def opening(*chat: str, retrieve: str = "mode: hybrid") -> Pipe:
        told = "".join(f", {option}" for option in chat)
        text = f"{TEXT}retrieve: {{{retrieve}}}\n{CHAT % told}"
        path = indexed / f"opened-{platform.base_url.rpartition(':')[2].split('/')[0]}-{len(pipes)}.yaml"
        path.write_text(text, encoding="utf-8")
        pipes.append(docpipe.open(path))
        return pipes[-1]

    yield opening
    for pipe in pipes:
        pipe.close()


@pytest.fixture(autouse=True)
def _no_secret_is_told(platform: StandIn, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever goes wrong in a test of this folder: no line of a log holds the key."""
    caplog.set_level(logging.DEBUG)
    yield
    secret = platform.key.partition(".")[2]
    assert platform.key not in caplog.text
    assert secret not in caplog.text
