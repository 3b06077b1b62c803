"""The summary in a compound file of Office before 2007 -> metadata.

Source: [MS-OLEPS] by Microsoft, 2.20 to 2.25. olefile's own reader of it counts to what the file says, up to 2^32.
"""

import struct
from codecs import lookup
from datetime import UTC, datetime, timedelta
from io import BytesIO

from docpipe._encodings import decode
from docpipe.parse.properties import named, people, words
from docpipe.types import Blob

_STREAM = "\x05SummaryInformation"
_LARGEST = 1 << 20
_MOST = 200
_LONGEST = 1_000
_CODE_PAGE, _TITLE, _SUBJECT, _AUTHOR, _KEYWORDS, _CREATED, _SAVED = 1, 2, 3, 4, 5, 12, 13
_SHORT, _BYTES, _WIDE, _TIME = 2, 30, 31, 64
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DAMAGE = (struct.error, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def old_properties(blob: Blob) -> dict[str, str]:
    """What the file says of itself; nothing where it has no summary, or a damaged one."""
    try:
        found = _summary(_stream(blob.data))
    except _DAMAGE:
        return {}
    return {
        "title": named(found.get(_TITLE, "")),
        "authors": people([found.get(_AUTHOR, "")]),
        "subject": found.get(_SUBJECT, ""),
        "keywords": words([found.get(_KEYWORDS, "")]),
        "created": found.get(_CREATED, ""),
        "modified": found.get(_SAVED, ""),
    }


def _stream(data: bytes) -> bytes:
    from olefile import OleFileIO

    with OleFileIO(BytesIO(data)) as file:
        if not file.exists(_STREAM):
            return b""
        with file.openstream(_STREAM) as stream:
            return bytes(stream.read(_LARGEST))


def _summary(data: bytes) -> dict[int, str]:
    """The texts and times of the first set of properties, by their numbers."""
    if len(data) < 48:
        return {}
    (start,) = struct.unpack_from("<I", data, 44)
    (count,) = struct.unpack_from("<I", data, start + 4)
    places = dict(struct.unpack_from("<II", data, start + 8 + 8 * place) for place in range(min(count, _MOST)))
    encoding = _encoding(data, start + places[_CODE_PAGE]) if _CODE_PAGE in places else ""
    wanted = (_TITLE, _SUBJECT, _AUTHOR, _KEYWORDS, _CREATED, _SAVED)
    return {name: _value(data, start + places[name], encoding) for name in wanted if name in places}


def _encoding(data: bytes, at: int) -> str:
    kind, page = struct.unpack_from("<IH", data, at)
    try:
        return lookup("utf-8" if page == 65001 else f"cp{page}").name if kind == _SHORT else ""
    except LookupError:
        return ""


def _value(data: bytes, at: int, encoding: str) -> str:
    kind, length = struct.unpack_from("<II", data, at)
    if kind == _TIME:
        (ticks,) = struct.unpack_from("<Q", data, at + 4)
        moment = _EPOCH + timedelta(microseconds=ticks // 10)
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment.year > 1601 else ""
    if kind not in (_BYTES, _WIDE):
        return ""
    held = data[at + 8 : at + 8 + min(length, _LONGEST) * (2 if kind == _WIDE else 1)]
    if kind == _WIDE:
        return held.decode("utf-16-le", "replace").partition("\x00")[0].strip()
    return decode(held.partition(b"\x00")[0], declared=encoding).text.strip()
