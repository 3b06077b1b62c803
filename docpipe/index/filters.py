"""Typed filter -> escaped SQL, or a test of one chunk (pure). `filter_text` describes what users write."""

import re
from collections.abc import Callable
from functools import lru_cache

from docpipe.index.filter_text import parse, quoted
from docpipe.index.filter_values import FIELDS, All, Comparison, Filter, Moment, Not, Operator, Some, Value
from docpipe.index.rows import storable
from docpipe.types import Chunk

__all__ = ["FIELDS", "All", "Comparison", "Filter", "Not", "Some", "literal", "matches", "parse", "quoted", "where"]


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
        case Comparison(field, operator, values) if FIELDS[field] == "time":
            return _time_sql(field, operator, values)
        case Comparison(field, "in", values):
            return f"({field} IN ({', '.join(_sql(value) for value in values)}))"
        case Comparison(field, "~", values):
            return f"({field} LIKE {_sql(like(str(values[0])))} ESCAPE '\\')"
        case Comparison(field, operator, values):
            return f"({field} {operator} {_sql(values[0])})"


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


def _value(chunk: Chunk, field: str) -> str | int:
    found = getattr(chunk.source if field in ("uri", "media_type", "size", "modified") else chunk, field)
    return found if isinstance(found, int) else str(found)


def _holds(found: str | int, operator: Operator, values: tuple[Value, ...]) -> bool:
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
    moments = [value for value in values if isinstance(value, Moment)]
    within = [f"({field} >= {moment.start} AND {field} < {moment.end})" for moment in moments]
    match operator:
        case "=" | "in":
            return "(" + " OR ".join(within) + ")"
        case "!=":
            return f"(NOT {within[0]})"
        case "<":
            return f"({field} < {moments[0].start})"
        case "<=":
            return f"({field} < {moments[0].end})"
        case ">":
            return f"({field} >= {moments[0].end})"
        case _:
            return f"({field} >= {moments[0].start})"
