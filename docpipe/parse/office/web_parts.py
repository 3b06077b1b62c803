"""HTML inside of another format -> blocks on paper (pure)."""

import re

from docpipe.parse.asides import Asides
from docpipe.parse.draft import clean
from docpipe.parse.office.paper import Paper
from docpipe.parse.web import hiding, markup
from docpipe.types import HIDDEN, BlockKind

_EMPTY = re.compile(
    r"<(?!area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)([a-z][a-z0-9]{0,15})(\s[^<>]{0,2000})?/>",
    re.I,
)
_DOCUMENT_TYPE = re.compile(r"<!doctype[^<>\[]{0,1000}(?:\[[^\]]{0,20000}\]\s*)?>", re.I)
"""With the declarations in it, which HTML does not know."""


def add_html(text: str, paper: Paper) -> None:
    """Append all that HTML or XHTML shows; what it holds and hides is hidden text."""
    text = _EMPTY.sub(_closed, _DOCUMENT_TYPE.sub("", clean(text), count=1))
    tree = markup.parse(text)
    if tree is None:
        return
    asides = Asides()
    for words in hiding.unseen(tree, text):
        asides.add(words)
    for words in asides.texts:
        paper.add(BlockKind.OTHER, words, label=HIDDEN)
    for piece in markup.pieces(tree):
        if piece.table is not None:
            paper.add_table(piece.table)
        else:
            paper.add(piece.kind, markup.shown_text(piece.text), level=piece.level, label=piece.label)
        for words, address in piece.links:
            paper.add_link(words, address)


def _closed(match: re.Match[str]) -> str:
    """`<title/>` as HTML needs it: an empty element, not one that swallows what follows."""
    return f"<{match[1]}{match[2] or ''}></{match[1]}>"
