"""Filter text -> typed filter -> escaped SQL, or a test of one chunk (pure).

    language = zh and (page <= 3 or kind in (title, heading)) and not uri ~ 'drafts/*'

Fields: `uri`, `media_type`, `language`, `kind`, `title`, `document_id` (texts), `page`, `size` (numbers),
`modified` (ISO date or time, UTC where it says nothing). Operators: `=`, `!=`, `<`, `<=`, `>`, `>=`,
`in (...)`, and `~` for texts: `*` stands for any characters, `?` for one. `and` binds closer than `or`;
words of the language are read in any case. A value with blanks, quotes or brackets is quoted, `'...'` or
`"..."`; the quote itself is written twice inside. A comparison with `page` asks whether some page of the chunk fits.
"""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from docpipe.errors import InvalidOption
from docpipe.types import BlockKind, Chunk

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

MAX_CHARACTERS = 100_000
MAX_COMPARISONS = 200
MAX_DEPTH = 20


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


def quoted(value: str) -> str:
    """A value as it must be written in a filter's text, whatever its characters."""
    return "'" + value.replace("'", "''") + "'"


def literal(value: str) -> str:
    """A text as an SQL literal. The only place where a value enters SQL."""
    return "'" + value.replace("'", "''") + "'"


@lru_cache(maxsize=256)
def parse(text: str) -> Filter:
    """Read a filter. Law: `parse(f"uri = {quoted(value)}")` compares with exactly `value`.

    Raises:
        InvalidOption: it is empty, too long or not well formed, it names an unknown field, or a value does not fit.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidOption(f"the filter has {len(text)} characters", where="where", remedy="write a shorter one")
    return _Reader(_tokens(text)).whole()


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


class _Token(NamedTuple):
    kind: Literal["word", "quoted", "sign", "end"]
    text: str
    at: int


_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>!=|<=|>=|==|=|<|>|~|\(|\)|,)
    |'(?P<single>(?:[^']|'')*)'(?!')
    |"(?P<double>(?:[^"]|"")*)"(?!")
    |(?P<word>[^\s()=!<>~,'"]+))""",
    re.X,
)


def _tokens(text: str) -> list[_Token]:
    tokens, at, stop = [], 0, len(text.rstrip())
    while at < stop:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _wrong(f"cannot read {text[at : at + 20].strip()!r}", at)
        start, at = at, found.end()
        kind = found.lastgroup or ""
        value = found[kind]
        if kind == "single":
            tokens.append(_Token("quoted", value.replace("''", "'"), start))
        elif kind == "double":
            tokens.append(_Token("quoted", value.replace('""', '"'), start))
        else:
            tokens.append(_Token("sign" if kind == "sign" else "word", value, start))
    return [*tokens, _Token("end", "", stop)]


def _wrong(message: str, at: int, remedy: str = "") -> InvalidOption:
    return InvalidOption(
        f"filter: {message} at character {at + 1}",
        where="where",
        remedy=remedy or "write it as in: language = zh and page <= 3; quote values that hold blanks",
    )


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at, self._comparisons, self._depth = tokens, 0, 0, 0

    def whole(self) -> Filter:
        found = self._either()
        if self._peek().kind != "end":
            token = self._peek()
            raise _wrong(f"{token.text!r} is not expected", token.at, "join comparisons with `and` or `or`")
        return found

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _takes(self, text: str, kind: str = "word") -> bool:
        token = self._peek()
        if token.kind == kind and token.text.lower() == text:
            self._at += 1
            return True
        return False

    def _either(self) -> Filter:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self) -> Filter:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong("too many brackets inside each other", self._peek().at, f"at most {MAX_DEPTH} are read")
        try:
            if self._takes("not"):
                return Not(self._one())
            if self._takes("(", "sign"):
                found = self._either()
                self._expect(")")
                return found
            return self._comparison()
        finally:
            self._depth -= 1

    def _expect(self, sign: str) -> None:
        if not self._takes(sign, "sign"):
            token = self._peek()
            raise _wrong(f"{sign!r} is missing before {token.text or 'the end'!r}", token.at)

    def _comparison(self) -> Comparison:
        field, operator = self._field(), self._operator()
        values = self._several(field) if operator == "in" else (_typed(field, self._literal()),)
        if operator == "~" and FIELDS[field] != "text":
            raise _wrong(f"`~` compares texts, and {field!r} is a {FIELDS[field]}", self._peek().at)
        self._comparisons += len(values)
        if self._comparisons > MAX_COMPARISONS:
            raise _wrong("too many comparisons", self._peek().at, f"at most {MAX_COMPARISONS} values are compared")
        return Comparison(field, operator, values)

    def _field(self) -> str:
        token = self._next()
        if token.kind == "word" and token.text.lower() in FIELDS:
            return token.text.lower()
        near = difflib.get_close_matches(token.text.lower(), FIELDS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise _wrong(
            f"{token.text!r} is not a field" if token.text else "a field is missing",
            token.at,
            f"{hint}fields are {', '.join(FIELDS)}",
        )

    def _operator(self) -> Operator:
        token = self._next()
        text = "=" if token.text == "==" else token.text.lower()
        for operator in _OPERATORS:
            if text == operator and token.kind in ("sign", "word"):
                return operator
        raise _wrong(
            f"{token.text or 'the end'!r} is not an operator", token.at, "operators are " + ", ".join(_OPERATORS)
        )

    def _several(self, field: str) -> tuple[Value, ...]:
        self._expect("(")
        values = [_typed(field, self._literal())]
        while self._takes(",", "sign"):
            values.append(_typed(field, self._literal()))
        self._expect(")")
        return tuple(values)

    def _literal(self) -> _Token:
        token = self._next()
        if token.kind in ("word", "quoted"):
            return token
        raise _wrong(f"a value is missing before {token.text or 'the end'!r}", token.at)


_OPERATORS: tuple[Operator, ...] = ("=", "!=", "<=", ">=", "<", ">", "in", "~")


def _typed(field: str, token: _Token) -> Value:
    match FIELDS[field]:
        case "number":
            return _number(field, token)
        case "time":
            return _moment(token)
        case _:
            return _text(field, token)


def _text(field: str, token: _Token) -> str:
    kinds = [str(kind) for kind in BlockKind]
    if field == "kind" and token.text not in kinds and not set("*?") & set(token.text):
        near = difflib.get_close_matches(token.text, kinds, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise _wrong(f"{token.text!r} is not a kind of block", token.at, f"{hint}kinds are {', '.join(kinds)}")
    return token.text


def _number(field: str, token: _Token) -> int:
    if re.fullmatch(r"[0-9]{1,18}", token.text, re.A):
        return int(token.text)
    raise _wrong(f"{field!r} is compared with a whole number, not with {token.text!r}", token.at)


def _moment(token: _Token) -> Moment:
    try:
        found = datetime.fromisoformat(token.text)
    except ValueError as error:
        raise _wrong(
            f"'modified' is compared with a date, not with {token.text!r}", token.at, "write it as in 2024-05-31"
        ) from error
    start = _nanoseconds(found if found.tzinfo else found.replace(tzinfo=UTC))
    whole_day = (
        re.search(r"[0-9W-]+$", token.text) is not None and "T" not in token.text.upper() and ":" not in token.text
    )
    return Moment(start, start + (86_400_000_000_000 if whole_day else 1_000_000_000))


def _nanoseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
