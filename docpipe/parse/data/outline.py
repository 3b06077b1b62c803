"""Values with their paths -> blocks: `orders[3].customer.name: Li`, tables, headings (pure)."""

import re
from collections.abc import Iterable, Iterator, Sequence

from docpipe.parse.data.values import Record, Value, children
from docpipe.parse.draft import Draft
from docpipe.tables import grid
from docpipe.types import BlockKind

_LONG = 200
"""A text of this many code points, or of several lines, is a paragraph of its own."""
_FEW = 8
"""A value of at most this many leaves needs no heading of its own."""
_COLUMNS = 60
_ABREAST = 20
"""Short scalars of a long list that share a line."""
_ROWS = 5_000
_LINES = 40
"""Lines that stand together in one paragraph."""
_LEVELS = 6
_MANIFOLD = 12
"""How many times as long as the file its text may become; names of many letters, nested, would be repeated."""
_GAP = re.compile(r"\n[^\S\n]*\n\s*")


def write(value: Value, draft: Draft, *, size: int, level: int = 1) -> None:
    """Append a value.

    Args:
        size: of the text that it was read from, in code points.
        level: rank of the headings below it, from 1.

    Raises:
        ValueError: with its paths it would be much longer than the file.
    """
    _Writer(draft, size * _MANIFOLD + 100_000).write(value, level)


def is_flat(value: Value) -> bool:
    """Whether it is a record of short scalars: a row of a table."""
    return (
        isinstance(value, Record)
        and 1 < len(value.entries) <= _COLUMNS
        and len({key for key, _ in value.entries}) == len(value.entries)
        and all(isinstance(child, str) and not _is_long(child) for _, child in value.entries)
    )


def write_rows(rows: Sequence[Value], draft: Draft, *, label: str = "table") -> None:
    """Append flat records as tables with one column for each name, in the order in which names first appear."""
    for start in range(0, len(rows), _ROWS):
        part = [dict(row.entries) for row in rows[start : start + _ROWS] if isinstance(row, Record)]
        names = list(dict.fromkeys(name for row in part for name in row))
        cells = [[str(row.get(name, "")) for name in names] for row in part]
        draft.add_table(grid([names, *cells]), label=label)


def same_columns(rows: Iterable[Value]) -> Iterator[list[Value]]:
    """Stretches of flat records that share most of their names; anything else by itself."""
    stretch: list[Value] = []
    names: set[str] = set()
    for row in rows:
        own = {key for key, _ in row.entries} if isinstance(row, Record) and is_flat(row) else set()
        fits = bool(own) and len(own & names) * 2 >= len(own) and len(own | names) <= max(8, 3 * len(own))
        if stretch and not fits:
            yield stretch
            stretch, names = [], set()
        stretch.append(row)
        names |= own
    if stretch:
        yield stretch


class _Writer:
    """Appends paths and values; lines gather until something else has to stand there."""

    def __init__(self, draft: Draft, most: int) -> None:
        self._draft, self._left = draft, most
        self._lines: list[str] = []

    def write(self, value: Value, level: int) -> None:
        if isinstance(value, str):
            self._scalar("", value)
        elif isinstance(value, list):
            self._list(value, "", level)
        else:
            self._record(value, "", level)
        self._flush()

    def _record(self, record: Record, path: str, level: int) -> None:
        """Its own scalars and small parts first, then each large part below its heading."""
        large: list[tuple[str, Value]] = []
        for key, child in record.entries:
            if _is_large(child):
                large.append((key, child))
            else:
                self._small(child, joined(path, key))
        self._flush()
        for key, child in large:
            self._section(child, joined(path, key), level)

    def _list(self, items: list[Value], path: str, level: int) -> None:
        if len(items) > _ABREAST and all(map(_is_brief, items)):
            for start in range(0, len(items), _ABREAST):
                part = [str(item) for item in items[start : start + _ABREAST]]
                self._scalar(f"{path}[{start}..{start + len(part) - 1}]", ", ".join(part))
            return
        at = 0
        for stretch in same_columns(items):
            if len(stretch) > 1 and is_flat(stretch[0]):
                self._flush()
                write_rows(stretch, self._draft)
            else:
                for number, item in enumerate(stretch, start=at):
                    self._item(item, f"{path}[{number}]", level)
            at += len(stretch)

    def _item(self, item: Value, path: str, level: int) -> None:
        if _is_large(item):
            self._section(item, path, level)
        else:
            self._small(item, path)

    def _section(self, value: Value, path: str, level: int) -> None:
        self._flush()
        self._spend(path)
        self._draft.add(BlockKind.HEADING, path, level=min(level, _LEVELS), label="key")
        if isinstance(value, list):
            self._list(value, path, level + 1)
        elif isinstance(value, Record):
            self._record(value, path, level + 1)
        self._flush()

    def _small(self, value: Value, path: str) -> None:
        for place, text in _leaves(value, path):
            self._scalar(place, text)

    def _scalar(self, path: str, text: str) -> None:
        line = f"{path}: {text}" if path else text
        self._spend(line)
        if not _is_long(text):
            self._lines.append(line)
            if len(self._lines) >= _LINES:
                self._flush()
            return
        self._flush()
        for paragraph in _GAP.split(line):
            self._draft.add(BlockKind.PARAGRAPH, paragraph, label="value")

    def _spend(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise ValueError(f"with its paths it would be more than {_MANIFOLD} times as long")

    def _flush(self) -> None:
        if self._lines:
            self._draft.add(BlockKind.PARAGRAPH, "\n".join(self._lines), label="values")
            self._lines = []


_PLAIN = re.compile(r"[^\s.\[\]:\"']+(?: [^\s.\[\]:\"']+)*")


def joined(path: str, key: str) -> str:
    """`orders[3]` and `name` -> `orders[3].name`; a name that would be misread stands in quotes."""
    shown = key if _PLAIN.fullmatch(key) else '"' + key.replace('"', '\\"') + '"'
    return f"{path}.{shown}" if path else shown


def _leaves(value: Value, path: str) -> Iterator[tuple[str, str]]:
    """Path and text of each scalar below a small value; short ones of a list share a line."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Record):
        if not value.entries:
            yield path, "{}"
        for key, child in value.entries:
            yield from _leaves(child, joined(path, key))
    elif all(map(_is_brief, value)):
        yield path, ", ".join(str(item) for item in value) or "[]"
    else:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")


def _is_large(value: Value) -> bool:
    """Whether it deserves a heading: more than a few leaves, a table, or long texts."""
    if isinstance(value, str):
        return False
    if isinstance(value, list) and all(isinstance(item, str) and not _is_long(item) for item in value):
        return False
    count = 0
    waiting: list[Value] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            count += 1
            if count > _FEW or _is_long(one):
                return True
        elif isinstance(one, list) and len(one) > 1 and all(map(is_flat, one)):
            return True
        else:
            waiting.extend(children(one))
            count += not isinstance(one, str) and next(children(one), None) is None
    return False


def _is_brief(value: Value) -> bool:
    """Whether it may share a line with others."""
    return isinstance(value, str) and 0 < len(value) < 60 and "," not in value and "\n" not in value


def _is_long(text: str) -> bool:
    return len(text) > _LONG or "\n" in text.strip()
