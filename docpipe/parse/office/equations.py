"""Equations of Office's formats (OMML) -> LaTeX (pure).

Source: ECMA-376 part 1, 22.1 (Office Math Markup Language).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from docpipe.parse.office.names import M, local, value

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_SIGNS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon", "ϵ": r"\epsilon", "ζ": r"\zeta",
    "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu",
    "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "υ": r"\upsilon", "φ": r"\phi",
    "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta",
    "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
    "×": r"\times", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "⋅": r"\cdot", "·": r"\cdot", "∗": "*", "∘": r"\circ",
    "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "≅": r"\cong",
    "∝": r"\propto", "∞": r"\infty", "∂": r"\partial", "∇": r"\nabla", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset",
    "⊆": r"\subseteq", "∪": r"\cup", "∩": r"\cap", "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "∀": r"\forall",
    "∃": r"\exists", "→": r"\rightarrow", "←": r"\leftarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow",
    "⇔": r"\Leftrightarrow", "…": r"\ldots", "⋯": r"\cdots", "√": r"\surd", "∅": r"\emptyset", "∠": r"\angle",
    "∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint",
    "∯": r"\oiint", "∰": r"\oiiint", "⋃": r"\bigcup", "⋂": r"\bigcap", "⋀": r"\bigwedge", "⋁": r"\bigvee",
    "−": "-", "–": "-", "‖": r"\|", "{": r"\{", "}": r"\}", "\u00a0": " ", "\u2061": "",
}  # fmt: skip
_ACCENTS = {
    "\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0305": r"\overline", "\u20d7": r"\vec",
    "\u0307": r"\dot", "\u0308": r"\ddot", "\u030c": r"\check", "\u0306": r"\breve", "\u0301": r"\acute",
    "\u0300": r"\grave",
}  # fmt: skip
_FUNCTIONS = frozenset({
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "exp",
    "lim", "max", "min", "sup", "inf", "det", "gcd", "arg", "deg", "dim", "ker",
})  # fmt: skip
_NEXT_LINE = r" \\ "
_BARE = frozenset({"r", "sSup", "sSub", "sSubSup"})
"""What takes an exponent without braces around it."""


def latex(element: "Element") -> str:
    """An `m:oMath` element as LaTeX, without dollar signs; what is not known gives the text within it."""
    return " ".join(_all(element).split())


def _all(element: "Element | None") -> str:
    """All children, one after the other."""
    if element is None:
        return ""
    parts: list[str] = []
    for child in element:
        text = _one(child)
        if parts and parts[-1][-1:].isalpha() and text[:1].isalpha() and "\\" in parts[-1].rpartition(" ")[2]:
            parts.append(" ")
        if text:
            parts.append(text)
    return "".join(parts)


def _one(element: "Element") -> str:
    name = local(element)
    if name in _WRITERS:
        return _WRITERS[name](element)
    return "" if name.endswith("Pr") else _all(element)


def _run(element: "Element") -> str:
    text = "".join(part.text or "" for part in element.iter() if local(part) == "t")
    if text.strip() in _FUNCTIONS:
        return f"\\{text.strip()}"
    parts: list[str] = []
    for sign in text:
        shown = _SIGNS.get(sign, sign)
        if parts and parts[-1].startswith("\\") and parts[-1][-1].isalpha() and shown[:1].isalpha():
            parts.append(" ")
        parts.append(shown)
    return "".join(parts)


def _property(element: "Element", name: str, default: str) -> str:
    properties = element.find(f"{M}{local(element)}Pr")
    child = properties.find(M + name) if properties is not None else None
    return default if child is None else value(child, M + "val", default)


def _child(element: "Element", name: str) -> str:
    return _all(element.find(M + name))


def _base(element: "Element") -> str:
    """What an exponent or an index stands at, in braces where it is more than letters."""
    base = element.find(M + "e")
    text = _all(base)
    simple = base is not None and all(local(child) in _BARE or local(child).endswith("Pr") for child in base)
    return text if simple or text.startswith(r"\left") else f"{{{text}}}"


def _fraction(element: "Element") -> str:
    over, under = _child(element, "num"), _child(element, "den")
    form = _property(element, "type", "bar")
    if form == "noBar":
        return rf"\genfrac{{}}{{}}{{0pt}}{{}}{{{over}}}{{{under}}}"
    return f"{over}/{under}" if form == "lin" else rf"\frac{{{over}}}{{{under}}}"


def _power(element: "Element") -> str:
    return f"{_base(element)}^{{{_child(element, 'sup')}}}"


def _index(element: "Element") -> str:
    return f"{_base(element)}_{{{_child(element, 'sub')}}}"


def _both(element: "Element") -> str:
    return f"{_base(element)}_{{{_child(element, 'sub')}}}^{{{_child(element, 'sup')}}}"


def _before(element: "Element") -> str:
    return f"{{}}_{{{_child(element, 'sub')}}}^{{{_child(element, 'sup')}}}{_child(element, 'e')}"


def _root(element: "Element") -> str:
    degree = _child(element, "deg")
    return rf"\sqrt[{degree}]{{{_child(element, 'e')}}}" if degree else rf"\sqrt{{{_child(element, 'e')}}}"


def _sum(element: "Element") -> str:
    sign = _property(element, "chr", "∫")
    below, above = _child(element, "sub"), _child(element, "sup")
    return f"{_SIGNS.get(sign, sign)}_{{{below}}}^{{{above}}}{_child(element, 'e')}"


def _brackets(element: "Element") -> str:
    opening, closing = _property(element, "begChr", "("), _property(element, "endChr", ")")
    between = _property(element, "sepChr", "|")
    inner = between.join(_all(child) for child in element.iterchildren(M + "e"))
    return rf"\left{_SIGNS.get(opening, opening) or '.'}{inner}\right{_SIGNS.get(closing, closing) or '.'}"


def _function(element: "Element") -> str:
    name, inner = _child(element, "fName"), _child(element, "e")
    return f"{name} {inner}" if name[-1:].isalpha() and inner[:1].isalpha() else name + inner


def _accent(element: "Element") -> str:
    accent = _ACCENTS.get(_property(element, "chr", "\u0302"), r"\hat")
    return f"{accent}{{{_child(element, 'e')}}}"


def _bar(element: "Element") -> str:
    name = "overline" if _property(element, "pos", "bot") == "top" else "underline"
    return rf"\{name}{{{_child(element, 'e')}}}"


def _group(element: "Element") -> str:
    over = _property(element, "pos", "bot") == "top"
    return rf"\{'overbrace' if over else 'underbrace'}{{{_child(element, 'e')}}}"


def _limit_below(element: "Element") -> str:
    return f"{_child(element, 'e')}_{{{_child(element, 'lim')}}}"


def _limit_above(element: "Element") -> str:
    return rf"\overset{{{_child(element, 'lim')}}}{{{_child(element, 'e')}}}"


def _matrix(element: "Element") -> str:
    rows = (" & ".join(_all(cell) for cell in row.iterchildren(M + "e")) for row in element.iterchildren(M + "mr"))
    return r"\begin{matrix}" + _NEXT_LINE.join(rows) + r"\end{matrix}"


def _lines(element: "Element") -> str:
    lines = (_all(line) for line in element.iterchildren(M + "e"))
    return r"\begin{array}{l}" + _NEXT_LINE.join(lines) + r"\end{array}"


_WRITERS: Mapping[str, Callable[["Element"], str]] = {
    "r": _run, "f": _fraction, "sSup": _power, "sSub": _index, "sSubSup": _both, "sPre": _before, "rad": _root,
    "nary": _sum, "d": _brackets, "func": _function, "acc": _accent, "bar": _bar, "groupChr": _group,
    "limLow": _limit_below, "limUpp": _limit_above, "m": _matrix, "eqArr": _lines,
}  # fmt: skip
