"""Pieces of a web page -> those of its main content."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docpipe.parse.markup import Piece

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_WORDS = re.compile(r"[^\W_]+")


def select(pieces: Sequence[Piece], tree: "HtmlElement") -> list[Piece]:
    """The pieces to keep. The tree is used up.

    A page without signs of a frame (menus, footers, runs of links) is a plain document and kept whole.
    """
    if not _has_frame(pieces):
        return list(pieces)
    kept = _chosen(pieces, _extracted(tree))
    return kept or list(pieces)


def _has_frame(pieces: Sequence[Piece]) -> bool:
    return any(piece.chrome for piece in pieces) or sum(piece.linked for piece in pieces) * 4 > sum(
        len(piece.text) for piece in pieces
    )


def _extracted(tree: "HtmlElement") -> list[str]:
    from trafilatura import bare_extraction

    document = bare_extraction(tree, include_comments=False, with_metadata=False, favor_precision=True)
    if document is None or document.body is None:
        return []
    return [text for text in document.body.itertext() if text.strip()]


def _key(text: str) -> str:
    return "".join(_WORDS.findall(text))


def _chosen(pieces: Sequence[Piece], texts: Sequence[str]) -> list[Piece]:
    whole = _key("".join(texts))
    parts = {_key(text) for text in texts}
    kept = []
    for piece in pieces:
        key = _key(piece.text)
        if key in whole if len(key) > 40 else key in parts:
            kept.append(piece)
    return kept
