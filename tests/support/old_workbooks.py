"""Small workbooks of before 2007 (BIFF8 in a compound file), made of the records that a test is about.

Source: [MS-XLS] and [MS-CFB] by Microsoft.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
WHITE_FONT, TINY_FONT = 6, 7
"""Numbers of the fonts that styles may name besides 0; number 4 does not exist."""


@dataclass(frozen=True, kw_only=True)
class OldSheet:
    """A sheet: texts and numbers by row and column, from 0."""

    name: str = "Sheet1"
    cells: Mapping[tuple[int, int], str | float | bool] = field(default_factory=dict)
    styles: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Cell -> the number of its style, of those that the workbook has."""
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[int] = ()
    merged: Sequence[tuple[int, int, int, int]] = ()
    """First and last row, first and last column."""
    is_hidden: bool = False


def xls(*sheets: OldSheet, styles: Sequence[tuple[int, int, bool]] = ((0, 0, False),)) -> bytes:
    """A workbook.

    Args:
        styles: font, number format and whether something dark is behind the letters, by the number of the style.
    """
    return compound({"Workbook": workbook(*sheets, styles=styles)})


def workbook(*sheets: OldSheet, styles: Sequence[tuple[int, int, bool]] = ((0, 0, False),)) -> bytes:
    """The records of a workbook."""
    fonts = b"".join(_font(*about) for about in ((220, 8), (220, 8), (220, 8), (220, 8), (220, 8), (220, 9), (20, 8)))
    formats = _record(0x041E, struct.pack("<HHB", 164, 8, 0) + b"#,##0.00")
    looks = b"".join(map(_style, [(0, 0, False), *styles]))
    streams = [_sheet(sheet) for sheet in sheets]
    entries = [_record(0x0085, bytes(4) + bytes([sheet.is_hidden, 0]) + _short(sheet.name)) for sheet in sheets]
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6)) + fonts + formats + looks
    at = len(head) + sum(map(len, entries)) + 4
    placed = b""
    for entry, stream in zip(entries, streams, strict=True):
        placed += entry[:4] + struct.pack("<I", at) + entry[8:]
        at += len(stream)
    return head + placed + _record(0x000A, b"") + b"".join(streams)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _short(text: str) -> bytes:
    return struct.pack("<BB", len(text), 1) + text.encode("utf-16-le")


def _font(height: int, colour: int) -> bytes:
    return _record(0x0031, struct.pack("<HHHHHBBBB", height, 0, colour, 400, 0, 0, 0, 0, 0) + _short("Arial"))


def _style(about: tuple[int, int, bool]) -> bytes:
    """An XF record; the fill is solid blue, or none."""
    font, code, dark = about
    fill = struct.pack("<IH", (1 << 26) if dark else 0, 12 | (64 << 7) if dark else 64 | (65 << 7))
    return _record(0x00E0, struct.pack("<HHHBBBBI", font, code, 1, 0, 0, 0, 0xFC, 0) + fill)


def _sheet(sheet: OldSheet) -> bytes:
    parts = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6))]
    parts += [_record(0x007D, struct.pack("<HHHHHH", place, place, 2560, 0, 1, 0)) for place in sheet.hidden_columns]
    for row in sorted({row for row, _ in sheet.cells}):
        options = 0x100 | (0x20 if row in sheet.hidden_rows else 0)
        parts.append(_record(0x0208, struct.pack("<HHHHHHI", row, 0, 255, 255, 0, 0, options)))
    for (row, column), held in sheet.cells.items():
        place = struct.pack("<HHH", row, column, sheet.styles.get((row, column), 0) + 1)
        if isinstance(held, bool):
            parts.append(_record(0x0205, place + bytes([held, 0])))
        elif isinstance(held, str):
            parts.append(_record(0x0204, place + struct.pack("<HB", len(held), 1) + held.encode("utf-16-le")))
        else:
            parts.append(_record(0x0203, place + struct.pack("<d", held)))
    if sheet.merged:
        boxes = b"".join(struct.pack("<HHHH", *box) for box in sheet.merged)
        parts.append(_record(0x00E5, struct.pack("<H", len(sheet.merged)) + boxes))
    return b"".join(parts) + _record(0x000A, b"")


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file (version 3) with these streams, each in sectors of its own."""
    entries = [_entry("Root Entry", 5, child=1, start=_END, size=0)]
    directory_sectors = (len(streams) + 4) // 4
    table = [_TABLE, *range(2, directory_sectors + 1), _END]
    data = b""
    for number, (name, content) in enumerate(streams.items(), start=1):
        content = content.ljust(4096, b"\x00")
        content += bytes(-len(content) % 512)
        first, count = len(table), len(content) // 512
        table += [*range(first + 1, first + count), _END]
        following = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, right=following, start=first, size=len(content)))
        data += content
    directory = b"".join(entries).ljust(512 * directory_sectors, b"\x00")
    assert len(table) <= 128, "one sector of the table must do"
    sectors = struct.pack("<128I", *(table + [_FREE] * (128 - len(table))))
    head = struct.pack("<8s16s5H6s9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 62, 3, 0xFFFE, 9, 6, b"",
                       0, 1, 1, 0, 4096, _END, 0, _END, 0)  # fmt: skip
    return head + struct.pack("<109I", 0, *([_FREE] * 108)) + sectors + directory + data


def _entry(name: str, kind: int, *, start: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\x00\x00"
    return struct.pack("<64sHBBIII16sI8s8sIQ", encoded, len(encoded), kind, 1, _FREE, right, child, b"", 0, b"",
                       b"", start, size)  # fmt: skip
