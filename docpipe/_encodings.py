"""Bytes of a text file -> its text, and how it was encoded (pure)."""

import codecs
import re
from typing import Any, NamedTuple

from docpipe._language import primary_language

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = ["gb18030", "big5", "cp1252", "shift_jis", "euc_jp", "cp949", "cp1251", "cp1250", "cp1253"]
"""What files without a mark are written in, other than UTF-8; a short list guesses better than a long one."""
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252", "euc_kr": "cp949"}
"""Encodings by name -> those that hold them and are meant by them in practice (WHATWG Encoding Standard)."""
_WESTERN = frozenset({"en", "de", "fr", "es", "pt", "it", "nl", "sv", "id"})
_SAMPLE = 32_768
_MIXED_WORD = re.compile("[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
"""No word is written in two alphabets: the accented letters of a Latin one were guessed to be Greek or Cyrillic."""


class Decoded(NamedTuple):
    """A text, the encoding it was read with, and how many places of it are no valid text (U+FFFD now)."""

    text: str
    encoding: str
    errors: int


def decode(data: bytes, *, declared: str = "") -> Decoded:
    """Read text of any common encoding; never fails.

    A mark of the byte order decides first, then valid UTF-8, then zero bytes in the pattern of UTF-16 or 32, then
    what the file declares, and last the guess of a detector over a bounded sample.

    Args:
        declared: the encoding that the format itself names (`<meta charset>`), if any; wrong names are ignored.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _read(data[len(mark) :], encoding)
    wide = wide_encoding(data[:8192])
    if wide:
        return _read(data, wide)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 0)
    except UnicodeDecodeError as error:
        doubt = error.start
    trusted = _known(declared)
    if trusted and trusted != "utf-8":
        read = _read(data, trusted)
        if read.errors * 100 <= len(read.text):
            return read
    if trusted == "utf-8" or _mostly_utf8(data, doubt):
        return _read(data, "utf-8")
    return _read(data, _guess(data, doubt))


def wide_encoding(sample: bytes) -> str:
    """`utf-16-le`, `utf-16-be`, `utf-32-le` or `utf-32-be` where zero bytes stand as in Latin text; else nothing."""
    if b"\x00" not in sample or len(sample) < 4:
        return ""
    quarter = len(sample) // 4
    usable = sample[: quarter * 4]
    zeros = [usable[lane::4].count(0) / quarter for lane in range(4)]
    many, few = [share > 0.4 for share in zeros], [share < 0.05 for share in zeros]
    if many[1] and many[2] and many[3] and few[0]:
        return "utf-32-le"
    if many[0] and many[1] and many[2] and few[3]:
        return "utf-32-be"
    if many[1] and many[3] and few[0] and few[2]:
        return "utf-16-le"
    return "utf-16-be" if many[0] and many[2] and few[1] and few[3] else ""


def _read(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, text.count("\ufffd"))


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name.strip()).name if name.strip() else ""
    except (LookupError, ValueError):
        return ""
    if found in ("utf-16", "utf-16-le", "utf-16-be"):
        return ""  # a page that could be read far enough to find this is not UTF-16
    return _WIDER.get(found, found)


def _around(data: bytes, doubt: int) -> bytes:
    """A sample that begins at the first byte in doubt: before it, all encodings agree or nearly so."""
    start = max(0, doubt - 512)
    return data[start : start + _SAMPLE]


def _mostly_utf8(data: bytes, doubt: int) -> bool:
    """Whether valid multi-byte UTF-8 far outweighs what is not: then the file is UTF-8 with damage."""
    sample = _around(data, doubt)
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return sum(1 for character in text if character > "\x7f") - wrong > 4 * wrong


def _guess(data: bytes, doubt: int) -> str:
    from charset_normalizer import from_bytes

    matches: Any = from_bytes(_around(data, doubt), cp_isolation=_CANDIDATES, enable_fallback=False)
    best = min(matches, key=lambda match: (match.chaos, -match.coherence), default=None)
    if best is None or _MIXED_WORD.search(str(best)):
        return "cp1252"
    if best.encoding == "cp1250" and primary_language(_around(data, doubt).decode("cp1252", "replace")) in _WESTERN:
        return "cp1252"
    names: list[str] = [best.encoding, *best.could_be_from_charset]
    return min((_WIDER.get(name, name) for name in names), key=_rank)


def _rank(encoding: str) -> int:
    """Encodings that give one and the same text are told apart by how common they are."""
    return _CANDIDATES.index(encoding) if encoding in _CANDIDATES else len(_CANDIDATES)
