"""Names, keywords and titles as files give them -> metadata in the one form that all parsers give (pure)."""

import re
from collections.abc import Iterable

_LONGEST = 1_000
_MOST = 100
_NO_TITLE = re.compile(
    r"untitled(?: document)?\d*|(?:word|powerpoint|microsoft powerpoint|excel) ?(?:document|presentation|workbook)?"
    r"|presentation\d*|document\d*|book\d*|(?:microsoft )?(?:word|powerpoint|excel) - .*|no title|title|slide \d+"
    r"|power ?point-? ?pr[äæée]sentat?t?ion|présentation powerpoint|presentación de powerpoint",
    re.I,
)
_NOBODY = re.compile(
    r"python-(?:docx|pptx)|openpyxl|xlsxwriter|apache poi|unknown|author|user|owner|admin|administrator"
    r"|microsoft(?: office)?(?: user)?|(?:windows|office) user|docx4j|aspose.*",
    re.I,
)
_PARTED = re.compile(r"\s*[;\n]\s*")


def people(names: Iterable[str]) -> str:
    """Names parted by `; `, each once; what programs put in the place of a name is left out."""
    parts = (" ".join(part.split())[:_LONGEST] for name in names for part in _PARTED.split(name[:_LONGEST]))
    kept = [part for part in parts if part and not _NOBODY.fullmatch(part) and "://" not in part]
    return "; ".join(list(dict.fromkeys(kept))[:_MOST])


def words(texts: Iterable[str]) -> str:
    """Keywords parted by `, `, each once."""
    parts = (" ".join(part.split()) for text in texts for part in re.split(r"[,;，；、\n]", text[: 10 * _LONGEST]))
    return ", ".join(list(dict.fromkeys(part for part in parts if part))[:_MOST])


def named(title: str) -> str:
    """A title in one line; nothing for what programs write where nobody gave one."""
    title = " ".join(title.split())[:_LONGEST]
    return "" if _NO_TITLE.fullmatch(title) else title
