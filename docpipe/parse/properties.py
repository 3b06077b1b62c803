"""What a file says about itself, as its format writes it -> metadata in the one form that all parsers give (pure)."""

import re
from collections.abc import Iterable
from datetime import date, time
from email.utils import parsedate_to_datetime

_LONGEST = 1_000
_MOST = 100
_ISO = re.compile(
    r"(\d{4})(?:([-/])(\d{1,2})(?:\2(\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:[.,]\d{1,9})?"
    r"\s?(Z|[+-]\d{2}:?\d{2})?)?)?)?"
)
_MAIL = re.compile(r"(?:[A-Za-z]{3,9},? )?\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} \d{1,2}:\d{2}.*")
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


def moment(text: str) -> str:
    """A date or a time in ISO 8601, as precise as it was given: `2024`, `2024-05`, `2024-05-01T10:00:00Z`.

    Fractions of seconds are dropped. Dates of mails are understood; nothing is given for what is no date, nor for a
    year before 1000.
    """
    text = " ".join(text.split())[:60]
    match = _ISO.fullmatch(text)
    if match is None:
        return _mail_moment(text)
    year, _, month, day, hour, minute, second, zone = match.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
        time(int(hour or 0), int(minute or 0), min(59, int(second or 0)))
    except ValueError:
        return ""
    if int(year) < 1000:
        return ""
    clock = f"T{hour}:{minute}:{second or '00'}{_zone(zone or '')}" if hour else ""
    return "-".join(part.zfill(2) for part in (year, month, day) if part) + clock


def _zone(zone: str) -> str:
    return f"{zone[:3]}:{zone[3:]}" if len(zone) == len("+0100") else zone


def _mail_moment(text: str) -> str:
    if not _MAIL.fullmatch(text):
        return ""
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


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
