"""What an index promises: chunks with vectors that are read one version at a time, and small tables beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from docpipe.types import Chunk, EmbeddedChunk

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRows:
    """All chunks of one document, to replace whatever the index holds of it."""

    document_id: str
    chunks: tuple[EmbeddedChunk, ...]


class Shelved(NamedTuple):
    """What the index holds of one document."""

    uri: str
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexStats:
    """Figures about an index."""

    rows: int
    documents: int
    version: int
    bytes: int
    text_rows: int
    """Rows that the full-text index covers."""
    vector_index: str
    """Kind of vector index, or nothing while search is exact."""
    vector_recall: float
    """recall@10 of the vector index against exact search, measured when it was built; 1.0 for exact search."""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What upkeep after a run may cost."""

    max_bytes: int = 4 * 2**30
    """How much may be rewritten; what would take more is left out and said."""
    max_seconds: float = 600.0
    """When work that cannot be done in steps is ended; what was there before stays as it was."""
    force: bool = False
    """Do all that can be done, also where the figures say that it would not pay."""


ORDINARY = Budget()
"""What upkeep may cost where nothing else is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upkept:
    """What upkeep did."""

    done: tuple[str, ...] = ()
    """One line each: `folded 1200 rows into the indexes of chunks`."""
    skipped: tuple[str, ...] = ()
    """What was left out, and why."""
    bytes: int = 0
    """How much was written."""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A part of a table that cannot be read."""

    table: str
    part: str
    """Its file or its rows, as far as known."""
    document_ids: tuple[str, ...]
    """Whose rows are hit, where that can still be read."""
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexCheck:
    """What an index looks like from within. All well where `duplicates` to `unreadable` are empty."""

    rows: int = 0
    model: str = ""
    dim: int = 0
    text_rows: int = 0
    """Rows that the full-text index covers; the others are found by scanning."""
    found_by_text: bool = True
    """Whether sample rows, old and new, are found by their own words."""
    found_by_vector: bool = True
    """Whether they are found by their own vectors."""
    duplicates: tuple[str, ...] = ()
    """Chunk ids that stand in more than one row."""
    bad_vectors: tuple[str, ...] = ()
    """Chunk ids without a vector, or with one that is not made of finite numbers."""
    foreign: tuple[str, ...] = ()
    """Chunk ids whose vectors come from a model that this index never had."""
    unreadable: tuple[Unreadable, ...] = ()
    versions: int = 0
    oldest: float = 0.0
    """When the oldest version that is kept was made, in seconds since 1970; 0 where there is none."""
    held: int = 0
    """The version that readers are held at; 0 for none."""
    bytes: Mapping[str, int] = field(default_factory=dict)
    """Size on disk by table; empty where it cannot be measured (a bucket)."""
    leftovers: tuple[str, ...] = ()
    """What an interrupted run left and nothing uses: upkeep removes it."""


class Reading(Protocol):
    """Chunks with vectors: searched by vector and by words. Everything may raise IndexFailed."""

    def search_vector(self, vectors: "type_matrix", /, *, limit: int, where: str = "") -> list[list[tuple[str, float]]]:
        """For each row of `vectors`, `(chunk id, cosine similarity)` by falling similarity."""
        ...

    def search_text(self, text: str, /, *, limit: int, where: str = "") -> list[tuple[str, float]]:
        """`(chunk id, BM25 score)` by falling score. Any text is a valid question; no word of it is syntax."""
        ...

    def fetch(self, chunk_ids: Sequence[str], /) -> dict[str, Chunk]:
        """The chunks with these ids; ids that are gone are left out."""
        ...

    def neighbours(self, chunk: Chunk, /, *, before: int, after: int) -> list[Chunk]:
        """Chunks of the same document around this one, in order, itself left out."""
        ...

    def vectors(self, document_ids: Sequence[str], /) -> "dict[str, type_matrix]":
        """Vectors of these documents' rows by `_ids.text_key(content)`: what need not be embedded again."""
        ...


class Snapshot(Reading, Protocol):
    """One version of an index: whatever is written meanwhile, each document is seen as it was then.

    Every method may raise SnapshotGone: its files were cleaned away. Ask the index for a new one then.
    """

    @property
    def version(self) -> int:
        """Its number; 0 while nothing was written."""
        ...

    @property
    def model(self) -> str:
        """With which model its vectors were made, so with which to ask; empty while nothing was written."""
        ...

    @property
    def dim(self) -> int:
        """Length of its vectors; 0 while nothing was written."""
        ...

    @property
    def made_by(self) -> str:
        """What was said of the embedder when the index was opened: JSON of its stage; empty where nothing was."""
        ...


