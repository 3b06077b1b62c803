"""Runs over a folder, each with its history -> the index as any of them left it."""

from pathlib import Path

import pytest
from nights import state
from toy_stages import ToyParser, ToyStages

from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import KeepOptions, RunOptions
from docpipe.pipeline.history.difference import difference
from docpipe.pipeline.history.log import History
from docpipe.pipeline.history.restoring import Restore
from docpipe.pipeline.history.rows import RunRow, new_run_id
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.source_texts import SourceTexts
from docpipe.protocols import Budget, Index


class Folder:
    """A folder, an index, and runs whose clock is a counter."""

    def __init__(self, place: Path, index: Index) -> None:
        self.root = place / "docs"
        self.root.mkdir()
        self.index, self.count = index, 0
        self.log = place / "parsed.log"
        self.stages = ToyStages(
            loaders=(FileLoader(path=str(self.root)),), index=index, parser=ToyParser(log=str(self.log))
        )

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.root / f"{name}.txt").write_text(text, encoding="utf-8")

    def run(self) -> RunRow:
        history = self._history("run")
        report = Run(self.stages, RunOptions(workers=1), run_id=history.run_id, history=history)("folder")
        return history.finish(report)

    def restore(self, run: str) -> None:
        Restore(self.index, self._history("restore"), check=lambda: None, upkeep=Budget())(run, pipeline="folder")

    def _history(self, kind: str) -> History:
        self.count += 1
        run_id = new_run_id(1e9, f"{self.count:04x}")
        return History(self.index, run_id=run_id, keep=KeepOptions(), kind=kind)

    @property
    def parsed(self) -> int:
        return len(self.log.read_text("utf-8").splitlines())


@pytest.fixture(params=["memory", "lancedb"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if request.param == "memory":
        return Folder(tmp_path, MemoryIndex())
    from docpipe.index.lancedb import LanceIndex

    return Folder(tmp_path, LanceIndex(uri=str(tmp_path / "index")))


def ledger(index: Index) -> dict[str, tuple[str, str, int]]:
    """Of each source: what the ledger says of its state, by uri."""
    rows = Ledger(index).rows(list(Ledger(index).known()))
    return {uri: (row.status, row.digest, row.chunks) for uri, row in rows.items()}


def test_changes_deletions_renames_and_failures_are_undone_by_a_restore(folder: Folder) -> None:
    folder.write(a="alpha one\n\nalpha two", b="beta", c="gamma", d="delta")
    first = folder.run()
    before = state(folder.index), ledger(folder.index)
    folder.write(a="alpha one\n\nalpha three", d="CORRUPT", e="new")
    (folder.root / "b.txt").unlink()
    (folder.root / "c.txt").rename(folder.root / "moved.txt")
    second = folder.run()
    after = state(folder.index)
    changes = {one.uri: one.change for one in difference(folder.index, first.id, "now").documents}
    assert changes == {"a.txt": "changed", "b.txt": "removed", "e.txt": "added", "moved.txt": "renamed"}
    folder.restore(first.id)
    restored = ledger(folder.index)
    assert (state(folder.index), restored | {"d.txt": before[1]["d.txt"]}) == before
    folder.restore(second.id)
    assert state(folder.index) == after


def test_the_run_after_a_restore_parses_nothing_that_was_parsed_before(folder: Folder) -> None:
    folder.write(a="alpha one", b="beta")
    first = folder.run()
    folder.write(a="alpha two")
    folder.run()
    after, parsed = state(folder.index), folder.parsed
    folder.restore(first.id)
    folder.run()
    assert (state(folder.index), folder.parsed) == (after, parsed)


def test_a_quote_of_a_restored_document_is_found_in_what_was_parsed_then(folder: Folder) -> None:
    folder.write(a="alpha one\n\nalpha two")
    first = folder.run()
    folder.write(a="another text")
    folder.run()
    folder.restore(first.id)
    texts = SourceTexts(folder.index)
    assert sorted(str(texts(chunk)) for chunk, _ in state(folder.index).values()) == ["alpha one", "alpha two"]


def test_a_run_on_which_nothing_changed_is_a_version_too(folder: Folder) -> None:
    folder.write(a="alpha")
    folder.run()
    idle = folder.run()
    assert (idle.changed, idle.documents, idle.chunks) == (False, 1, 1)
    folder.write(a="beta")
    folder.run()
    folder.restore(idle.id)
    assert [chunk.text for chunk, _ in state(folder.index).values()] == ["alpha"]
