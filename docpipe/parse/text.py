"""Plain text -> paragraphs, and what are plainly headings and lists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from docpipe import _ids
from docpipe._encodings import decode
from docpipe.parse.draft import clean, known, with_language
from docpipe.types import Blob, Block, BlockKind, Document, Span

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")
_CHAPTER = re.compile(
    r"^[^\S\n]*第[一二三四五六七八九十百千零〇两\d]{1,7}([章节回部卷篇编])[^\n。！？；，]{0,40}$", re.M
)
_UNDERLINE = re.compile(r"(?:([=\-~^*#+])\1{2,}|\"{4,})[^\S\n]*")
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,4})\.?\s+\S.*")
_NAMED = re.compile(r"(?:chapter|section|part|appendix|article)\s+(?:\d+|[ivxlc]+|[a-z])\b.*", re.I)
_CHINESE_NUMBERED = re.compile(r"[一二三四五六七八九十]{1,3}、\S.*")
_BULLET = re.compile(r"[^\S\n]*(?:[-*+•·▪‣●○◦–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[^\S\n]+\S")
_SENTENCE_END = (".", ",", ";", ":", "!", "?", "。", "，", "；", "：", "！", "？", "、", "…")
_LONGEST_HEADING = 80
_LONGEST_BLOCK = 20_000
"""Longer stretches without a blank line (logs) are cut at a line break, in code points."""


@dataclass(frozen=True, kw_only=True)
class TextParser:
    """Text in any encoding. The document's text is the file's own, so that every quote is found in it again."""

    VERSION = 2

    headings: bool = True
    """Whether underlined, numbered, capital and 第一章 lines that stand alone are taken as headings."""

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document; an empty file gives an empty one. Places that are no valid text are counted in
        `metadata["encoding_errors"]` and hold U+FFFD."""
        read = decode(blob.data)
        text = clean(read.text)
        blocks = tuple(_blocks(text, headings=self.headings))
        title = next((block.span.of(text).strip() for block in blocks[:1] if block.kind is BlockKind.HEADING), "")
        metadata = {
            "title": title,
            "encoding": read.encoding,
            "encoding_errors": str(read.errors) if read.errors else "",
        }
        yield Document(
            id=_ids.document_id(blob.source.uri),
            source=blob.source,
            text=text,
            pages=(),
            blocks=blocks,
            metadata=known(with_language(metadata, text)),
        )


def _blocks(text: str, *, headings: bool) -> Iterator[Block]:
    ranks: dict[str, int] = {}
    for number, (kind, start, end, level) in enumerate(_pieces(text, ranks, headings=headings)):
        yield Block(id=f"b{number}", kind=kind, span=Span(start, end), level=level)


