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
    "created": "time",
    "authors": "text",
    "keywords": "text",
}
"""What can be asked for, and of which kind its values are; besides, `meta.KEY` asks for what a document says itself."""

META = "meta."
_META_TIMES = ("meta.created", "meta.modified")
SAID = {"created": "meta.created", "authors": "meta.authors", "keywords": "meta.keywords"}
"""Short names for what documents say of themselves; `modified` is their file's time of change."""


def kind_of(field: str) -> Kind | None:
    """Of which kind a field's values are; None where there is no such field."""
    if field.startswith(META) and len(field) > len(META):
        return "time" if field in _META_TIMES else "text"
    return FIELDS.get(field)


def is_said(field: str) -> bool:
    """Whether a field asks for what documents say of themselves."""
    return field in SAID or field.startswith(META)


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
