"""A pipeline's golden questions, asked of what readers see and of what a run has made."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from docpipe.errors import ConfigError, DocpipeError
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.file.made_by import embedder_for
from docpipe.pipeline.golden.evaluation import Evaluation, Verdict, compare, evaluate, form, shortfalls, verdict_form
from docpipe.pipeline.golden.questions import Question, load
from docpipe.protocols import Retriever
from docpipe.retrieve.retriever import IndexRetriever

_LOOK = "`docpipe eval --staged` shows all ranks, `docpipe why --staged` at which stage a page was lost"


def golden(stages: Stages) -> tuple[Question, ...]:
    """The golden questions of a pipeline; none where its file names none.

    Raises:
        ConfigError: the file cannot be read, or says something wrong.
    """
    return load(stages.eval.questions) if stages.eval.questions else ()


def required(stages: Stages) -> tuple[Question, ...]:
    """`golden`, for who cannot do without.

    Raises:
        ConfigError: there are none, too.
    """
    questions = golden(stages)
    if not questions:
        raise ConfigError(
            "the pipeline has no golden questions",
            where=f"{stages.path}: eval.questions",
            remedy="add `eval: {questions: questions.yaml}`, a file of `- question: ...` with `expect: FILE#p3` each",
        )
    return questions


def evaluation(stages: Stages, questions: tuple[Question, ...], *, head: bool = False) -> Evaluation:
    """What a search finds for the questions.

    Args:
        head: ask what the last run made, even where readers do not see it yet.

    Raises:
        ServiceError, EmbedError, IndexFailed: a question could not be asked.
        InvalidOption: a question's filter is wrong.
    """
    search = retriever(stages, head=head).search_many
    return evaluate(search, questions, limit=stages.eval.limit, mode=stages.retrieve.mode)


def verdict(stages: Stages, questions: tuple[Question, ...]) -> Verdict:
    """Whether what a staged run made may take the place of what readers see. Raises as `evaluation` does."""
    return compare(evaluation(stages, questions), evaluation(stages, questions, head=True), stages.eval)


class Told(NamedTuple):
    """What the golden questions say at the end of a run."""

    staged: Mapping[str, Any]
    """For the run's report; empty where nothing was asked."""
    remarks: tuple[str, ...]
    holds: bool = True
    """Whether what the run made may be published."""


def judged(stages: Stages, questions: tuple[Question, ...]) -> Told:
    """`verdict`, for a report. What cannot be asked is not published: the run itself is done, and nothing is lost."""
    try:
        found = verdict(stages, questions)
    except DocpipeError as error:
        return Told({}, (f"not published: the golden questions could not be asked: {error}",), holds=False)
    remarks = tuple(f"not published: {reason}" for reason in found.reasons)
    return Told(verdict_form(found), remarks if found.holds else (*remarks, _LOOK), found.holds)


def told(stages: Stages, questions: tuple[Question, ...]) -> Told:
    """Ask at the end of a run, which is done: a question that cannot be asked is a remark, no error."""
    if not questions:
        return Told({}, ())
    try:
        found = evaluation(stages, questions, head=True)
    except DocpipeError as error:
        return Told({}, (f"the golden questions could not be asked: {error}",))
    below = shortfalls(found, stages.eval.thresholds)
    return Told(form(found), tuple(f"golden questions: {one}; `docpipe eval` shows which" for one in below))


def retriever(stages: Stages, *, head: bool = False) -> Retriever:
    """What the questions are asked with: the pipeline's own search, of what readers see or of what was written last."""
    return IndexRetriever(
        stages.index, stages.embedder, rerank=stages.reranker, latest=head, embedder_for=embedder_for(stages)
    )
