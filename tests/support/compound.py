"""Compound files (the container of Outlook messages and of Office before 2007) for tests."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

_NOTHING, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR = 512


def compound(tree: Mapping[str, Any]) -> bytes:
    """A compound file (version 3): names -> bytes of a stream, or the same for a storage.

    Streams below 4,096 bytes are filled up with zeros.
    """
    entries: list[list[Any]] = [["Root Entry", 5, _NOTHING, _NOTHING, _END, 0]]
    contents: list[tuple[int, bytes]] = []
    entries[0][3] = _added(tree, entries, contents)
    directory_sectors = -(-len(entries) * 128 // _SECTOR)
    table = [_TABLE, *range(2, directory_sectors + 1), _END]
    data = b""
    for number, content in contents:
        first, count = len(table), -(-len(content) // _SECTOR)
        table += [*range(first + 1, first + count), _END]
        entries[number][4:] = [first, len(content)]
        data += content.ljust(count * _SECTOR, b"\x00")
    assert len(table) <= 128, "one sector of the table is enough for a test"
    directory = b"".join(_entry(*entry) for entry in entries).ljust(directory_sectors * _SECTOR, b"\x00")
    sectors = struct.pack("<128I", *(table + [_NOTHING] * (128 - len(table))))
    head = struct.pack("<8s16s5H6s9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 62, 3, 0xFFFE, 9, 6, b"",
                       0, 1, 1, 0, 4096, _END, 0, _END, 0)  # fmt: skip
    return head + struct.pack("<109I", 0, *([_NOTHING] * 108)) + sectors + directory + data


def _added(tree: Mapping[str, Any], entries: list[list[Any]], contents: list[tuple[int, bytes]]) -> int:
    """Number of the first entry of a storage; the others hang on its right."""
    numbers = []
    for name, content in tree.items():
        numbers.append(len(entries))
        is_storage = isinstance(content, Mapping)
        entries.append([name, 1 if is_storage else 2, _NOTHING, _NOTHING, _END, 0])
        if is_storage:
            entries[numbers[-1]][3] = _added(content, entries, contents)
        else:
            contents.append((numbers[-1], content.ljust(4096, b"\x00")))
    for number, following in pairwise(numbers):
        entries[number][2] = following
    return numbers[0] if numbers else _NOTHING


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\x00\x00"
    return struct.pack("<64sHBBIII16sI8s8sIQ", encoded, len(encoded), kind, 1, _NOTHING, right, child, b"", 0, b"",
                       b"", start, size)  # fmt: skip


def outlook_message(
    *,
    subject: str,
    body: str,
    sender: str = "",
    to: str = "",
    attached: Mapping[str, bytes] | None = None,
    enclosed: Any = None,
) -> dict[str, Any]:
    """The tree of an Outlook message; `enclosed`: that of another one."""
    texts = {"0037": subject, "1000": body, "0C1A": sender, "0E04": to}
    made: dict[str, Any] = {f"__substg1.0_{key}001F": _wide(text) for key, text in texts.items() if text}
    for number, (name, data) in enumerate((attached or {}).items()):
        made[f"__attach_version1.0_#{number:08X}"] = {
            "__substg1.0_3707001F": _wide(name),
            "__substg1.0_37010102": data,
        }
    if enclosed is not None:
        made["__attach_version1.0_#000000FF"] = {"__substg1.0_3701000D": enclosed}
    return made


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")
