"""A plan as a file: what a run is to do, and how everything was when that was decided."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe._ids import chain, digest, fingerprint
from docpipe.errors import ConfigError, PlanOutdated
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.plan import Action, Retry, Step, Terms
from docpipe.pipeline.ingest.survey import Survey

_FORMAT = 1
_MARK = "docpipe_plan"
_MOST_BYTES = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedItem:
    """One source, what is to be done with it, and what it was like."""

    uri: str
    action: str
    size: int
    """Bytes; -1 of what is gone."""
    modified: int
    """Nanoseconds since 1970; -1 of what is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedPlan:
    """What a run is to do, and on what that rests."""

    name: str
    """The pipeline's."""
    pipeline: str
    """Digest of the pipeline file and its stages."""
    index: str
    index_version: int
    ledger_version: int
    terms: Terms
    limit: int | None
    items: tuple[SavedItem, ...]
    path: str = ""
    """The file that it was read from."""

    def check(self, now: "SavedPlan") -> None:
        """Do nothing where the world is as it was.

        Args:
            now: the plan that would be made today, on the same terms.

        Raises:
            PlanOutdated: it is not; each difference is named.
        """
        if moved := tuple(self._moved(now)):
            raise PlanOutdated(plan=self.path, moved=moved)

    def _moved(self, now: "SavedPlan") -> Iterator[str]:
        if self.pipeline != now.pipeline:
            yield "the pipeline was edited"
        if self.index != now.index:
            yield f"the index was {self.index!r}, now it is {now.index!r}"
        elif (self.index_version, self.ledger_version) != (now.index_version, now.ledger_version):
            yield f"the index was written to: it had version {self.index_version}, now {now.index_version}"
        before, after = {item.uri: item for item in self.items}, {item.uri: item for item in now.items}
        for uri in sorted(before.keys() | after.keys()):
            if before.get(uri) != after.get(uri):
                yield _difference(uri, before.get(uri), after.get(uri))

    def write(self, path: Path) -> None:
        """Write it to a file, whole or not at all.

        Raises:
            ConfigError: the file cannot be written, or holds something that is no plan.
        """
        form = json.dumps(_form(self)) + "\n"
        try:
            if path.exists() and not _is_plan(path):
                raise ConfigError("there is a file that is no plan", where=str(path), remedy="give another name")
            beside = path.with_name(f"{path.name}.{os.getpid()}.part")
            beside.write_text(form, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise ConfigError(
                f"the plan cannot be written: {error.strerror}", where=str(path), remedy="give a place to write to"
            ) from error


def of(
    stages: Any, options: RunOptions, ledger: Ledger, found: Survey, terms: Terms, *, limit: int | None
) -> SavedPlan:
    """What a run on these terms would do now.

    Args:
        stages: `Stages`, or what a run takes for them.
        found: what `survey` found on these terms.
        limit: work on so many documents at most.
    """
    work = found.work if limit is None else found.work[:limit]
    return SavedPlan(
        name=str(getattr(stages, "name", "")),
        pipeline=_identity(stages, options),
        index=stages.index.name,
        index_version=stages.index.versions(),
        ledger_version=ledger.table.version(),
        terms=terms,
        limit=limit,
        items=tuple(_item(step) for step in (*work, *found.deleted)),
    )


def read(path: Path) -> SavedPlan:
    """The plan that `write` wrote.

    Raises:
        ConfigError: there is no such file, or it is no plan of this docpipe.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError("it is too large for a plan", where=str(path), remedy="give a file of `plan --save`")
        form = json.loads(path.read_text("utf-8"))
        return _plan(form, str(path))
    except OSError as error:
        raise ConfigError(
            f"the plan cannot be read: {error.strerror}", where=str(path), remedy="make one with `docpipe plan --save`"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            "it is no plan that this docpipe wrote", where=str(path), remedy="make one with `docpipe plan --save`"
        ) from error


def _plan(form: Mapping[str, Any], path: str) -> SavedPlan:
    if form[_MARK] != _FORMAT:
        raise ValueError(f"format {form[_MARK]!r}")
    terms = form["terms"]
    return SavedPlan(
        **{name: str(form[name]) for name in ("name", "pipeline", "index")},
        index_version=int(form["index_version"]),
        ledger_version=int(form["ledger_version"]),
        terms=Terms(
            now=float(terms["now"]),
            detect="digest" if terms["detect"] == "digest" else "stat",
            full=terms["full"] is True,
            retry=Retry(every=terms["retry_every"] is True, uris=frozenset(map(str, terms["retry"]))),
        ),
        limit=None if form["limit"] is None else int(form["limit"]),
        items=tuple(_saved_item(*item) for item in form["items"]),
        path=path,
    )


def _saved_item(uri: str, action: str, size: int, modified: int) -> SavedItem:
    return SavedItem(uri=str(uri), action=Action(action).value, size=int(size), modified=int(modified))


def _form(plan: SavedPlan) -> dict[str, Any]:
    terms = plan.terms
    return {
        _MARK: _FORMAT,
        "name": plan.name,
        "pipeline": plan.pipeline,
        "index": plan.index,
        "index_version": plan.index_version,
        "ledger_version": plan.ledger_version,
        "terms": {
            "now": terms.now,
            "detect": terms.detect,
            "full": terms.full,
            "retry_every": terms.retry.every,
            "retry": sorted(terms.retry.uris),
        },
        "limit": plan.limit,
        "items": [[item.uri, item.action, item.size, item.modified] for item in plan.items],
    }


def _item(step: Step) -> SavedItem:
    entry = step.entry
    size, modified = (entry.size, entry.modified) if entry is not None else (-1, -1)
    return SavedItem(uri=step.uri, action=step.action.value, size=size, modified=modified)


def _difference(uri: str, before: SavedItem | None, after: SavedItem | None) -> str:
    if after is None:
        return f"{uri!r} is to be {before.action if before else ''} no longer"
    if before is None:
        return f"{uri!r} is to be {after.action} now"
    if before.action != after.action:
        return f"{uri!r} was to be {before.action}, now {after.action}"
    return f"{uri!r} was changed since"


def _identity(stages: Any, options: RunOptions) -> str:
    """Changes with the pipeline file, with a stage, and with what a run may do."""
    path = getattr(stages, "path", None)
    file = digest(path.read_bytes()) if isinstance(path, Path) and path.is_file() else ""
    parts = (*stages.loaders, stages.parser, stages.chunker, stages.embedder)
    allowed = f"{options.timeout:g} {options.memory_mb} {options.batch_chunks}"
    return chain(file, stages.embedder.model, allowed, *map(fingerprint, parts))


def _is_plan(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARK.encode() in file.read(64)
