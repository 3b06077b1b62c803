"""What an index says of the embedder that made its vectors -> that embedder, to ask with."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from docpipe.errors import DocpipeError, IndexMismatch
from docpipe.pipeline.file.build import Stages
from docpipe.pipeline.file.problems import Problems
from docpipe.pipeline.file.stage_options import make_stage
from docpipe.pipeline.file.yaml_tree import read
from docpipe.protocols import Embedder, Snapshot

_OURS = "embed."
"""How the names of docpipe's own embedders begin."""


def embedder_of(snapshot: Snapshot, *, own: str, index: str, environment: Mapping[str, str]) -> Embedder:
    """The embedder of an index that holds another model's vectors than the pipeline's embedder makes.

    What an index says is data, and an index may come from elsewhere: only docpipe's own embedders are made from it,
    and a key is sent only where the pipeline file itself, or docpipe by itself, would send it.

    Args:
        own: the pipeline's own embed stage, as JSON.
        index: its name, for messages.
        environment: what `${VAR}` stands for.

    Raises:
        IndexMismatch: the index does not say enough, or says what is not trusted.
    """
    said, ours = _stage(snapshot.made_by), _stage(own)
    used = str(said.get("use", ""))
    if not used.startswith(_OURS) and used != ours.get("use"):
        raise _unknown(snapshot, index, "it does not say with which embedder of docpipe")
    if said.get("service", {}) not in ({}, ours.get("service", {})):
        raise _unknown(snapshot, index, "its embedder asks a service that this pipeline file does not name")
    problems = Problems()
    try:
        tree = read(snapshot.made_by, file=index, environment=environment, problems=problems)
        made = make_stage(tree, problems) if tree is not None else None
        problems.raise_all()
    except DocpipeError as error:
        raise _unknown(snapshot, index, error.message) from error
    if made is None or getattr(made, "model", "") != snapshot.model:
        raise _unknown(snapshot, index, f"{used} makes vectors of {getattr(made, 'model', 'no model')!r}")
    embedder: Embedder = made
    return embedder


def embedder_for(stages: Stages) -> Callable[[Snapshot], Embedder]:
    """`embedder_of` for who searches with a pipeline; the environment is this process's own."""

    def made(snapshot: Snapshot) -> Embedder:
        return embedder_of(snapshot, own=stages.made_by, index=stages.index.name, environment=os.environ)

    return made


def _stage(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unknown(snapshot: Snapshot, index: str, why: str) -> IndexMismatch:
    return IndexMismatch(
        f"the index {index!r} holds vectors of {snapshot.model!r}, whose embedder cannot be made: {why}",
        found=snapshot.model,
        wanted="",
        index=index,
        remedy="open the pipeline file that the index is run with, or run this one, which moves the index to its "
        "own embedder",
    )
