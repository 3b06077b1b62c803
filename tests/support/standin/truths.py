"""What stands on printed pages, by number, in a folder that all processes share.

A number is a digest of what it stands for: equal pages have equal numbers, and nobody has to agree on them.
"""

import hashlib
import json
import os
import pickle
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


def _folder() -> Path:
    given = os.environ.get("STANDIN_TRUTHS")
    folder = Path(given) if given else Path(tempfile.gettempdir()) / f"standin-truths-2-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(truth: Mapping[str, Any]) -> int:
    """Write it down -> its number, in [0, 2**31)."""
    data = json.dumps(truth, ensure_ascii=False, sort_keys=True).encode()
    number = int.from_bytes(hashlib.sha256(data).digest()[:4], "big") >> 1
    path = _folder() / f"{number}.json"
    if path.exists():
        os.utime(path)
    else:
        _write(path, data)
    return number


def remembered(number: int, make: Callable[[], Any]) -> Any:
    """What was worked out about a page, kept beside its truth."""
    path = _folder() / f"{number}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    made = make()
    _write(path, pickle.dumps(made))
    return made


def _write(path: Path, data: bytes) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)


def newest(most: int) -> list[int]:
    """The numbers that were kept last, the latest first."""
    files = [(entry.stat().st_mtime_ns, entry.name) for entry in os.scandir(_folder()) if entry.name.endswith(".json")]
    return [int(name.removesuffix(".json")) for _, name in sorted(files, reverse=True)[:most]]


@lru_cache(maxsize=4096)
def of(number: int) -> Mapping[str, Any] | None:
    """What was kept under a number."""
    path = _folder() / f"{number}.json"
    return json.loads(path.read_bytes()) if path.exists() else None
