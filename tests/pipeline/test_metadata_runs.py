"""Documents' own metadata, from files to hits, and in an index that was made without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import lancedb
import pytest
from toy_world import World

from docpipe.chunk.layout import LayoutChunker
from docpipe.index.lancedb import LanceIndex
from docpipe.index.rows import LATER_COLUMNS
from docpipe.parse.html import HtmlParser

PAGE = """<html lang="en"><head><title>Tides</title><meta name="author" content="Ann Li">
<meta name="keywords" content="water, moon"><meta property="article:published_time" content="2023-04-05T06:07:08Z">
</head><body><h1>Tides</h1><p>The alpha tide is high.</p></body></html>"""


@contextmanager
def chunker_of_before() -> Iterator[None]:
    """Chunks as an older docpipe made them, so that this one makes them again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LayoutChunker, "VERSION", 1)
        yield


def made(folder: Path) -> World:
    world = World(folder, LanceIndex(uri=str(folder / "index")))
    world.stages = replace(
        world.stages, parser=HtmlParser(), chunker=LayoutChunker(tokenizer="characters", max_tokens=200)
    )
    (world.root / "tides.html").write_text(PAGE, encoding="utf-8")
    return world


def test_an_index_of_before_is_filled_by_the_next_run_without_parsing_or_embedding(tmp_path: Path) -> None:
    world = made(tmp_path)
    with chunker_of_before():
        world.run()
    lancedb.connect(tmp_path / "index").open_table("chunks").drop_columns(list(LATER_COLUMNS))
    world.stages = replace(world.stages, index=LanceIndex(uri=str(tmp_path / "index")))
    report = world.run()
    assert (report.updated, report.failed, report.embedded) == (1, 0, 0)
    assert report.reused == report.chunks > 0
    index = world.stages.index
    (hit,) = index.search_text("alpha", limit=9, where="authors = 'Ann Li' and created = 2023-04")
    assert index.fetch([hit[0]])[hit[0]].metadata["title"] == "Tides"
    assert world.run().unchanged == 1
