"""A pipeline file -> PipelineSpec, or every problem of the file at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from docpipe._http.endpoint import Endpoint
from docpipe.errors import ConfigError, StageMismatch, UnknownName
from docpipe.pipeline.file.options import KeepOptions, RunOptions
from docpipe.pipeline.file.problems import Place, Problems, did_you_mean
from docpipe.pipeline.file.stage_options import make, make_stage
from docpipe.pipeline.file.yaml_tree import BROKEN, Tree, read, tree_of
from docpipe.pipeline.golden.options import EvalOptions
from docpipe.prompt.options import PromptOptions

_KEYS = ("version", "name", "source", "stages", "index", "retrieve", "prompt", "chat", "run", "keep", "eval")
_REQUIRED = ("version", "source", "stages", "index")


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrieveOptions:
    """The `retrieve:` section: how hits are found."""

    mode: Literal["hybrid", "vector", "text"] = "hybrid"
    """Which legs look for hits, unless a call says otherwise."""
    limit: int = 8
    """How many hits, unless a call says otherwise."""
    rerank: Literal["none", "local", "zai"] = "none"
    """Whether a cross-encoder reads the best hits again: better order, at its cost for each of them."""
    depth: int = 20
    """How many hits it reads."""
    service: Endpoint = field(default_factory=Endpoint)
    """Where `zai` is; where it fails, hits keep their order, and a warning says so."""

    def __post_init__(self) -> None:
        for name in ("limit", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSpec:
    """A stage as a file names it."""

    name: str
    options: Mapping[str, Any]
    """Plain values, paths made absolute."""
    tree: Tree = field(repr=False, compare=False)
    """The same with its places, for messages."""

    @property
    def where(self) -> str:
        """`file:line: key`."""
        return str(self.tree.place)

    @property
    def shown(self) -> Mapping[str, Any]:
        """The options to print: what came from the environment is named, not told."""
        return {key: value for key, value in self.tree.shown().items() if key != "use"}

    @classmethod
    def of(cls, name: str, *, place: Place | None = None, **options: Any) -> "StageSpec":
        """A stage without a file."""
        return cls(name=name, options=options, tree=tree_of({"use": name, **options}, place or Place("pipeline")))


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineSpec:
    """What a pipeline file says."""

    name: str
    path: Path
    """The file, absolute."""
    sources: tuple[StageSpec, ...]
    stages: tuple[StageSpec, ...]
    index: StageSpec
    chat: StageSpec = field(default_factory=lambda: StageSpec.of("chat.extractive"))
    retrieve: RetrieveOptions = field(default_factory=RetrieveOptions)
    prompt: PromptOptions = field(default_factory=PromptOptions)
    run: RunOptions = field(default_factory=RunOptions)
    keep: KeepOptions = field(default_factory=KeepOptions)
    eval: EvalOptions = field(default_factory=EvalOptions)
    version: int = 1


_SECTIONS: Mapping[str, type[Any]] = {
    "retrieve": RetrieveOptions,
    "prompt": PromptOptions,
    "run": RunOptions,
    "keep": KeepOptions,
    "eval": EvalOptions,
}


def load(path: str | Path, *, environment: Mapping[str, str]) -> PipelineSpec:
    """Read and check a pipeline file.

    Args:
        environment: what `${VAR}` stands for; usually `os.environ`.

    Raises:
        ConfigError: it cannot be read, or says something wrong. `str` has one line per problem,
            `file:line: key.path: what is wrong (what to try)`.
    """
    file = Path(path)
    text, problems = _text(file), Problems()
    tree = read(text, file=str(path), environment=environment, problems=problems)
    spec = None if tree is None else _spec(tree, Path(os.path.abspath(file)), problems)  # noqa: PTH100 - keeps links
    problems.raise_all()
    assert spec is not None
    return spec


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"the pipeline file cannot be read: {error.strerror}",
            where=str(file),
            remedy="give the path of a pipeline file, such as pipelines/quickstart.yaml",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"the pipeline file is not UTF-8 text (byte {error.start})", where=str(file), remedy="save it as UTF-8"
        ) from error


def _spec(tree: Tree, path: Path, problems: Problems) -> PipelineSpec | None:
    if not isinstance(tree.value, dict):
        problems.add(tree.place, "a pipeline file is `key: value` lines", remedy=f"it needs: {', '.join(_REQUIRED)}")
        return None
    _check_keys(tree, problems)
    sections = tree.value
    sources = _stages(sections.get("source"), problems, "load", relative="path", folder=path.parent)
    stages = _stages(sections.get("stages"), problems)
    index = _stages(sections.get("index"), problems, "index", relative="uri", folder=path.parent)
    chat = _stages(sections.get("chat"), problems, "chat")
    for section, key in (("run", "reports"), ("eval", "questions")):
        if section in sections and isinstance(sections[section].value, dict):
            sections[section] = _resolved(sections[section], key, path.parent)
    options = {name: _section(kind, sections.get(name), problems) for name, kind in _SECTIONS.items()}
    for only in (index, chat):
        if len(only) > 1:
            problems.add(only[1].tree.place, "there can be one only", remedy="remove the other")
    name = _name(sections.get("name"), path, problems)
    _check_version(sections.get("version"), problems)
    if problems.found:
        return None
    extra: dict[str, Any] = {"chat": chat[0]} if chat else {}
    return PipelineSpec(name=name, path=path, sources=sources, stages=stages, index=index[0], **options, **extra)


def _check_keys(tree: Tree, problems: Problems) -> None:
    for key, child in tree.value.items():
        if key not in _KEYS:
            problems.add(child.place, "there is no such section", remedy=did_you_mean(key, _KEYS), kind=UnknownName)
    for key in _REQUIRED:
        if key not in tree.value:
            problems.add(tree.place, f"the section `{key}` is missing", remedy="see pipelines/quickstart.yaml")


def _check_version(tree: Tree | None, problems: Problems) -> None:
    if tree is not None and tree.value is not BROKEN and (tree.value != 1 or isinstance(tree.value, bool)):
        problems.add(tree.place, f"this docpipe reads version 1, got {tree.raw or tree.plain()!r}", remedy="version: 1")


def _name(tree: Tree | None, path: Path, problems: Problems) -> str:
    if tree is None or tree.value is BROKEN:
        return path.stem
    if not isinstance(tree.value, str) or not tree.value.strip():
        problems.add(tree.place, "expected a name", remedy="write it in quotes, if it is a number")
    return str(tree.value)


def _section(kind: type[Any], tree: Tree | None, problems: Problems) -> Any:
    if tree is None or tree.value is None or tree.value is BROKEN:
        return kind()
    return make(kind, tree, problems)


def _stages(
    tree: Tree | None, problems: Problems, role: str = "", *, relative: str = "", folder: Path = Path()
) -> tuple[StageSpec, ...]:
    """The stages of a section: one mapping, or a list of them; each is built once, to check its options."""
    if tree is None or tree.value is BROKEN:
        return ()
    items = tree.value if isinstance(tree.value, list) else [tree]
    if not items:
        problems.add(tree.place, "the list is empty", remedy="write `- use: ...`")
    found = []
    for item in items:
        if not isinstance(item.value, dict) or not isinstance(getattr(item.value.get("use"), "value", None), str):
            problems.add(item.place, "a stage needs `use`", remedy="write `use: load.files`, say, and its options")
            continue
        name = item.value["use"].value
        if role and not name.startswith(f"{role}."):
            remedy = f"stages named {role}.* do"
            message = f"`{name}` does not belong into this section"
            problems.add(item.value["use"].place, message, remedy=remedy, kind=StageMismatch)
            continue
        if relative:
            item = _resolved(item, relative, folder)
        make_stage(item, problems)
        options = {key: child.plain() for key, child in item.value.items() if key != "use"}
        found.append(StageSpec(name=name, options=options, tree=item))
    return tuple(found)


def _resolved(tree: Tree, key: str, folder: Path) -> Tree:
    """The stage with its path or uri made absolute; it is relative to the pipeline file."""
    child = tree.value.get(key)
    if child is None or not isinstance(child.value, str) or not child.value or "://" in child.value:
        return tree
    home = os.path.expanduser(child.value)  # noqa: PTH111 - an unknown user's name stays as it is
    absolute = os.path.normpath(folder / home)
    return Tree({**tree.value, key: Tree(absolute, child.place, child.raw)}, tree.place, tree.raw)
