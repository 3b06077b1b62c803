"""Compressed replies are unpacked up to a limit, however they were cut."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._http.unpacking import TooLong, Unpacker


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


PACKED = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]) + b"\0\0",
    "deflate": zlib.compress,
    " Deflate": raw_deflate,
}


@given(data=st.binary(max_size=3000), name=st.sampled_from(sorted(PACKED)), step=st.integers(1, 500))
def test_what_was_packed_comes_out_however_it_is_cut(data: bytes, name: str, step: int) -> None:
    packed = PACKED[name](data)
    unpacker = Unpacker(name, len(data))
    pieces = [unpacker.feed(packed[at : at + step]) for at in range(0, len(packed), step)]
    assert b"".join(pieces) == data
    assert unpacker.complete


@pytest.mark.parametrize("name", sorted(PACKED))
def test_nothing_comes_out_beyond_the_limit(name: str) -> None:
    with pytest.raises(TooLong):
        Unpacker(name, 999).feed(PACKED[name](bytes(1000)))


def test_a_bomb_takes_no_memory() -> None:
    import tracemalloc

    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(TooLong):
        Unpacker("gzip", 1_000_000).feed(bomb)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip", "compress"])
def test_encodings_that_nobody_asked_for_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        Unpacker(name, 10)


def test_broken_and_cut_bodies_are_noticed() -> None:
    with pytest.raises(ValueError, match="it is no gzip"):
        Unpacker("gzip", 100).feed(b"<html>")
    cut = Unpacker("gzip", 100)
    cut.feed(gzip.compress(b"whole")[:-3])
    assert not cut.complete
