"""What the last runs took -> how long a run will take, about (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What one piece of work takes, in seconds. The defaults are of an ordinary machine without a GPU."""

    listed: float = 0.00002
    """One source to be looked at."""
    parsed: float = 0.02
    """One page, on one core."""
    read: float = 2.0
    """One page that a service reads."""
    embedded: float = 0.01
    """One text."""
    written: float = 0.001
    """One chunk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What is to be done."""

    sources: int
    pages: int
    read_pages: int
    """Of these, by a service."""
    texts: int
    processes: int


def rates(reports: Iterable[Mapping[str, Any]]) -> Rates:
    """What work took in these runs, each as its report's JSON has it; where none did such work, the default."""
    runs = list(reports)
    defaults = Rates()
    return Rates(
        listed=_rate(runs, "list", ("unchanged", "indexed", "updated", "failed", "ignored"), defaults.listed),
        parsed=_rate(runs, "parse", ("pages",), defaults.parsed),
        read=defaults.read,
        embedded=_rate(runs, "embed", ("embedded",), defaults.embedded),
        written=_rate(runs, "index", ("chunks",), defaults.written),
    )


def seconds(wanted: Expected, by: Rates) -> float:
    """How long a run takes: parsing, a service's reading, and embedding with writing go on side by side."""
    parsing = wanted.pages * by.parsed / max(wanted.processes, 1)
    writing = wanted.texts * (by.embedded + by.written)
    return wanted.sources * by.listed + max(parsing, wanted.read_pages * by.read, writing)


def _rate(runs: Iterable[Mapping[str, Any]], stage: str, counts: tuple[str, ...], default: float) -> float:
    spent, done = 0.0, 0
    for run in runs:
        pieces = sum(_number(run.get(name)) for name in counts)
        if pieces:
            done += int(pieces)
            spent += _number(_stages(run).get(stage))
    return spent / done if done and spent > 0 else default


def _stages(run: Mapping[str, Any]) -> Mapping[str, Any]:
    found = run.get("stage_seconds")
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
