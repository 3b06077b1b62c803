"""Dates as documents write them -> ISO 8601 -> stretches of time (pure)."""

import re
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1000
"""What is before it stands for nothing: 0001-01-01 where programs mean that they do not know."""
_UNSET = frozenset({
    "1601-01-01", "1899-12-30", "1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z",
    "2006-08-16T00:00:00Z", "2006-09-16T00:00:00Z", "2013-01-27T09:14:16Z", "2013-12-23T23:15:00Z",
})  # fmt: skip
"""The zero of other programs' clocks, and when the empty files were made that Office and its libraries begin with."""

_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?", re.A)
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s?(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?)?)?)?",
    re.I | re.A,
)
_PDF = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d)?)?\s?(Z|[+-]\d\d'?(?:\d\d)?)?[\d']*", re.I | re.A)
_CHINESE = re.compile(r"(\d{4})\s?年(?:\s?(\d{1,2})\s?月(?:\s?(\d{1,2})\s?日)?)?", re.A)
_NUMBERS = re.compile(r"(\d{4})[/.](\d{1,2})(?:[/.](\d{1,2}))?(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d))?)?", re.A)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ENGLISH = (
    re.compile(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?P<year>\d{{4}})", re.I),
    re.compile(rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})", re.I),
    re.compile(rf"{_MONTH},?\s+(?P<year>\d{{4}})(?P<day>)", re.I | re.A),
)
_MAIL = re.compile(r"(?:[A-Za-z]{3}, ?)?\d{1,2} [A-Za-z]{3} \d{2,4} \d\d:\d\d.*", re.A)


def iso_date(text: str) -> str:
    """A date in ISO 8601, as far as it goes: `2024`, `2024-05`, `2024-05-31`, `2024-05-31T10:00:00+08:00`.

    Read are ISO 8601 itself, dates of PDFs and of mails, `2024/5/31`, `2024年5月31日`, `31 May 2024`, `May 31, 2024`.
    Orders of day and month that cannot be told apart (`3/5/2024`) are not guessed.

    Returns:
        Nothing where it is no date, or one that programs write when they do not know.
    """
    text = " ".join(text[:100].split())
    found = _by_numbers(text) or _in_english(text) or _of_mail(text)
    return "" if found in _UNSET or (found[:10] in _UNSET and found[11:19] in ("", "00:00:00")) else found


def period(date: str) -> tuple[int, int]:
    """The stretch of time that a date in ISO 8601 names: a year, a month, a day, or a second.

    Returns:
        Nanoseconds since 1970 (UTC), half open, within what 64 bits hold: the years 1677 to 2262.

    Raises:
        ValueError: it is no such date.
    """
    partial = _PARTIAL.fullmatch(date)
    if partial:
        year, month = int(partial[1]), int(partial[2] or 1)
        begun = datetime(year, month, 1, tzinfo=UTC)
        following = (year, month + 1) if partial[2] and month < 12 else (year + 1, 1)
        end = datetime(*following, 1, tzinfo=UTC) if following[0] <= MAXYEAR else datetime.max.replace(tzinfo=UTC)
        return _held(_nanoseconds(begun)), _held(_nanoseconds(end))
    found = datetime.fromisoformat(date)
    start = _nanoseconds(found if found.tzinfo else found.replace(tzinfo=UTC))
    whole_day = re.search(r"[0-9W-]+$", date) is not None and "T" not in date.upper() and ":" not in date
    return _held(start), _held(start + (86_400_000_000_000 if whole_day else 1_000_000_000))


def _held(nanoseconds: int) -> int:
    return max(1 - 2**63, min(nanoseconds, 2**63 - 1))


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _by_numbers(text: str) -> str:
    for pattern in (_ISO, _PDF, _CHINESE, _NUMBERS):
        match = pattern.fullmatch(text)
        if match:
            *numbers, zone = [*match.groups(), *[None] * 7][:7]
            return _written(numbers, zone=zone or "")
    return ""


def _in_english(text: str) -> str:
    for pattern in _ENGLISH:
        match = pattern.fullmatch(text)
        if match:
            month = next(group for group in match.groups() if group and group.lower() in _MONTHS)
            return _written([match["year"], str(_MONTHS[month.lower()]), match["day"]])
    return ""


def _of_mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        return ""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
    return found.isoformat(timespec="seconds").replace("+00:00", "Z") if found.year >= _FIRST_YEAR else ""


def _written(parts: Sequence[str | None], *, zone: str = "") -> str:
    """Year, month, day, hour, minute, second in ISO 8601, as far as they go; nothing where they name no moment."""
    date_parts, clock_parts = parts[:3], parts[3:]
    numbers = [int(part) for part in date_parts if part]
    clock = [int(part or 0) for part in clock_parts] if len(numbers) == 3 and any(clock_parts) else []
    try:
        datetime(*[*numbers, 1, 1][:3], *clock)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return ""
    if numbers[0] < _FIRST_YEAR:
        return ""
    date = "-".join(f"{number:02}" for number in numbers)
    return f"{date}T{':'.join(f'{number:02}' for number in clock)}{_zone(zone)}" if clock else date


def _zone(zone: str) -> str:
    digits = zone.replace("'", "").replace(":", "")
    if digits.upper() in ("", "Z", "UTC", "GMT") or set(digits[1:]) == {"0"}:
        return "Z" if digits else ""
    hours, minutes = int(digits[1:3]), int(digits[3:5] or 0)
    return f"{digits[0]}{hours:02}:{minutes:02}" if hours < 15 and minutes < 60 else ""
