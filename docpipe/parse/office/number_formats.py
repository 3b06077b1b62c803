"""A cell's number and its format -> what the sheet shows (pure).

Source: ECMA-376 part 1, 18.8.30 (numFmt) and 18.8.31 (numFmts).
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""Formats by their number; those that differ from country to country are given in ISO order. Others are General."""

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)(?:-[^\]]*)?\]|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.I)
_DATE = re.compile(r"AM/PM|A/P|\[h+\]|\[m+\]|\[s+\]|y+|m+|d+|h+|s+(?:\.0+)?|[^ymdhs\[]|.", re.I)
_DIGITS = re.compile(r"[#0?][#0?,.\s]*(?:E[+-][#0?]+)?|\.[#0?]+", re.I)
_MARK = "\ufdd2"
_FIRST, _FIRST_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNITS = tuple(Decimal(1).scaleb(-places) for places in range(31))
_LATEST = 2_958_466
_LONGEST = 255


class _Section(NamedTuple):
    """One part of a format. Literals are taken out of `code`; a mark stands for each."""

    code: str
    literals: tuple[str, ...]
    is_date: bool
    digits: tuple[str, str, str] | None
    """What stands before the places of digits, they themselves, what stands behind; None where there are none."""

    def filled(self, text: str) -> str:
        """The text with its literals put in."""
        if not self.literals:
            return text
        literals = iter(self.literals)
        return re.sub(_MARK, lambda _: next(literals, ""), text)


def shown(raw: str, code: str, *, from_1904: bool = False) -> str:
    """A cell's number as the sheet shows it.

    Args:
        raw: the number as the file has it.
        code: its format, `#,##0.00`; nothing for General.
        from_1904: whether the workbook counts days from 1904.
    """
    try:
        value = float(raw)
    except ValueError:
        return raw
    sections = _sections(code[:_LONGEST])
    section = _chosen(sections, value)
    if section is None or not (value < float("inf")):
        return general(raw, value)
    if section.is_date:
        return section.filled(_date(value, section.code, from_1904)) if 0 <= value < _LATEST else general(raw, value)
    return _number(raw, value, section, signed=len(sections) < 2)


def general(raw: str, value: float) -> str:
    """A number without a format: whole numbers in full, others to ten digits."""
    if value == int(value) and abs(value) < 1e15 if abs(value) < float("inf") else False:
        return str(int(value))
    return f"{value:.10g}" if "." in raw or "E" in raw or "e" in raw else raw


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[_Section, ...]:
    if code.strip().lower() in ("", "general", "@"):
        return ()
    return tuple(map(_section, _parted(code)))


def _parted(code: str) -> list[str]:
    """The parts between semicolons that stand outside quotes."""
    parts, quoted, start = [], False, 0
    for place, sign in enumerate(code):
        if sign == '"':
            quoted = not quoted
        elif sign == ";" and not quoted and code[place - 1 : place] != "\\":
            parts.append(code[start:place])
            start = place + 1
    return [*parts, code[start:]]


def _section(code: str) -> _Section:
    literals: list[str] = []

    def taken(match: re.Match[str]) -> str:
        text = match[1] or match[2] or match[3] or ""
        if text:
            literals.append(text)
        return _MARK if text else ""

    bare = _LITERAL.sub(taken, code)
    is_date = bool(re.search(r"[ymdhs]", bare.replace("General", ""), re.I)) and not re.search(r"[#0?]{2}|E[+-]", bare)
    places = _DIGITS.search(bare)
    digits = (bare[: places.start()], places[0].replace(" ", ""), bare[places.end() :]) if places else None
    return _Section(bare, tuple(literals), is_date, digits)


def _chosen(sections: Sequence[_Section], value: float) -> _Section | None:
    """The part for a number's sign; None where it is General."""
    if not sections:
        return None
    place = 0 if value > 0 or len(sections) < 2 else 1 if value < 0 else 2 if len(sections) > 2 else 0
    return None if "general" in sections[place].code.lower() else sections[place]


