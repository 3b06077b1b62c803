"""PipelineSpec -> the stages themselves, checked to fit each other."""

import json
import os
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from docpipe.errors import ConfigError, InvalidOption, StageMismatch
from docpipe.pipeline.file.catalog import reranker_class
from docpipe.pipeline.file.options import KeepOptions, RunOptions
from docpipe.pipeline.file.problems import Place, Problems
from docpipe.pipeline.file.spec import PipelineSpec, RetrieveOptions, StageSpec
from docpipe.pipeline.file.stage_options import make_stage
from docpipe.pipeline.golden.options import EvalOptions
from docpipe.prompt.options import PromptOptions
from docpipe.protocols import Answerer, Chunker, Embedder, Index, Loader, Parser, Reranker
from docpipe.types import Chunk, Document

_FLOW = ("Blob", "Document", "Chunk", "EmbeddedChunk")
"""What passes from stage to stage."""
_NEXT = {"Blob": "parse.auto", "Document": "chunk.layout", "Chunk": "embed.local"}
"""The stage to suggest for what is there."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """A pipeline, ready to run."""

    name: str
    loaders: tuple[Loader, ...]
    parser: Parser
    chunker: Chunker
    embedder: Embedder
    index: Index
    reranker: Reranker | None
    answerer: Answerer
    retrieve: RetrieveOptions
    prompt: PromptOptions
    run: RunOptions
    keep: KeepOptions = field(default_factory=KeepOptions)
    eval: EvalOptions = field(default_factory=EvalOptions)
    made_by: str = ""
    """The embed stage as the pipeline file has it, as JSON without secrets: kept beside the vectors."""
    path: Path = Path()
    """The pipeline file."""


@dataclass(frozen=True, kw_only=True)
class ChunkerChain:
    """Document -> what a chunker makes of it, with filters of documents before it and of chunks after it."""

    VERSION = 1

    before: tuple[Any, ...]
    """Stages from Document to Document."""
    chunker: Chunker
    after: tuple[Any, ...]
    """Stages from Chunk to Chunk."""

    @property
    def drops(self) -> bool:
        """Whether it may leave content out on purpose: filters do, and the account of a run calls it `filtered`."""
        return bool(self.before or self.after) or bool(getattr(self.chunker, "drops", False))

    def __call__(self, document: Document, /) -> Iterator[Chunk]:
        documents: Iterable[Any] = (document,)
        for stage in self.before:
            documents = _each(stage, documents)
        chunks: Iterable[Any] = _each(self.chunker, documents)
        for stage in self.after:
            chunks = _each(stage, chunks)
        yield from chunks


def _each(stage: Any, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        yield from stage(item)


def build(spec: PipelineSpec) -> Stages:
    """Make the stages of a pipeline.

    The chunker's tokenizer `auto` becomes the embedder's own, and its limit is never above the embedder's.

    Raises:
        UnknownName, InvalidOption: a stage or an option is wrong; `where` is `file:line: key`.
        StageMismatch: stages are missing, doubled, or do not fit each other.
    """
    problems = Problems()
    loaders = tuple(_made(one, problems) for one in spec.sources)
    middle = [_made(one, problems) for one in spec.stages]
    index, answerer = _made(spec.index, problems), _made(spec.chat, problems)
    problems.raise_all()
    for stage, one in zip(loaders, spec.sources, strict=True):
        _require(stage, one, ("entries", "read"), "a source", "use: load.files", problems)
    _require(index, spec.index, ("replace", "search_vector", "search_text"), "an index", "use: index.lancedb", problems)
    _require(answerer, spec.chat, ("flow",), "a chat stage", "use: chat.extractive", problems)
    parser, chunker, embedder = _chain(spec, middle, problems)
    loaders = tuple(_kept_apart(stage, index, spec, problems) for stage in loaders)
    problems.raise_all()
    return Stages(
        name=spec.name,
        loaders=loaders,
        parser=parser,
        chunker=chunker,
        embedder=embedder,
        index=index,
        reranker=reranker(spec.retrieve),
        answerer=answerer,
        retrieve=spec.retrieve,
        prompt=spec.prompt,
        run=spec.run,
        keep=spec.keep,
        eval=spec.eval,
        made_by=json.dumps({"use": spec.stages[-1].name, **spec.stages[-1].shown}, ensure_ascii=False, default=str),
        path=spec.path,
    )


def reranker(options: RetrieveOptions) -> Reranker | None:
    """The reranker that `retrieve:` asks for; None where it asks for none."""
    if options.rerank == "none":
        return None
    kind = reranker_class(options.rerank)
    served = {"service": options.service} if "service" in {one.name for one in fields(kind)} else {}
    made: Reranker = kind(depth=options.depth, **served)
    return made


def _made(spec: StageSpec, problems: Problems) -> Any:
    return make_stage(spec.tree, problems)


def _require(stage: Any, spec: StageSpec, methods: Sequence[str], role: str, remedy: str, problems: Problems) -> None:
    missing = [name for name in methods if not hasattr(type(stage), name)]
    if missing:
        problems.add(
            _used(spec), f"`{spec.name}` is not {role}: it has no `{missing[0]}`", remedy=remedy, kind=StageMismatch
        )


def _kept_apart(loader: Any, index: Any, spec: PipelineSpec, problems: Problems) -> Any:
    """The loader told of what is the pipeline's own, so that an index below the source does not index itself."""
    if "own" not in getattr(loader, "__dataclass_fields__", {}):
        return loader
    uri = str(getattr(index, "uri", "") or "")
    home = uri if "://" not in uri else ""
    root = str(getattr(loader, "path", ""))
    if home and os.path.realpath(home) == os.path.realpath(root):
        message = "the index would lie among the documents: this is the source's own folder"
        problems.add(spec.index.tree.value["uri"].place, message, remedy="choose another folder", kind=InvalidOption)
    reports = spec.run.reports
    if reports and os.path.realpath(reports) == os.path.realpath(root):
        message = "the reports would lie among the documents: this is the source's own folder"
        place = Place(str(spec.path), key="run.reports")
        problems.add(place, message, remedy="choose another folder, such as one below it", kind=InvalidOption)
    return replace(loader, own=(*loader.own, str(spec.path), *(path for path in (home, reports) if path)))


