"""Whatever ends a run, the next one makes the same index as a run from nothing, and pays for nothing twice."""

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pymupdf
import pytest
import varied_library

from docpipe._ids import text_key
from docpipe.index.lancedb import LanceIndex
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.plan import Retry
from docpipe.pipeline.report.reports import Event
from docpipe.types import Chunk

pytestmark = pytest.mark.slow

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["varied_library", "pyarrow.dataset", "pyarrow.compute", "lance_namespace"])
_EVENTS = {*get_args(Event.__dataclass_fields__["kind"].type), "done"}
TIMES = {"last_tried", "run", "modified", "first_failed", "next_try"}
TEXT = "anchor bilge chart deck engine flag gale hull iron jib keel line mast night oar pump quay rope sail tide"


class Child:
    """A process that is ready to run, and waits for the word. Its parent has imported all but what dislikes forks."""

    def __init__(self, folder: Path, index: Path, log: Path, *, largest: int = resource.RLIM_INFINITY) -> None:
        self.log = log
        self._pipe, theirs = _PROCESSES.Pipe()
        arguments = (theirs, folder, index, log, largest)
        self._process = _PROCESSES.Process(target=varied_library.serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, *, dim: int = 32) -> None:
        """Wait until all is imported, and have it run with an embedder of this dimension."""
        assert self._pipe.recv() == "ready"
        self._pipe.send(dim)

    def kill_after(self, events: int, seconds: float) -> None:
        """Kill it so long after so many events of its run, unless it ends before."""
        said = [self._pipe.recv()]
        while len(said) < events and "done" not in said and self._pipe.poll(60):
            said.append(self._pipe.recv())
        time.sleep(seconds)
        self._process.kill()
        self._process.join()
        with contextlib.suppress(EOFError):
            while True:
                said.append(self._pipe.recv())
        self._pipe.close()
        assert not [word for word in said if word not in _EVENTS], said

    def finish(self) -> str:
        """Let it run to its end; its last word."""
        said = [self._pipe.recv()]
        while said[-1] in _EVENTS and said[-1] != "done":
            assert self._pipe.poll(120)
            said.append(self._pipe.recv())
        self._process.join()
        self._pipe.close()
        return str(said[-1])

    def parsed(self) -> set[str]:
        """Digests of what it parsed."""
        return set(self.log.read_text("utf-8").split()) if self.log.exists() else set()


class Shelf:
    """A folder of files of several kinds, and how it changes from night to night."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root, self._chance = root, chance
        root.mkdir()
        for number in range(14):
            self._write(root / f"{number:02}.{('md', 'html', 'csv', 'pdf')[number % 4]}")

    def change(self) -> None:
        """Change, delete, rename, copy, touch and add some files."""
        chance = self._chance
        for path in chance.sample(sorted(self.root.iterdir()), 5):
            match chance.choice(["change", "change", "delete", "rename", "copy", "touch"]):
                case "change":
                    self._write(path)
                case "delete":
                    path.unlink()
                case "rename":
                    path.rename(self._fresh(path.suffix))
                case "copy":
                    shutil.copyfile(path, self._fresh(path.suffix))
                case "touch":
                    os.utime(path, ns=(0, chance.randrange(10**18)))
        while len(list(self.root.iterdir())) < 12:
            self._write(self._fresh(chance.choice([".md", ".html", ".csv", ".pdf"])))

    def _fresh(self, suffix: str) -> Path:
        return self.root / f"{self._chance.randrange(10**6):06}{suffix}"

    def _write(self, path: Path) -> None:
        texts = [" ".join(self._chance.choices(TEXT.split(), k=12)) for _ in range(self._chance.randint(1, 4))]
        if path.suffix == ".md":
            path.write_text("\n\n".join(f"# {text.split()[0]}\n\n{text}." for text in texts), "utf-8")
        elif path.suffix == ".html":
            path.write_text("".join(f"<h2>{text.split()[0]}</h2><p>{text}.</p>" for text in texts), "utf-8")
        elif path.suffix == ".csv":
            path.write_text("\n".join(["first,second", *(f"{text},{number}" for number, text in enumerate(texts))]))
        else:
            path.write_bytes(_pdf(texts))


def _pdf(texts: list[str]) -> bytes:
    with pymupdf.open() as document:
        for text in texts:
            document.new_page().insert_text((72, 72), text)
        return bytes(document.tobytes())


def rows(index: Path) -> dict[str, tuple[Chunk, Any]]:
    """Every chunk by id, with its vector; each row once, or this fails."""
    opened = LanceIndex(uri=str(index))
    documents = list(opened.document_ids())
    ids = [chunk_id for some in opened.chunk_ids(documents).values() for chunk_id in some]
    chunks, vectors = opened.fetch(ids), opened.vectors(documents)
    assert len(ids) == len(set(ids)) == opened.stats().rows == len(chunks)
    return {key: (chunk, vectors[text_key(chunk.content)]) for key, chunk in chunks.items()}


def ledger(index: Path) -> dict[str, dict[str, Any]]:
    """The ledger's rows but for times."""
    kept = Ledger(LanceIndex(uri=str(index)))
    found = kept.rows(kept.uris())
    return {uri: {name: fact for name, fact in asdict(row).items() if name not in TIMES} for uri, row in found.items()}


