"""Blocks, answers and pictures -> HTML pages that need nothing else (pure)."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from docpipe.tables import without_tags
from docpipe.types import Answer, Block, BlockKind, Citation, Document

_COLOURS = {
    BlockKind.TITLE: "#b71c1c",
    BlockKind.HEADING: "#d84315",
    BlockKind.PARAGRAPH: "#1565c0",
    BlockKind.LIST_ITEM: "#00838f",
    BlockKind.TABLE: "#2e7d32",
    BlockKind.FIGURE: "#6a1b9a",
    BlockKind.CAPTION: "#ad1457",
    BlockKind.FORMULA: "#4527a0",
    BlockKind.CODE: "#37474f",
    BlockKind.HEADER: "#757575",
    BlockKind.FOOTER: "#757575",
    BlockKind.FOOTNOTE: "#795548",
    BlockKind.REFERENCE: "#9e9d24",
    BlockKind.PAGE_NUMBER: "#757575",
    BlockKind.OTHER: "#000000",
}

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem;background:#f4f4f4;color:#222}
.page{position:relative;margin:0 auto 1.5rem;max-width:1000px;background:#fff;box-shadow:0 1px 6px #0005}
.page img,.proof img{display:block;width:100%}
.block{position:absolute;border:1.5px solid;box-sizing:border-box}
.block:hover{background:#ffeb3b55;z-index:2}
.block b{position:absolute;left:-1px;top:-15px;font:10px/14px monospace;color:#fff;padding:0 3px;white-space:nowrap}
.row{border-left:4px solid;background:#fff;margin:.4rem auto;max-width:1000px;padding:.3rem .8rem;white-space:pre-wrap}
.row b{font:11px monospace}
h1,h2,.note,.answer,.proof{max-width:1000px;margin-left:auto;margin-right:auto}
.note{color:#555}.warning{color:#b71c1c;font-weight:600}
.answer,.proof{background:#fff;padding:.8rem 1.2rem;white-space:pre-wrap;margin-bottom:1rem}
mark{background:#ffe84a}blockquote{border-left:4px solid #ffe84a;margin:.5rem 0;padding-left:.8rem}
"""

_POLICY = "default-src 'none'; img-src data: 'self' file:; style-src 'unsafe-inline'"
"""No script and nothing from the network, whatever a document's text says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A page as a picture."""

    page: int
    data: bytes
    media_type: str


def text_of(value: str) -> str:
    """Text for HTML: escaped, characters that HTML does not have shown as U+FFFD."""
    cleaned = "".join("\ufffd" if _forbidden(char) else char for char in value)
    return escape(cleaned, quote=True)


def blocks_page(document: Document, pictures: Sequence[Picture], *, note: str = "") -> str:
    """A document's pages with their blocks boxed and numbered; blocks without a picture as a list.

    Args:
        note: what is missing, for the reader.
    """
    shown = {picture.page for picture in pictures}
    numbered = list(enumerate(document.blocks, start=1))
    parts = [f"<h1>{text_of(document.source.uri)}</h1>", _legend(document.blocks)]
    if note:
        parts.append(f'<p class="note">{text_of(note)}</p>')
    for picture in pictures:
        parts.append(_page(picture, [item for item in numbered if item[1].page == picture.page], document.text))
    rest = [item for item in numbered if item[1].page not in shown and (not shown or item[1].page is None)]
    parts += [_row(number, block, document.text) for number, block in rest]
    return html_page(document.source.uri, parts)


def answer_page(answer: Answer, proofs: Iterable[str]) -> str:
    """A question, its answer and its proofs, each of them HTML that `proof` made."""
    parts = [f"<h1>{text_of(answer.question)}</h1>", f'<div class="answer">{text_of(answer.text)}</div>', *proofs]
    return html_page(answer.question[:100], parts)


