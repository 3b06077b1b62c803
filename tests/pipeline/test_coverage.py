"""How much of a document its chunks hold: nothing is counted twice, nothing is lost silently."""

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from docpipe._ids import document_id
from docpipe.chunk.layout import LayoutChunker
from docpipe.parse.auto import AutoParser
from docpipe.pipeline.processes.coverage import counted, coverage, merged
from docpipe.types import HIDDEN, Block, BlockKind, Document, Source, Span

LETTERS = st.text(alphabet="ab \n水é", max_size=12)
KINDS = st.sampled_from([BlockKind.PARAGRAPH, BlockKind.TABLE, BlockKind.HEADER, BlockKind.FOOTER, "hidden", "between"])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents of blocks of all kinds, with text between some."""
    blocks, text = [], ""
    for number, kind in enumerate(draw(st.lists(KINDS, max_size=8))):
        piece = draw(LETTERS)
        if kind != "between" and piece:
            span = Span(len(text), len(text) + len(piece))
            label = HIDDEN if kind == "hidden" else ""
            own = BlockKind.PARAGRAPH if kind == "hidden" else BlockKind(kind)
            blocks.append(Block(id=str(number), kind=own, span=span, native_label=label))
        text += piece
    source = Source(uri="a.md", media_type="text/markdown", digest="0", size=1, modified=1)
    return Document(id=document_id("a.md"), source=source, text=text, pages=(), blocks=tuple(blocks))


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Spans as numbers, to be cut to a text."""
    return draw(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=6))


def cut(pairs: list[tuple[int, int]], size: int) -> list[Span]:
    return [Span(min(a, b, size), min(max(a, b), size)) for a, b in pairs]


@given(document=documents(), pairs=spans())
def test_every_character_is_counted_once(document: Document, pairs: list[tuple[int, int]]) -> None:
    found = coverage(document, cut(pairs, len(document.text)))
    assert found.characters == counted(document.text)
    assert found.characters == found.covered + sum(found.left_out.values()) + found.gap
    assert found.gap >= 0


@given(document=documents(), pairs=spans())
def test_what_is_lost_is_content_that_no_span_holds(document: Document, pairs: list[tuple[int, int]]) -> None:
    held = cut(pairs, len(document.text))
    places = {at for span in held for at in range(span.start, span.end)}
    lost = sum(
        not document.text[at].isspace()
        for block in document.blocks
        if block.is_content
        for at in range(block.span.start, block.span.end)
        if at not in places
    )
    assert coverage(document, held).gap == lost


@given(document=documents())
def test_spans_of_all_content_leave_no_gap(document: Document) -> None:
    found = coverage(document, [block.span for block in document.blocks if block.is_content])
    assert found.gap == 0
    assert set(found.left_out) <= {"header", "footer", "hidden", "between"}


@given(document=documents(), pairs=spans())
def test_filters_leave_out_on_purpose(document: Document, pairs: list[tuple[int, int]]) -> None:
    held = cut(pairs, len(document.text))
    found = coverage(document, held, drops=True)
    assert (found.gap, found.left_out.get("filtered", 0)) == (0, coverage(document, held).gap)


@given(pairs=spans())
def test_merged_spans_are_disjoint_in_order_and_hold_the_same_places(pairs: list[tuple[int, int]]) -> None:
    given_spans = cut(pairs, 90)
    found = merged(given_spans)
    assert {at for span in found for at in range(*span)} == {at for span in given_spans for at in range(*span)}
    assert all(one.end < other.start for one, other in itertools.pairwise(found))


def test_no_sample_document_has_a_gap() -> None:
    root = Path(__file__).parents[2] / "sample_docs"
    from docpipe.load.files import FileLoader
    from docpipe.types import Entry

    loader, parser = FileLoader(path=str(root), include=("*.md", "*.html", "*.csv", "*.docx")), AutoParser()
    chunker = LayoutChunker(tokenizer="characters", max_tokens=120)
    seen = 0
    for entry in loader.entries():
        if isinstance(entry, Entry):
            for document in parser(loader.read(entry)):
                found = coverage(document, [chunk.span for chunk in chunker(document)])
                assert found.gap == 0, (entry.uri, found)
                seen += 1
    assert seen
