"""A pipeline file -> something to run, search and ask: the object that users hold."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, get_args

from docpipe import _codec
from docpipe.errors import InvalidOption
from docpipe.pipeline import planning, spec
from docpipe.pipeline.build import Stages, build
from docpipe.pipeline.ledger import Ledger
from docpipe.pipeline.lock import run_lock
from docpipe.pipeline.reports import Event, FailureRow, Plan, RunReport, StatusReport
from docpipe.pipeline.run import Run
from docpipe.protocols import Answerer, Retriever
from docpipe.retrieve.retriever import IndexRetriever
from docpipe.types import Answer, Chunk, Hit, Query

Mode = Literal["hybrid", "vector", "text"]
_MOST_HITS = 1_000_000
"""Beyond this a limit is a slip of the pen; Lance cannot count beyond 2**31."""


class Pipe:
    """An open pipeline. Safe to search and to ask from several threads; one `run` at a time."""

    def __init__(self, stages: Stages) -> None:
        self.stages = stages

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.stages.name

    def run(
        self, *, full: bool = False, limit: int | None = None, progress: Callable[[Event], None] | None = None
    ) -> RunReport:
        """Bring the index in line with the sources.

        Args:
            full: parse everything again, whatever the ledger says.
            limit: work on so many documents at most; the next run goes on.
            progress: is told each step, in this thread.

        Raises:
            InvalidOption: the limit is below 1.
            RunLocked: another run works on the same index.
            SourceError: a source cannot be listed, or so much of it is gone that it looks like a mistake.
            IndexMismatch, IndexFailed: the index is another model's, or cannot be written.
        """
        if limit is not None and limit < 1:
            raise InvalidOption(f"limit must be at least 1, got {limit}", where="limit", remedy="ask for 1 or more")
        with self._alone():
            return Run(self.stages, self.stages.run, full=full, limit=limit, progress=progress)(self.name)

    def plan(self, *, full: bool = False) -> Plan:
        """What `run` would do; writes nothing."""
        return planning.plan(self.stages, self.stages.run, full=full)

    def search(
        self, question: str, *, limit: int | None = None, where: str = "", mode: Mode | None = None
    ) -> list[Hit]:
        """The best hits, best first.

        Args:
            limit: how many; the pipeline's `retrieve.limit` unless given.
            where: a filter such as `language = zh and page <= 3`.
            mode: `hybrid`, `vector` or `text`; the pipeline's `retrieve.mode` unless given.

        Raises:
            InvalidOption: the filter, the limit or the mode is wrong.
        """
        return self.retriever.search(self._query(question, limit=limit, where=where, mode=mode))

    def search_many(
        self, questions: Sequence[str], *, limit: int | None = None, where: str = "", mode: Mode | None = None
    ) -> list[list[Hit]]:
        """`search` for each question, with one call of the embedder and of the index."""
        return self.retriever.search_many(
            [self._query(question, limit=limit, where=where, mode=mode) for question in questions]
        )

    def neighbours(self, hit: Hit, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """What stands around a hit in its document."""
        return self.retriever.neighbours(hit, before=before, after=after)

    def ask(self, question: str, *, where: str = "") -> Answer:
        """One grounded answer with its proof; `origin: none` where the documents do not say.

        Raises:
            InvalidOption: the question is empty, or the filter is wrong.
        """
        return self._answerer.answer(question, _InMode(self.retriever, self.stages.retrieve.mode), where=where)

    def stream(self, question: str, *, where: str = "") -> Iterator[str | Answer]:
        """The answer's text piece by piece as it is ready, then the whole Answer."""
        answer = self.ask(question, where=where)
        yield from answer.text.splitlines(keepends=True)
        yield answer

    def session(self) -> "Session":
        """A conversation: questions and answers are kept in order."""
        return Session(self)

    def status(self) -> StatusReport:
        """What the index holds and what the last run did."""
        index, ledger = self.stages.index, Ledger(self.stages.index)
        totals, stats = ledger.totals(), index.stats()
        return StatusReport(
            name=self.name,
            index=index.name,
            version=stats.version,
            documents=totals["indexed"],
            chunks=stats.rows,
            failed=totals["failed"],
            stats=stats,
            last_run=ledger.last_run(),
        )

    def failures(self) -> list[FailureRow]:
        """The documents that failed, by uri."""
        return [
            FailureRow(
                uri=row.uri,
                stage=row.stage,
                error=row.failure,
                attempts=row.attempts,
                first=row.first_failed,
                last=row.last_tried,
            )
            for row in Ledger(self.stages.index).failed()
            if row.failure is not None
        ]

    def source_text(self, chunk: Chunk) -> str | None:
        """What was parsed from the source where a chunk was taken from, to look a quote up in.

        None where the index holds the document in another version than the chunk's, or not at all.
        """
        kept = Ledger(self.stages.index).documents([chunk.document_id]).get(chunk.document_id)
        if kept is None or kept["digest"] != chunk.source.digest:
            return None
        return chunk.span.of(_codec.text_of(kept["data"]))

    @cached_property
    def _answerer(self) -> Answerer:
        """The chat stage; one that verifies quotes is given the sources to look them up in."""
        stage = self.stages.answerer
        if is_dataclass(stage) and getattr(stage, "source_text", ...) is None:
            return replace(stage, source_text=self.source_text)
        return stage

    @cached_property
    def retriever(self) -> Retriever:
        """What `search` and `ask` look things up with.

        Raises:
            IndexMismatch: the index was made by another model: its vectors cannot be compared with this one's.
        """
        stages = self.stages
        if stages.index.versions():
            stages.index.open(model=stages.embedder.model, dim=stages.embedder.dim)
        return IndexRetriever(stages.index, stages.embedder, rerank=stages.reranker)

    def close(self) -> None:
        """Let go of what is held open. The pipe can be used again."""
        for name in ("retriever", "_answerer"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _query(self, question: str, *, limit: int | None, where: str, mode: Mode | None) -> Query:
        options = self.stages.retrieve
        wanted = options.limit if limit is None else limit
        if not 1 <= wanted <= _MOST_HITS:
            raise InvalidOption(
                f"limit must be from 1 to {_MOST_HITS:,}, got {wanted}", where="limit", remedy="ask for a few"
            )
        if mode is not None and mode not in get_args(Mode):
            remedy = f"modes are {', '.join(get_args(Mode))}"
            raise InvalidOption(f"there is no mode {mode!r}", where="mode", remedy=remedy)
        return Query(text=question, limit=wanted, where=where, mode=mode or options.mode)

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        """The lock of an index that lies in a folder of this machine."""
        uri = getattr(self.stages.index, "uri", "")
        if not uri or "://" in uri:
            return contextlib.nullcontext()
        return run_lock(Path(os.path.expanduser(uri)), index=self.stages.index.name)  # noqa: PTH111 - as the index does


@dataclass(frozen=True)
class _InMode:
    """A retriever that searches as the pipeline file says, whoever asks."""

    retriever: Retriever
    mode: Mode

    def search(self, query: Query, /) -> list[Hit]:
        """`Retriever.search` in this mode."""
        return self.retriever.search(replace(query, mode=self.mode))

    def search_many(self, queries: Sequence[Query], /) -> list[list[Hit]]:
        """`Retriever.search_many` in this mode."""
        return self.retriever.search_many([replace(query, mode=self.mode) for query in queries])

    def neighbours(self, hit: Hit, /, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """`Retriever.neighbours`."""
        return self.retriever.neighbours(hit, before=before, after=after)


class Session:
    """Questions and answers in order; what was said is never changed."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.history: tuple[Answer, ...] = ()

    def ask(self, question: str, *, where: str = "") -> Answer:
        """Answer and remember."""
        answer = self._pipe.ask(question, where=where)
        self.history = (*self.history, answer)
        return answer


class AsyncPipe:
    """A pipeline for programs with an event loop: the same words with an `a` before them.

    The work is CPU and disk, so it runs on threads; the loop stays free.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def asearch(
        self, question: str, *, limit: int | None = None, where: str = "", mode: Mode | None = None
    ) -> list[Hit]:
        """`Pipe.search`."""
        return await asyncio.to_thread(self.pipe.search, question, limit=limit, where=where, mode=mode)

    async def aask(self, question: str, *, where: str = "") -> Answer:
        """`Pipe.ask`."""
        return await asyncio.to_thread(self.pipe.ask, question, where=where)

    async def astream(self, question: str, *, where: str = "") -> AsyncIterator[str | Answer]:
        """`Pipe.stream`."""
        for piece in await asyncio.to_thread(lambda: list(self.pipe.stream(question, where=where))):
            yield piece


def open(path: str | Path) -> Pipe:
    """Open a pipeline file.

    Raises:
        ConfigError: the file says something wrong; one line per problem.
    """
    return Pipe(build(spec.load(path, environment=os.environ)))


@contextlib.asynccontextmanager
async def aopen(path: str | Path) -> AsyncIterator[AsyncPipe]:
    """Open a pipeline file for a program with an event loop."""
    with await asyncio.to_thread(open, path) as pipe:
        yield AsyncPipe(pipe)
