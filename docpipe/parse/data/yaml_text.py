"""YAML -> values as they are written; nothing is constructed, and aliases cannot multiply (pure)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from docpipe.parse.data.values import DEEPEST, Record, TooDeep, Value, checked

LONGEST = 8_000_000
"""Code points; reading takes a second for three million of them."""
_MOST_REPEATED = 200_000
"""Values that all aliases together may repeat."""


def read_yaml(text: str) -> list[Value]:
    """The documents of a YAML text.

    Raises:
        ValueError: it is no YAML, too long, nested too deeply, or its aliases repeat too much.
    """
    import yaml

    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} characters")
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return list(_documents(yaml.parse(text, Loader=loader)))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None


def _documents(events: Iterator[Any]) -> Iterator[Value]:
    building = _Building()
    for event in events:
        name = type(event).__name__
        if name == "DocumentStartEvent":
            building = _Building()
        elif name == "DocumentEndEvent":
            yield checked(building.root)
        else:
            building.take(name, event)


class _Open(NamedTuple):
    """A mapping or list that has begun."""

    kind: str
    anchor: str
    inside: list[Value]
    sizes: list[int]


class _Building:
    """One document, event by event; the size of each value, in scalars, is known when it ends."""

    def __init__(self) -> None:
        self.root: Value = ""
        self._open: list[_Open] = []
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._repeated = 0

    def take(self, name: str, event: Any) -> None:
        if name == "ScalarEvent":
            self._place(event.value, 1, event.anchor)
        elif name == "AliasEvent":
            self._alias(event.anchor)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._open) >= DEEPEST:
                raise TooDeep
            self._open.append(_Open(name, event.anchor or "", [], []))
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            done = self._open.pop()
            value = _record(done.inside) if done.kind == "MappingStartEvent" else done.inside
            self._place(value, sum(done.sizes) + 1, done.anchor)

    def _place(self, value: Value, size: int, anchor: str | None) -> None:
        if anchor:
            self._anchored[anchor] = (value, size)
        if self._open:
            self._open[-1].inside.append(value)
            self._open[-1].sizes.append(size)
        else:
            self.root = value

    def _alias(self, anchor: str) -> None:
        if anchor not in self._anchored:
            self._place(f"*{anchor}", 1, None)  # of itself, or of nothing
            return
        value, size = self._anchored[anchor]
        self._repeated += size
        if self._repeated > _MOST_REPEATED:
            raise ValueError(f"its aliases repeat more than {_MOST_REPEATED:,} values")
        self._place(value, size, None)


def _record(inside: list[Value]) -> Record:
    """A mapping; what `<<` merges in stands where it is written."""
    entries: list[tuple[str, Value]] = []
    for key, value in zip(inside[::2], inside[1::2], strict=True):
        if key == "<<" and isinstance(value, Record):
            entries.extend(value.entries)
        else:
            entries.append((key if isinstance(key, str) else "?", value))
    return Record(tuple(entries))
