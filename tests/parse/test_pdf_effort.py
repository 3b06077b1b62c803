"""Work that the PDF parser spares itself: counted, not timed."""

from collections.abc import Callable
from typing import Any

import pymupdf
import pytest

from docpipe._ids import digest
from docpipe.parse.grid import tables
from docpipe.parse.pdf import PdfParser
from docpipe.types import Blob, Source

PROSE = "The harbour master writes down every ship that comes in with the tide and every ship that leaves again. " * 6
Draw = Callable[[pymupdf.Page], None]


def two_columns(page: pymupdf.Page) -> None:
    for left in (60, 310):
        page.insert_textbox((left, 80, left + 220, 700), PROSE, fontsize=10)


def columns_and_figures(page: pymupdf.Page) -> None:
    two_columns(page)
    for row in range(4):
        page.insert_text((80, 600 + 16 * row), f"Basin {row}", fontsize=10)
        page.insert_text((200, 600 + 16 * row), f"{row * 37}.5", fontsize=10)


def boxed_sentences(page: pymupdf.Page) -> None:
    for row in range(3):
        for left in (60, 310):
            page.draw_rect((left, 80 + 60 * row, left + 250, 140 + 60 * row))
            box = (left + 4, 84 + 60 * row, left + 240, 138 + 60 * row)
            page.insert_textbox(box, PROSE[:90], fontsize=10)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    find = tables.find_tables

    def counted(words: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(len(words))
        return find(words, *arguments, **options)

    monkeypatch.setattr(tables, "find_tables", counted)
    return calls


@pytest.mark.parametrize(
    ("draw", "searches"),
    [(two_columns, 0), (columns_and_figures, 1), (boxed_sentences, 1)],
    ids=["prose in columns", "figures beside labels", "boxed sentences"],
)
def test_tables_are_looked_for_only_where_something_looks_like_cells(
    draw: Draw, searches: int, searched: list[int]
) -> None:
    document = pymupdf.open()
    draw(document.new_page())
    data = document.tobytes()
    source = Source(uri="a.pdf", media_type="application/pdf", digest=digest(data), size=len(data), modified=0)
    (parsed,) = PdfParser()(Blob(source=source, data=data))
    assert len(searched) == searches
    assert [block.kind for block in parsed.blocks].count("table") == searches  # type: ignore[comparison-overlap]
