"""Bytes of a text file -> its text, and how it was encoded (pure)."""

import codecs
import re
from itertools import pairwise
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
    wide = wide_encoding(data[:8192]) if b"\x00" in data[:8192] else ""
    if wide:
        return _read(data, wide)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 0)
    except UnicodeDecodeError as error:
        doubt = error.start
    wide = wide_encoding(data[:8192])
    if wide:
        return _read(data, wide)
    trusted = _known(declared)
    if trusted and trusted != "utf-8":
        read = _read(data, trusted)
        if read.errors * 100 <= len(read.text):
            return read
    if trusted == "utf-8" or _mostly_utf8(data, doubt):
        return _read(data, "utf-8")
    return _read(data, _guess(data, doubt))


def wide_encoding(sample: bytes) -> str:
    """`utf-16-le`, `utf-16-be`, `utf-32-le` or `utf-32-be` where zero bytes stand as in Latin text, or where what is
    read so is letters of living scripts with the usual stops and blanks; else nothing."""
    if len(sample) < 4 or (b"\x00" not in sample and sample.isascii()):
        return ""
    quarter = len(sample) // 4
    usable = sample[: quarter * 4]
    zeros = [usable[lane::4].count(0) / quarter for lane in range(4)]
    many, few = [share > 0.4 for share in zeros], [share < 0.05 for share in zeros]
    if many[2] and many[3] and not many[0]:
        return "utf-32-le"
    if many[0] and many[1] and not many[3]:
        return "utf-32-be"
    if many[1] and many[3] and few[0] and few[2]:
        return "utf-16-le"
    if many[0] and many[2] and few[1] and few[3]:
        return "utf-16-be"
    return next((encoding for encoding in ("utf-16-le", "utf-16-be") if _is_living(sample, encoding)), "")


_LIVING = re.compile(
    "[\t\n\r\u0020-\u024f\u0370-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u1e00-\u1fff\u2010-\u203a\u3000-\u30ff\u4e00-\u9fff"
    "\uac00-\ud7a3\uff01-\uffee]"
)
_STOPS = re.compile("[\n\r \u3000-\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\u201c\u201d]")


def _is_living(sample: bytes, encoding: str) -> bool:
    """Whether nearly all of it is letters and signs in use, and some of it is stops or blanks: what other encodings
    leave when they are read so has none."""
    text = sample[: len(sample) // 2 * 2].decode(encoding, "ignore")
    return (
        len(text) > 7
        and len(_LIVING.findall(text)) >= 0.98 * len(sample) / 2 - 1
        and len(_STOPS.findall(text)) * 100 >= len(text)
    )


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

    sample = _around(data, doubt)
    matches: Any = from_bytes(sample, cp_isolation=_CANDIDATES, enable_fallback=False)
    best = min(matches, key=lambda match: (match.chaos, -match.coherence), default=None)
    if best is None or _MIXED_WORD.search(str(best)):
        return _by_letters(sample) or "cp1252"
    found = _by_letters(sample) if best.encoding in _ALPHABETS else ""
    if found:
        return found
    if best.encoding == "cp1250" and primary_language(sample.decode("cp1252", "replace")) in _WESTERN:
        return "cp1252"
    names: list[str] = [best.encoding, *best.could_be_from_charset]
    chosen = min((_WIDER.get(name, name) for name in names), key=_rank)
    return "iso8859_2" if chosen == "cp1250" and _IN_WORD.search(sample.decode("cp1250", "replace")) else chosen


_RUSSIAN = frozenset("оеаинтсрвл")
_ALPHABETS = {
    "cp1251": _RUSSIAN, "koi8_r": _RUSSIAN, "cp866": _RUSSIAN, "iso8859_5": _RUSSIAN,
    "cp1253": frozenset("αοιετνσηρπάίό"), "cp1255": frozenset("יוהלאמרתבש"), "cp1256": frozenset("اليمنوترهب"),
}  # fmt: skip
"""Encodings in which nearly every letter is above 127 -> the ten letters that its language uses most."""
_IN_WORD = re.compile("[a-zà-ž][±¶ˇ][a-zà-ž]|[a-zà-ž][±¶ˇ]\\b")
"""Signs within words: letters of ISO 8859-2, read as Windows letters."""


def _by_letters(sample: bytes) -> str:
    """The encoding that makes of most bytes above 127 the usual letters of its language; nothing where none does."""
    latin = sum(1 for byte in sample if 65 <= byte <= 90 or 97 <= byte <= 122)
    high = sum(1 for byte in sample if byte > 127)
    if high < latin or high < 10:
        return ""
    shares = {name: _share(sample.decode(name, "replace"), usual, high) for name, usual in _ALPHABETS.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0.45 else ""


def _share(text: str, usual: frozenset[str], high: int) -> float:
    """The share of usual letters; a capital within a word speaks against it."""
    found = sum(1 for letter in text.lower() if letter in usual)
    inside = sum(1 for one, two in pairwise(text) if one.islower() and two.isupper())
    return (found - 2 * inside) / high


def _rank(encoding: str) -> int:
    """Encodings that give one and the same text are told apart by how common they are."""
    return _CANDIDATES.index(encoding) if encoding in _CANDIDATES else len(_CANDIDATES)
