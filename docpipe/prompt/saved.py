"""Prompts <-> JSON: to look at, to keep, and to compare with a later one (pure)."""

import json
from typing import Any, get_args, get_type_hints

from docpipe.errors import ConfigError
from docpipe.prompt.builder import Built
from docpipe.prompt.prefix import digest
from docpipe.types import Prompt, Segment

_HINTS = get_type_hints(Segment)


def form(built: Built, *, question: str, model: str) -> dict[str, Any]:
    """What `docpipe prompt --json` prints and `--save` keeps."""
    return {
        "question": question,
        "model": model,
        "digest": digest(built.prompt),
        "tokens": dict(built.tokens),
        "total_tokens": built.total,
        "cacheable_share": round(cacheable_share(built), 4),
        "shown": [
            {"number": one.number, "kind": one.kind, "uri": one.uri, "page": one.page, "title": one.title}
            for one in built.shown
        ],
        "dropped": built.dropped,
        "forgotten": built.forgotten,
        "segments": [
            {"name": part.name, "role": part.role, "stable": part.stable, "text": part.text}
            for part in built.prompt.segments
        ],
    }


def cacheable_share(built: Built) -> float:
    """Which share of a prompt's tokens stands before the first part that is new in this turn."""
    stable = sum(built.tokens[name] for name in ("system", "pinned", "history"))
    return stable / built.total


def read(text: str, *, file: str) -> Prompt:
    """The prompt of a `form` that was kept.

    Raises:
        ConfigError: it is none.
    """
    try:
        segments = json.loads(text)["segments"]
        return Prompt(segments=tuple(_segment(part) for part in segments))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            "this file holds no saved prompt", where=file, remedy="make one with `docpipe prompt ... --save FILE`"
        ) from error


def _segment(part: dict[str, Any]) -> Segment:
    for key in ("name", "role"):
        if part[key] not in get_args(_HINTS[key]):
            raise ValueError(f"{key} is {part[key]!r}")
    return Segment(name=part["name"], role=part["role"], stable=bool(part["stable"]), text=str(part["text"]))