def _pieces(text: str, ranks: dict[str, int], *, headings: bool) -> Iterator[tuple[BlockKind, int, int, int]]:
    for start, end in _paragraphs(text):
        paragraph = text[start:end]
        if headings:
            underlined = _underlined(paragraph, ranks)
            if underlined:
                first, stop, rest, level = underlined
                yield BlockKind.HEADING, start + first, start + stop, level
                start = _skip_blanks(text, start + rest, end)
                if start >= end:
                    continue
                paragraph = text[start:end]
            level = _heading_level(paragraph, text, end)
            if level:
                yield BlockKind.HEADING, start, end, level
                continue
        items = _items(paragraph)
        if items:
            for first, stop, depth in items:
                yield BlockKind.LIST_ITEM, start + first, start + stop, depth
        else:
            yield from ((BlockKind.PARAGRAPH, a, b, 0) for a, b in _cut(text, start, end))


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Stretches between blank lines, blanks at their ends left off; a 第一章 line stands for itself."""
    breaks = _breaks(text)
    at = 0
    for stop, resume in breaks:
        yield from _trimmed(text, at, stop)
        at = resume
    yield from _trimmed(text, at, len(text))


def _breaks(text: str) -> Iterator[tuple[int, int]]:
    if "第" not in text:
        yield from (match.span() for match in _GAP.finditer(text))
        return
    cuts = [match.span() for match in _GAP.finditer(text)]
    for match in _CHAPTER.finditer(text):
        cuts += [(match.start(), match.start()), (match.end(), match.end())]
    at = 0
    for start, end in sorted(cuts):
        yield max(at, start), max(at, end)
        at = max(at, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    start = _skip_blanks(text, start, end)
    if end > start:
        yield start, start + len(text[start:end].rstrip())


_NOT_BLANK = re.compile(r"\S")


def _skip_blanks(text: str, start: int, end: int) -> int:
    found = _NOT_BLANK.search(text, start, end)
    return found.start() if found else end


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _LONGEST_BLOCK:
        at = text.rfind("\n", start, start + _LONGEST_BLOCK)
        if at < 0:
            at = text.find("\n", start, end)
        if at < 0:
            break
        yield from _trimmed(text, start, at)
        start = at + 1
    yield from _trimmed(text, start, end)


def _underlined(paragraph: str, ranks: dict[str, int]) -> tuple[int, int, int, int] | None:
    """A first line with a rule of signs under it (or above and under): its start, end, where the rest begins, and
    its level by the order in which such rules first appear in the text (as reStructuredText counts)."""
    lines = paragraph[:400].split("\n", 3)
    over = len(lines) > 2 and _UNDERLINE.fullmatch(lines[0]) is not None
    first = 1 if over else 0
    if len(lines) < first + 2:
        return None
    title, rule = lines[first], _UNDERLINE.fullmatch(lines[first + 1])
    if not rule or not 0 < len(title.strip()) <= _LONGEST_HEADING or len(rule.group()) * 2 < len(title.strip()):
        return None
    if _UNDERLINE.fullmatch(title.strip()) or not any(character.isalnum() for character in title):
        return None
    start = len(lines[0]) + 1 if over else 0
    level = ranks.setdefault(rule.group()[0] * (2 if over else 1), len(ranks) + 1)
    return start, start + len(title), min(len(paragraph), start + len(title) + 1 + len(lines[first + 1])), level


def _heading_level(paragraph: str, text: str, end: int) -> int:
    """Level of a single short line that is surely a heading, else 0."""
    if len(paragraph) > _LONGEST_HEADING or "\n" in paragraph or paragraph.endswith(_SENTENCE_END):
        return 0
    chapter = _CHAPTER.fullmatch(paragraph)
    if chapter:
        return 2 if chapter.group(1) == "节" else 1
    if _NAMED.fullmatch(paragraph) and len(paragraph) <= 60:
        return 1
    numbered = _NUMBERED.fullmatch(paragraph)
    if numbered:
        depth = numbered.group(1).count(".") + 1
        return depth if depth > 1 or _prose_follows(text, end) else 0
    if _CHINESE_NUMBERED.fullmatch(paragraph) and len(paragraph) <= 30 and _prose_follows(text, end):
        return 2
    letters = [character for character in paragraph if character.isalpha()]
    shouted = len(letters) >= 4 and paragraph.isupper() and len(paragraph) <= 60
    return 1 if shouted and len(letters) * 2 > len(paragraph) and _prose_follows(text, end) else 0


def _prose_follows(text: str, end: int) -> bool:
    """Whether what comes next is a longer stretch, not one more short line or list item."""
    start = _skip_blanks(text, end, len(text))
    following = text[start : start + 400]
    gap = _GAP.search(following)
    paragraph = following[: gap.start()] if gap else following
    return len(paragraph) > _LONGEST_HEADING and not _NUMBERED.match(paragraph)


def _items(paragraph: str) -> list[tuple[int, int, int]]:
    """Start, end and depth of each item of a paragraph whose lines are list items; else nothing."""
    if not _BULLET.match(paragraph):
        return []
    items: list[tuple[int, int, int]] = []
    indents: list[int] = []
    at = 0
    for line in paragraph.split("\n"):
        blanks = len(line) - len(line.lstrip())
        if _BULLET.match(line):
            while indents and indents[-1] > blanks:
                indents.pop()
            if not indents or indents[-1] < blanks:
                indents.append(blanks)
            items.append((at + blanks, at + len(line.rstrip()), len(indents)))
        elif blanks or len(items) == 1:
            items[-1] = (items[-1][0], at + len(line.rstrip()), items[-1][2])
        else:
            return []
        at += len(line) + 1
    return items if len(items) > 1 else []
