"""Bytes and `\\u` marks of an RTF file -> text (pure)."""

import codecs
from typing import Final

_CHARSETS: Final = {
    0: "cp1252", 77: "mac_roman", 78: "shift_jis", 79: "cp949", 80: "gbk", 81: "big5", 128: "shift_jis", 129: "cp949",
    130: "johab", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255",
    178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
"""`\\fcharset` -> encoding (RTF specification 1.9.1)."""
_CODE_PAGES: Final = {10000: "mac_roman", 936: "gb18030", 932: "shift_jis", 65001: "utf-8", 0: "cp1252", 42: "cp1252"}
SIGNS: Final = {
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
    "emspace": " ", "enspace": " ", "qmspace": " ", "tab": "\t", "line": "\n", "lbr": "\n", "softline": "\n",
    "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip


def charset(number: int) -> str:
    """The encoding of a font's letters; nothing where the file's own holds."""
    return _CHARSETS.get(number, "")


def code_page(number: int) -> str:
    """The encoding of a Windows code page; Western European where Python does not know it."""
    name = _CODE_PAGES.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def decoded(data: bytes, encoding: str) -> str:
    """The text of some bytes; what is no letter becomes U+FFFD."""
    return data.decode(encoding, "replace")


def whole(text: str) -> str:
    """A text whose letters beyond U+FFFF came in two halves."""
    if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