def proof(citation: Citation, *, files: Mapping[int, str], passage: str = "", remark: str = "") -> str:
    """One citation: its place, quote and pictures.

    Args:
        files: page -> name of its picture, beside the HTML file.
        passage: text around the quote, shown where there is no picture.
        remark: what the reader must be told.
    """
    pages = f", page {', '.join(map(str, citation.pages))}" if citation.pages else ""
    parts = [f'<div class="proof"><h2>{text_of(citation.marker)} {text_of(citation.uri or citation.url)}{pages}</h2>']
    if remark:
        parts.append(f'<p class="warning">{text_of(remark)}</p>')
    if not citation.verified:
        parts.append('<p class="warning">the quote was not found again in the source</p>')
    parts.append(f"<blockquote>{text_of(without_tags(citation.quote))}</blockquote>")
    if files and not citation.boxes:
        parts.append('<p class="note">where the words stand on the page is not known</p>')
    for page, name in files.items():
        alt = f"page {page} of {citation.uri}"
        parts.append(f'<p class="note">page {page}</p><img src="{text_of(name)}" alt="{text_of(alt)}">')
    if passage and not files:
        parts.append(marked(passage, citation.quote))
    return "".join(parts) + "</div>"


def marked(passage: str, quote: str) -> str:
    """A passage with the quote marked; line breaks and runs of blanks need not be the same."""
    start, end = _find(passage, quote)
    before, inside, after = (without_tags(part) for part in (passage[:start], passage[start:end], passage[end:]))
    return (
        f"{text_of(before)}<mark>{text_of(inside)}</mark>{text_of(after)}" if end > start else text_of(before + after)
    )


def html_page(title: str, parts: Iterable[str]) -> str:
    """A whole HTML file."""
    head = (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{text_of(title)}</title><style>{_STYLE}</style></head><body>"
    )
    return head + "\n".join(parts) + "</body></html>\n"


def _forbidden(char: str) -> bool:
    code = ord(char)
    return (code < 32 and char not in "\t\n") or 127 <= code < 160 or 0xD800 <= code < 0xE000


def _find(passage: str, quote: str) -> tuple[int, int]:
    """Where the quote stands, white space folded; (0, 0) if nowhere."""
    kept = [at for at, char in enumerate(passage) if not char.isspace()]
    letters = "".join(passage[at] for at in kept)
    wanted = "".join(quote.split())
    at = letters.find(wanted) if wanted else -1
    return (kept[at], kept[at + len(wanted) - 1] + 1) if at >= 0 else (0, 0)


def _legend(blocks: Sequence[Block]) -> str:
    counts: dict[BlockKind, int] = {}
    for block in blocks:
        counts[block.kind] = counts.get(block.kind, 0) + 1
    items = (f'<span style="color:{_COLOURS[kind]}">{kind} {count}</span>' for kind, count in counts.items())
    return f'<p class="note">{len(blocks)} blocks: {" · ".join(items)}</p>'


def _page(picture: Picture, blocks: Sequence[tuple[int, Block]], text: str) -> str:
    data = base64.b64encode(picture.data).decode("ascii")
    boxes = "".join(_box(number, block, text) for number, block in blocks if block.bbox is not None)
    image = f'<img src="data:{picture.media_type};base64,{data}" alt="page {picture.page}">'
    return f'<p class="note">page {picture.page}</p><div class="page">{image}{boxes}</div>'


def _box(number: int, block: Block, text: str) -> str:
    left, top, right, bottom = block.bbox or (0.0, 0.0, 0.0, 0.0)
    place = f"left:{left:.3%};top:{top:.3%};width:{right - left:.3%};height:{bottom - top:.3%}"
    colour = _COLOURS[block.kind]
    hover = text_of(f"{number} {_label(block)}\n{block.span.of(text)[:600]}")
    label = f'<b style="background:{colour}">{number} {_label(block)}</b>'
    return f'<div class="block" style="{place};border-color:{colour}" title="{hover}">{label}</div>'


def _row(number: int, block: Block, text: str) -> str:
    colour, content = _COLOURS[block.kind], text_of(without_tags(block.span.of(text)))
    page = f" p. {block.page}" if block.page is not None else ""
    label = f'<b style="color:{colour}">{number} {_label(block)}{page}</b>'
    return f'<div class="row" style="border-color:{colour}">{label} {content}</div>'


def _label(block: Block) -> str:
    return f"{block.kind} {block.level}" if block.level else str(block.kind)
