"""A pipeline's golden questions, asked of what readers see and of what a run has made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from docpipe import __version__
from docpipe._ids import chain
from docpipe.errors import ConfigError, DocpipeError
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.file.made_by import embedder_for
from docpipe.pipeline.golden.evaluation import (
    Evaluation,
    Measured,
    Verdict,
    compare,
    evaluate,
    form,
    shortfalls,
    verdict_form,
)
from docpipe.pipeline.golden.questions import Question, load
from docpipe.pipeline.history.past import Past
from docpipe.pipeline.ingest.boilerplate import CommonLines
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What an earlier run found for the same questions in what is in the index now."""

    hit_rate: float
    mrr: float
    staged: Mapping[str, Any]
    """The measures, and under `asked_by` the run whose report has the ranks."""


def judged(stages: Stages, questions: tuple[Question, ...], *, known: Known | None = None) -> Told:
    """`verdict`, for a report. What cannot be asked is not published: the run itself is done, and nothing is lost.

    Args:
        known: given where the run changed nothing that readers see; there is nothing to compare, and thresholds decide.
    """
    if known:
        below = shortfalls(known, stages.eval.thresholds)
        return Told(known.staged, tuple(f"not published: {one}" for one in below), holds=not below)
    try:
        found = verdict(stages, questions)
    except DocpipeError as error:
        return Told({}, (f"not published: the golden questions could not be asked: {error}",), holds=False)
    staged = {**verdict_form(found), "key": _key(stages, questions)}
    remarks = tuple(f"not published: {reason}" for reason in found.reasons)
    return Told(staged, remarks if found.holds else (*remarks, _LOOK), found.holds)


def told(stages: Stages, questions: tuple[Question, ...], *, known: Known | None = None) -> Told:
    """Ask at the end of a run, which is done: a question that cannot be asked is a remark, no error.

    Args:
        known: given where the run changed nothing; it is told again.
    """
    if not questions:
        return Told({}, ())
    found: Measured | None = known
    staged: Mapping[str, Any] = known.staged if known else {}
    if found is None:
        try:
            found = asked = evaluation(stages, questions, head=True)
        except DocpipeError as error:
            return Told({}, (f"the golden questions could not be asked: {error}",))
        staged = {**form(asked), "key": _key(stages, questions)}
    below = shortfalls(found, stages.eval.thresholds)
    return Told(staged, tuple(f"golden questions: {one}; `docpipe eval` shows which" for one in below))


def known(stages: Stages, questions: tuple[Question, ...]) -> Known | None:
    """What the newest run that came to its end knows, to be asked before a run; None where something changed since."""
    last = Past(stages.index).last_run() if questions else {}
    found = last.get("staged") or {}
    same = found.get("key") == _key(stages, questions) and last.get("version") == stages.index.versions()
    if not same or stages.index.held():
        return None
    staged = {name: found[name] for name in ("limit", "hit_rate", "mrr", "ndcg", "key")}
    asked_by = found.get("asked_by") or last.get("run_id", "")
    return Known(hit_rate=found["hit_rate"], mrr=found["mrr"], staged=staged | {"asked_by": asked_by})


def _key(stages: Stages, questions: tuple[Question, ...]) -> str:
    """What ranks depend on beside the index: the questions, and how they are asked."""
    options = (__version__, repr(stages.retrieve), str(stages.eval.limit))
    return chain(*options, *(repr(question) for question in questions))


def retriever(stages: Stages, *, head: bool = False) -> Retriever:
    """What the questions are asked with: the pipeline's own search, of what readers see or of what was written last."""
    return IndexRetriever(
        stages.index,
        stages.embedder,
        rerank=stages.reranker,
        latest=head,
        embedder_for=embedder_for(stages),
        common_lines=CommonLines(stages.index).read,
    )
