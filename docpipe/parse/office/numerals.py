"""A number -> its numeral, as lists of Office's formats show it (pure)."""

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_CHINESE = "零一二三四五六七八九"
_CHINESE_FORMS = frozenset({
    "chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "ideographDigital",
    "taiwaneseCountingThousand", "ea1ChsPeriod", "ea1ChtPeriod", "ea1JpnChsDbPeriod",
})  # fmt: skip
_LARGEST = 4000


def numeral(number: int, form: str) -> str:
    """A numeral by the name of its form in WordprocessingML (`lowerRoman`); digits where the form is another."""
    if not 0 < number < _LARGEST:
        return str(number)
    if form.endswith("Roman"):
        return _cased(_roman(number), form)
    if form.endswith("Letter"):
        return _cased(chr(ord("a") + (number - 1) % 26) * (1 + (number - 1) // 26), form)
    if form == "decimalZero":
        return f"{number:02}"
    if form == "ordinal":
        return f"{number}{_ordinal_ending(number)}"
    if form in _CHINESE_FORMS:
        return _chinese(number)
    if form.startswith("decimalEnclosedCircle") and number <= 20:
        return chr(0x2460 + number - 1)
    return "" if form in ("none", "bullet") else str(number)


def _cased(text: str, form: str) -> str:
    return text.upper() if form.startswith("upper") else text


def _roman(number: int) -> str:
    parts = []
    for worth, sign in _ROMAN:
        parts.append(sign * (number // worth))
        number %= worth
    return "".join(parts)


def _ordinal_ending(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _chinese(number: int) -> str:
    """Numbers below a hundred in characters; digits above."""
    if number >= 100:
        return str(number)
    tens, ones = divmod(number, 10)
    lead = "" if not tens else "十" if tens == 1 else f"{_CHINESE[tens]}十"
    return lead + (_CHINESE[ones] if ones or not tens else "")
