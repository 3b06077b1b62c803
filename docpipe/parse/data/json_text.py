"""JSON, and lines of JSON -> values, numbers as they are written (pure)."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from docpipe.parse.data.values import Record, Value, checked

_WORDS = {None: "null", True: "true", False: "false"}


class Line(NamedTuple):
    """A line of a file of JSON lines."""

    number: int
    """From 1."""
    value: Value
    """Its value; its own text where it is no JSON."""
    size: int
    """Of its text, in code points."""
    broken: bool


def read_json(text: str) -> Value:
    """The value of a JSON text; of two entries with one name, both stay.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return checked(_value(_DECODER.decode(text.removeprefix("\ufeff"))))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_lines(text: str) -> Iterator[Line]:
    """The values of a text with one JSON value per line; a line that is none is given as it stands."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Line(number, read_json(line), len(line), broken=False)
        except ValueError:
            yield Line(number, line.strip(), len(line), broken=True)


def are_lines(text: str) -> bool:
    """Whether the first two lines that are not blank are objects or lists of JSON, each by itself."""
    first = [line for line in text[:200_000].split("\n", 20) if line.strip()][:2]
    if len(first) < 2 or not all(line.lstrip().startswith(("{", "[")) for line in first):
        return False
    return not any(line.broken for line in read_lines("\n".join(first)))


def _value(found: Any) -> Value:
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        return [_value(one) for one in found]
    return found if isinstance(found, Record) else _WORDS[found]


def _record(pairs: list[tuple[str, Any]]) -> Record:
    return Record(tuple((key, _value(value)) for key, value in pairs))


_DECODER = json.JSONDecoder(object_pairs_hook=_record, parse_int=str, parse_float=str, parse_constant=str, strict=False)
