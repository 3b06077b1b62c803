"""The `run:` and `keep:` sections of a pipeline file: how a run may use this machine, and how long versions stay."""

import os
from dataclasses import dataclass, field
from typing import Literal

from docpipe.pipeline.processes.workers import Limits

_WEEK = 7 * 86_400.0
_MOST_WORKERS = 1_024


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """Options of a run."""

    workers: int = 0
    """Processes that parse; 0: one per core."""
    timeout: float = 120.0
    """Seconds one document, or 48 pages of a long one, may take."""
    memory_mb: int = 1536
    """Megabytes of memory one worker process may use, its libraries included."""
    nice: int = 19
    """How far `docpipe run` stands back behind who searches, 0 to 19 as the command `nice` counts; 0: not at all."""
    batch_chunks: int = 2048
    """Chunks per commit, about: what a killed run does again at most."""
    max_delete: float = 0.2
    """Share of the indexed documents that one run may delete without being told; 20 documents always may be."""

    detect: Literal["stat", "digest"] = "stat"
    """How a changed file is known: by size and time of change, or by reading all bytes of every file."""
    upkeep_mb: int = 8192
    """Most megabytes that the upkeep of one run may rewrite; a larger table is left as it is, and the run says so."""
    upkeep_seconds: int = 900
    """Most seconds that the upkeep of one run may take."""
    reports: str = ""
    """Folder of the runs' reports; unless given, `runs` in the index folder. Relative to the pipeline file."""
    webhook: str = field(default="", repr=False)
    """An address that is told of every run in which something failed."""

    def __post_init__(self) -> None:
        for name in ("upkeep_mb", "upkeep_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.workers < 0:
            raise ValueError(f"workers must not be negative, got {self.workers}")
        if self.workers > _MOST_WORKERS:
            raise ValueError(f"workers must be at most {_MOST_WORKERS}, got {self.workers}")
        if self.timeout <= 0:
            raise ValueError(f"timeout must be above 0 seconds, got {self.timeout:g}")
        if self.timeout > _WEEK:
            raise ValueError(f"timeout must be at most {_WEEK:.0f} seconds, which is a week, got {self.timeout:g}")
        if self.memory_mb < 256:
            raise ValueError(f"memory_mb must be at least 256, got {self.memory_mb}")
        if not 0 <= self.nice <= 19:
            raise ValueError(f"nice must be from 0 to 19, got {self.nice}")
        if self.batch_chunks < 1:
            raise ValueError(f"batch_chunks must be at least 1, got {self.batch_chunks}")
        if self.webhook and not self.webhook.startswith(("https://", "http://")):
            raise ValueError("webhook must begin with https:// or http://")
        if not 0 <= self.max_delete <= 1:
            raise ValueError(f"max_delete is a share from 0 to 1, got {self.max_delete:g}")

    @property
    def processes(self) -> int:
        """How many worker processes that is on this machine."""
        return self.workers or os.cpu_count() or 1

    @property
    def limits(self) -> Limits:
        """What one call of a worker may use."""
        return Limits(seconds=self.timeout, memory=self.memory_mb * 2**20)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepOptions:
    """The `keep:` section: which runs can be restored."""

    runs: int = 14
    """So many of the last runs that changed something."""
    days: int = 30
    """And none that is older than this; a run with a name of its own stays."""

    def __post_init__(self) -> None:
        for name in ("runs", "days"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