def assert_same(index: Path, fresh: Path) -> None:
    """Two indexes hold the same, but for times."""
    assert ledger(index) == ledger(fresh)
    one, other = rows(index), rows(fresh)
    assert one.keys() == other.keys()
    for key, (chunk, vector) in one.items():
        same, its = other[key]
        assert (chunk.text, chunk.context, chunk.document_id, chunk.source.uri, chunk.source.digest) == (
            same.text,
            same.context,
            same.document_id,
            same.source.uri,
            same.source.digest,
        )
        assert (chunk.span, chunk.position, chunk.pages) == (same.span, same.position, same.pages)
        np.testing.assert_allclose(vector, its, atol=1e-6)


def kept_digests(index: Path) -> set[str]:
    """Of the files whose parsed documents are kept."""
    return set(Ledger(LanceIndex(uri=str(index))).parsed_table.columns("digest")["digest"]) if index.exists() else set()


def check_kills(tmp_path: Path, kills: int, *, seed: int) -> None:
    """Kill runs over a folder that changes, sometimes with another embedder; then let one end, and compare."""
    chance, dim = random.Random(seed), 32
    shelf, index = Shelf(tmp_path / "docs", chance), tmp_path / "index"
    waiting = deque(Child(shelf.root, index, tmp_path / f"{number}.log") for number in range(2))
    for number in range(kills):
        waiting.append(Child(shelf.root, index, tmp_path / f"{number + 2}.log"))
        child, before = waiting.popleft(), kept_digests(index)
        child.begin(dim=dim)
        child.kill_after(chance.choice([0, 1, *range(14, 50)]), chance.uniform(0, 0.08))
        assert not child.parsed() & before, "something was parsed again"
        if number % 5 == 4:
            shelf.change()
        if number % 12 == 11:
            dim = 80 - dim
    for child in waiting:
        before = kept_digests(index)
        child.begin(dim=dim)
        assert child.finish() == "done"
        assert not child.parsed() & before
    varied_library.run(shelf.root, tmp_path / "fresh", tmp_path / "fresh.log", dim=dim)
    assert_same(index, tmp_path / "fresh")
    assert not LanceIndex(uri=str(index)).check().leftovers


def test_a_few_killed_runs_end_as_a_run_from_nothing(tmp_path: Path) -> None:
    check_kills(tmp_path, 3, seed=1)


def test_a_full_disk_ends_the_run_and_the_next_one_finishes_it(tmp_path: Path) -> None:
    shelf, index = Shelf(tmp_path / "docs", random.Random(7)), tmp_path / "index"
    for number, largest in enumerate((600, 3_000, 6_000)):
        child = Child(shelf.root, index, tmp_path / f"{number}.log", largest=largest)
        before = kept_digests(index)
        child.begin()
        assert "IndexFailed" in child.finish()
        assert not child.parsed() & before
    assert varied_library.run(shelf.root, index, tmp_path / "last.log").account.closed
    varied_library.run(shelf.root, tmp_path / "fresh", tmp_path / "fresh.log")
    assert_same(index, tmp_path / "fresh")


def test_a_source_that_is_gone_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    shelf, index, away = Shelf(tmp_path / "docs", random.Random(8)), tmp_path / "index", tmp_path / "away"
    varied_library.run(shelf.root, index, tmp_path / "first.log")
    held = rows(index).keys()
    shelf.change()

    def unmount(event: Event) -> None:
        if event.kind == "started" and shelf.root.exists():
            shelf.root.rename(away)

    report = varied_library.run(shelf.root, index, tmp_path / "second.log", progress=unmount)
    assert (report.failing, report.account.closed) == (True, True)
    assert len(rows(index).keys() & held) >= report.unchanged
    away.rename(shelf.root)
    last = varied_library.run(shelf.root, index, tmp_path / "third.log", retry=Retry(every=True))
    assert (last.failed, last.account.closed) == (0, True)
    varied_library.run(shelf.root, tmp_path / "fresh", tmp_path / "fresh.log")
    assert_same(index, tmp_path / "fresh")


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_runs_end_as_a_run_from_nothing(tmp_path: Path, seed: int) -> None:
    check_kills(tmp_path, 50, seed=seed)
