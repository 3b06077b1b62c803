"""Rows of a column -> pieces: paragraphs, headings, list items, each still without a name (pure)."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from docpipe.parse.page.printed import BOLD, GAPPED, MONO, Piece, PrintedLine, union

_SIGN = re.compile(r"[•◦▪▫‣●○■□◆◇▶►➢➤✓✔❖∙]")
_DASH = re.compile(r"[-–—*·o>»](?=\s)")
_INITIAL = re.compile(r"[A-Z]\.")
_NUMBER = re.compile(
    r"\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{2,5})[.)](?=\s)|\[\d{1,3}\]|[（(][一二三四五六七八九十\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}[、．]|\d{1,3}[、．]|[①-⑳]|第[一二三四五六七八九十百\d]{1,4}[章节条部篇]"
)
_ENDS = frozenset('.!?:;。！？：；…”"’)）》」』|')
_CLOSED = frozenset(".!?。！？:：;；")
_RIGHT_TO_LEFT = re.compile(r"[^a-zA-Z]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WIDE_GAP = 1.6
"""Between two parts of a row, in units of its height: beyond it they are cells rather than words."""


def bulleted(text: str) -> bool:
    """Whether a line begins with the sign of a list."""
    return bool(_SIGN.match(text) or _DASH.match(text))


def numbered(text: str) -> str:
    """The number, letter or 一、 that a line begins with, or nothing."""
    match = _NUMBER.match(text)
    return match.group() if match else ""


def joined_row(parts: Sequence[PrintedLine]) -> PrintedLine:
    """The parts of one row as one line."""
    first = parts[0]
    if len(parts) == 1:
        return first
    widest = max(parts, key=lambda part: len(part.text))
    if _RIGHT_TO_LEFT.match(widest.text):
        parts = sorted(parts, key=lambda part: -part.right)
        first = parts[0]
    texts, edges, gapped, whole = [first.text], list(first.edges), 0, bool(first.edges)
    for before, part in pairwise(parts):
        gap = max(part.left - before.right, before.left - part.right)
        if gap > _WIDE_GAP * first.size and not (before is first and (bulleted(first.text) or numbered(first.text))):
            gapped = GAPPED
        close = gap < 0.15 * first.size and not (before.text[-1:].isascii() and part.text[:1].isascii())
        texts += ["" if close else " ", part.text]
        whole = whole and bool(part.edges) and not close
        edges += part.edges
    style = (widest.style & ~BOLD) | gapped | (first.style & BOLD if all(p.style & BOLD for p in parts) else 0)
    return PrintedLine(*union(parts), "".join(texts), widest.size, style, edges if whole else ())


def pieces(rows: Iterable[PrintedLine], *, column: int, left: float, right: float) -> list[Piece]:
    """Cut a column's lines where a paragraph, a heading or a list item ends."""
    lines = list(rows)
    pitch = _pitch(lines)
    found: list[Piece] = []
    current: list[PrintedLine] = []
    for line in lines:
        if current and _parts(current, line, pitch, left, right):
            found.append(Piece("text", tuple(current), union(current), column, left, right))
            current = []
        current.append(line)
    if current:
        found.append(Piece("text", tuple(current), union(current), column, left, right))
    return found


def _pitch(lines: list[PrintedLine]) -> float:
    """The usual distance from one line to the next, in units of their size; 0 where there is none."""
    steps = sorted(
        (line.bottom - before.bottom) / line.size
        for before, line in pairwise(lines)
        if abs(line.size - before.size) < 0.6 and 0 < line.bottom - before.bottom < 2.6 * line.size
    )
    return steps[len(steps) * 2 // 5] if steps else 0.0


def _parts(current: list[PrintedLine], line: PrintedLine, pitch: float, left: float, right: float) -> bool:
    """Whether `line` begins something new after `current`."""
    before = current[-1]
    step = line.bottom - before.bottom
    usual = (min(max(pitch, 1.15), 1.5) if line.size > 12.5 else pitch or 1.35) * max(line.size, before.size)
    if step > max(1.22 * usual, usual + 1.5) and step > 1.22 * _own_pitch(current, usual):
        return True
    if step < -0.5 * line.size or abs(line.size - before.size) > 0.08 * max(line.size, before.size):
        return True
    if (line.style ^ before.style) & (GAPPED | MONO):
        return True
    if line.style & (GAPPED | MONO):
        return False
    return (
        _styled_apart(before, line, right)
        or _marked_apart(current, line, right)
        or _set_apart(current, line, left, right)
    )


def _own_pitch(current: list[PrintedLine], usual: float) -> float:
    """The distance of the lines of a paragraph that has some of its own (a title set wide)."""
    if len(current) < 2 or abs(current[-1].size - current[-2].size) > 0.6:
        return usual if usual < 1.8 * current[-1].size else 1.3 * current[-1].size
    return max(usual, current[-1].bottom - current[-2].bottom)


def _styled_apart(before: PrintedLine, line: PrintedLine, right: float) -> bool:
    if not (before.style ^ line.style) & BOLD:
        return False
    short = before.right < right - 2 * before.size
    return short or before.text[-1:] in _ENDS


def _marked_apart(current: list[PrintedLine], line: PrintedLine, right: float) -> bool:
    """Whether the line begins with a list mark, at a place where an item may begin."""
    text, before = line.text, current[-1]
    if _SIGN.match(text):
        return True
    short = before.right < right - 3 * before.size
    if bulleted(text):
        again = bulleted(current[0].text) and abs(line.left - current[0].left) < 2.0
        return again or short or before.text[-1:] in _CLOSED
    mark = numbered(text)
    if not mark:
        return False
    again = bool(numbered(current[0].text)) and abs(line.left - current[0].left) < 2.0
    return again or short or (before.text[-1:] in _CLOSED and not _INITIAL.match(text))


def _set_apart(current: list[PrintedLine], line: PrintedLine, left: float, right: float) -> bool:
    """Whether indents or a short line before say that a new paragraph begins."""
    before, size = current[-1], line.size
    ended = before.text[-1:] in _ENDS
    short = before.right < right - max(2 * size, 0.08 * (right - left), _next_word(line) + 0.3 * size)
    shift = line.left - before.left
    if len(current) == 1:
        if shift > 0.7 * size:  # a hanging indent, or a short line above an indented one
            return short and ended and not _hangs(current[0])
        return short and ended and shift > -0.7 * size
    hanging = current[1].left - current[0].left > 0.7 * size
    if hanging and abs(line.left - current[0].left) < 0.4 * size:
        return True
    if shift > 0.7 * size and ended and line.left - left < 5 * size:
        return True
    if shift < -0.7 * size and not hanging and len(current) > 1:
        return ended and short
    return short and ended


def _next_word(line: PrintedLine) -> float:
    """Width of its first word, for which the line before had no room if the paragraph goes on."""
    if len(line.edges) > 2 and line.text.isascii():
        return line.edges[1] - line.edges[0]
    return 0.0


def _hangs(line: PrintedLine) -> bool:
    return bulleted(line.text) or bool(numbered(line.text))
