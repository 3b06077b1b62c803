"""Text -> the same text without what printing and encoding added, and the way back to the original (pure).

Two texts that a reader takes for the same words fold to the same string: compatibility forms, ligatures, width,
white space and line ends, word division, typographic quotes and dashes, and the tags of written tables are evened out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

from docpipe.types import Span

__all__ = ["Folded", "fold", "is_cjk"]

_TOKEN = re.compile(
    r"(?P<tag></?(?:table|tr|td|th)(?: (?:col|row)span=\"\d+\")*>)|(?P<entity>&(?:amp|lt|gt);)|(?P<ascii>[ -~])|.", re.S
)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ALIKE = str.maketrans(dict.fromkeys("‘’‚‛′´`", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—―−⁃", "-"))
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_BESIDE = re.compile("[\u1160-\u11ff\uff9e\uff9f]")
"""Letters that grow into the one before them though they are no combining marks: Korean vowels, Japanese voicing."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `starts[i]` and `ends[i]` are the code points of the original behind `text[i]`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original(self, start: int, end: int) -> Span:
        """The span of the original text behind `text[start:end]`, which must not be empty."""
        return Span(self.starts[start], self.ends[end - 1])


def is_cjk(character: str) -> bool:
    """Whether a character belongs to a script that is written without blanks between words (Han, kana)."""
    return (
        "\u2e80" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def fold(text: str, *, any_case: bool = False) -> Folded:
    """Fold a text, in linear time.

    Blanks at both ends go; a run of white space is one blank, or nothing beside a Chinese character; a hyphen that
    divides a word goes, with the white space behind it. `|`, the cell mark of a table without tags, is white space.
    """
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    units = list(_letters(text, any_case=any_case))
    number = 0
    while number < len(units):
        stop = _after_blanks(units, number)
        if stop == number:
            if (behind := _after_division(units, number)) > number:
                number = behind
                continue
            letters.append(units[number][0])
            places.append(units[number][1:])
            number += 1
            continue
        if letters and stop < len(units) and not (is_cjk(letters[-1]) or is_cjk(units[stop][0])):
            letters.append(" ")
            places.append((units[number][1], units[stop - 1][2]))
        number = stop
    return Folded("".join(letters), tuple(start for start, _ in places), tuple(end for _, end in places))


_Letter = tuple[str, int, int]


def _letters(text: str, *, any_case: bool) -> Iterator[_Letter]:
    """Folded characters with the span of the original behind each."""
    for cluster, start, end in _clusters(text):
        for letter in _evened(cluster, any_case):
            yield letter, start, end


@lru_cache(maxsize=4096)
def _evened(cluster: str, any_case: bool) -> str:
    """What one character, with the marks that belong to it, folds to."""
    folded = normalize("NFKC", cluster.translate(_ALIKE)).translate(_ALIKE)
    if any_case:
        folded = normalize("NFKC", folded.casefold())
    return "".join(letter for letter in folded if letter not in _INVISIBLE)


def _clusters(text: str) -> Iterator[_Letter]:
    """Characters with the marks that belong to them; a tag is a blank, an entity is its character."""
    held, start, end = "", 0, 0
    for match in _TOKEN.finditer(text):
        piece, kind = match[0], match.lastgroup
        if kind is None and held and (combining(piece) or _BESIDE.match(piece)):
            held, end = held + piece, match.end()
            continue
        if held:
            yield held, start, end
        held, start, end = piece, match.start(), match.end()
        if kind == "tag":
            held = " "
        elif kind == "entity":
            held = _ENTITIES[piece]
    if held:
        yield held, start, end


def _is_blank(letter: str) -> bool:
    return letter.isspace() or letter == "|"


def _after_blanks(units: list[_Letter], number: int) -> int:
    while number < len(units) and _is_blank(units[number][0]):
        number += 1
    return number


def _after_division(units: list[_Letter], number: int) -> int:
    """Where the word goes on that the hyphen at `number` divides; `number` itself where it divides none."""
    if units[number][0] != "-" or not 0 < number < len(units) - 1 or not _spells(units[number - 1][0]):
        return number
    behind = _after_blanks(units, number + 1)
    return behind if behind < len(units) and _spells(units[behind][0]) else number


def _spells(letter: str) -> bool:
    return letter.isalpha() and not is_cjk(letter)
