"""Laws of the packaged model, told by numbers: what is near, what is equal, what is refused."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from docpipe import _ids, _onnx
from docpipe.embed.local import LocalEmbedder
from docpipe.errors import EmbedError, UnknownName
from docpipe.protocols import Embedder

EMBEDDER: Embedder = LocalEmbedder(threads=2)
PASSAGES = [
    "The pump must be switched off before the filter is changed.",
    "Revenue rose by eight percent in the second quarter.",
    "Cats sleep for most of the day.",
    "Our offices are closed on public holidays.",
]


def test_a_question_is_nearest_to_the_passage_that_answers_it() -> None:
    questions = ["What do I do before replacing the filter?", "How did sales develop?", "How long do cats rest?"]
    similarity = EMBEDDER.embed_queries(questions) @ EMBEDDER.embed_passages(PASSAGES).T
    assert similarity.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_vector_depends_on_its_own_text_alone_to_the_bit() -> None:
    long = "An unrelated and much longer sentence about shipping. " * 30
    together = EMBEDDER.embed_passages([*PASSAGES, long, "", *PASSAGES])
    assert together.shape == (10, 384) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([LocalEmbedder(threads=1).embed_passages([text]) for text in PASSAGES])
    assert np.array_equal(together[:4], alone)
    assert np.array_equal(together[6:], alone)


def test_each_distinct_text_runs_through_the_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    monkeypatch.setattr(_onnx.Network, "first_row", lambda self, ids: runs.append(len(ids)) or np.ones((1, 384)))
    EMBEDDER.embed_passages(["twice", "once", "twice"])
    assert len(runs) == 2


def test_what_lies_beyond_the_limit_is_not_read() -> None:
    words = "lorem ipsum dolor sit amet " * 200
    one, other = EMBEDDER.embed_passages([words, words + "and a different end"])
    assert np.array_equal(one, other)


def test_questions_and_passages_are_told_apart() -> None:
    assert not np.array_equal(EMBEDDER.embed_queries(PASSAGES[:1]), EMBEDDER.embed_passages(PASSAGES[:1]))


def test_nothing_gives_a_matrix_without_rows_and_odd_characters_do_no_harm() -> None:
    assert EMBEDDER.embed_passages([]).shape == (0, 384)
    assert np.isfinite(EMBEDDER.embed_passages(["\ud800", "\x00", "中文"])).all()


def test_its_identity_names_model_and_digest_and_can_be_given_back() -> None:
    assert EMBEDDER.model == "bge-small-en@68807e3ff2ab"
    assert LocalEmbedder(model=EMBEDDER.model) == LocalEmbedder() == EMBEDDER
    assert _ids.fingerprint(LocalEmbedder(threads=1, batch_size=3)) == _ids.fingerprint(LocalEmbedder())


def test_it_travels_to_a_worker_after_use() -> None:
    EMBEDDER.embed_passages(["used"])
    assert pickle.loads(pickle.dumps(EMBEDDER)) == EMBEDDER


def test_making_one_loads_nothing_heavy() -> None:
    script = (
        "import sys; from docpipe.embed.local import LocalEmbedder; LocalEmbedder().dim;"
        "assert not {'numpy', 'onnxruntime', 'tokie'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_model_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownName, match=r"no model 'bge-smal-en' \(use one of: bge-small-en"):
        LocalEmbedder(model="bge-smal-en")


@pytest.mark.parametrize(("option", "value"), [("threads", -1), ("batch_size", 0)])
def test_wrong_numbers_are_refused_by_name(option: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{option} must .*, got {value}"):
        LocalEmbedder(**{option: value})


def test_a_failing_model_is_reported_with_the_size_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, ids: object) -> None:
        raise _onnx.run_errors()[0]("bad allocation")

    monkeypatch.setattr(_onnx.Network, "first_row", fail)
    with pytest.raises(EmbedError, match="failed on a text of 4 tokens: bad allocation") as caught:
        LocalEmbedder(threads=1).embed_passages(["two words"])
    assert "threads: 1" in caught.value.remedy
