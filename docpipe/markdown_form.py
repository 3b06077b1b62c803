"""Document -> Markdown to read or to compare (pure)."""

from collections.abc import Container

from docpipe.types import FURNITURE, Block, BlockKind, Document

_MARKS = ("-", "*", "+", "•", "◦", "▪", "–", "·")


def markdown(document: Document, *, pages: Container[int] | None = None, furniture: bool = False) -> str:
    """The blocks as Markdown, in reading order.

    Args:
        pages: only blocks of these pages (from 1); blocks without a page are always given.
        furniture: whether running headers, footers and page numbers are given too.
    """
    parts: list[str] = []
    last: BlockKind | None = None
    for block in document.blocks:
        if pages is not None and block.page is not None and block.page not in pages:
            continue
        if block.kind in FURNITURE and not furniture:
            continue
        text = block_markdown(block, block.span.of(document.text).strip())
        if not text:
            continue
        tight = last is BlockKind.LIST_ITEM and block.kind is BlockKind.LIST_ITEM
        parts.append(("\n" if tight else "\n\n") if parts else "")
        parts.append(text)
        last = block.kind
    return "".join(parts) + "\n" if parts else ""


def block_markdown(block: Block, text: str) -> str:
    """One block's text as Markdown; tables stay HTML, which Markdown allows."""
    if not text and block.kind is not BlockKind.FIGURE:
        return ""
    match block.kind:
        case BlockKind.TITLE | BlockKind.HEADING:
            return f"{'#' * min(6, max(1, block.level))} {' '.join(text.split())}"
        case BlockKind.LIST_ITEM:
            return _list_item(text, block.level)
        case BlockKind.CODE:
            fence = "```"
            while fence in text:
                fence += "`"
            return f"{fence}\n{text}\n{fence}"
        case BlockKind.FIGURE:
            return text and f"[figure: {text}]"
        case BlockKind.FORMULA:
            return f"$$\n{text}\n$$"
        case _:
            return text


def _list_item(text: str, level: int) -> str:
    indent = "  " * max(0, level - 1)
    first, _, rest = text.partition(" ")
    if first[:-1].isdigit() and first[-1:] in ".)" and rest:
        return f"{indent}{text}"
    if first in _MARKS and rest:
        text = rest.strip()
    return f"{indent}- {text}"
