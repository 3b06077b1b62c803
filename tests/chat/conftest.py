"""A small library to ask, as fixtures."""

from collections.abc import Callable

import pytest
from library import SharedWords, make_chunk

from docpipe.types import Chunk


@pytest.fixture
def chunk() -> Callable[..., Chunk]:
    return make_chunk


@pytest.fixture
def library() -> Callable[..., SharedWords]:
    return lambda *chunks: SharedWords(chunks)
