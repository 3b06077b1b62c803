"""Documents of any shape, for the laws of chunking."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from docpipe.geometry import Geometry, Line
from docpipe.tables import Cell, Table, write
from docpipe.types import BBox, Block, BlockKind, Document, Page, Source, Span

SOURCE = Source(uri="a.pdf", media_type="application/pdf", digest="0" * 64, size=1, modified=0)
Part = tuple[BlockKind, int, str]


def build(parts: list[Part], *, title: str = "", language: str = "", separators: list[str] | None = None) -> Document:
    """A document of two pages a block; every line of a paragraph has its printed line."""
    text, blocks, lines = "", [], []
    for number, (kind, level, words) in enumerate(parts):
        if text:
            text += separators[number % len(separators)] if separators else "\n\n"
        start, page = len(text), number // 2 + 1
        text += words
        box = BBox(0.1, 0.2 * (number % 2) + 0.1, 0.9, 0.2 * (number % 2) + 0.2)
        blocks.append(Block(id=f"b{number}", kind=kind, span=Span(start, len(text)), page=page, bbox=box, level=level))
        if kind is BlockKind.PARAGRAPH and words:
            middle = start + len(words) // 2
            lines.append(Line(start, middle, page, 0.1, 0.3, 0.9, 0.35))
            lines.append(Line(middle, len(text), page + 1, 0.1, 0.05, 0.5, 0.1))
    pages = tuple(Page(number=number + 1, width=595, height=842) for number in range(len(parts) // 2 + 2))
    metadata = {key: value for key, value in (("title", title), ("language", language)) if value}
    return Document(
        id="d" * 32, source=SOURCE, text=text, pages=pages, blocks=tuple(blocks), metadata=metadata,
        geometry=Geometry.of(lines),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make() -> Callable[..., Document]:
    """Builds a document of `(kind, level, text)` parts."""
    return build


WORDS = st.lists(
    st.sampled_from(
        [
            "word",
            "Sentence ends.",
            "e.g. this",
            "3.14",
            "中文句子。",
            "第二句，很长；",
            "👩‍👩‍👧",
            "e\u0301",
            "x" * 40,
            "<tr>",
            "&lt;",
        ]
    )
    | st.text(max_size=6),
    max_size=30,
).map(" ".join)
KINDS = st.sampled_from([kind for kind in BlockKind if kind is not BlockKind.TABLE])
PROSE = st.tuples(KINDS, st.integers(0, 4), WORDS)
TABLES = st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=8).flatmap(
    lambda rows: st.integers(0, 2).map(
        lambda headers: (
            BlockKind.TABLE,
            0,
            write(
                Table(tuple(tuple(Cell(text, header=n < headers) for text in row) for n, row in enumerate(rows)))
            ).html,
        )
    )
)
SEPARATORS = st.lists(st.sampled_from(["\n\n", "\n", " ", "", "\n·\n"]), min_size=1, max_size=3)
DOCUMENTS = st.builds(
    build,
    st.lists(PROSE | PROSE | TABLES, max_size=10),
    title=WORDS,
    separators=st.just(["\n\n"]) | SEPARATORS,
)


@pytest.fixture(scope="session")
def documents() -> st.SearchStrategy[Document]:
    """Documents of any blocks in any order."""
    return DOCUMENTS
