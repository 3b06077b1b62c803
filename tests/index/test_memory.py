"""The reference passes the contract of every index."""

from docpipe.index.memory import MemoryIndex
from docpipe.testing import IndexContract


class TestMemoryIndex(IndexContract):
    def make(self) -> MemoryIndex:
        return MemoryIndex()
