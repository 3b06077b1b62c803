"""The bytes of a workbook of before 2007 -> blocks on paper, each sheet under its name."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOBase
from typing import TYPE_CHECKING

from docpipe.errors import CorruptSource
from docpipe.parse.office.cell_regions import Cells, Range
from docpipe.parse.office.number_formats import shown
from docpipe.parse.office.package import encrypted
from docpipe.parse.office.paper import Paper
from docpipe.parse.office.sheet_blocks import add_cells, is_unnamed
from docpipe.parse.office.sheet_cells import MOST_CELLS, MOST_MERGED, MOST_TEXT, too_many_cells
from docpipe.parse.office.unseen_cells import Hidden, as_seen, note
from docpipe.types import Blob, BlockKind, Source

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Sheet

_DAMAGE = (
    struct.error, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError,
    OSError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What the library raises for bytes that are not as it believed, besides its own errors."""
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_TEXT, _NUMBER, _DATE, _TRUTH, _ERROR = 1, 2, 3, 4, 5
_TINY = 40
"""Twentieths of a point; letters that are not higher cannot be read."""
_SOLID = 1


class _Silence(TextIOBase):
    """Where the library's messages go."""

    def write(self, text: str, /) -> int:
        return len(text)


def read_old_sheets(blob: Blob) -> Paper:
    """All sheets in their order; hidden ones give hidden text, and so do hidden rows and columns.

    Raises:
        CorruptSource, EncryptedSource, SourceTooLarge: it cannot be read, or not as a whole.
    """
    import xlrd

    paper = Paper()
    with _damage(blob.source):
        book = xlrd.open_workbook(
            file_contents=_records(blob.data),
            logfile=_Silence(),
            formatting_info=True,
            on_demand=True,
            ragged_rows=True,
        )
        for place in range(book.nsheets):
            sheet = book.sheet_by_index(place)
            paper.begin_page(0.0, 0.0)
            hidden = sheet.visibility != 0
            if not hidden and (book.nsheets > 1 or not is_unnamed(sheet.name)):
                paper.add(BlockKind.HEADING, sheet.name, level=1, label="sheet")
            add_cells(_Reading(book, sheet).cells(blob.source), paper, hidden=hidden)
            book.unload_sheet(place)
    return paper


def _records(data: bytes) -> bytes:
    """The workbook within a compound file; the data itself where it is no such file, as those of Excel 4 are.

    The library's own reader of compound files follows sectors in a circle without end.
    """
    from olefile import OleFileIO, isOleFile

    if not isOleFile(data=data):
        return data
    with OleFileIO(BytesIO(data)) as file:
        name = next((name for name in ("Workbook", "Book") if file.exists(name)), "")
        if not name:
            raise ValueError("it holds no workbook")
        with file.openstream(name) as stream:
            return bytes(stream.read())


@contextmanager
def _damage(source: Source) -> Iterator[None]:
    from xlrd.biffh import XLRDError

    try:
        yield
    except (XLRDError, *_DAMAGE) as error:
        if "encrypted" in str(error):
            raise encrypted(source) from error
        raise CorruptSource(
            f"it cannot be read as a workbook of Excel 5 to 2003: {type(error).__name__}",
            source=source.uri,
            remedy="open it in Excel or LibreOffice and save it as xlsx",
        ) from error


class _Reading:
    """One sheet of a book."""

    def __init__(self, book: "Book", sheet: "Sheet") -> None:
        self._book, self._sheet = book, sheet
        self._found = Cells({}, [], {})
        self._codes: dict[int, str] = {}
        self._unseen: dict[int, bool] = {}

    def cells(self, source: Source) -> Cells:
        """All filled cells as the sheet shows them."""
        count = length = 0
        for row in range(self._sheet.nrows):
            for column in range(self._sheet.row_len(row)):
                text = self._text(row, column)
                if text and not text.isspace():
                    count, length = count + 1, length + len(text)
                    style = self._sheet.cell_xf_index(row, column)
                    rows = self._found.unseen if self._is_unseen(style) else self._found.rows
                    rows.setdefault(row, {})[column] = text
            if count > MOST_CELLS or length > MOST_TEXT:
                raise too_many_cells(source)
        for top, bottom, left, right in self._sheet.merged_cells[:MOST_MERGED]:
            if top < bottom and left < right and (bottom - top) * (right - left) > 1:
                self._found.merged.append(Range(top, left, bottom - 1, right - 1))
        hidden_rows = Hidden(_stretches(self._sheet.rowinfo_map, "height"))
        return as_seen(self._found, hidden_rows, Hidden(_stretches(self._sheet.colinfo_map, "width")))

    def _text(self, row: int, column: int) -> str:
        kind, held = self._sheet.cell_type(row, column), self._sheet.cell_value(row, column)
        if kind == _TEXT:
            return str(held)
        if kind in (_NUMBER, _DATE):
            raw = repr(float(held)).removesuffix(".0")
            return shown(raw, self._code(self._sheet.cell_xf_index(row, column)), from_1904=self._book.datemode == 1)
        if kind == _TRUTH:
            return "TRUE" if held else "FALSE"
        return _ERRORS.get(held, "") if kind == _ERROR else ""

    def _code(self, style: int) -> str:
        """The format of numbers that a style names; General where it names none."""
        if style not in self._codes:
            code = self._book.format_map[self._book.xf_list[style].format_key].format_str
            self._codes[style] = "" if code.lower() == "general" else code
        return self._codes[style]

    def _is_unseen(self, style: int) -> bool:
        """Whether letters of a style are too small to be seen, or white on white."""
        if style not in self._unseen:
            about = self._book.xf_list[style]
            font = self._book.font_list[about.font_index]
            behind = about.background
            bare = not behind.fill_pattern or (
                behind.fill_pattern == _SOLID and self._is_white(behind.pattern_colour_index)
            )
            self._unseen[style] = font.height <= _TINY or (bare and self._is_white(font.colour_index))
        return self._unseen[style]

    def _is_white(self, colour: int) -> bool:
        found = self._book.colour_map.get(colour)
        return found is not None and min(found) >= 240


def _stretches(found: "dict[int, object]", size: str) -> list[tuple[int, int]]:
    """The rows or columns that are hidden or have no size."""
    stretches: list[tuple[int, int]] = []
    for place, about in sorted(found.items()):
        if getattr(about, "hidden", 0) or getattr(about, size, None) == 0:
            note(stretches, place, place)
    return stretches
