"""File names -> uris and back; globs -> a test of uris (pure)."""

import re
import unicodedata
from collections.abc import Callable, Sequence

_AMBIGUOUS = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_ESCAPED = re.compile(r"%(25|[89A-F][0-9A-F])")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_TEMPORARY_STARTS = ("~$", ".~", "._")
_TEMPORARY_ENDS = ("~", ".swp", ".swo", ".swn", ".crdownload", ".part", ".partial", ".download")
_TEMPORARY_NAMES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})


def uri_name(name: str) -> str:
    """One path component as it stands in a uri: Unicode in NFC, bytes that are no text as `%XX`.

    Args:
        name: as Python gives it: bytes that cannot be decoded are surrogates (`surrogateescape`).

    Returns:
        Valid Unicode. Law: `file_name(uri_name(name)) == name` for every name in NFC. A `%` is doubled up as
        `%25` only where it could be taken for an escaped byte, so that common names stay as they are.
    """
    if name.isascii() and "%" not in name:
        return name
    marked = _AMBIGUOUS.sub("%25", unicodedata.normalize("NFC", name))
    return _UNDECODABLE.sub(lambda match: f"%{ord(match.group()) - 0xDC00:02X}", marked)


def file_name(part: str) -> str:
    """The file name that `uri_name` wrote as `part`."""

    def plain(match: re.Match[str]) -> str:
        return "%" if match.group(1) == "25" else chr(0xDC00 + int(match.group(1), 16))

    return _ESCAPED.sub(plain, part)


def is_temporary(name: str) -> bool:
    """Whether an editor, a browser or an operating system left this file: `~$a.docx`, `a.txt~`, `.DS_Store` ..."""
    lower = name.lower()
    if lower.endswith(_TEMPORARY_ENDS) or name.startswith(_TEMPORARY_STARTS):
        return True
    if name.startswith(("~", "#")):
        return lower.endswith(".tmp" if name[0] == "~" else "#")
    return lower in _TEMPORARY_NAMES


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A test whether a path below the root, written with `/`, fits any of the globs.

    `*` and `?` stop at `/`, `**` does not, `[abc]` is one of these characters; a pattern without `/` fits a name
    at any depth; letter case does not count. A pattern that ends in `/` fits all that is below that folder.
    """
    if any(pattern in ("**/*", "**", "*") for pattern in patterns):
        return lambda path: True
    if not patterns:
        return lambda path: False
    test = re.compile("|".join(f"(?:{_expression(pattern)})" for pattern in patterns), re.I | re.S).fullmatch
    return lambda path: test(path) is not None


_GLOB = re.compile(
    r"(?P<folders>\*\*/)|(?P<all>\*\*)|(?P<some>\*)|(?P<one>\?)|\[(?P<set>!?\]?[^\]]*)\]|(?P<plain>.)", re.S
)


def _expression(pattern: str) -> str:
    pattern = unicodedata.normalize("NFC", pattern).removeprefix("./").removeprefix("/")
    if pattern.endswith("/"):
        pattern += "**"
    if "/" not in pattern:
        pattern = "**/" + pattern
    return _GLOB.sub(_piece, pattern)


def _piece(match: re.Match[str]) -> str:
    if match.lastgroup == "set":
        return _one_of(match["set"]) or re.escape(match.group())
    fixed = {"folders": "(?:.*/)?", "all": ".*", "some": "[^/]*", "one": "[^/]"}
    return fixed.get(match.lastgroup or "", re.escape(match.group()))


def _one_of(characters: str) -> str:
    """A set of characters, `!` before it for all others; nothing where it is empty. None of them is `/`."""
    members = _MEMBER.findall(characters.removeprefix("!"))
    ranges = [f"{re.escape(first)}-{re.escape(last)}" for first, last, _ in members if first and first <= last]
    inside = "".join([*ranges, *(re.escape(one) for _, _, one in members)])
    if not members:
        return ""
    if not inside:  # ranges that run backwards hold nothing
        return "[^/]" if characters.startswith("!") else "(?!)"
    return f"(?!/)[{'^' if characters.startswith('!') else ''}{inside}]"


_MEMBER = re.compile("(.)-(.)|(.)", re.S)
