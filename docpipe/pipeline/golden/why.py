"""A question and a place where its answer stands -> at which stage the place was lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from docpipe.chat.extractive import ExtractiveChat
from docpipe.errors import InvalidOption, SnapshotGone
from docpipe.index import filters
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.golden import tracing
from docpipe.pipeline.golden.questions import Spot, spot
from docpipe.pipeline.golden.ranking import Held, Ranking
from docpipe.pipeline.golden.tracing import Look
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.prompt.builder import Built
from docpipe.types import Answer

_TRIES = 4
"""Upkeep may clean a version away while it is looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """What became of a place on its way to an answer."""

    question: str
    expect: str
    where: str
    looks: tuple[Look, ...]
    """One per stage, in the order of the way; those behind the stage that lost it are left out."""

    @property
    def lost(self) -> Look | None:
        """The stage that lost it; None where it came through to the end."""
        return next((look for look in self.looks if look.lost), None)

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to try, the stage that lost it first."""
        looks = sorted(self.looks, key=lambda look: not look.lost)
        return tuple(dict.fromkeys(look.remedy for look in looks if look.remedy))

    @property
    def verdict(self) -> str:
        """The whole in one line."""
        lost = self.lost
        if lost is None:
            return f"{self.expect} was not lost: {self.looks[-1].said}"
        return f"{self.expect} was lost at `{lost.stage}`: {lost.said}"


class Asking(Protocol):
    """What the way is followed with: an open pipeline."""

    stages: Stages

    def prompt(self, question: str, *, where: str = "") -> Built:
        """What the model would be told."""
        ...

    def ask(self, question: str, *, where: str = "", web: bool = True) -> Answer:
        """The answer."""
        ...


def why(
    pipe: Asking, question: str, expect: str, *, where: str = "", limit: int | None = None, staged: bool = False
) -> Why:
    """Follow a place from the source to the answer. Costs a search and, where no model is asked, an answer.

    Args:
        expect: `FILE`, `FILE#p3` or `FILE#p3-5`.
        where: the filter that the question is asked with.
        limit: how many hits a search gives; the pipeline's own unless given.
        staged: follow it through what was written last, up to the search; else through what readers see.

    Raises:
        InvalidOption: `expect` is no place, the question is empty, or the filter is wrong.
    """
    if not any(map(str.isalnum, question)):
        raise InvalidOption("the question is empty", where="question", remedy="ask in a few words")
    if where:
        filters.parse(where)
    place = spot(expect)
    for left in reversed(range(_TRIES)):
        try:
            looks = _followed(_way(pipe, question, place, where=where, limit=limit, staged=staged))
            break
        except SnapshotGone:
            if not left:
                raise
    return Why(question=question, expect=str(place), where=where, looks=looks)


def _followed(way: Iterator[Look]) -> tuple[Look, ...]:
    """The looks up to the one that lost the place."""
    looks: list[Look] = []
    for look in way:
        looks.append(look)
        if look.lost:
            break
    return tuple(looks)


def _way(pipe: Asking, question: str, place: Spot, *, where: str, limit: int | None, staged: bool) -> Iterator[Look]:
    """The looks in their order; who reads them stops behind the one that lost the place."""
    stages = pipe.stages
    ledger = Ledger(stages.index)
    row = ledger.rows([place.uri]).get(place.uri)
    if row is None:
        yield tracing.listed(stages.loaders, place.uri)
    yield tracing.recorded(row)
    assert row is not None  # where there is none, the look before has lost the place
    document = tracing.stored(ledger, row)
    yield tracing.parsed(document, place)
    look, made = tracing.chunked(document, stages.chunker, place)
    yield look
    answering = 0 if staged else int(getattr(stages.answerer, "limit", 0))
    ranking = Ranking(
        stages=stages,
        question=question,
        place=place,
        where=where,
        limit=stages.retrieve.limit if limit is None else limit,
        answering=answering,
        staged=staged,
    )
    held = ranking.held(made)
    yield from ranking.rows(held, made)
    yield from ranking.legs(held)
    yield from ranking.order(held)
    if not staged:
        yield from _answered(pipe, question, held, where=where)


def _answered(pipe: Asking, question: str, held: Held, *, where: str) -> Iterator[Look]:
    """Whether who answers gets to see the place: the prompt of a model, which is not asked, or the quoted answer."""
    if hasattr(pipe.stages.answerer, "built"):
        yield _prompted(pipe.prompt(question, where=where), held)
    elif isinstance(pipe.stages.answerer, ExtractiveChat):
        yield _quoted(pipe.ask(question, where=where, web=False), held, pipe.stages.answerer)


def _prompted(built: Built, held: Held) -> Look:
    shown = [excerpt.number for excerpt in built.shown if excerpt.key in held.chunks]
    if shown:
        return Look(stage="prompt", said=f"the model is shown it as source [{shown[0]}]", rank=shown[0])
    room = f", {built.dropped:,} more found no room" if built.dropped else ""
    remedy = "raise `prompt.context_tokens`" if built.dropped else "raise `chat.limit`"
    return Look(
        stage="prompt",
        said=f"the model is shown {tracing.many(len(built.shown), 'other')}{room}",
        lost=True,
        remedy=remedy,
    )


def _quoted(answer: Answer, held: Held, stage: ExtractiveChat) -> Look:
    cited = [citation for citation in answer.citations if citation.chunk_id in held.chunks]
    if cited:
        return Look(stage="answer", said=f"quoted as {cited[0].marker}: “{cited[0].quote}”")
    if answer.origin == "none":
        said = f"no sentence reaches the confidence {stage.confidence:g}: the documents are said not to tell"
        return Look(
            stage="answer", said=said, lost=True, remedy="lower `chat.confidence`, or let a model answer: chat.glm"
        )
    others = ", ".join(dict.fromkeys(citation.uri for citation in answer.citations))
    said = f"other sentences are better evidence, from {others}"
    return Look(
        stage="answer", said=said, lost=True, remedy="raise `chat.sentences`, or ask for what only this place says"
    )
