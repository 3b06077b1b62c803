"""LanceDB and the reference agree after any history of writes."""

import tempfile

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docpipe._ids import document_id
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.protocols import Budget
from docpipe.testing import DIM, MODEL, document

WORDS = ("alpha", "beta", "gamma", "世界", "it's")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=3)
URIS = st.sampled_from(["a.md", "it's.md", "资料.md"])
WRITES = st.one_of(
    st.tuples(st.just("replace"), st.lists(st.tuples(URIS, TEXTS), max_size=3)),
    st.tuples(st.just("delete"), st.lists(URIS, max_size=2)),
    st.tuples(st.just("optimize"), st.booleans()),
)


def do(index: LanceIndex | MemoryIndex, verb: str, what: object) -> None:
    match verb, what:
        case "replace", list(documents):
            index.replace([document(uri, *texts) for uri, texts in documents])
        case "delete", list(uris):
            index.delete([document_id(uri) for uri in uris])
        case _:
            index.optimize(Budget(force=bool(what)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(WRITES, max_size=6))
def test_any_history_leaves_the_same_rows(history: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lance, memory = LanceIndex(uri=folder), MemoryIndex()
        for index in (lance, memory):
            index.open(model=MODEL, dim=DIM)
            for verb, what in history:
                do(index, verb, what)
        question = np.array([[1, 0.2, 0, 0]], dtype=np.float32)
        (expected,), (found,) = (index.search_vector(question, limit=99) for index in (memory, lance))
        assert {key: round(score, 4) for key, score in found} == {key: round(score, 4) for key, score in expected}
        assert lance.fetch([key for key, _ in expected]) == memory.fetch([key for key, _ in expected])
        for word in WORDS:
            assert {key for key, _ in lance.search_text(word, limit=99)} == {
                key for key, _ in memory.search_text(word, limit=99)
            }
        assert lance.stats().documents == memory.stats().documents
