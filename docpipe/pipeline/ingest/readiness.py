"""Stages -> whether their services can be asked at all, before any work is begun."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from docpipe.protocols import NeedsKey


def require_keys(*stages: Any) -> None:
    """Make sure that every stage, and every stage within another, has the key that its service needs.

    Raises:
        Unauthorized: a key is missing or malformed; the message names the environment variable.
    """
    for stage in stages:
        for part in within(stage):
            if isinstance(part, NeedsKey):
                part.require_key()


def within(stage: Any) -> Iterator[Any]:
    """A stage and, first to last, the stages that it is made of."""
    if isinstance(stage, tuple):
        for one in stage:
            yield from within(one)
    elif is_dataclass(stage) and not isinstance(stage, type):
        yield stage
        for field in fields(stage):
            yield from within(getattr(stage, field.name))
    elif isinstance(stage, NeedsKey):
        yield stage
