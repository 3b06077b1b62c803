"""The typed values of a filter (pure)."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "~"]
Kind = Literal["text", "number", "time"]

FIELDS: dict[str, Kind] = {
    "uri": "text",
    "media_type": "text",
    "language": "text",
    "kind": "text",
    "title": "text",
    "document_id": "text",
    "page": "number",
    "size": "number",
    "modified": "time",
}
"""What can be asked for, and of which kind its values are."""


class Moment(NamedTuple):
    """A day or an instant: nanoseconds since 1970, half open."""

    start: int
    end: int


Value = str | int | Moment


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value, or against several with `in`."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Filter"


Filter = Comparison | All | Some | Not
