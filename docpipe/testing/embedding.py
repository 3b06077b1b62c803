"""What every embedder does: texts in, vectors of length one out."""

import pickle
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

from docpipe._ids import fingerprint
from docpipe.protocols import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

TEXTS = ("The tide is high.", "潮水很高。", "a", "The pilot waits at the buoy until the tide is high. " * 4, "42 m²")


class EmbedderContract:
    """What every embedder does. Subclass it and define `make`."""

    def make(self) -> Embedder:
        """The embedder."""
        raise NotImplementedError

    def checked(self, matrix: "type_matrix", count: int) -> "type_matrix":
        """The matrix, which must be of the embedder's own form."""
        import numpy as np

        assert matrix.shape == (count, self.make().dim)
        assert matrix.dtype == np.float32
        assert np.isfinite(matrix).all()
        assert np.allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-3)
        return matrix

    def test_the_stage_is_its_options(self) -> None:
        embedder = self.make()
        assert is_dataclass(embedder)
        again = pickle.loads(pickle.dumps(embedder))
        assert again == embedder
        assert fingerprint(again) == fingerprint(embedder)

    def test_it_says_what_it_is(self) -> None:
        embedder = self.make()
        assert embedder.model and embedder.tokenizer
        assert embedder.dim > 0 and embedder.max_tokens > 0 and embedder.batch_size > 0
        assert all(language.isalpha() for language in embedder.languages)

    def test_passages_and_questions_are_vectors_of_length_one(self) -> None:
        embedder = self.make()
        self.checked(embedder.embed_passages(TEXTS), len(TEXTS))
        self.checked(embedder.embed_queries(TEXTS), len(TEXTS))

    def test_no_texts_give_no_vectors(self) -> None:
        assert len(self.make().embed_passages([])) == 0
        assert len(self.make().embed_queries([])) == 0

    def test_a_texts_vector_does_not_depend_on_the_others(self) -> None:
        import numpy as np

        embedder = self.make()
        together = self.checked(embedder.embed_passages(TEXTS), len(TEXTS))
        alone = np.concatenate([self.checked(embedder.embed_passages([text]), 1) for text in TEXTS])
        assert np.allclose(together, alone, atol=1e-2)
        backwards = self.checked(embedder.embed_passages(TEXTS[::-1]), len(TEXTS))
        assert np.allclose(together, backwards[::-1], atol=1e-2)

    def test_a_text_is_nearest_to_itself(self) -> None:
        matrix = self.checked(self.make().embed_passages(TEXTS), len(TEXTS))
        assert list((matrix @ matrix.T).argmax(axis=1)) == list(range(len(TEXTS)))

    def test_a_question_that_is_too_long_is_cut(self) -> None:
        self.checked(self.make().embed_queries(["tide " * 20_000]), 1)
