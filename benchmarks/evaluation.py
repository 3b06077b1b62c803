"""What the quality benchmarks share: labelled data in a folder of the user's, and the scorer that lies beside it."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from docpipe import _ids
from docpipe.load.media import HEAD_BYTES, media_type
from docpipe.types import Blob, Source


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


def blob(path: Path) -> Blob:
    """A file, as `load.files` gives it to a parser."""
    data = path.read_bytes()
    media = media_type(data[:HEAD_BYTES], path.name)
    source = Source(uri=path.name, media_type=media, digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


def pairs(folder: Path, kind: str) -> Iterator[tuple[Path, Path]]:
    """The files of a kind and what is expected of each, as the folder's manifest names them."""
    for row in lines(folder / "manifest.jsonl"):
        if row["kind"] == kind:
            yield folder / row["file"], folder / row["expected"]