class Index(Reading, Protocol):
    """Chunks with vectors: kept, replaced by document, searched.

    Its own reading methods look at what was written last, each for itself: they are for who writes. Who searches
    takes a `snapshot`. Reading an index that was never written gives nothing and is no error.
    """

    @property
    def name(self) -> str:
        """Where it is, for messages."""
        ...

    def open(self, *, model: str, dim: int, made_by: str = "") -> None:
        """Make sure that it exists, and that it is of this model or is being moved to it.

        Args:
            made_by: kept beside the model, for readers that have to make the embedder anew; JSON of its stage.

        Raises:
            IndexMismatch: it was made by another model, dimension or schema; nothing was changed.
        """
        ...

    def snapshot(self, *, latest: bool = False) -> Snapshot:
        """The published version, to be read as a whole. Costs next to nothing while there is no newer one.

        Args:
            latest: what was written last, though readers may be held at an older version.
        """
        ...

    def hold(self) -> int:
        """Hold readers at the present version while others are written; returns it. Nothing, where they are held."""
        ...

    def publish(self) -> int:
        """Let readers see what was written last, from now on; returns its version."""
        ...

    def held(self) -> int:
        """The version that readers are held at; 0: they see what was written last."""
        ...

    def replace(self, documents: Sequence[DocumentRows], /, *, restored: Mapping[str, bytes] | None = None) -> int:
        """Replace each document's rows by these, all in one commit; returns the version.

        A reader sees all old or all new rows. A document without chunks disappears.

        Args:
            restored: by document id, what `export` gave: these rows come back as they were. A document is given
                in one of both ways.

        Raises:
            IndexMismatch: rows are of another model or schema than the index; nothing was changed.
        """
        ...

    def export(self, document_ids: Sequence[str], /) -> dict[str, bytes]:
        """Whole rows by document, to be kept and given to `replace`; documents without rows are left out."""
        ...

    def delete(self, document_ids: Sequence[str], /) -> int:
        """Remove documents in one commit; returns the version. Unknown ids are no error."""
        ...

    def remove_rows(self, chunk_ids: Sequence[str], /) -> int:
        """Remove single rows in one commit, for repairs; returns the version. Unknown ids are no error."""
        ...

    def document_ids(self) -> dict[str, Shelved]:
        """What is held, by document id."""
        ...

    def chunk_ids(self, document_ids: Sequence[str], /) -> dict[str, tuple[str, ...]]:
        """Ids of the chunks of these documents, by position; documents without rows are left out."""
        ...

    def migration(self, *, model: str, dim: int) -> int:
        """Begin or continue to move to another model; returns how many distinct texts still lack a vector of it."""
        ...

    def missing_vectors(self, model: str, /, *, limit: int) -> list[tuple[str, str]]:
        """`(chunk id, content)` of texts without a vector of this model, each text once, at most `limit`."""
        ...

    def fill_vectors(self, model: str, chunk_ids: Sequence[str], matrix: "type_matrix", /) -> None:
        """Keep vectors, shape (len(chunk_ids), dim), of what `missing_vectors` gave. Readers notice nothing.

        Raises:
            ValueError: the shape is another, or something is not a finite number.
        """
        ...

    def switch(self, *, model: str, made_by: str = "") -> int:
        """Let readers use this model's vectors, from one commit on; returns the version.

        Raises:
            IndexMismatch: texts still lack a vector; nothing was changed.
        """
        ...

    def versions(self) -> int:
        """The number of the version written last; 0 while nothing was written."""
        ...

    def stats(self) -> IndexStats:
        """Figures for `status`, of what was written last."""
        ...

    def optimize(self, budget: Budget = ORDINARY, /) -> Upkept:
        """Upkeep after writing, where the figures say that it pays: new rows folded into the indexes, small parts

        joined, old versions dropped; then sample rows are asked for, and what does not know them is built again.
        """
        ...

    def check(self) -> IndexCheck:
        """Read everything once, and say what is wrong. Changes nothing."""
        ...

    def rebuild_indexes(self) -> None:
        """Build the indexes over the rows anew."""
        ...

    def remove_unreadable(self) -> tuple[Unreadable, ...]:
        """Take out what cannot be read, so that the next run can write it anew; returns what was taken out."""
        ...

    def table(self, name: str, /, *, columns: Mapping[str, str], key: str) -> "KeyedTable":
        """A small table beside the chunks (the ledger, parsed documents), made when first written.

        A table that lacks columns gives their defaults (0, "", b"", False), and gets them when next written.

        Args:
            columns: name -> `str`, `int`, `float`, `bytes`, `bool`.
            key: the column that identifies a row.

        Raises:
            IndexMismatch: (when used) it has columns that this docpipe does not know.
        """
        ...


class KeyedTable(Protocol):
    """Rows by key, beside the chunks."""

    def columns(self, *names: str) -> dict[str, list[Any]]:
        """These columns of all rows, as equally long lists; empty lists while nothing was written."""
        ...

    def arrow(self, *names: str) -> "pa.Table":
        """The same as one Arrow table, for many rows."""
        ...

    def get(self, keys: Sequence[str], /) -> dict[str, dict[str, Any]]:
        """Whole rows by key; unknown keys are left out."""
        ...

    def find(self, column: str, value: str | float | bool, /) -> list[dict[str, Any]]:
        """Whole rows whose column has this value, by key."""
        ...

    def count(self) -> int:
        """How many rows there are."""
        ...

    def version(self) -> int:
        """A number that rises with every change; 0 while nothing was written."""
        ...

    def put(self, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert or replace rows, in one commit."""
        ...

    def swap(self, key: str, expected: Mapping[str, Any] | None, row: Mapping[str, Any], /) -> bool:
        """Put a row in one commit, if the one there is as expected; whether it was put. Of several at once, one wins.

        Args:
            expected: values that columns of the row with this key must have now; None: there must be no such row.
            row: whole, with the same key.
        """
        ...

    def remove(self, keys: Sequence[str], /) -> None:
        """Remove rows, in one commit unless they are very many; unknown keys are no error."""
        ...

    def remove_where(self, column: str, values: Sequence[str], /) -> None:
        """Remove the rows whose column has one of these values, in one commit unless they are very many."""
        ...

    def tidy(self) -> None:
        """Bounded upkeep, for who writes often: after some hundred commits each one costs more."""
        ...
