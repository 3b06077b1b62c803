"""Pieces of a web page -> those of its main content."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from docpipe.parse.web import head as page_metadata
from docpipe.parse.web.markup import Piece, bare_text
from docpipe.types import BlockKind

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_WORDS = re.compile(r"[^\W_]+")
_SHORT = 40
"""A text with fewer letters must be a whole text of the extract: a menu's word may also stand in a sentence."""
_ENOUGH = 0.6
"""Least share of the extract that must be found again among the pieces."""
_SOME_CODE = 3
_SOME_RESULTS = 5
_FAR_MORE = 3
"""The page's own data is taken for its content where it is this many times longer than what is shown."""
_LONGEST_ARTICLE = 400_000
"""A longer page is a book: only menus and footers are left out, as looking for an article would take too long."""
_MANY_PIECES = 2_000
"""From here on one extractor decides alone; those that check it take time by the square of the pieces."""
_SOLID = frozenset({BlockKind.TABLE, BlockKind.CODE})
_KINDS = {"head": BlockKind.HEADING, "item": BlockKind.LIST_ITEM, "code": BlockKind.CODE}


def select(pieces: Sequence[Piece], tree: "HtmlElement") -> list[Piece]:
    """The pieces to keep: what trafilatura finds to be the content decides, the pieces' own structure is kept.

    A page without signs of a frame (menus, footers, many links) is a plain document and kept whole; so is one
    in which no content is found. Where the content is not among the pieces, since the page carries it as data for
    its scripts, that data's paragraphs are given.

    Args:
        tree: the page; it is changed and of no use afterwards.
    """
    body = page_metadata.article_body(tree)
    kept = _framed(pieces, tree)
    if len(body) > _FAR_MORE * sum(len(piece.text) for piece in kept):
        return [Piece(kind=BlockKind.PARAGRAPH, text=line, label="articleBody") for line in body.splitlines()]
    return kept


def _framed(pieces: Sequence[Piece], tree: "HtmlElement") -> list[Piece]:
    written = sum(len(piece.text) for piece in pieces)
    if not _has_frame(pieces, written):
        return list(pieces)
    declared = [piece for piece in pieces if piece.main and not piece.chrome]
    unframed = declared or [piece for piece in pieces if not piece.chrome] or list(pieces)
    if written > _LONGEST_ARTICLE or _is_manual(declared):
        return unframed
    extract = _extracted(tree, fast=len(pieces) > _MANY_PIECES)
    wanted = _letters("".join(piece.text for piece in extract))
    kept = _chosen(pieces, extract, wanted)
    found = sum(len(_letters(piece.text)) for piece in kept)
    if found < _ENOUGH * len(wanted):
        return declared or extract
    inside = [piece for piece in kept if piece.main]
    if _is_index(declared, inside):
        return declared
    return inside or declared or kept or unframed


def _is_manual(declared: Sequence[Piece]) -> bool:
    """Whether a page's declared main part is documentation of software, which no extractor of articles reads well.

    News and blogs declare a main part too, with adverts in it; code in a tenth of the pieces, headings not counted,
    is what they do not have.
    """
    coded = sum(piece.coded for piece in declared)
    return coded >= _SOME_CODE and coded * 10 >= sum(piece.kind is not BlockKind.HEADING for piece in declared)


def _is_index(declared: Sequence[Piece], kept: Sequence[Piece]) -> bool:
    """Whether a page's declared main part is above all a list of links, most of which an extractor left out."""
    written = sum(len(piece.text) for piece in declared)
    linked = sum(piece.linked for piece in declared)
    share = sum(len(piece.text) for piece in kept) / max(1, written)
    return (linked * 2 > written and share < 1 / 2) or _lists_results(declared, kept, share)


def _lists_results(declared: Sequence[Piece], kept: Sequence[Piece], share: float) -> bool:
    """Whether nearly all headings are links, and lead what is kept or what is more than three times as much."""
    titles = [piece for piece in declared if piece.kind is BlockKind.HEADING]
    links = {id(piece) for piece in titles if piece.linked * 2 > len(piece.text)}
    if len(links) < _SOME_RESULTS or len(links) * 3 < len(titles) * 2:
        return False
    found = {id(piece) for piece in kept}
    led = sum(id(one) in links and id(other) in found for one, other in pairwise(declared))
    return share < 1 / 4 or led >= _SOME_RESULTS


def _has_frame(pieces: Sequence[Piece], written: int) -> bool:
    return any(piece.chrome for piece in pieces) or sum(piece.linked for piece in pieces) * 4 > written


def _extracted(tree: "HtmlElement", *, fast: bool) -> list[Piece]:
    """The content as trafilatura finds it, one piece per element that holds text."""
    from trafilatura import bare_extraction

    document = bare_extraction(tree, include_comments=False, with_metadata=False, favor_precision=True, fast=fast)
    if document is None or document.body is None:
        return []
    found = []
    for element in document.body.iter():
        for text in (element.text, element.tail):
            if text and text.strip():
                found.append(Piece(kind=_KINDS.get(element.tag, BlockKind.PARAGRAPH), text=text.strip()))
    return found


def _chosen(pieces: Sequence[Piece], extract: Sequence[Piece], wanted: str) -> list[Piece]:
    parts = {_letters(piece.text) for piece in extract}
    flags = [_is_wanted(_letters(piece.text.removeprefix(piece.marker)), parts, wanted) for piece in pieces]
    if not any(flags):
        return []
    first, last = flags.index(True), len(flags) - flags[::-1].index(True)
    for at in range(last - 1, first, -1):
        flags[at] = flags[at] or _belongs(pieces[at], pieces[at + 1 : at + 2], flags[at + 1 : at + 2])
    kept = [piece for piece, flag in zip(pieces, flags, strict=True) if flag]
    return kept[:1] + [piece for before, piece in pairwise(kept) if not _is_repeated(before, piece)]


def _is_repeated(before: Piece, piece: Piece) -> bool:
    """Whether a text stands twice in a row, as the captions of a picture in two sizes do."""
    return piece.text == before.text and piece.kind in (BlockKind.CAPTION, BlockKind.PARAGRAPH)


def _belongs(piece: Piece, following: Sequence[Piece], kept: Sequence[bool]) -> bool:
    """Whether something that the extract lacks is content too: tables, code, and headings of what is kept."""
    if piece.chrome or piece.linked * 2 > len(piece.text):
        return False
    if piece.kind in _SOLID:
        return True
    heads = piece.kind is BlockKind.HEADING or (piece.kind is BlockKind.CAPTION and following and following[0].table)
    return bool(heads and kept and kept[0])


def _is_wanted(letters: str, parts: set[str], wanted: str) -> bool:
    if len(letters) <= _SHORT:
        return bool(letters) and letters in parts
    if letters in wanted:
        return True
    windows = range(0, len(letters) - _SHORT + 1, _SHORT)
    return sum(letters[at : at + _SHORT] in wanted for at in windows) * 2 > len(windows)


def _letters(text: str) -> str:
    """Letters and digits alone: white space and signs differ between two readings of one page."""
    return "".join(_WORDS.findall(bare_text(text)))
