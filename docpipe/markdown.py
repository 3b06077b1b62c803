"""Document -> Markdown to read and to compare (pure)."""

import re
from collections.abc import Container

from docpipe.types import FURNITURE, HIDDEN, NOTES, Block, BlockKind, Document

_BULLET = re.compile(r"[•◦▪‣●○■□◆–·∙\uf0b7\uf0a7*+-]\s+")
_ORDERED = re.compile(r"\(?\d{1,3}[.)]\s")
_FENCE = re.compile(r"`{3,}")
_WORD = re.compile(r"[a-z][\w+#-]{0,20}")
_NO_LANGUAGES = frozenset({"code", "pre", "output", "text", "algorithm", "programlisting", "screen", "literallayout"})
"""What formats call code without saying in which language."""
_END = re.compile(r"--!?>")
_HEADINGS = frozenset({BlockKind.TITLE, BlockKind.HEADING})


def to_markdown(document: Document, *, pages: Container[int] | None = None, furniture: bool = False) -> str:
    """The blocks as Markdown, in the order of the document's text.

    A paragraph that was parted by a column or a page is joined again; tables stay HTML, which Markdown allows. Notes
    of a speaker are comments, `<!-- notes: ... -->`, as programs write them that make slides.

    Args:
        pages: give blocks of these pages only (from 1); a block without a page is always given.
        furniture: give running headers, footers, page numbers and hidden text too.
    """
    parts: list[str] = []
    last: Block | None = None
    for block in document.blocks:
        if (block.kind in FURNITURE or block.native_label == HIDDEN) and not furniture:
            continue
        if pages is not None and block.page is not None and block.page not in pages:
            continue
        written = block_markdown(block, block.span.of(document.text))
        if not written:
            continue
        if last is not None:
            parts.append(_between(last, block, document.text))
        parts.append(written)
        last = block
    return "".join(parts) + "\n" if parts else ""


def block_markdown(block: Block, text: str) -> str:
    """One block as Markdown; nothing where it has no text."""
    text = text.strip("\n") if block.kind is BlockKind.CODE else text.strip()
    if not text:
        return ""
    if block.native_label == NOTES:
        lines = _END.sub("- ->", text).splitlines()
        return "\n".join(f"<!-- notes: {line.strip()} -->" for line in lines if line.strip())
    if block.kind in _HEADINGS:
        return f"{'#' * min(6, max(1, block.level))} {' '.join(text.split())}"
    if block.kind is BlockKind.LIST_ITEM:
        return _list_item(text, block.level)
    if block.kind is BlockKind.CODE:
        longest = max((len(fence) for fence in _FENCE.findall(text)), default=2)
        fence = "`" * (longest + 1)
        return f"{fence}{_language(block)}\n{text}\n{fence}"
    return text


def _language(block: Block) -> str:
    """What a block of code is written in, where its format says so."""
    label = block.native_label
    return label if _WORD.fullmatch(label) and label not in _NO_LANGUAGES else ""


def _between(last: Block, block: Block, text: str) -> str:
    """White space between two blocks: the text's own where a paragraph goes on in the next block."""
    gap = text[last.span.end : block.span.start]
    if last.kind is block.kind and "\n" not in gap and not gap.strip() and block.kind not in _HEADINGS:
        return gap
    return "\n" if last.kind is BlockKind.LIST_ITEM and block.kind is BlockKind.LIST_ITEM else "\n\n"


def _list_item(text: str, level: int) -> str:
    indent = "  " * max(0, level - 1)
    if _ORDERED.match(text):
        return indent + text
    bullet = _BULLET.match(text)
    return f"{indent}- {text[bullet.end() :] if bullet else text}"
