"""Filter text -> typed filter (pure).

    language = zh and (page <= 3 or kind in (title, heading)) and not uri ~ 'drafts/*'

Fields: `uri`, `media_type`, `language`, `kind`, `title`, `document_id` (texts), `page`, `size` (numbers),
`modified` (of the file), and what documents say of themselves: `authors`, `keywords` (texts), `created`, and
`meta.KEY` for every key of `Document.metadata` (`meta.subject`, `meta.language`: texts; `meta.modified`: a time).
A document that says nothing fits as if it said the empty text, and no comparison with a time but `!=`. Times are
`2024`, `2024-05`, `2024-05-31` or a time of that day, UTC where they say nothing. Operators: `=`, `!=`, `<`, `<=`,
`>`, `>=`, `in (...)`, and `~` for texts: `*` stands for any characters, `?` for one. `and` binds closer than `or`;
words of the language are read in any case. A value with blanks, quotes or brackets is quoted, `'...'` or
`"..."`; the quote itself is written twice inside. A comparison with `page` asks whether some page of the chunk fits.
"""

import difflib
import re
from functools import lru_cache
from typing import Literal, NamedTuple

from docpipe._dates import period
from docpipe._metadata import metadata_key
from docpipe.errors import InvalidOption
from docpipe.index.filter_values import (
    FIELDS,
    META,
    SAID,
    All,
    Comparison,
    Filter,
    Moment,
    Not,
    Operator,
    Some,
    Value,
    kind_of,
)
from docpipe.types import BlockKind

MAX_CHARACTERS = 100_000
MAX_COMPARISONS = 200
MAX_DEPTH = 20


def quoted(value: str) -> str:
    """A value as it must be written in a filter's text, whatever its characters."""
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
        if operator == "~" and kind_of(field) != "text":
            raise _wrong(f"`~` compares texts, and {field!r} is a {kind_of(field)}", self._peek().at)
        self._comparisons += len(values)
        if self._comparisons > MAX_COMPARISONS:
            raise _wrong("too many comparisons", self._peek().at, f"at most {MAX_COMPARISONS} values are compared")
        return Comparison(field, operator, values)

    def _field(self) -> str:
        token = self._next()
        name = token.text.lower()
        if name.startswith(META):
            name = META + metadata_key(name.removeprefix(META))
        if token.kind == "word" and kind_of(name):
            return SAID.get(name, name)
        near = difflib.get_close_matches(token.text.lower(), FIELDS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise _wrong(
            f"{token.text!r} is not a field" if token.text else "a field is missing",
            token.at,
            f"{hint}fields are {', '.join(FIELDS)} and {META}KEY",
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
    match kind_of(field):
        case "number":
            return _number(field, token)
        case "time":
            return _moment(field, token)
        case _:
            return _text(field, token)


def _text(field: str, token: _Token) -> str:
    kinds = [str(kind) for kind in BlockKind]
    if field == "kind" and token.text not in kinds and not set("*?") & set(token.text):
        near = difflib.get_close_matches(token.text, kinds, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise _wrong(f"{token.text!r} is not a kind of block", token.at, f"{hint}kinds are {', '.join(kinds)}")
    if field == "language" and _TAGGED.fullmatch(token.text):
        primary = token.text.partition("-")[0].lower()
        raise _wrong(
            f"a chunk's language is a primary one, as {primary!r}, and {token.text!r} says more",
            token.at,
            f"write language = {primary}; what whole documents say is {META}language",
        )
    return token.text


_TAGGED = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})+", re.A)


def _number(field: str, token: _Token) -> int:
    if re.fullmatch(r"[0-9]{1,18}", token.text, re.A):
        return int(token.text)
    raise _wrong(f"{field!r} is compared with a whole number, not with {token.text!r}", token.at)


def _moment(field: str, token: _Token) -> Moment:
    try:
        return Moment(*period(token.text))
    except ValueError as error:
        name = next((short for short, full in SAID.items() if full == field), field)
        raise _wrong(
            f"{name!r} is compared with a date, not with {token.text!r}", token.at, "write it as in 2024-05-31"
        ) from error