def _number(raw: str, value: float, section: _Section, *, signed: bool) -> str:
    if section.digits is None:
        return section.filled(section.code).strip() if section.code.strip() else general(raw, value)
    if "/" in section.code:
        return general(raw, value)
    before, code, after = section.digits
    try:
        digits = _digits(abs(Decimal(raw)) * (100 if "%" in section.code else 1), code)
    except InvalidOperation:
        return general(raw, value)
    sign = "-" if value < 0 and signed and digits.strip("0.,") else ""
    return sign + section.filled(before + digits + after).strip()


def _digits(number: Decimal, code: str) -> str:
    mantissa, exponent, _ = code.upper().partition("E")
    if exponent:
        decimals = len(mantissa.partition(".")[2])
        return f"{number:.{decimals}E}"
    while mantissa.endswith(","):
        mantissa, number = mantissa[:-1], number / 1000
    whole, _, fraction = mantissa.partition(".")
    rounded = number.quantize(_UNITS[min(len(fraction), len(_UNITS) - 1)], rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    integer, point, decimals_text = text.partition(".")
    least = len(fraction.rstrip("#?"))
    while len(decimals_text) > least and decimals_text.endswith("0"):
        decimals_text = decimals_text[:-1]
    zeros = whole.count("0")
    integer = integer.rjust(zeros, "0") if zeros > 1 and "," not in whole else integer
    return integer + point + decimals_text if decimals_text else integer


def _date(value: float, code: str, from_1904: bool) -> str:
    first = _FIRST_1904 if from_1904 else _FIRST
    leap = not from_1904 and value < 60  # the first sheets took 1900 for a leap year
    moment = first + timedelta(days=int(value) + leap, seconds=round((value % 1) * 86_400, 3))
    parts = _DATE.findall(code)
    twelve = any(part.upper() in ("AM/PM", "A/P") for part in parts)
    shown_parts: list[str] = []
    for place, part in enumerate(parts):
        minutes = part[0] in "mM" and _near_time(parts, place)
        shown_parts.append(_date_part(part, moment, value, minutes=minutes, twelve=twelve))
    return "".join(shown_parts).strip().rstrip(";")


def _near_time(parts: Sequence[str], place: int) -> bool:
    """Whether an `m` is of minutes: hours stand before it or seconds behind."""
    letters = [part.lower() for part in parts]
    before = next((part for part in reversed(letters[:place]) if part[0] in "hsdy["), "")
    after = next((part for part in letters[place + 1 :] if part[0] in "hsdy["), "")
    return before.startswith(("h", "[h")) or after.startswith("s")


def _date_part(part: str, moment: datetime, value: float, *, minutes: bool, twelve: bool) -> str:
    letter, length = part[0].lower(), len(part)
    if part.upper() in ("AM/PM", "A/P"):
        return "AM" if moment.hour < 12 else "PM"
    if part.startswith("[") and length > 2:
        unit = {"h": 24, "m": 1440, "s": 86_400}[part[1].lower()]
        return str(int(value * unit + 1e-6)).rjust(length - 2, "0")
    if letter == "y":
        return f"{moment.year:04}" if length > 2 else f"{moment.year % 100:02}"
    if letter == "d":
        day = _DAYS[moment.weekday()]
        return day if length > 3 else day[:3] if length == 3 else f"{moment.day:0{length}}"
    if letter == "h":
        hour = (moment.hour % 12 or 12) if twelve else moment.hour
        return f"{hour:0{min(2, length)}}"
    if letter == "s":
        decimals = len(part.partition(".")[2])
        return f"{moment.second:0{min(2, len(part.partition('.')[0]))}}" + _fraction(moment, decimals)
    if letter == "m":
        return f"{moment.minute:0{min(2, length)}}" if minutes else _month(moment.month, length)
    return part


def _month(month: int, length: int) -> str:
    name = _MONTHS[month - 1]
    if length == 5:
        return name[0]
    return name if length == 4 else name[:3] if length == 3 else f"{month:0{min(2, length)}}"


def _fraction(moment: datetime, decimals: int) -> str:
    return f".{moment.microsecond:06}"[: decimals + 1] if decimals else ""
