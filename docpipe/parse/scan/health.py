"""What a service replied for a page -> what is wrong with it, if anything (pure)."""

import re
import zlib
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from docpipe.parse.scan.layout import Element
from docpipe.parse.scan.markup import has_table, tables, widths

_LONGEST = 60_000
"""Characters on a page; a page of a newspaper has a third of it."""
_PICTURES = frozenset({"image", "chart", "figure", "seal", "header_image", "footer_image"})
_SIGNS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
_TAGS = re.compile(r"<[^<>]*>")
_ROWS = re.compile(r"<tr\b[^<>]*>(.*?)</tr\s*>", re.S | re.I)
_OPENED, _CLOSED = re.compile(r"<table\b", re.I), re.compile(r"</table\s*>", re.I)
_FEWEST_SAID = 400
"""Characters, signs and blanks aside: in less, nothing is said often enough to be sure."""
_PACKED = 0.09
"""A text that packs to less of its length says the same again and again; prose packs to a third."""
_SAME = 12
"""Phrases in a row that no printed page has; rows of a table and paragraphs, hardly any ("not applicable")."""
_FAR_TOO_MANY = 40
"""Equal rows or paragraphs in a row."""
_FALLING = 3
"""Rows, each with fewer cells than the one above."""
_TAIL = 600
_LEAST_PERIOD_LENGTH = 100
_LEAST_ALIKE = 200
"""Characters that two pages must have in common to be taken for one."""


class Trouble(NamedTuple):
    """What is wrong with a reading. `usable`: it may be right after all, and is kept where nothing better comes."""

    reason: str
    usable: bool = False


def trouble(elements: Sequence[Element], *, ink: bool) -> Trouble | None:
    """Why the reading of a page cannot be right, or hardly.

    Args:
        ink: whether anything is printed on the page.
    """
    total = sum(len(element.text) for element in elements)
    if total > _LONGEST:
        return Trouble(f"{total} characters on one page")
    if not any(element.text.strip() or element.label in _PICTURES for element in elements):
        return Trouble("nothing, although something is printed there") if ink else None
    for element in elements:
        if len(_OPENED.findall(element.text)) > len(_CLOSED.findall(element.text)):
            return Trouble("a table without its end")
        if _repeats(element.text):
            return Trouble("the same words again and again")
    rows = max((_in_a_row(_ROWS.findall(element.text)) for element in elements), default=0)
    same = max(rows, _in_a_row([element.text for element in elements]))
    if same >= _SAME:
        return Trouble(f"the same {same} times", usable=same < _FAR_TOO_MANY)
    if any(map(_falls_off, (element.text for element in elements))):
        return Trouble("a table whose rows get shorter and shorter", usable=True)
    return None


def alike(one: Sequence[Element], other: Sequence[Element]) -> bool:
    """Whether two pages of one reply say the same: then one of them may have been read twice."""
    first, second = ("".join(_said(element.text) for element in page) for page in (one, other))
    return len(first) >= _LEAST_ALIKE and first == second


def _said(text: str) -> str:
    """Letters and digits only."""
    return _SIGNS.sub("", _TAGS.sub(" ", text)).lower()


def _in_a_row(texts: Sequence[str]) -> int:
    """How often one of the texts comes without another between; short ones do not count."""
    said = map(_said, texts)
    return max((len(list(same)) for text, same in groupby(said) if len(text) > 8), default=0)


def _repeats(text: str) -> bool:
    if _ROWS.search(text):
        return False
    said = _said(text)
    if _period(said[-_TAIL:]):
        return True
    letters, whole = len(_DIGITS.sub("", said)), said.encode("utf-8", "replace")
    return letters >= _FEWEST_SAID and len(zlib.compress(whole, 6)) < _PACKED * len(whole)


def _falls_off(text: str) -> bool:
    """Whether the last rows of a table have ever fewer cells, as when it was made up to an end."""
    if not has_table(text):
        return False
    for piece in tables(text):
        if not isinstance(piece, str) and len(columns := widths(piece)) > _FALLING:
            last = columns[-_FALLING:]
            if last[-1] * 2 <= max(columns) and all(before > after for before, after in pairwise(last)):
                return True
    return False


def _period(tail: str) -> bool:
    """Whether a text ends in the same stretch of letters, over and over."""
    if len(tail) < _LEAST_PERIOD_LENGTH:
        return False
    for period in range(1, len(tail) // _SAME + 1):
        length = max(_SAME * period, _LEAST_PERIOD_LENGTH)
        if length <= len(tail) and tail[-length:-period] == tail[period - length :]:
            return not tail[-period:].isdigit() or period > 3
    return False
