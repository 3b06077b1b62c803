"""The inside of a Word paragraph -> its text, and what is anchored in it (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docpipe.parse.office.equations import latex
from docpipe.parse.office.names import DIAGRAM, MC, A, C, M, R, W, local, switched_on, value
from docpipe.parse.office.word_styles import Style, Styles, is_marked, is_monospaced, is_pale, is_shaded, is_tiny

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_LEFT_OUT = frozenset({
    f"{W}del", f"{W}moveFrom", f"{W}pPr", f"{W}rPr", f"{W}instrText", f"{W}delText", f"{W}delInstrText", f"{W}rt",
    f"{W}rubyPr", f"{W}sdtPr", f"{W}sdtEndPr", f"{W}fldChar", f"{W}annotationRef", f"{W}footnoteRef",
    f"{W}endnoteRef", f"{W}separator", f"{W}continuationSeparator", f"{W}tblPr", f"{W}object",
})  # fmt: skip
_SIGNS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}cr": "\n", f"{W}noBreakHyphen": "-", f"{W}softHyphen": "\u00ad"}
_LEAST_ALTERNATIVE = 20
"""Shorter alternative texts are names of files."""


@dataclass(slots=True)
class Inline:
    """What a paragraph holds."""

    text: str = ""
    hidden: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Kind (`footnote`, `endnote`, `comment`) and id, in the order of their marks."""
    links: list[tuple[str, str]] = field(default_factory=list)
    """Words and ids of relations to elsewhere."""
    frames: list["Element"] = field(default_factory=list)
    """Contents of text boxes."""
    pictures: list[str] = field(default_factory=list)
    """Alternative texts that say something."""
    charts: list[str] = field(default_factory=list)
    """Ids of relations to charts."""
    diagrams: list[str] = field(default_factory=list)
    """Ids of relations to the data of diagrams."""
    equations: list[str] = field(default_factory=list)
    """All equations, if the paragraph holds nothing else."""
    monospaced: bool = False
    """All its letters are of one width."""


def read_inline(paragraph: "Element", styles: Styles, style: Style, *, on_white: bool = False) -> Inline:
    """Read a paragraph of this style; inserted text is kept, deleted text is left out.

    Args:
        on_white: whether nothing but white paper is behind it, on which white letters hide.
    """
    reading = _Reading(styles, style, on_white=on_white and not is_shaded(paragraph.find(W + "pPr"), style))
    reading.walk(paragraph)
    found = reading.found
    found.text, found.hidden = "".join(reading.text), "".join(reading.hidden)
    found.monospaced = bool(found.text.strip()) and not reading.proportional
    if reading.words:
        found.equations = []
    return found


class _Reading:
    """One pass over a paragraph."""

    def __init__(self, styles: Styles, style: Style, *, on_white: bool) -> None:
        self._on_white = on_white
        self.found = Inline()
        self.text: list[str] = []
        self.hidden: list[str] = []
        self.words = False  # something other than equations was met
        self.proportional = False
        self._styles, self._style = styles, style

    def walk(self, element: "Element") -> None:
        for child in element:
            self._one(child)

    def _one(self, element: "Element") -> None:
        tag = element.tag
        if tag in _LEFT_OUT:
            if tag == W + "object":
                self._drawing(element)
        elif tag in _READERS:
            _READERS[tag](self, element)
        elif isinstance(tag, str):
            self.walk(element)

    def _run(self, run: "Element") -> None:
        properties = run.find(W + "rPr")
        named = value(properties.find(W + "rStyle"), W + "val") if properties is not None else ""
        style = self._styles.by_id.get(named, self._style)
        tiny, pale = is_tiny(properties, style), is_pale(properties, style)
        told = switched_on(properties, W + "vanish")
        hidden = style.hidden or self._style.hidden if told is None else told
        hidden = hidden or bool(self._style.tiny if tiny is None else tiny)
        pale = self._style.pale if pale is None else pale
        hidden = hidden or bool(self._on_white and pale and not style.shaded and not is_marked(properties))
        text = _Text(self)
        for child in run:
            text.add(child)
        words = "".join(text.parts)
        (self.hidden if hidden else self.text).append(words)
        if words.strip() and not hidden:
            self.words = True
            self.proportional = self.proportional or not is_monospaced(properties, style)

    def _equation(self, element: "Element") -> None:
        written = latex(element)
        if written:
            self.found.equations.append(written)
            self.proportional = True
            self.text.append(f"${written}$")

    def _alternatives(self, element: "Element") -> None:
        """One of several forms of the same thing: the first that holds something."""
        for form in (*element.iterchildren(MC + "Choice"), *element.iterchildren(MC + "Fallback")):
            if len(form):
                self.walk(form)
                return

    def _drawing(self, element: "Element") -> None:
        """Text boxes, charts, diagrams and alternative texts, wherever they stand in it."""
        for child in element:
            tag = child.tag
            if tag == W + "txbxContent":
                self.found.frames.append(child)
            elif tag == MC + "AlternateContent":
                forms = (*child.iterchildren(MC + "Choice"), *child.iterchildren(MC + "Fallback"))
                self._drawing(next((form for form in forms if len(form)), child))
            elif tag == C + "chart":
                self.found.charts.append(value(child, R + "id"))
            elif tag == DIAGRAM + "relIds":
                self.found.diagrams.append(value(child, R + "dm"))
            elif tag == A + "blip":
                continue
            else:
                if local(child) == "docPr" and len(value(child, "descr").strip()) > _LEAST_ALTERNATIVE:
                    self.found.pictures.append(value(child, "descr"))
                self._drawing(child)

    def _link(self, element: "Element") -> None:
        begun = len(self.text)
        self.walk(element)
        if value(element, R + "id"):
            self.found.links.append(("".join(self.text[begun:]), value(element, R + "id")))

    def _note(self, element: "Element") -> None:
        kind = local(element).removesuffix("Reference")
        self.found.notes.append((kind, value(element, W + "id")))


class _Text:
    """The text of one run."""

    def __init__(self, reading: _Reading) -> None:
        self.parts: list[str] = []
        self._reading = reading

    def add(self, element: "Element") -> None:
        tag = element.tag
        if tag == W + "t":
            self.parts.append(element.text or "")
        elif tag in _SIGNS:
            self.parts.append(_SIGNS[tag])
        elif tag == W + "br":
            self.parts.append("\n")
        elif tag == W + "sym":
            self.parts.append(_symbol(value(element, W + "char")))
        elif tag == W + "ruby":
            for base in element.iterchildren(W + "rubyBase"):
                self._reading.walk(base)
        else:
            self._reading._one(element)


def _symbol(code: str) -> str:
    """A letter of a symbol font by its code; those of fonts without names for them are left out."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return "" if 0xE000 <= number <= 0xF8FF or not 31 < number < 0x110000 else chr(number)


_READERS: Mapping[str, Callable[[_Reading, "Element"], None]] = {
    W + "r": _Reading._run,
    M + "oMath": _Reading._equation,
    MC + "AlternateContent": _Reading._alternatives,
    W + "drawing": _Reading._drawing,
    W + "pict": _Reading._drawing,
    W + "hyperlink": _Reading._link,
    W + "commentReference": _Reading._note,
    W + "footnoteReference": _Reading._note,
    W + "endnoteReference": _Reading._note,
}
