"""The text of a shape -> paragraphs with their list marks (pure)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from docpipe.parse.office.equations import latex
from docpipe.parse.office.names import MC, A, M, local, number, value
from docpipe.parse.office.numerals import numeral

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_FORMS = {
    "arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}  # fmt: skip
_ENDINGS = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})"}


class Line(NamedTuple):
    """A paragraph of a shape. `level` is 0 outside lists; `text` begins with its number, if it has one."""

    text: str
    level: int


def shape_lines(body: "Element", styles: Sequence["Element"]) -> list[Line]:
    """The paragraphs of a text body that show something.

    Args:
        styles: list styles that hold where the body says nothing, the nearest first.
    """
    own = body.find(A + "lstStyle")
    chain = [own, *styles] if own is not None else list(styles)
    counts: dict[int, int] = {}
    lines: list[Line] = []
    for paragraph in body.iterchildren(A + "p"):
        text = paragraph_text(paragraph).strip()
        if not text:
            continue
        about = paragraph.find(A + "pPr")
        level = min(8, max(0, number(value(about, "lvl"))))
        bullet = _bullet(about, chain, level)
        for deeper in [place for place in counts if place > level]:
            del counts[deeper]
        if bullet is None or local(bullet) != "buAutoNum":
            counts.pop(level, None)
            lines.append(Line(text, 0 if bullet is None else level + 1))
            continue
        counts[level] = counts.get(level, number(value(bullet, "startAt"), 1) - 1) + 1
        lines.append(Line(f"{_marker(counts[level], value(bullet, 'type'))} {text}", level + 1))
    return lines


def _bullet(about: "Element | None", chain: Sequence["Element"], level: int) -> "Element | None":
    """What marks a paragraph as a list item; None where nothing does."""
    for properties in (about, *(style.find(f"{A}lvl{level + 1}pPr") for style in chain)):
        for child in properties if properties is not None else ():
            if local(child) in ("buChar", "buAutoNum", "buBlip"):
                return child
            if local(child) == "buNone":
                return None
    return None


def _marker(count: int, kind: str) -> str:
    name = next((name for name in _FORMS if kind.startswith(name)), "arabic")
    return _ENDINGS.get(kind.removeprefix(name), "{}").format(numeral(count, _FORMS[name]))


def paragraph_text(paragraph: "Element") -> str:
    """All runs of an `a:p`, line breaks and equations included."""
    parts: list[str] = []
    for child in paragraph:
        name = local(child)
        if name in ("r", "fld"):
            parts.append(child.findtext(A + "t") or "")
        elif name == "br":
            parts.append("\n")
        elif name in ("AlternateContent", "m"):
            inner = child.find(MC + "Choice") if name == "AlternateContent" else child
            for equation in inner.iter(M + "oMath") if inner is not None else ():
                parts.append(f"${latex(equation)}$")
    return "".join(parts).replace("\v", "\n").replace("\t", " ")
