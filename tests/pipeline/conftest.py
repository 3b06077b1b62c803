"""What many tests of the runner begin with."""

from pathlib import Path

import pytest
from toy_world import World

from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.protocols import Index


@pytest.fixture(params=["memory", "lancedb"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Index:
    return MemoryIndex() if request.param == "memory" else LanceIndex(uri=str(tmp_path / "index"))


@pytest.fixture
def world(tmp_path: Path, index: Index) -> World:
    """Three texts in a folder, not yet indexed."""
    made = World(tmp_path, index)
    made.write(a="alpha one\n\nalpha two", b="beta one\n\nbeta two", c="gamma")
    return made
