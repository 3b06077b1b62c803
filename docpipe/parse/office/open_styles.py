"""The styles of an OpenDocument -> what is a title, hidden or numbered (pure)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.office.names import number, value
from docpipe.parse.office.numerals import numeral
from docpipe.parse.office.open_names import FO, STYLE, TABLE, TEXT, points

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_FORMS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_WHITE = re.compile(r"#(?:[Ff][A-Fa-f0-9]){3}")
_SMALLEST = 2.0
"""In points; letters that are not larger cannot be read."""
_DEEPEST = 24


class ListLevel(NamedTuple):
    """How one level of a list counts; a bullet where `form` is empty."""

    form: str
    before: str
    after: str
    start: int
    shown: int
    """Numbers of how many levels are shown."""


class OpenStyles(NamedTuple):
    """Styles by their names."""

    names: Mapping[str, tuple[str, ...]]
    """A paragraph style -> its own shown name and those it is based on."""
    hidden: frozenset[str]
    """Text styles and sheet styles that show nothing, or letters too small to be read."""
    pale: frozenset[str]
    """Text styles of white letters without a colour behind them."""
    lists: Mapping[str, Mapping[int, ListLevel]]
    """List styles: levels from 1."""
    list_of: Mapping[str, str]
    """A paragraph style -> its list style."""

    def is_named(self, style: str, name: str) -> bool:
        """Whether a style is the built-in one of this name, or based on it."""
        return name in self.names.get(style, (style,))


def read_open_styles(trees: Iterable["Element | None"]) -> OpenStyles:
    """All styles of `styles.xml` and `content.xml`."""
    styles: dict[str, Element] = {}
    lists: dict[str, dict[int, ListLevel]] = {}
    for tree in trees:
        for element in tree.iter(STYLE + "style", TEXT + "list-style") if tree is not None else ():
            if element.tag == STYLE + "style":
                styles[value(element, STYLE + "name")] = element
            else:
                lists[value(element, STYLE + "name")] = dict(map(_level, element))
    return OpenStyles(
        names={name: _chain(name, styles) for name in styles},
        hidden=frozenset(name for name in styles if _told(name, styles, _is_hidden)),
        pale=frozenset(name for name in styles if _told(name, styles, _is_pale)),
        lists=lists,
        list_of={name: value(item, STYLE + "list-style-name") for name, item in styles.items()},
    )


def _chain(name: str, styles: Mapping[str, "Element"]) -> tuple[str, ...]:
    found: list[str] = []
    while name in styles and name not in found and len(found) < _DEEPEST:
        found.append(name)
        name = value(styles[name], STYLE + "parent-style-name")
    return (*found, name)


def _told(name: str, styles: Mapping[str, "Element"], ask: Callable[["Element"], bool | None]) -> bool:
    """What the nearest style of a chain says that says anything."""
    answers = (ask(styles[link]) for link in _chain(name, styles) if link in styles)
    return next((answer for answer in answers if answer is not None), False)


def _is_hidden(element: "Element") -> bool | None:
    for child in element:
        if value(child, TEXT + "display") == "none" or value(child, TABLE + "display") == "false":
            return True
        size = points(child, FO + "font-size")
        if size:
            return size <= _SMALLEST
    return None


def _is_pale(element: "Element") -> bool | None:
    """Whether letters are white on nothing; a colour behind them says no."""
    for child in element:
        if value(child, FO + "background-color", "transparent") != "transparent":
            return False
        colour = value(child, FO + "color")
        if colour:
            return bool(_WHITE.fullmatch(colour))
    return None


def _level(element: "Element") -> tuple[int, ListLevel]:
    return number(value(element, TEXT + "level"), 1), ListLevel(
        _FORMS.get(value(element, STYLE + "num-format"), ""),
        value(element, STYLE + "num-prefix"),
        value(element, STYLE + "num-suffix"),
        number(value(element, TEXT + "start-value"), 1),
        max(1, number(value(element, TEXT + "display-levels"), 1)),
    )


def marker(levels: Mapping[int, ListLevel], counts: list[int], depth: int) -> str:
    """What stands before an item, `1.2.`; nothing for a bullet.

    Args:
        counts: the numbers of the item and of those it stands in, the outermost first.
    """
    own = levels.get(depth)
    if own is None or not own.form:
        return ""
    first = max(1, depth - own.shown + 1)
    shown = [numeral(counts[level - 1], levels[level].form) for level in range(first, depth + 1)
             if level in levels and levels[level].form and level <= len(counts)]  # fmt: skip
    return f"{own.before}{'.'.join(shown)}{own.after}".strip()