def _chain(spec: PipelineSpec, made: Sequence[Any], problems: Problems) -> tuple[Any, Any, Any]:
    """Follow the types from Blob to EmbeddedChunk; returns parser, chunker and embedder."""
    at, chosen = "Blob", {}
    before: list[Any] = []
    after: list[Any] = []
    for stage, one in zip(made, spec.stages, strict=True):
        takes, gives = _types(stage)
        if takes != at:
            message, remedy = _misfit(one.name, takes, gives, at)
            problems.add(_used(one), message, remedy=remedy, kind=StageMismatch)
            return None, None, None
        if takes == gives:
            (before if at == "Document" else after).append(stage)
        else:
            chosen[at] = (stage, one)
        at = gives
    if at != _FLOW[-1]:
        last = spec.stages[-1]
        message = f"nothing turns {at} into {_after(at)}"
        problems.add(_used(last), message, remedy=f"add `- use: {_NEXT[at]}`", kind=StageMismatch)
        return None, None, None
    (parser, _), (chunker, place), (embedder, _) = chosen["Blob"], chosen["Document"], chosen["Chunk"]
    chunker = _fitted(chunker, place, embedder, problems)
    if before or after:
        chunker = ChunkerChain(before=tuple(before), chunker=chunker, after=tuple(after))
    return parser, chunker, embedder


def _misfit(name: str, takes: str, gives: str, at: str) -> tuple[str, str]:
    """Message and remedy for a stage that does not take what is there."""
    if takes not in _FLOW or gives not in _FLOW:
        return f"`{name}` is no stage that stands here", "stages are parse, chunk, embed, in this order"
    if at == _FLOW[-1] or _FLOW.index(takes) < _FLOW.index(at):
        return (
            f"`{name}` takes {takes}, but the stage before it already gives {at}",
            "remove one of the two, or order the stages parse, chunk, embed",
        )
    return f"`{name}` takes {takes}, but what comes before it gives {at}", f"put `- use: {_NEXT[at]}` before it"


def _after(state: str) -> str:
    return _FLOW[_FLOW.index(state) + 1]


def _types(stage: Any) -> tuple[str, str]:
    """Names of what a stage takes and gives."""
    kind = type(stage)
    if hasattr(kind, "embed_passages"):
        return "Chunk", "EmbeddedChunk"
    hints = _call_hints(kind)
    takes = next((_name(hint) for name, hint in hints.items() if name != "return"), "")
    given = typing.get_args(hints.get("return"))
    return takes, _name(given[0]) if given else ""


def _call_hints(kind: type[Any]) -> dict[str, Any]:
    verb = getattr(kind, "__call__", None)  # noqa: B004 - its annotations are wanted, not whether it can be called
    try:
        return typing.get_type_hints(verb) if hasattr(verb, "__annotations__") else {}
    except NameError:
        return {}


def _name(hint: Any) -> str:
    return str(getattr(hint, "__name__", hint))


def _fitted(chunker: Any, spec: StageSpec, embedder: Any, problems: Problems) -> Any:
    """The chunker with the embedder's tokenizer and limit."""
    names = {field.name for field in fields(chunker)} if is_dataclass(chunker) else set()
    changes: dict[str, Any] = {}
    if "tokenizer" in names and chunker.tokenizer == "auto":
        changes["tokenizer"] = embedder.tokenizer
    if "max_tokens" in names and chunker.max_tokens > embedder.max_tokens:
        if "max_tokens" in spec.options:
            problems.add(
                spec.tree.value["max_tokens"].place,
                f"{chunker.max_tokens} is above the {embedder.max_tokens} tokens that the embedder reads",
                remedy=f"set max_tokens to {embedder.max_tokens} or less",
                kind=InvalidOption,
            )
            return chunker
        changes["max_tokens"] = embedder.max_tokens
    try:
        return replace(chunker, **changes) if changes else chunker
    except ConfigError as error:
        problems.add(_used(spec), error.message, remedy=error.remedy, kind=type(error))
    except ValueError as error:
        problems.add(_used(spec), str(error), kind=InvalidOption)
    return chunker


def _used(spec: StageSpec) -> Place:
    tree = spec.tree.value["use"]
    place: Place = tree.place
    return place
