"""Document <-> bytes."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import _codec
from docpipe.geometry import Geometry, Line
from docpipe.types import BBox, Block, BlockKind, Document, Page, Source, Span

text = st.text(max_size=60)
boxes = st.none() | st.builds(BBox, *[st.floats(0, 1)] * 4)
blocks = st.builds(
    Block,
    id=text,
    kind=st.sampled_from(BlockKind),
    span=st.builds(Span, st.integers(0, 99), st.integers(0, 99)),
    page=st.none() | st.integers(1, 99),
    bbox=boxes,
    level=st.integers(0, 6),
    native_label=text,
)
documents = st.builds(
    Document,
    id=text,
    source=st.builds(Source, uri=text, media_type=text, digest=text, size=st.integers(0), modified=st.integers()),
    text=st.text(st.characters(), max_size=200),
    pages=st.lists(
        st.builds(
            Page, number=st.integers(1, 99), width=st.floats(1, 999), height=st.floats(1, 999), needs_ocr=st.booleans()
        ),
        max_size=4,
    ).map(tuple),
    blocks=st.lists(blocks, max_size=6).map(tuple),
    metadata=st.dictionaries(text, text, max_size=3),
    geometry=st.just(Geometry.of([Line(0, 3, 1, 0.1, 0.1, 0.5, 0.2, (0.1, 0.3))])),
)


@given(documents)
def test_a_stored_document_comes_back_as_it_was(document: Document) -> None:
    assert _codec.decode(_codec.encode(document)) == document


@given(documents)
def test_the_text_alone_can_be_read(document: Document) -> None:
    assert _codec.text_of(_codec.encode(document)) == document.text


@pytest.mark.parametrize("data", [b"", b"nonsense", zlib.compress(b""), zlib.compress(b"x" * 100)])
def test_other_bytes_are_refused_with_words(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored document"):
        _codec.decode(data)
