"""What a file of data says: names and values as they are written (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 60
"""Levels of nesting that are read as paths; what is nested deeper is no data that a person wrote."""


@dataclass(frozen=True, slots=True)
class Record:
    """Named values in their order; a name may stand there twice."""

    entries: "tuple[tuple[str, Value], ...]"


Value = str | Record | list["Value"]
"""A scalar is the text that the file has for it: `1.10` stays `1.10`."""


class TooDeep(ValueError):
    """Nested below `DEEPEST`."""

    def __init__(self) -> None:
        super().__init__(f"it is nested more than {DEEPEST} levels deep")


def children(value: Value) -> Iterator[Value]:
    """The values right below this one."""
    if isinstance(value, Record):
        yield from (child for _, child in value.entries)
    elif isinstance(value, list):
        yield from value


def checked(value: Value) -> Value:
    """The value itself.

    Raises:
        TooDeep: it is nested below `DEEPEST`.
    """
    level: list[Value] = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in children(one) if not isinstance(child, str)]
        if not level:
            return value
    raise TooDeep


def scalar(value: Value, name: str) -> str:
    """The text of a record's entry, whatever the case of its name; nothing where it is no scalar."""
    if not isinstance(value, Record):
        return ""
    found = (child for key, child in value.entries if key.lower() == name)
    first = next(found, "")
    return first if isinstance(first, str) else ""
