"""Typed filter -> escaped SQL, or a test of one chunk (pure). `filter_text` describes what users write."""

import re
from collections.abc import Callable
from functools import lru_cache

from docpipe._metadata import marks_of
from docpipe.index.filter_text import parse, quoted
from docpipe.index.filter_values import (
    FIELDS,
    META,
    All,
    Comparison,
    Filter,
    Moment,
    Not,
    Operator,
    Some,
    Value,
    is_said,
    kind_of,
)
from docpipe.index.rows import began, storable
from docpipe.types import Chunk

__all__ = [
    "FIELDS",
    "All",
    "Comparison",
    "Filter",
    "Not",
    "Some",
    "asks_metadata",
    "literal",
    "matches",
    "parse",
    "quoted",
    "where",
]


def literal(value: str) -> str:
    """A text as an SQL literal. The only place where a value enters SQL."""
    return "'" + storable(value).replace("'", "''") + "'"


def where(filter: Filter, /) -> str:  # noqa: A002  (the value's own name)
    """The filter as SQL over the columns of `rows.schema`."""
    match filter:
        case All(parts):
            return "(" + " AND ".join(where(part) for part in parts) + ")"
        case Some(parts):
            return "(" + " OR ".join(where(part) for part in parts) + ")"
        case Not(part):
            return f"(NOT {where(part)})"
        case Comparison("page", operator, values):
            return _page_sql(operator, values)
        case Comparison(field, operator, values) if kind_of(field) == "time":
            return _time_sql(field, operator, values)
        case Comparison(field, "in", values):
            return f"({_column(field)} IN ({', '.join(_sql(value) for value in values)}))"
        case Comparison(field, "~", values):
            return f"({_column(field)} LIKE {_sql(like(str(values[0])))} ESCAPE '\\')"
        case Comparison(field, operator, values):
            return f"({_column(field)} {operator} {_sql(values[0])})"


def asks_metadata(filter: Filter, /) -> bool:  # noqa: A002
    """Whether a filter asks for what documents say of themselves, which indexes of before do not hold."""
    match filter:
        case All(parts) | Some(parts):
            return any(asks_metadata(part) for part in parts)
        case Not(part):
            return asks_metadata(part)
        case Comparison(field, _, _):
            return is_said(field)


def _column(field: str) -> str:
    """What a text or a number stands in: a column, or the part of the packed metadata between two marks."""
    if not field.startswith(META):
        return field
    before, after = marks_of(field.removeprefix(META))
    return f"split_part(split_part(metadata, {literal(before)}, 2), {literal(after)}, 1)"


def like(pattern: str) -> str:
    """A `*` and `?` pattern as SQL's LIKE, with backslash as its escape."""
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return escaped.replace("*", "%").replace("?", "_")


def matches(filter: Filter, chunk: Chunk, /) -> bool:  # noqa: A002
    """Whether a chunk fits; the same answer as `where` gives in the database."""
    match filter:
        case All(parts):
            return all(matches(part, chunk) for part in parts)
        case Some(parts):
            return any(matches(part, chunk) for part in parts)
        case Not(part):
            return not matches(part, chunk)
        case Comparison("page", "!=", values):
            return values[0] not in chunk.pages
        case Comparison("page", operator, values):
            return any(_holds(page, operator, values) for page in chunk.pages)
        case Comparison(field, operator, values):
            return _holds(_value(chunk, field), operator, values)


def _value(chunk: Chunk, field: str) -> str | int | None:
    if field.startswith(META):
        key = field.removeprefix(META)
        return began(chunk, key) if kind_of(field) == "time" else storable(chunk.metadata.get(key, ""))
    found = getattr(chunk.source if field in ("uri", "media_type", "size", "modified") else chunk, field)
    return found if isinstance(found, int) else str(found)


def _holds(found: str | int | None, operator: Operator, values: tuple[Value, ...]) -> bool:
    if found is None:
        return operator == "!="
    if operator == "in":
        return any(_holds(found, "=", (value,)) for value in values)
    if operator == "~":
        return _pattern(str(values[0])).fullmatch(str(found)) is not None
    wanted = values[0]
    if isinstance(wanted, Moment):
        return _inside(int(found), operator, wanted)
    return _COMPARE[operator](found, wanted)


_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
    ">": lambda a, b: a > b,  # type: ignore[operator]
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
}


def _inside(found: int, operator: Operator, moment: Moment) -> bool:
    """A day is compared as a whole: `> 2024-05-01` begins on the second of May."""
    match operator:
        case "=":
            return moment.start <= found < moment.end
        case "!=":
            return not moment.start <= found < moment.end
        case "<":
            return found < moment.start
        case "<=":
            return found < moment.end
        case ">":
            return found >= moment.end
        case _:
            return found >= moment.start


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", glob))
    return re.compile("".join(parts), re.S)


def _sql(value: Value) -> str:
    return literal(value) if isinstance(value, str) else str(value)


def _page_sql(operator: Operator, values: tuple[Value, ...]) -> str:
    """Pages are a list; its ends are columns of their own, both 0 in a document without pages."""
    match operator:
        case "=":
            return f"array_has(pages, {values[0]})"
        case "!=":
            return f"(NOT array_has(pages, {values[0]}))"
        case "in":
            return "(" + " OR ".join(f"array_has(pages, {value})" for value in values) + ")"
        case "<" | "<=":
            return f"(first_page > 0 AND first_page {operator} {values[0]})"
        case _:
            return f"(last_page > 0 AND last_page {operator} {values[0]})"


def _time_sql(field: str, operator: Operator, values: tuple[Value, ...]) -> str:
    """A time that a document says itself may be NULL; the answer never is, so that `not` turns it round."""
    said = is_said(field)
    column = field.replace(META, "document_") if said else field
    if operator == "!=":
        return f"(NOT {_time_sql(field, '=', values)})"
    moments = [value for value in values if isinstance(value, Moment)]
    sql = " OR ".join(_moment_sql(column, operator, moment) for moment in moments)
    return f"({column} IS NOT NULL AND ({sql}))" if said else f"({sql})"


def _moment_sql(column: str, operator: Operator, moment: Moment) -> str:
    match operator:
        case "<":
            return f"{column} < {moment.start}"
        case "<=":
            return f"{column} < {moment.end}"
        case ">":
            return f"{column} >= {moment.end}"
        case ">=":
            return f"{column} >= {moment.start}"
        case _:
            return f"({column} >= {moment.start} AND {column} < {moment.end})"
