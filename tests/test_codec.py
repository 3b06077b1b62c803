"""Document <-> bytes."""

import json
import zlib
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import _codec
from docpipe.geometry import Geometry, Line
from docpipe.types import BBox, Block, BlockKind, Document, Link, OutlineEntry, Page, Source, Span

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
    outline=st.lists(st.builds(OutlineEntry, st.integers(1, 6), text, st.none() | st.integers(1, 99)), max_size=3).map(
        tuple
    ),
    links=st.lists(st.builds(Link, text, text, st.none() | st.integers(1, 99)), max_size=3).map(tuple),
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


def test_a_document_stored_before_outlines_and_links_were_kept_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(uri="a", media_type="text/plain", digest="d", size=1, modified=0)
    document = Document(id="a", source=source, text="x", pages=(), blocks=(), links=(Link("x", "https://x.org"),))
    as_before = partial(_without, "outline", "links")
    with monkeypatch.context() as patch:
        patch.setattr(_codec.json, "dumps", as_before)
        stored = _codec.encode(document)
    assert _codec.decode(stored) == replace(document, links=())


def _without(*names: str, **options: Any) -> str:
    *left_out, head = names
    kept = {name: value for name, value in head.items() if name not in left_out}  # type: ignore[attr-defined]
    return json.JSONEncoder(**options).encode(kept)
