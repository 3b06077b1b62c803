"""What holds of the chunks of any document."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docpipe import _ids
from docpipe.chunk.layout import LayoutChunker
from docpipe.split.tokenizers import tokenizer
from docpipe.tables import without_tags
from docpipe.types import FURNITURE, Chunk, Document

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
NAMES = ["bge-small-en", "o200k_base", "characters"]
OPTIONS = st.tuples(st.integers(16, 90), st.integers(0, 20))


def drawn(data: st.DataObject, documents: st.SearchStrategy[Document], name: str) -> tuple[Document, list[Chunk], int]:
    """A document, its chunks and the limit they were cut to."""
    document = data.draw(documents)
    most, overlap = data.draw(OPTIONS)
    return document, list(LayoutChunker(max_tokens=most, overlap=overlap, tokenizer=name)(document)), most


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, suppress_health_check=CHECKS)
@given(data=st.data())
def test_chunks_quote_the_text_count_truly_and_fit(
    name: str, data: st.DataObject, documents: st.SearchStrategy[Document]
) -> None:
    document, chunks, most = drawn(data, documents, name)
    counter = tokenizer(name)
    for number, chunk in enumerate(chunks):
        assert chunk.text == chunk.span.of(document.text) == chunk.text.strip() != ""
        assert chunk.token_count == counter.count(chunk.content) + counter.special_tokens <= most
        assert chunk.position == number
        assert counter.count(without_tags(chunk.context)) <= most / 2
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, suppress_health_check=CHECKS)
@given(data=st.data())
def test_every_block_but_furniture_is_covered(
    name: str, data: st.DataObject, documents: st.SearchStrategy[Document]
) -> None:
    document, chunks, _ = drawn(data, documents, name)
    covered = {at for chunk in chunks for at in range(*chunk.span)}
    for block in document.blocks:
        for at in range(*block.span):
            wanted = block.kind not in FURNITURE
            assert (at in covered) == wanted or document.text[at].isspace()
    for chunk in chunks:
        touched = [b.id for b in document.blocks if b.span.start < chunk.span.end and b.span.end > chunk.span.start]
        assert [id for id in chunk.block_ids if id in touched] == list(chunk.block_ids)
        assert chunk.block_ids


@settings(max_examples=40, suppress_health_check=CHECKS)
@given(data=st.data())
def test_chunks_come_in_order_and_are_the_same_every_time(
    data: st.DataObject, documents: st.SearchStrategy[Document]
) -> None:
    document = data.draw(documents)
    chunker = LayoutChunker(max_tokens=40, overlap=8)
    chunks = list(chunker(document))
    assert chunks == list(chunker(document))
    assert all(one.span.start < two.span.start and one.span.end < two.span.end for one, two in pairwise(chunks))
    for chunk in chunks:
        assert chunk.id in {_ids.chunk_id(document.id, chunk.context + chunk.text, n) for n in range(len(chunks))}


@settings(max_examples=40, suppress_health_check=CHECKS)
@given(data=st.data())
def test_boxes_lie_on_the_pages_of_the_chunk(data: st.DataObject, documents: st.SearchStrategy[Document]) -> None:
    document = data.draw(documents)
    for chunk in LayoutChunker(max_tokens=40, overlap=8)(document):
        assert {box.page for box in chunk.boxes} == set(chunk.pages)
        assert chunk.pages == tuple(sorted(set(chunk.pages)))
        assert chunk.geometry == document.geometry.slice(*chunk.span)
