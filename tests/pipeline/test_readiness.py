"""Keys are looked for before any work is begun."""

from dataclasses import dataclass
from typing import Any

import pytest

from docpipe._http.endpoint import Endpoint
from docpipe.chunk.layout import LayoutChunker
from docpipe.embed.http import HttpEmbedder
from docpipe.errors import Unauthorized
from docpipe.parse.auto import AutoParser
from docpipe.parse.glm_ocr import GlmOcrParser
from docpipe.pipeline.ingest.readiness import require_keys, within


@dataclass(frozen=True, kw_only=True)
class Chain:
    parts: tuple[Any, ...]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)


@pytest.mark.parametrize(
    "stage",
    [
        GlmOcrParser(),
        AutoParser(pdf=GlmOcrParser()),  # type: ignore[arg-type]
        HttpEmbedder(),
        Chain(parts=(LayoutChunker(), Chain(parts=(HttpEmbedder(),)))),
    ],
    ids=["parser", "parser in a parser", "embedder", "deep in a chain"],
)
def test_a_missing_key_is_named_with_a_way_out(stage: Any) -> None:
    with pytest.raises(Unauthorized, match="ZAI_API_KEY is not set") as caught:
        require_keys(AutoParser(), stage)
    assert "pipelines/quickstart.yaml" in caught.value.remedy


def test_stages_that_send_no_key_need_none() -> None:
    own = Endpoint(base_url="http://127.0.0.1:8000", key="")
    require_keys(
        AutoParser(),
        LayoutChunker(),
        GlmOcrParser(ocr="never"),
        GlmOcrParser(mode="selfhosted", service=own),
        HttpEmbedder(model="bge-m3", dimensions=8, service=own),
        None,
    )


def test_a_key_that_is_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAI_API_KEY", "id.secret")
    require_keys(GlmOcrParser(), HttpEmbedder())


def test_stages_are_found_in_the_order_in_which_they_work() -> None:
    inner, outer = Chain(parts=()), LayoutChunker()
    assert list(within(Chain(parts=(inner, outer))))[1:3] == [inner, outer]
