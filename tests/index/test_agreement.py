"""LanceDB and the reference agree after any history of writes."""

import tempfile
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docpipe._ids import document_id
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.protocols import Budget, DocumentRows, Snapshot
from docpipe.testing import DIM, MODEL, chunk, document, embedded

WORDS = ("alpha", "beta", "gamma", "世界", "it's")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=3)
URIS = st.sampled_from(["a.md", "it's.md", "资料.md"])
WRITES = st.one_of(
    st.tuples(st.just("replace"), st.lists(st.tuples(URIS, TEXTS), max_size=3)),
    st.tuples(st.just("delete"), st.lists(URIS, max_size=2)),
    st.tuples(st.sampled_from(["optimize", "back", "hold", "publish", "move"]), st.booleans()),
)


class Player:
    """Does a history to one index."""

    def __init__(self, index: LanceIndex | MemoryIndex) -> None:
        self.index = index
        self.model = MODEL
        self.kept: dict[str, bytes] = {}
        index.open(model=MODEL, dim=DIM)

    def do(self, verb: str, what: Any) -> None:
        """One step."""
        match verb:
            case "replace":
                self.index.replace([self.rows(uri, texts) for uri, texts in what])
            case "delete":
                self.kept |= self.index.export([document_id(uri) for uri in what])
                self.index.delete([document_id(uri) for uri in what])
            case "back":
                self.index.replace([], restored=self.kept)
            case "hold":
                self.index.hold()
            case "publish":
                self.index.publish()
            case "move" if self.index.stats().rows:
                self.move(f"model {self.index.versions()}")
            case _:
                self.index.optimize(Budget(force=bool(what)))

    def rows(self, uri: str, texts: list[str]) -> DocumentRows:
        """A document's rows, of the model that the index has now."""
        made = document(uri, *texts)
        again = [embedded(row.chunk, row.vector.tolist(), model=self.model) for row in made.chunks]
        return DocumentRows(document_id=made.document_id, chunks=tuple(again))

    def move(self, model: str) -> None:
        """To another model, whose vectors are those of before."""
        self.index.migration(model=model, dim=DIM)
        while found := self.index.missing_vectors(model, limit=2):
            made = [embedded(chunk(content), (len(content), 1, 0, 0)).vector for _, content in found]
            self.index.fill_vectors(model, [key for key, _ in found], np.stack(made))
        self.index.switch(model=model, made_by=model)
        self.model, self.kept = model, {}


def agree(found: Snapshot, expected: Snapshot) -> None:
    """Both give the same answers."""
    question = np.array([[1, 0.2, 0, 0]], dtype=np.float32)
    (ours,), (theirs,) = (one.search_vector(question, limit=99) for one in (found, expected))
    assert {key: round(score, 4) for key, score in ours} == {key: round(score, 4) for key, score in theirs}
    assert found.fetch([key for key, _ in theirs]) == expected.fetch([key for key, _ in theirs])
    for word in WORDS:
        assert {key for key, _ in found.search_text(word, limit=99)} == {
            key for key, _ in expected.search_text(word, limit=99)
        }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(WRITES, max_size=7))
def test_any_history_leaves_the_same_rows(history: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lance, memory = Player(LanceIndex(uri=folder)), Player(MemoryIndex())
        for verb, what in history:
            for player in (lance, memory):
                player.do(verb, what)
        agree(lance.index.snapshot(), memory.index.snapshot())
        agree(lance.index.snapshot(latest=True), memory.index.snapshot(latest=True))
        assert lance.index.stats().documents == memory.index.stats().documents
        assert bool(lance.index.held()) == bool(memory.index.held())
        assert lance.index.document_ids() == memory.index.document_ids()
        faults = lance.index.check()
        assert (faults.duplicates, faults.bad_vectors, faults.foreign, faults.unreadable) == ((), (), (), ())
