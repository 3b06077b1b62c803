"""No reply that was paid for is paid for twice, whatever ends the run."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import paid_run
import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults
from toy_stages import ToyEmbedder, ToyStages

from docpipe._ids import text_key
from docpipe.errors import IndexFailed, ServiceError
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest.paid_vectors import PaidVectors
from docpipe.pipeline.ingest.plan import Retry
from docpipe.pipeline.ingest.run import Run
from docpipe.protocols import DocumentRows, Index

pytestmark = pytest.mark.slow

PATH = "/embeddings"
SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    for number in range(8):
        (made / f"{number}.txt").write_text(f"first text of {number}\n\nsecond text of {number}", encoding="utf-8")
    return made


def sent(platform: StandIn) -> Counter[str]:
    """How often each text was answered."""
    return Counter(text for call in platform.calls(PATH) if call.status == 200 for text in call.body["input"])


@dataclass(frozen=True, kw_only=True)
class FullDisk(LanceIndex):
    """Cannot write chunks while the disk is full."""

    full: list[bool] = field(default_factory=lambda: [True], compare=False)

    def replace(self, documents: Sequence[DocumentRows], /, *, restored: Mapping[str, bytes] | None = None) -> int:
        if self.full[0]:
            raise IndexFailed("the disk is full", stage="index", item="x", remedy="free some space")
        return super().replace(documents, restored=restored)


def test_vectors_outlive_a_commit_that_fails(folder: Path, tmp_path: Path, platform: StandIn) -> None:
    index = FullDisk(uri=str(tmp_path / "index"))
    stages: ToyStages = replace(paid_run.stages(folder, tmp_path / "index", platform.base_url), index=index)
    with pytest.raises(IndexFailed, match="the disk is full"):
        Run(stages, paid_run.OPTIONS)("paid")
    assert sum(sent(platform).values()) == 16
    index.full[0] = False
    report = Run(stages, paid_run.OPTIONS)("paid")
    assert (report.indexed, report.embedded, report.requests) == (8, 0, 0)
    assert set(sent(platform).values()) == {1}
    assert PaidVectors(index, model=stages.embedder.model).find([]) == {}
    assert index.table("vectors", columns={"key": "str", "data": "bytes"}, key="key").count() == 0


def test_a_killed_run_has_paid_for_what_was_answered_and_the_next_does_not_again(
    folder: Path, tmp_path: Path, platform: StandIn
) -> None:
    platform.latency(PATH, 1.0)
    stages = paid_run.stages(folder, tmp_path / "index", platform.base_url)
    journal = stages.index.table("vectors", columns={"key": "str", "data": "bytes"}, key="key")
    command = [sys.executable, "-m", "paid_run", str(folder), str(tmp_path / "index"), platform.base_url]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SUPPORT)})
    while journal.count() < 4:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written, known = journal.count(), PaidVectors(stages.index, model=stages.embedder.model)
    paid = [text for text in sent(platform) if known.find([text_key(text)])]
    assert len(paid) == written >= 4
    platform.latency(PATH, 0)
    report = Run(stages, paid_run.OPTIONS)("paid")
    assert (report.indexed, report.embedded, report.account.closed) == (8, 16 - written, True)
    assert all(sent(platform)[text] == 1 for text in paid)


def test_a_service_that_is_down_for_an_hour_costs_nothing_twice(
    folder: Path, tmp_path: Path, platform: StandIn, quick_retries: None
) -> None:
    stages = paid_run.stages(folder, tmp_path / "index", platform.base_url)
    platform.fault(PATH, faults.http_error(503), times=10_000, after=3)
    options = replace(paid_run.OPTIONS, batch_chunks=4)
    with pytest.raises(ServiceError):
        Run(stages, options)("paid")
    platform.mend()
    report = Run(paid_run.stages(folder, tmp_path / "index", platform.base_url), options, retry=Retry(every=True))("x")
    assert (report.failed, report.account.closed) == (0, True)
    assert set(sent(platform).values()) == {1}


@pytest.mark.parametrize("make", [lambda path: MemoryIndex(), lambda path: LanceIndex(uri=str(path))])
def test_vectors_are_kept_by_text_and_model(make: Any, tmp_path: Path) -> None:
    index: Index = make(tmp_path)
    kept = PaidVectors(index, model="one")
    vector = np.array([1.0, 0.5], np.float32)
    kept.keep({"a": vector})
    np.testing.assert_array_equal(kept.find(["a", "b"])["a"], vector)
    kept.close()
    assert set(PaidVectors(index, model="one").find(["a", "b"])) == {"a"}
    assert PaidVectors(index, model="two").find(["a"]) == {}
    PaidVectors(index, model="one").forget()
    assert PaidVectors(index, model="one").find(["a"]) == {}


def test_quick_embedders_are_not_journalled(folder: Path, tmp_path: Path) -> None:
    index = FullDisk(uri=str(tmp_path / "index"))
    stages = replace(paid_run.stages(folder, tmp_path / "index", "http://127.0.0.1:1"), index=index)
    stages = replace(stages, embedder=ToyEmbedder())
    with pytest.raises(IndexFailed):
        Run(stages, paid_run.OPTIONS)("quick")
    assert index.table("vectors", columns={"key": "str", "data": "bytes"}, key="key").count() == 0
