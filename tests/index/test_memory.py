"""The reference passes the contract of every index."""

from docpipe.index.memory import MemoryIndex
from docpipe.testing import IndexContract


class TestMemoryIndex(IndexContract):
    def make(self) -> MemoryIndex:
        return MemoryIndex()


def test_han_letters_beside_digits_are_terms_of_their_own() -> None:
    from docpipe.index.memory import _TERM

    assert _TERM.findall("2020奥运会 abc1") == ["2020", "奥", "运", "会", "abc1"]
