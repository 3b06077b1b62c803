"""The bytes of a saved Outlook message (msg) -> a letter.

Source: [MS-OXMSG] and [MS-OXPROPS] by Microsoft.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from docpipe._encodings import decode
from docpipe.errors import CorruptSource
from docpipe.parse.office.letters import Body, Letter, about, chosen
from docpipe.parse.office.package import encrypted
from docpipe.types import Blob, Source

if TYPE_CHECKING:
    from olefile import OleFileIO

_SUBJECT, _SENDER, _SENDER_ADDRESS, _TO, _CC, _BODY, _HTML = "0037", "0C1A", "5D01", "0E04", "0E03", "1000", "1013"
_CLASS, _LONG_NAME, _SHORT_NAME, _RAW_ADDRESS = "001A", "3707", "3704", "0C1F"
_SENT, _DELIVERED = 0x00390040, 0x0E060040
_LARGEST = 32 << 20
_MOST_ATTACHED = 500
_DEEPEST = 5
_MESSAGE = "__substg1.0_3701000D"
"""Where an attachment holds another message."""
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ATTACHMENT = re.compile(r"__attach_version1\.0_#[0-9A-F]{8}", re.I)


def read_message(blob: Blob) -> tuple[Letter, dict[str, str]]:
    """A message and what it says about itself.

    Raises:
        CorruptSource: the file is damaged.
        EncryptedSource: its text is for its receivers' keys only.
    """
    with _opened(blob) as file:
        letter = _letter(file, "", _DEEPEST)
        if "SMIME" in _text(file, _CLASS).upper() and not letter.bodies:
            raise encrypted(blob.source)
    return letter, about(letter, letter.headers["Date"])


def _letter(file: "OleFileIO", folder: str, depth: int) -> Letter:
    """The message in a folder of the file; nothing or a path that ends in `/`. Those enclosed in it follow."""
    sender = " ".join(dict.fromkeys(filter(None, (_text(file, _SENDER, folder), _address(file, folder)))))
    texts = {name: _text(file, name, folder) for name in (_SUBJECT, _TO, _CC, _BODY)}
    attachments = _attachments(file, folder)
    enclosed = [f"{path}{_MESSAGE}/" for path in attachments if depth and file.exists(path + _MESSAGE)]
    return Letter(
        subject=texts[_SUBJECT],
        headers={"From": sender, "To": texts[_TO], "Cc": texts[_CC], "Date": _time(file, folder)},
        bodies=chosen([Body(texts[_BODY], False), Body(_html(file, folder), True)]),
        attached=_names(file, attachments),
        letters=[_letter(file, path, depth - 1) for path in enclosed],
    )


@contextmanager
def _opened(blob: Blob) -> "Iterator[OleFileIO]":
    from olefile import OleFileIO

    try:
        with OleFileIO(BytesIO(blob.data)) as file:
            yield file
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error, OverflowError) as error:
        raise _damaged(blob.source, error) from error


def _damaged(source: Source, error: Exception) -> CorruptSource:
    return CorruptSource(
        f"the message cannot be read: {error}", source=source.uri, remedy="save it again from the mail program"
    )


def _stream(file: "OleFileIO", path: str) -> bytes:
    if not file.exists(path) or file.get_size(path) > _LARGEST:
        return b""
    data: bytes = file.openstream(path).read()
    return data


def _text(file: "OleFileIO", name: str, folder: str = "") -> str:
    """A text property: in UTF-16, or in the code page of its writer."""
    wide = _stream(file, f"{folder}__substg1.0_{name}001F")
    text = (
        wide.decode("utf-16-le", "replace") if wide else decode(_stream(file, f"{folder}__substg1.0_{name}001E")).text
    )
    return text.rstrip("\x00").strip()


def _html(file: "OleFileIO", folder: str) -> str:
    return _text(file, _HTML, folder) or decode(_stream(file, f"{folder}__substg1.0_{_HTML}0102")).text


def _address(file: "OleFileIO", folder: str) -> str:
    address = _text(file, _SENDER_ADDRESS, folder) or _text(file, _RAW_ADDRESS, folder)
    return f"<{address}>" if "@" in address else ""


def _time(file: "OleFileIO", folder: str) -> str:
    """When it was sent, or else delivered (ISO 8601, UTC); nothing for a draft."""
    data = _stream(file, f"{folder}__properties_version1.0")
    found: dict[int, int] = {}
    for start in range(24 if folder else 32, len(data) - 15, 16):
        tag, _, value = struct.unpack_from("<IIQ", data, start)
        found[tag] = value
    ticks = found.get(_SENT) or found.get(_DELIVERED)
    if not ticks or ticks > 1 << 61:
        return ""
    return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat(timespec="seconds")


def _attachments(file: "OleFileIO", folder: str) -> list[str]:
    """Paths of what is attached to the message in this folder, each ending in `/`."""
    depth = folder.count("/")
    below = (path for path in file.listdir(streams=True, storages=True) if "/".join([*path[:depth], ""]) == folder)
    found = {f"{folder}{path[depth]}/" for path in below if len(path) > depth and _ATTACHMENT.fullmatch(path[depth])}
    return sorted(found)[:_MOST_ATTACHED]


def _names(file: "OleFileIO", attachments: list[str]) -> list[str]:
    names = (_text(file, _LONG_NAME, path) or _text(file, _SHORT_NAME, path) for path in attachments)
    return [" ".join(name.split())[:255] for name in names if name]
