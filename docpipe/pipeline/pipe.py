"""A pipeline file -> something to run, search and ask: the object that users hold."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeVar, get_args, runtime_checkable

from docpipe._http.endpoint import Endpoint
from docpipe.chat.needs import Flow
from docpipe.chat.session import World, on_pool
from docpipe.chat.web import WebGrounds
from docpipe.errors import ConfigError, InvalidOption
from docpipe.pipeline.file import spec
from docpipe.pipeline.file.build import Stages, build
from docpipe.pipeline.golden.evaluation import Evaluation, evaluate
from docpipe.pipeline.golden.questions import load
from docpipe.pipeline.golden.staging import required, retriever
from docpipe.pipeline.golden.why import Why, why
from docpipe.pipeline.ingest.readiness import require_keys
from docpipe.pipeline.keeping import Keeping
from docpipe.pipeline.pinned import Pinned
from docpipe.pipeline.source_texts import SourceTexts
from docpipe.pipeline.stale import MarkingRetriever, Stale
from docpipe.pipeline.talk import Piece, Session
from docpipe.prompt import prefix, prices
from docpipe.prompt.budget import Count
from docpipe.prompt.builder import Built
from docpipe.prompt.prefix import Difference
from docpipe.protocols import Answerer, Retriever
from docpipe.types import Answer, Chunk, Exchange, Hit, Prompt, Query, Turn

T = TypeVar("T")
Mode = Literal["hybrid", "vector", "text"]
_MOST_HITS = 1_000_000
"""Beyond this a limit is a slip of the pen; Lance cannot count beyond 2**31."""


class Pipe(Keeping):
    """An open pipeline. Safe to search and to ask from several threads; one `run` at a time."""

    def __init__(self, stages: Stages) -> None:
        super().__init__(stages)
        self._has_keys = False

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

    def evaluate(
        self, questions: str | Path | None = None, *, limit: int | None = None, staged: bool = False
    ) -> Evaluation:
        """Ask golden questions, and see at which rank their answers are found.

        Args:
            questions: a YAML or JSON lines file; the pipeline's `eval.questions` unless given.
            limit: how many hits are looked at; the pipeline's `eval.limit` unless given.
            staged: ask what the last run made, though readers may not see it yet.

        Raises:
            ConfigError: there are no questions, or the file says something wrong.
        """
        asked = required(self.stages) if questions is None else load(questions)
        checked = self._query("", limit=self.stages.eval.limit if limit is None else limit, where="", mode=None)
        search = retriever(self.stages, head=True) if staged else self.retriever
        return evaluate(search.search_many, asked, limit=checked.limit, mode=checked.mode)

    def why(
        self, question: str, expect: str, *, where: str = "", limit: int | None = None, staged: bool = False
    ) -> Why:
        """Follow a place from the source to the answer, to see at which stage it was lost. Asks no model.

        Args:
            expect: `FILE`, `FILE#p3` or `FILE#p3-5`.
            staged: follow it through what the last run made, though readers may not see it yet, up to the search.

        Raises:
            InvalidOption: `expect` is no place, the question is empty, or the filter or the limit is wrong.
        """
        return why(self, question, expect, where=where, limit=limit, staged=staged)

    def neighbours(self, hit: Hit, *, before: int = 1, after: int = 1) -> list[Chunk]:
        """What stands around a hit in its document."""
        return self.retriever.neighbours(hit, before=before, after=after)

    def ask(self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None) -> Answer:
        """One grounded answer with its proof; `origin: none` where nothing says it.

        Args:
            where: only chunks that fit, such as `language = zh and page <= 3`.
            web: whether the web may be asked where the documents do not say, if the pipeline has it.
            thinking: whether the model thinks first; as the pipeline says unless given.

        Raises:
            InvalidOption: the question is empty, or the filter is wrong.
            Unauthorized: the service's key is not set; the message names the variable.
            ServiceError: the service failed after all tries that make sense.
        """
        return self.session().ask(question, where=where, web=web, thinking=thinking)

    def stream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> Iterator[Piece | Answer]:
        """The answer as it comes: text, thoughts, and citations as they are proven; then the whole Answer.

        Leaving early ends the call to the model. Raises as `ask` does.
        """
        return self.session().stream(question, where=where, web=web, thinking=thinking)

    def session(self) -> Session:
        """A conversation: later questions may refer to earlier ones."""
        return Session(self)

    def prompt(self, question: str, *, where: str = "", history: Sequence[Exchange] = ()) -> Built:
        """What the model would be told, without asking it.

        Raises:
            ConfigError: this pipeline's chat stage asks no model.
        """
        stage = self._prompting()
        turn = Turn(question=question, history=tuple(history), where=where)
        query = Query(text=question, limit=stage.limit, where=where, mode=self.stages.retrieve.mode)
        return stage.built(turn, self.retriever.search(query))

    def difference(self, first: Prompt, second: Prompt) -> Difference:
        """Where the second of two prompts leaves the first, and what the cache that is lost by it costs.

        Raises:
            ConfigError: this pipeline's chat stage asks no model.
        """
        stage = self._prompting()
        price = prices.price(stage.model) if stage.service.key else prices.CALLS["selfhosted"]
        return prefix.difference(first, second, count=stage.count, price=price)

    def source_text(self, chunk: Chunk) -> str | None:
        """What was parsed from the source where a chunk was taken from, to look a quote up in.

        None where the index holds the document in another version than the chunk's, or not at all.
        """
        return self._source_texts(chunk)

    @cached_property
    def _source_texts(self) -> SourceTexts:
        return SourceTexts(self.stages.index)

    @property
    def is_ready(self) -> bool:
        """Whether what a question needs is open already."""
        return self._has_keys and "_world" in self.__dict__

    def begun(self, turn: Turn, /) -> tuple[Flow, World]:
        """The flow that answers a turn and what it may ask: what `ask` and a `Session` are made of.

        Raises:
            Unauthorized: the key of a service is not set; looked for until it was found once.
        """
        if not self._has_keys:
            require_keys(self._answerer, self.stages.reranker, self.stages.embedder)
            self._has_keys = True
        return self._answerer.flow(turn), self._world

    @cached_property
    def _answerer(self) -> Answerer:
        """The chat stage, given what it asks for by the names of its fields: the sources, the prompt, the web."""
        stage = self.stages.answerer
        if not is_dataclass(stage):
            return stage
        gifts: dict[str, Any] = {
            "source_text": self.source_text,
            "prompt": self.stages.prompt,
            "pinned": Pinned(self.stages.index, self.stages.prompt.pin),
            "grounds": WebGrounds(chunker=self.stages.chunker, embedder=self.stages.embedder),
        }
        wanted = {name: gift for name, gift in gifts.items() if getattr(stage, name, ...) is None}
        return replace(stage, **wanted) if wanted else stage

    def _prompting(self) -> "Prompting":
        stage = self._answerer
        if isinstance(stage, Prompting):
            return stage
        raise ConfigError(
            "this pipeline's chat stage asks no model, so there is no prompt",
            where="chat",
            remedy="use chat.glm, as pipelines/zai.yaml does",
        )

    @cached_property
    def _world(self) -> World:
        """What a flow may ask."""
        stage = self._answerer
        chat, web = (stage.client(), stage.web_client()) if isinstance(stage, Served) else (None, None)
        return World(self.retriever, chat, web, mode=self.stages.retrieve.mode)

    @cached_property
    def retriever(self) -> Retriever:
        """What `search` and `ask` look things up with: vectors are asked with the model that the index has."""
        return MarkingRetriever(retriever(self.stages), self._stale)

    @cached_property
    def _stale(self) -> Stale:
        return Stale(self.stages.index)

    def marked(self, piece: T, /) -> T:
        """A piece of an answer, or the whole: citations of documents that fail now are marked as stale."""
        return self._stale.piece(piece)

    def close(self) -> None:
        """Let go of what is held open. The pipe can be used again."""
        for name in ("retriever", "_answerer", "_world", "_source_texts"):
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


@runtime_checkable
class Served(Protocol):
    """A chat stage that asks services."""

    def client(self) -> Any:
        """The chat model."""
        ...

    def web_client(self) -> Any:
        """Web search and reader; None where they are not used."""
        ...


@runtime_checkable
class Prompting(Protocol):
    """A chat stage that tells a model what it found."""

    model: str
    service: Endpoint
    limit: int
    count: Count

    def built(self, turn: Turn, hits: Sequence[Hit], /) -> Built:
        """The prompt of a turn."""
        ...


class AsyncPipe:
    """A pipeline for programs with an event loop: the same words with an `a` before them.

    CPU and disk work goes to a few threads that all questions share, calls to services to docpipe's own loop; searches
    that wait together are made together. Cancelling a question cancels its call to the model.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def asearch(
        self, question: str, *, limit: int | None = None, where: str = "", mode: Mode | None = None
    ) -> list[Hit]:
        """`Pipe.search`."""
        query = self.pipe._query(question, limit=limit, where=where, mode=mode)
        world = await on_pool(lambda: self.pipe._world)
        return await asyncio.wrap_future(world.searches.search(query))

    async def aask(self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None) -> Answer:
        """`Pipe.ask`."""
        return await self.pipe.session().aask(question, where=where, web=web, thinking=thinking)

    def astream(
        self, question: str, *, where: str = "", web: bool = True, thinking: bool | None = None
    ) -> AsyncIterator[Piece | Answer]:
        """`Pipe.stream`."""
        return self.pipe.session().astream(question, where=where, web=web, thinking=thinking)

    def asession(self) -> Session:
        """`Pipe.session`; its `aask` and `astream` are for event loops."""
        return self.pipe.session()


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
