"""A sheet's XML -> the texts of its filled cells, as shown."""

import re
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from docpipe.errors import CorruptSource, SourceTooLarge
from docpipe.parse.links import MOST_LINKS
from docpipe.parse.office.cell_regions import Cells, Range
from docpipe.parse.office.names import R, S, number, value
from docpipe.parse.office.number_formats import shown
from docpipe.parse.office.package import Package
from docpipe.parse.office.unseen_cells import Hidden, as_seen, note
from docpipe.types import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.I)
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CELL, _VALUE = S + "c", S + "v"
MOST_CELLS = 2_000_000
MOST_TEXT = 64_000_000
MOST_MERGED = 20_000
_LAST_COLUMN = 16_384
_LONGEST = 40_000
"""Characters of a cell; Excel allows 32,767."""


class Formats(NamedTuple):
    """How cells are shown, by their style."""

    codes: Sequence[str]
    """Formats of numbers."""
    from_1904: bool
    tiny: frozenset[int] = frozenset()
    """Styles whose letters are too small to be read."""
    pale: frozenset[int] = frozenset()
    """Styles of white letters on white."""


def streamed(package: Package, part: str, *names: str) -> "Iterator[Element]":
    """Elements of these names, each emptied when the next is asked for.

    Raises:
        CorruptSource: it declares entities.
    """
    from lxml import etree

    data = package.read(part)
    if b"<!ENTITY" in data[:65_536]:
        raise CorruptSource(
            f"{part} declares XML entities", source=package.source.uri, remedy="open it in its program and save it anew"
        )
    if b"purl.oclc.org/ooxml" in data[:8192]:
        data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", data)
    events = etree.iterparse(
        BytesIO(data),
        events=("end",),
        tag=[S + name for name in names],
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        remove_comments=True,
    )
    try:
        for _, element in events:
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError:
        return


def shared_strings(package: Package, part: str) -> list[str]:
    """The texts that cells name by their number."""
    return [_rich_text(item) for item in streamed(package, part, "si")] if part in package else []


def _rich_text(item: "Element") -> str:
    """All runs; readings of Chinese signs are left out."""
    parts = [child.text or "" for child in item.iterchildren(S + "t")]
    parts.extend(child.findtext(S + "t") or "" for child in item.iterchildren(S + "r"))
    return _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    if "_x" in text:
        text = _ESCAPE.sub(lambda code: chr(int(code[1], 16)) if int(code[1], 16) >= 32 else " ", text)
    return text[:_LONGEST]


def read_cells(package: Package, part: str, strings: Sequence[str], formats: Formats) -> Cells:
    """All filled cells of a sheet as it shows them, cached values of formulas among them.

    Raises:
        SourceTooLarge: more than two million cells are filled, or they show more than 64 million characters (a few
            bytes of a cell may name a long text).
    """
    reading = _Reading(strings, formats)
    for element in streamed(package, part, *_HANDLED):
        _HANDLED[element.tag.rpartition("}")[2]](reading, element)
        if reading.count > MOST_CELLS or reading.length > MOST_TEXT:
            raise too_many_cells(package.source)
    return reading.cells()


class _Reading:
    """One pass over a sheet."""

    def __init__(self, strings: Sequence[str], formats: Formats) -> None:
        self.count = self.length = 0
        self._strings, self._formats = strings, formats
        self._found = Cells({}, [], {})
        self._links: list[tuple[str, str]] = []
        self._pale: dict[int, dict[int, str]] = {}
        self._coloured = False  # by what styles of cells do not say
        self._row = -1
        self._hidden_rows: list[tuple[int, int]] = []
        self._hidden_columns: list[tuple[int, int]] = []

    def cells(self) -> Cells:
        """What was read, as it is seen."""
        beside = self._found.rows if self._coloured else self._found.unseen
        for row, texts in self._pale.items():
            beside.setdefault(row, {}).update(texts)
        ordered = self._found._replace(rows=dict(sorted(self._found.rows.items())), links=tuple(self._links))
        return as_seen(ordered, Hidden(self._hidden_rows), Hidden(self._hidden_columns))

    def merged(self, element: "Element") -> None:
        box = _range(value(element, "ref"))
        if box and len(self._found.merged) < MOST_MERGED:
            self._found.merged.append(box)

    def column(self, element: "Element") -> None:
        if _is_hidden(element, "width") and len(self._hidden_columns) < _LAST_COLUMN:
            note(self._hidden_columns, number(element.get("min"), 0) - 1, number(element.get("max"), 0) - 1)

    def link(self, element: "Element") -> None:
        place = _PLACE.fullmatch(value(element, "ref").partition(":")[0])
        if place and element.get(R + "id") and len(self._links) < MOST_LINKS:
            row = self._found.rows.get(int(place[2]) - 1, {})
            self._links.append((row.get(_column(place[1]), ""), value(element, R + "id")))

    def colours(self, _: "Element") -> None:
        self._coloured = True

    def row(self, element: "Element") -> None:
        self._row = number(element.get("r"), self._row + 2) - 1
        if _is_hidden(element, "ht"):
            note(self._hidden_rows, self._row, self._row)
        column = -1
        for cell in element.iterchildren(_CELL):
            place = _PLACE.fullmatch(cell.get("r") or "")
            column = _column(place[1]) if place else column + 1
            if len(cell):
                text = _text(cell, self._strings, self._formats)
                if text and not text.isspace():
                    self._keep(number(cell.get("s")), column, text)

    def _keep(self, style: int, column: int, text: str) -> None:
        self.count += 1
        self.length += len(text)
        tiny, pale = style in self._formats.tiny, style in self._formats.pale
        rows = self._found.unseen if tiny else self._pale if pale else self._found.rows
        rows.setdefault(self._row, {})[column] = text


_HANDLED = {
    "row": _Reading.row,
    "mergeCell": _Reading.merged,
    "col": _Reading.column,
    "hyperlink": _Reading.link,
    "tablePart": _Reading.colours,
    "conditionalFormatting": _Reading.colours,
}


def _is_hidden(element: "Element", size: str) -> bool:
    """Whether a row or a column is not shown, or has no height or width."""
    return element.get("hidden") in ("1", "true") or element.get(size) in ("0", "0.0")


def too_many_cells(source: Source) -> SourceTooLarge:
    """A sheet shows more than can be held."""
    return SourceTooLarge(
        f"a sheet has more than {MOST_CELLS:,} filled cells or {MOST_TEXT:,} characters",
        source=source.uri,
        remedy="save the sheet as CSV, or split the workbook",
    )


def _text(cell: "Element", strings: Sequence[str], formats: Formats) -> str:
    kind = cell.get("t") or "n"
    if kind == "inlineStr":
        inner = cell.find(S + "is")
        return _rich_text(inner) if inner is not None else ""
    raw = cell.findtext(_VALUE) or ""
    if kind == "s":
        place = number(raw, -1)
        return strings[place] if 0 <= place < len(strings) else ""
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(raw.strip(), raw)
    if kind != "n" or not raw:
        return _unescaped(raw)
    style = number(cell.get("s"))
    return shown(raw.strip(), formats.codes[style] if style < len(formats.codes) else "", from_1904=formats.from_1904)


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _range(reference: str) -> Range | None:
    first, _, last = reference.partition(":")
    start, end = _PLACE.fullmatch(first), _PLACE.fullmatch(last or first)
    if start is None or end is None:
        return None
    box = Range(int(start[2]) - 1, _column(start[1]), int(end[2]) - 1, _column(end[1]))
    return box if box.bottom >= box.top and box.right >= box.left and box.area > 1 else None
