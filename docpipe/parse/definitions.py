"""Where the definitions of a program text begin, found by how their first lines look (pure)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_LONG = 1_500
"""Code points; a longer definition is divided at those inside of it."""
_MOST_COMMENT_LINES = 100

_GAP = r"[ \t]+"
_NAME = r"(?P<name>[A-Za-z_$][\w$.:]{0,100})"
_OTHER = r"(?P<other>[A-Za-z_$][\w$]{0,100})"
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|abstract|final|sealed|async|override|open|data"
    r"|partial|virtual|inline|unsafe|extern|declare|pub(?:\([\w: ]{1,30}\))?|const|readonly)[ \t]+)*"
)
_TYPE = (
    r"(?:class|interface|enum|struct|trait|impl(?:<[^>\n]{0,100}>)?|object|record|namespace|module|mod|protocol"
    r"|extension|union|type)"
)
_FUNCTION = r"(?:def|function\*?|func|fun|fn|sub)"
_RECEIVER = r"(?:\([^)\n]{0,100}\)[ \t]*)?"
_WORDED = rf"{_MODIFIERS}(?:{_TYPE}|{_FUNCTION}){_GAP}{_RECEIVER}{_NAME}"
_ARROW = (
    rf"{_MODIFIERS}(?:const|let|var){_GAP}{_OTHER}[^\n=]{{0,100}}=[ \t]*(?:async[ \t]+)?"
    r"(?:function|class\b|\([^\n]{0,200}=>|[\w$]{1,60}[ \t]*=>)"
)
_NO_STATEMENT = r"(?!(?:if|for|while|switch|catch|return|else|do|new|throw)\b)"
_METHOD = (
    rf"{_MODIFIERS}(?:(?:get|set){_GAP})?{_NO_STATEMENT}{_NAME}[ \t]*"
    r"\([^;{}\n]{0,300}\)[^;{}=\n]{0,100}\{[ \t]*$"
)
_TYPED_METHOD = (
    rf"{_NO_STATEMENT}{_MODIFIERS}[\w<>\[\],.? ]{{1,80}}[ \t]{_NAME}[ \t]*"
    r"\([^;{}\n]{0,300}\)[^;{}=\n]{0,100}\{?[ \t]*$"
)
_C_FUNCTION = (
    r"[A-Za-z_][\w<>,:*& \t]{0,120}[\s*&](?P<name>[A-Za-z_~][\w:~]{0,100})"
    r"\([^;{}\n]{0,400}\)[^;{}\n]{0,80}\{?[ \t]*$"
)
_C_TYPE = rf"(?:typedef{_GAP})?(?:class|struct|enum|union|namespace){_GAP}{_OTHER}[^;\n]{{0,200}}$"
_PYTHON = rf"(?:async{_GAP})?(?:def|class){_GAP}{_NAME}"
_SQL = (
    r"(?i:create[ \t]+(?:or[ \t]+replace[ \t]+)?(?:(?:temp|temporary|unique|materialized)[ \t]+)*"
    r"(?:table|view|function|procedure|index|trigger|type|schema)[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?"
    r"(?P<name>[\w.\"`\[\]]{1,100}))"
)
_RULE = r"(?P<name>@(?:media|font-face|keyframes)[^{\n]{0,200}|[.#]?[A-Za-z][^{};\n]{0,200})\{"


class Grammar(NamedTuple):
    """How definitions of a language begin."""

    outer: re.Pattern[str]
    """In the first column."""
    inner: re.Pattern[str] | None
    """Inside of a definition; None where these are not looked for."""
    comment: tuple[str, ...]
    """What lines begin with that belong to the definition below them."""


class Part(NamedTuple):
    """A stretch of code that begins at `start` (code points) and goes on to the next one."""

    start: int
    name: str
    """Of the definition; nothing for what stands before the first."""
    level: int


def _grammar(outer: str, inner: str = "", comment: tuple[str, ...] = ("//", "/*", "*", "@", "#[")) -> Grammar:
    within = re.compile(rf"^(?: {{2,8}}|\t)(?:{inner})", re.M) if inner else None
    return Grammar(re.compile(rf"^(?:{outer})", re.M), within, comment)


_HASH = ("#", "@")
_WITH_WORDS = _grammar(_WORDED, rf"{_MODIFIERS}{_FUNCTION}{_GAP}{_NAME}")
_SCRIPT = _grammar(f"{_WORDED}|{_ARROW}", _METHOD)
_TYPED = _grammar(_WORDED, _TYPED_METHOD)
_C = _grammar(f"{_C_TYPE}|{_C_FUNCTION}")

LANGUAGES: Mapping[str, Grammar] = {
    "text/x-python": _grammar(_PYTHON, _PYTHON, _HASH),
    **dict.fromkeys(("text/x-javascript", "text/x-typescript"), _SCRIPT),
    **dict.fromkeys(("text/x-java", "text/x-csharp"), _TYPED),
    **dict.fromkeys(("text/x-c", "text/x-c++"), _C),
    **dict.fromkeys(
        ("text/x-go", "text/x-rust", "text/x-swift", "text/x-kotlin", "text/x-scala", "text/x-php"), _WITH_WORDS
    ),
    "text/x-ruby": _grammar(rf"(?:def|class|module){_GAP}{_NAME}", rf"def{_GAP}{_NAME}", _HASH),
    "text/x-perl": _grammar(rf"(?:sub|package){_GAP}{_NAME}", "", _HASH),
    "text/x-lua": _grammar(rf"(?:local{_GAP})?function{_GAP}{_NAME}", "", ("--",)),
    "text/x-r": _grammar(rf"{_NAME}[ \t]*(?:<-|=)[ \t]*function\b", "", _HASH),
    "text/x-sh": _grammar(rf"(?:function{_GAP}{_NAME}|{_OTHER}[ \t]*\(\))", "", _HASH),
    "text/x-powershell": _grammar(r"(?i:function|filter|class)[ \t]+(?P<name>[\w:-]{1,100})", "", _HASH),
    "text/x-sql": _grammar(_SQL, "", ("--", "/*", "*")),
    "text/x-css": _grammar(_RULE),
}
"""Media type -> how its definitions are found."""


def parts(text: str, grammar: Grammar) -> list[Part]:
    """The parts of a text in their order; the first begins where the text begins.

    A definition begins with the comments and decorators right above it; a long one is divided at the definitions
    inside of it, called `Class.method`.
    """
    found = [
        Part(_with_comment(text, match.start(), grammar), _named(match), 1) for match in grammar.outer.finditer(text)
    ]
    kept = [Part(0, "", 0)]
    ends = [*(part.start for part in found), len(text)]
    for part, stop in zip(found, ends[1:], strict=True):
        if len(kept) == 1 or part.start > kept[-1].start:
            kept.append(part)
            kept.extend(_inside(text, part, stop, grammar))
    return kept


def _inside(text: str, part: Part, stop: int, grammar: Grammar) -> list[Part]:
    if grammar.inner is None or stop - part.start <= _LONG:
        return []
    found: list[Part] = []
    for match in grammar.inner.finditer(text, part.start, stop):
        start = _with_comment(text, match.start(), grammar)
        if start > (found[-1].start if found else part.start):
            found.append(Part(start, f"{part.name}.{_named(match)}", 2))
    return found


def _named(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return " ".join((groups.get("name") or groups.get("other") or "").split()).rstrip(":.")


def _with_comment(text: str, start: int, grammar: Grammar) -> int:
    """The start of a definition's line, moved up over what belongs to it."""
    start = text.rfind("\n", 0, start) + 1
    for _ in range(_MOST_COMMENT_LINES):
        above = text.rfind("\n", 0, max(0, start - 1)) + 1
        line = text[above : max(0, start - 1)].strip()
        if start == 0 or not line.startswith(grammar.comment) or line.startswith("#!"):
            break
        start = above
    return start
