"""Names in a zip file's directory, as bytes -> text (pure)."""

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Sequence

from docpipe._encodings import decode

_UTF8 = 0x800
_UNICODE_PATH = 0x7075
_WESTERN = frozenset(range(0x80, 0xA6)) | {0xE1}
"""Letters of code page 437, which is what a zip is in if nothing is said."""
_RUSSIAN = frozenset(range(0x80, 0xB0)) | frozenset(range(0xE0, 0xF2))
"""Letters of code page 866."""
_COMMON = {"gb18030": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7)}
"""First bytes of the characters that make up nearly all of a Chinese text."""


def names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Names as their writers meant them: marked as UTF-8, given in an extra field, or in one guessed encoding."""
    raw = [_raw(info) for info in infos]
    unmarked = b"\n".join(one for one in raw if isinstance(one, bytes) and not one.isascii())
    encoding = guessed(unmarked) if unmarked else "cp437"
    return [one if isinstance(one, str) else one.decode(encoding, "replace") for one in raw]


def guessed(together: bytes) -> str:
    """The one encoding of all names of an archive that do not say theirs."""
    beyond = {byte for byte in together if byte >= 0x80}
    if _decoded(together, "utf-8"):
        return "utf-8"
    if beyond <= _WESTERN:
        return "cp437"
    if beyond <= _RUSSIAN:
        return "cp866"
    return _east_asian(together) or decode(together).encoding


def _east_asian(together: bytes) -> str:
    if _share(_decoded(together, "cp949"), "가", "힣") > 0.9:
        return "cp949"
    if _share(_decoded(together, "shift_jis"), "ぁ", "ヿ") > 0.2:
        return "shift_jis"
    by_share = {name: _common(together, name) for name in _COMMON}
    best = max(by_share, key=lambda name: by_share[name])
    return best if by_share[best] > 0.6 else ""


def _common(together: bytes, encoding: str) -> float:
    """The share of common characters among those that are not ASCII."""
    text = [character for character in _decoded(together, encoding) if character > "\x7f"]
    common = sum(character.encode(encoding)[0] in _COMMON[encoding] for character in text)
    return common / len(text) if text else 0.0


def _share(text: str, first: str, last: str) -> float:
    wide = [character for character in text if character > "\x7f"]
    return sum(first <= character <= last for character in wide) / len(wide) if wide else 0.0


def _decoded(data: bytes, encoding: str) -> str:
    """The text; nothing where it is not valid."""
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode(encoding)
    return ""


def _raw(info: zipfile.ZipInfo) -> str | bytes:
    """A name where it is certain, else its bytes. `orig_filename` still has what follows a zero byte."""
    name = info.orig_filename
    if info.flag_bits & _UTF8:
        return name
    try:
        data = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    return _unicode_path(info.extra, data) or data


def _unicode_path(extra: bytes, name: bytes) -> str:
    """The name in the Info-ZIP extra field, if it is that of these bytes."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(body) > 5 and struct.unpack_from("<L", body, 1)[0] == zlib.crc32(name):
            with contextlib.suppress(UnicodeDecodeError):
                return body[5:].decode("utf-8")
    return ""
