"""What the parts of a pipeline promise each other: Stage, BatchStage and one small protocol per role."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from docpipe.protocols.index import (
    ORDINARY,
    Budget,
    DocumentRows,
    Index,
    IndexCheck,
    IndexStats,
    KeyedTable,
    Reading,
    Shelved,
    Snapshot,
    Unreadable,
    Upkept,
)
from docpipe.types import Answer, Blob, Chunk, Document, Entry, Hit, Outcome, Query, Source, Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type_matrix = NDArray[np.float32]

__all__ = [
    "ORDINARY",
    "Answerer",
    "AssistedParser",
    "BatchStage",
    "Budget",
    "Chunker",
    "DocumentRows",
    "Embedder",
    "Expected",
    "HoldsFiles",
    "Index",
    "IndexCheck",
    "IndexStats",
    "KeyedTable",
    "Loader",
    "NeedsKey",
    "PagedParser",
    "PaidByPage",
    "PaidByToken",
    "Parser",
    "Payload",
    "Reading",
    "Recogniser",
    "Reranker",
    "Retriever",
    "Shelved",
    "Snapshot",
    "Stage",
    "Tokenizer",
    "Unreadable",
    "Upkept",
    "Wanted",
]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """Map, filter and expand are one shape: 0, 1 or many out for one in.

    A stage is a frozen, keyword-only dataclass: fields are its options, `VERSION` rises when the same input
    gives another output, `__call__` is its work. It is picklable and cheap to make; heavy parts load on first use.
    """

    def __call__(self, item: In, /) -> Iterable[Out]:
        """Do the work."""
        ...


class BatchStage(Protocol[In, Out]):
    """As many out as in, in the same order."""

    @property
    def batch_size(self) -> int:
        """How many items it likes to get at once."""
        ...

    def __call__(self, items: Sequence[In], /) -> Sequence[Out]:
        """Do the work."""
        ...


class Loader(Protocol):
    """Where sources come from. Runs `entries` in the main process and `read` in workers.

    Workers have no network, write to their own folder only, and see few environment variables. A loader that needs the
    network to read has `fetches = True`: its `read` runs in the main process, too. One that reads environment variables
    in a worker names them in `environment_names`.
    """

    def entries(self) -> Iterator[Entry | Outcome]:
        """Everything there, in a stable order; what cannot be indexed comes as an Outcome with its reason.

        Raises:
            SourceError: the root itself is missing or cannot be read.
        """
        ...

    def read(self, entry: Entry, /) -> Blob:
        """The bytes, with media type and digest.

        Raises:
            SourceError: too large, vanished, unreadable.
        """
        ...


@runtime_checkable
class HoldsFiles(Protocol):
    """A loader whose files may hold files: archives, mails. They are sources of their own.

    The uri of one is that of the file around it, `!/`, and its name in there.
    """

    @property
    def holds_by(self) -> str:
        """A fingerprint of what decides which files are found inside others."""
        ...

    def may_hold(self, uri: str, /) -> bool:
        """Whether a file may hold files, judged by its name, in the main process."""
        ...

    def members(self, entry: Entry, /) -> Sequence[Entry | Outcome]:
        """The files directly inside a file, in a stable order; none where it holds none. Runs in workers.

        Raises:
            SourceError: it cannot be opened.
        """
        ...

    def inside(self, entry: Entry, uri: str, size: int, modified: int, /) -> Entry:
        """A file directly inside `entry`, as `members` gave it before."""
        ...

    def admit(self, entry: Entry, members: int, unpacked: int, /) -> None:
        """Refuse a file in which so many files lie, however deep, with so many bytes.

        Raises:
            SourceTooLarge: more than is allowed.
        """
        ...


class Parser(Protocol):
    """Blob -> Document (one, or none)."""

    def __call__(self, blob: Blob, /) -> Iterable[Document]:
        """Parse.

        Raises:
            SourceError, ParseError: it cannot be parsed; the message says why and what to try.
        """
        ...


@runtime_checkable
class PagedParser(Protocol):
    """A parser that can read a long file in ranges of pages, in several processes. `parser(blob)` does the same in one.

    Law: the document does not depend on how the pages were divided.
    """

    def page_count(self, blob: Blob, /) -> int:
        """How many pages it has; 0 where the file should be parsed in one piece."""
        ...

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> Any:
        """Pages `start` (from 0) up to `stop`, as a picklable value that only `merge` understands."""
        ...

    def merge(self, source: Source, parts: Sequence[Any], /) -> Document:
        """All parts, in order, to the document: what needs the whole file is decided here."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A page that a service has to read."""

    page: int
    """From 1."""
    key: str
    """What its reply is remembered by: digest of the page's own content and of the options that change the reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """What is sent to a service for some pages."""

    data: bytes = field(repr=False)
    media_type: str
    pages: tuple[int, ...]
    """Their numbers, from 1, in the order in which they stand in `data`."""
    ink: tuple[bool, ...]
    """Whether each shows anything at all."""
    regions: tuple[Any, ...] = field(default=(), repr=False)
    """For a service that reads regions: what the parser found on the page. Of a part of a page: which part."""


class Recogniser(Protocol):
    """Asks the service, away from the files: runs in the main process, on the event loop of `docpipe._http.loop`."""

    async def recognise(
        self,
        wanted: Sequence[Wanted],
        make: Callable[[tuple[int, ...], str], Awaitable[Payload]],
        keep: Callable[[Mapping[str, bytes]], None],
    ) -> Mapping[str, bytes]:
        """The replies of pages of one file, by `Wanted.key`. Several files may be under way at once.

        Args:
            make: pages, and in which way they are sent (the parser's own word) -> what to send; made in a worker.
            keep: is told each finished page at once, so that it need not be paid for again.

        Raises:
            ServiceError: the service cannot be used now, or not with this key. What was kept stays.
        """
        ...


@runtime_checkable
class AssistedParser(PagedParser, Protocol):
    """A parser of which a service reads some pages. Everything but `recogniser` runs in workers, without network."""

    pages_per_part: int
    """How many pages are looked at in one call."""

    def wanted(self, part: Any, /) -> Sequence[Wanted]:
        """Which pages of a part (of `parse_pages`) the service has to read."""
        ...

    def payload(self, blob: Blob, pages: tuple[int, ...], way: str, /) -> Payload:
        """What to send for these pages."""
        ...

    def recogniser(self) -> Recogniser:
        """What asks the service."""
        ...

    def merge_read(self, source: Source, parts: Sequence[Any], replies: Mapping[str, bytes], /) -> Document:
        """`merge`, with what the service read. A page without a reply stays marked `needs_ocr`."""
        ...


class Chunker(Protocol):
    """Document -> its chunks, in the order of the text."""

    def __call__(self, document: Document, /) -> Iterable[Chunk]:
        """Cut."""
        ...


class Tokenizer(Protocol):
    """Counts as a model counts. Made by name with `docpipe.split.tokenizers.tokenizer`."""

    @property
    def name(self) -> str:
        """Its name in pipeline files."""
        ...

    @property
    def special_tokens(self) -> int:
        """How many tokens are added around a text."""
        ...

    def count(self, text: str, /) -> int:
        """Tokens of a text, without special tokens."""
        ...

    def count_many(self, texts: Sequence[str], /) -> list[int]:
        """`count` of each, quicker than one by one."""
        ...


class Embedder(Protocol):
    """Texts -> vectors."""

    @property
    def model(self) -> str:
        """Identity of what makes the vectors: equal names give comparable vectors."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest input, special tokens included."""
        ...

    @property
    def tokenizer(self) -> str:
        """Name of the tokenizer that counts as this model does."""
        ...

    @property
    def batch_size(self) -> int:
        """How many texts it likes to get at once (it sorts and batches them itself)."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary languages it is good at; empty: any. Retrieval gives its vote less weight elsewhere."""
        ...

    def embed_passages(self, texts: Sequence[str], /) -> "type_matrix":
        """float32, shape (len(texts), dim), rows of length 1, in the order given.

        Raises:
            EmbedError: the model failed.
        """
        ...

    def embed_queries(self, texts: Sequence[str], /) -> "type_matrix":
        """The same for questions; too long ones are cut."""
        ...


class Reranker(Protocol):
    """Scores a few hits again, with the question and the text side by side."""

    @property
    def depth(self) -> int:
        """How many hits it wants to see."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary languages it is good at; empty: any."""
        ...

    def score(self, question: str, texts: Sequence[str], /) -> list[float]:
        """One score per text; higher is better."""
        ...


class Retriever(Protocol):
    """Question -> hits."""

    def search(self, query: Query, /) -> list[Hit]:
        """The best hits, best first, at most `query.limit`."""
        ...

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        """The same for several questions, their vectors made and searched in one call."""
        ...

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """What stands around a hit in its document."""
        ...


class Answerer(Protocol):
    """A question -> an answer with proof."""

    def flow(self, turn: Turn, /) -> Generator[Any, Any, Answer]:
        """The steps to one grounded answer, as `docpipe.chat.needs` explains; `origin: none` where nothing says it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """Calls that some work will take, about: named and counted as the meter of `docpipe._http` does."""

    capability: str
    model: str
    requests: int
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@runtime_checkable
class PaidByPage(Protocol):
    """A stage that has a service read pages."""

    def expected_of_pages(self, pages: Sequence[int], /) -> Expected:
        """What it takes, rather too much than too little. `pages`: how many of each file."""
        ...


@runtime_checkable
class PaidByToken(Protocol):
    """A stage that sends texts to a service."""

    def expected_of_tokens(self, tokens: int, /) -> Expected:
        """What it takes, rather too much than too little."""
        ...


@runtime_checkable
class RepliesKept(Protocol):
    """An embedder whose replies cost money, and which tells of each as soon as it is there."""

    def embed_keeping(
        self, texts: Sequence[str], keep: "Callable[[Mapping[str, NDArray[np.float32]]], None]", /
    ) -> "type_matrix":
        """`embed_passages`; `keep` is given the vectors of some texts at once, on any thread, so that no reply is

        paid for twice whatever happens next. Raises as `embed_passages` does: what was kept stays.
        """
        ...


@runtime_checkable
class NeedsKey(Protocol):
    """A stage that asks a service."""

    def require_key(self) -> None:
        """Do nothing where the service needs no key.

        Raises:
            Unauthorized: the environment holds no key, or none of the right form; nothing was sent.
        """
        ...
