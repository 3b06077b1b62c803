"""Digests: documents, chunks, texts, and the fingerprints of stages."""

from dataclasses import dataclass, field

import pytest

from docpipe import _ids


@dataclass(frozen=True)
class Inner:
    words: tuple[str, ...] = ("a",)


@dataclass(frozen=True)
class Outer:
    VERSION = 1
    size: int = 3
    inner: Inner = Inner()
    log: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Newer(Outer):
    VERSION = 2


def test_a_fingerprint_changes_with_options_at_any_depth() -> None:
    prints = {_ids.fingerprint(stage) for stage in (Outer(), Outer(size=4), Outer(inner=Inner(("b",))), Newer())}
    assert len(prints) == 4


def test_a_fingerprint_ignores_what_cannot_change_the_output() -> None:
    assert _ids.fingerprint(Outer(log=1)) == _ids.fingerprint(Outer(log=2))


def test_a_fingerprint_of_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="plain data"):
        _ids.fingerprint(object())


def test_ids_do_not_run_into_each_other() -> None:
    assert _ids.chunk_id("a", "bc", 0) != _ids.chunk_id("ab", "c", 0)
    assert _ids.chunk_id("a", "b", 0) != _ids.chunk_id("a", "b", 1)
    assert _ids.document_id("x") != _ids.text_key("x")


def test_any_text_has_an_id() -> None:
    assert len(_ids.text_key("\ud800 lone surrogate \x00")) == 32
