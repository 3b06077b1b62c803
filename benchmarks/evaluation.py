"""What the quality benchmarks share: labelled data in a folder of the user's, and the scorer that lies beside it."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any


def lines(path: Path) -> list[dict[str, Any]]:
    """A file of JSON lines; nothing where it is missing."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def scorer(data: Path) -> ModuleType:
    """The scorer of a data folder: `score/score.py` beside it.

    Raises:
        SystemExit: it is not there; says so.
    """
    path = data.parent / "score" / "score.py"
    spec = importlib.util.spec_from_file_location("score", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"skipped: no scorer at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
