"""Readers who are held at a version for long: what they see stays whole, however many runs are made meanwhile."""

from nights import Nights, digest

from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.options import KeepOptions
from docpipe.pipeline.history.past import Past


def test_the_version_that_readers_are_held_at_can_be_restored_however_many_runs_came_later() -> None:
    nights = Nights(MemoryIndex(), keep=KeepOptions(runs=2, days=3))
    nights.run({"a": "first"})
    shown = nights.run({"a": "second"})
    for night in range(6):
        nights.run({"a": f"staged {night}"}, stage=True)
    past = Past(nights.index)
    assert nights.index.held()
    assert digest("second") in past.kept_digests(), "readers' proofs need what was parsed of it"
    restored = nights.restore(shown.id)
    assert restored.documents == 1
    assert [row.chunk.text for row in nights.index.snapshot().rows.values()] == ["second"]


def test_once_readers_are_let_go_the_old_version_is_forgotten_as_any_other() -> None:
    nights = Nights(MemoryIndex(), keep=KeepOptions(runs=2, days=3))
    nights.run({"a": "first"})
    nights.run({"a": "second"})
    for night in range(3):
        nights.run({"a": f"staged {night}"}, stage=True)
    for night in range(3):
        nights.run({"a": f"published {night}"})
    assert digest("second") not in Past(nights.index).kept_digests()
