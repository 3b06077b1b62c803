"""parse.xls: workbooks of before 2007, read as the newer ones are."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_samples import blob, check, read, texts
from old_workbooks import TINY_FONT, WHITE_FONT, OldSheet, compound, workbook, xls

from docpipe.errors import CorruptSource, EncryptedSource, SourceError
from docpipe.load.media import media_type
from docpipe.parse.xls import XlsParser
from docpipe.tables import Cell
from docpipe.tables import read as read_table
from docpipe.types import HIDDEN, BlockKind, Document

BIRDS = {(0, 0): "Name", (0, 1): "Count", (1, 0): "Ente", (1, 1): 3.0, (2, 0): "天鹅", (2, 1): 0.1}


def book(*sheets: OldSheet, **about: object) -> Document:
    return read(XlsParser(), xls(*sheets, **about))  # type: ignore[arg-type]


def rows(document: Document) -> list[list[str]]:
    (html,) = texts(document, BlockKind.TABLE)
    return [[cell.text for cell in row] for row in read_table(html).rows]


def hidden(document: Document) -> list[str]:
    return [block.span.of(document.text) for block in document.blocks if block.native_label == HIDDEN]


def test_cells_that_touch_are_a_table_under_the_name_of_their_sheet() -> None:
    document = book(OldSheet(name="Birds", cells=BIRDS), OldSheet(name="Other", cells={(4, 4): True}))
    assert texts(document, BlockKind.HEADING) == ["Birds", "Other"]
    assert rows(document) == [["Name", "Count"], ["Ente", "3"], ["天鹅", "0.1"]]
    assert texts(document, BlockKind.PARAGRAPH) == ["TRUE"]
    assert [block.page for block in document.blocks] == [1, 1, 2, 2]


def test_numbers_are_shown_by_their_format() -> None:
    sheet = OldSheet(cells={(0, 0): 1234.5, (0, 1): 123456789012346.0}, styles={(0, 0): 1})
    assert rows(book(sheet, styles=((0, 0, False), (0, 164, False)))) == [["1,234.50", "123456789012346"]]


def test_merged_cells_span() -> None:
    (html,) = texts(book(OldSheet(cells={(0, 0): "a", (1, 0): "b", (1, 1): "c"}, merged=[(0, 0, 0, 1)])))
    assert read_table(html).rows[0] == (Cell("a", colspan=2),)


def test_hidden_sheets_rows_and_columns_are_hidden_text() -> None:
    document = book(
        OldSheet(name="Birds", cells=BIRDS, hidden_rows=[1], hidden_columns=[1]),
        OldSheet(name="Secrets", cells={(0, 0): "x"}, is_hidden=True),
    )
    assert rows(document) == [["Name"], ["天鹅"]]
    assert hidden(document) == ["Count\nEnte | 3\n0.1", "x"]


@pytest.mark.parametrize(
    ("style", "expected"),
    [((WHITE_FONT, 0, False), ["y"]), ((WHITE_FONT, 0, True), []), ((TINY_FONT, 0, True), ["y"])],
    ids=["white on white", "white on blue", "tiny"],
)
def test_letters_that_nobody_sees_are_hidden_text(style: tuple[int, int, bool], expected: list[str]) -> None:
    sheet = OldSheet(cells={(0, 0): "x", (1, 0): "y"}, styles={(1, 0): 1})
    assert hidden(book(sheet, styles=((0, 0, False), style))) == expected


def test_it_is_known_by_its_bytes() -> None:
    assert media_type(xls(OldSheet())[:8192], "birds") == "application/vnd.ms-excel"


def summary(*properties: tuple[int, bytes], count: int | None = None) -> bytes:
    """A stream of properties: their numbers and their values with types."""
    places, values, at = b"", b"", 8 + 8 * len(properties)
    for number, value in properties:
        places += struct.pack("<II", number, at + len(values))
        values += value.ljust(-(-len(value) // 4) * 4, b"\x00")
    section = struct.pack("<II", at + len(values), len(properties) if count is None else count) + places + values
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 0, b"", 1, b"", 48) + section


def said(text: bytes) -> bytes:
    return struct.pack("<II", 30, len(text)) + text


def test_its_summary_is_metadata() -> None:
    moment = int((datetime(2024, 5, 1, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
    stream = summary(
        (1, struct.pack("<IH", 2, 1251)),
        (2, said("Птицы\0".encode("cp1251"))),
        (4, said(b"A. Duck;B. Swan\0")),
        (12, struct.pack("<IQ", 64, moment)),
        (13, struct.pack("<IQ", 64, 0)),
    )
    found = read(XlsParser(), compound({"Workbook": workbook(OldSheet(cells=BIRDS)), "\x05SummaryInformation": stream}))
    assert found.metadata["title"] == "Птицы" and found.metadata["authors"] == "A. Duck; B. Swan"
    assert found.metadata["created"] == "2024-05-01T00:00:00Z" and "modified" not in found.metadata


def test_a_summary_that_claims_four_billion_properties_is_left_out_at_once() -> None:
    parts = {"Workbook": workbook(OldSheet(cells=BIRDS)), "\x05SummaryInformation": summary(count=0xFFFFFFFF)}
    assert "title" not in read(XlsParser(), compound(parts)).metadata


def test_sectors_in_a_circle_end() -> None:
    data = bytearray(xls(OldSheet(cells=BIRDS)))
    first = data.index(struct.pack("<II", 3, 4))
    data[first + 4 : first + 8] = struct.pack("<I", 3)
    try:
        list(XlsParser()(blob(bytes(data))))
    except CorruptSource as error:
        assert "save it as xlsx" in error.remedy


def test_a_workbook_with_a_password_says_so() -> None:
    stream = workbook(OldSheet(cells=BIRDS))
    locked = stream[:20] + b"\x2f\x00\x06\x00" + bytes(6) + stream[20:]
    with pytest.raises(EncryptedSource):
        list(XlsParser()(blob(compound({"Workbook": locked}))))


@pytest.mark.parametrize("data", [b"", b"x", xls(OldSheet(cells=BIRDS))[:900], compound({"WordDocument": b"x"})])
def test_damage_is_told_with_what_to_do(data: bytes) -> None:
    with pytest.raises(CorruptSource, match="save it as xlsx"):
        list(XlsParser()(blob(data)))


@given(places=st.lists(st.tuples(st.integers(0, 1_500), st.integers(0, 255)), min_size=1, max_size=12))
def test_any_damage_gives_a_document_or_says_so(places: list[tuple[int, int]]) -> None:
    data = bytearray(workbook(OldSheet(cells=BIRDS, merged=[(0, 0, 0, 1)], hidden_rows=[1])))
    for place, byte in places:
        data[place % len(data)] = byte
    try:
        (document,) = XlsParser()(blob(compound({"Workbook": bytes(data)})))
    except SourceError:
        return
    check(document)
