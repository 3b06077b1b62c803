"""The LanceDB index passes the same contract as the reference."""

import itertools
from pathlib import Path

import pytest

from docpipe.index.lancedb import LanceIndex
from docpipe.testing import IndexContract


class TestLanceIndex(IndexContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.folders = (tmp_path / f"index {n}'s" for n in itertools.count())

    def make(self) -> LanceIndex:
        return LanceIndex(uri=str(next(self.folders)))
