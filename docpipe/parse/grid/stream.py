"""Words in columns without drawn cells -> tables (pure)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from docpipe.parse.content import Box, FoundTable, Word
from docpipe.parse.grid.alignment import Column, align, columns
from docpipe.parse.grid.cells import adopt, table, words_in
from docpipe.parse.grid.lattice import Lines, Segment
from docpipe.parse.grid.phrases import Phrase, hull, is_number, phrase, phrases, text_lines, word_space
from docpipe.parse.grid.running_text import stretches, within

_SHORT = 4
"""A label of so many words or fewer may be wide."""
_GAP = 0.6
"""Lines without a wider gap, in heights of a word, are no rows of a table."""
_FARTHEST = 2.6
"""The widest gap between two lines of a table, in heights of a line."""
_HEADER_GAP = 1.3
"""The same between lines of its header."""
_MOST_HEADER_LINES = 10
_PROSE_INK = 0.55
"""Boxes with more of their surface under words are running text."""
_RULE_REACH = 60.0
"""How far above its first and below its last line a rule can still be a table's own, in points."""
_MOST_LABELS = 3
"""Lines with nothing but a label that may follow each other in a table."""


class Line(NamedTuple):
    """A printed line: its phrases from left to right, without those that are running text."""

    top: float
    bottom: float
    parts: list[Phrase]
    prose: list[Phrase]


def tables(words: Sequence[Word], drawn: Lines) -> list[FoundTable]:
    """Tables made by the alignment of their words.

    Args:
        words: those that stand in no drawn grid.
        drawn: lines of the page.
    """
    printed = text_lines(words)
    if not _may_hold_tables(printed):
        return []
    lines = _lines(printed, drawn.down)
    return [found for block in _blocks(lines) if (found := _table(block, lines, drawn.across)) is not None]


def aligned(box: Box, words: Sequence[Word], drawn: Lines) -> FoundTable | None:
    """The words of a box known to be one table, read by their alignment and the lines drawn between them."""
    printed = text_lines(words_in(box, words))
    space = word_space(printed)
    body = [_cut_at(phrases(line, space), drawn.down) for line in printed]
    full = [parts for parts in body if len(parts) > 1]
    found = columns(full) if len(full) > 1 else []
    if len(found) < 2:
        return None
    first = _first_figures(body)
    made = align(body[:first], body[first:], found, drawn.across)
    return table(made.grid, adopt(made.grid, made.held, words), header_rows=made.header_rows)


def _cut_at(parts: Sequence[Phrase], down: Sequence[Segment]) -> list[Phrase]:
    """Phrases cut where a vertical line stands between two of their words."""
    if not down:
        return list(parts)
    cut: list[Phrase] = []
    for part in parts:
        run = [part.words[0]]
        for before, word in pairwise(part.words):
            middle = (word[1] + word[3]) / 2
            if any(before[2] - 1 <= x <= word[0] + 1 and start <= middle <= end for x, start, end in down):
                cut.append(phrase(run))
                run = []
            run.append(word)
        cut.append(phrase(run))
    return cut


def _may_hold_tables(printed: Sequence[Sequence[Word]]) -> bool:
    """A quick look: whether two lines have a gap that is wider than between words."""
    gapped = 0
    for line in printed:
        reach = line[0][2]
        for word in line:
            if word[0] - reach > _GAP * (word[3] - word[1]):
                gapped += 1
                break
            reach = word[2]
        if gapped == 2:
            return True
    return False


def _lines(printed: Sequence[Sequence[Word]], down: Sequence[Segment]) -> list[Line]:
    space = word_space(printed)
    cut = [_cut_at(phrases(line, space), down) for line in printed]
    prose = stretches(cut)
    lines = []
    for parts in cut:
        box = hull(parts)
        kept: list[Phrase] = []
        running: list[Phrase] = []
        for part in parts:
            (running if within(part, prose) else kept).append(part)
        lines.append(Line(box.top, box.bottom, kept, running))
    return lines


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Runs of lines that may be tables: most have several phrases; labels may stand between."""
    block: list[Line] = []
    waiting: list[Line] = []
    for line in lines:
        if not line.parts:
            if line.prose and block and _beside(line.prose, block):
                yield block
                block, waiting = [], []
            continue
        last = waiting[-1] if waiting else block[-1] if block else None
        if last is not None and line.top - last.bottom > _FARTHEST * (line.bottom - line.top):
            yield block
            block, waiting = [], []
        if len(line.parts) < 2:
            if block and last and _opens_another(line, block, last):
                yield block
                block, waiting = [], []
            elif block:
                waiting.append(line)
                if len(waiting) > _MOST_LABELS or not _is_label(line, block):
                    yield block
                    block, waiting = [], []
            continue
        block += [*waiting, line]
        waiting = []
    yield block


def _opens_another(line: Line, block: Sequence[Line], last: Line) -> bool:
    """Whether a line with one phrase, set off from the block and not at its left edge, heads the next table."""
    if len(block) < 3:
        return False
    left = min(part.left for each in block for part in each.parts)
    pitch = median(below.top - above.top for above, below in pairwise(block))
    return line.top - last.top > 1.6 * pitch and line.parts[0].left > left + 4 * (line.bottom - line.top)


def _beside(prose: Sequence[Phrase], block: Sequence[Line]) -> bool:
    """Whether running text stands in the way of a block that would go on below it."""
    outline = hull(part for line in block for part in line.parts)
    return any(part.left < outline.right and part.right > outline.left for part in prose)


def _is_label(line: Line, block: Sequence[Line]) -> bool:
    """Whether a line with one phrase can be a row of the block: it does not write over all of its columns."""
    outline = hull(part for each in block for part in each.parts)
    part = line.parts[0]
    return part.right - part.left < 0.6 * (outline.right - outline.left) or len(part.words) <= _SHORT


def _table(block: list[Line], lines: Sequence[Line], rules: Sequence[Segment]) -> FoundTable | None:
    block = _framed(block, rules)
    if len(block) < 2:
        return None
    body = [line.parts for line in block]
    found = columns([parts for parts in body if len(parts) > 1])
    if len(found) < 2:
        return None
    outline = hull(part for parts in body for part in parts)
    near = [rule for rule in rules if rule.start < outline.right and rule.end > outline.left]
    if not _plausible(body, found, outline, near) or _is_contents(body):
        return None
    if _inked(outline, lines) > _PROSE_INK:
        return None
    above = _header_above(block[0], lines, outline, _top_rule(outline, near))
    every = [*above, *body]
    first = _first_figures(every)
    made = align(every[:first], every[first:], found, near)
    held = adopt(
        made.grid, made.held, (word for line in lines for part in line.prose + line.parts for word in part.words)
    )
    return table(made.grid, held, header_rows=made.header_rows)


def _first_figures(lines: Sequence[Sequence[Phrase]]) -> int:
    """How many lines at the top are not mostly figures right of their first phrase; 1 where no line is."""
    return next((number for number, parts in enumerate(lines) if _holds_figures(parts)), 1)


def _holds_figures(parts: Sequence[Phrase]) -> bool:
    figures = sum(is_number(part.text) and not _is_year(part.text) for part in parts[1:])
    return figures > 0 and 2 * figures >= len(parts) - 1


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and text[:2] in ("18", "19", "20")


def _framed(block: list[Line], rules: Sequence[Segment]) -> list[Line]:
    """A block without the lines above its first and below its last long rule, where these stand near its ends."""
    if not block:
        return block
    outline = hull(part for line in block for part in line.parts)
    long = _long(outline, rules)
    inside = [rule.at for rule in long if outline.top < rule.at < outline.bottom]
    height = outline.bottom - outline.top
    if len(long) >= 2 and inside:
        if inside[0] < outline.top + 0.4 * height and not _long_above(outline, long):
            block = [line for line in block if (line.top + line.bottom) / 2 > inside[0]]
        if len(inside) >= 2 and inside[-1] > outline.bottom - 0.4 * height and long[-1].at < outline.bottom:
            block = [line for line in block if (line.top + line.bottom) / 2 < inside[-1]]
    return block


def _long(outline: Box, rules: Sequence[Segment]) -> list[Segment]:
    """Horizontal lines over most of the width of a table, within its reach."""
    width = outline.right - outline.left
    return [
        rule
        for rule in rules
        if min(rule.end, outline.right) - max(rule.start, outline.left) > 0.7 * width
        and rule.end - rule.start < 1.3 * width
        and outline.top - _RULE_REACH < rule.at < outline.bottom + _RULE_REACH
    ]


def _long_above(outline: Box, long: Sequence[Segment]) -> bool:
    return any(rule.at <= outline.top + 2 for rule in long)


def _top_rule(outline: Box, rules: Sequence[Segment]) -> float | None:
    """y of the highest long rule right above a table (with its header), if it has one."""
    above = [rule.at for rule in _long(outline, rules) if rule.at <= outline.top + 2]
    return min(above, default=None)


def _header_above(first: Line, lines: Sequence[Line], outline: Box, top: float | None) -> list[list[Phrase]]:
    """Lines over a block that belong to its header: close above it, within its width, below its top rule."""
    number = next(number for number, line in enumerate(lines) if line is first)
    header: list[list[Phrase]] = []
    below = first
    for line in reversed(lines[max(0, number - _MOST_HEADER_LINES) : number]):
        height = line.bottom - line.top
        parts = [part for part in line.parts if part.right > outline.left and part.left < outline.right]
        if not parts:
            if any(part.right > outline.left and part.left < outline.right for part in line.prose):
                break
            continue
        if _holds_figures(line.parts) or (top is not None and (line.top + line.bottom) / 2 < top):
            break
        if below.top - line.bottom > _HEADER_GAP * height:
            break
        if any(part.left < outline.left - 5 or part.right > outline.right + 5 for part in parts):
            break
        wide = max(part.right - part.left for part in parts) > 0.6 * (outline.right - outline.left)
        if top is None and (wide or (len(parts) == 1 and parts[0].left < outline.left + 5)):
            break
        header.insert(0, parts)
        below = line
    return header


def _inked(box: Box, lines: Sequence[Line]) -> float:
    """Share of a box's surface under words, leaders left out: above 0.6 in running text, below 0.4 in most tables."""
    inked = 0.0
    for line in lines:
        if box.top <= (line.top + line.bottom) / 2 <= box.bottom:
            for part in (*line.parts, *line.prose):
                if part.left < box.right and part.right > box.left:
                    inked += sum(
                        (w[2] - w[0]) * (w[3] - w[1]) for w in part.words if w[4][-1].isalnum() or len(w[4]) < 4
                    )
    return inked / max(1.0, (box.right - box.left) * (box.bottom - box.top))


def _is_contents(body: Sequence[Sequence[Phrase]]) -> bool:
    """Whether lines end in page numbers that only rise: a table of contents."""
    ends = [parts[-1].text for parts in body if len(parts) > 1]
    pages = [int(text) for text in ends if text.isdecimal() and len(text) < 5]
    others = [part.text for parts in body for part in (parts[1:-1] or parts[:-1])]
    return (
        len(pages) >= 4
        and len(pages) >= 0.8 * len(ends)
        and pages == sorted(pages)
        and pages[0] < pages[-1]
        and 3 * sum(map(is_number, others)) < len(others)
    )


def _plausible(
    body: Sequence[Sequence[Phrase]], found: Sequence[Column], outline: Box, rules: Sequence[Segment]
) -> bool:
    """Whether lines with columns are a table, and not a list, a table of contents, an address or a drawing."""
    rows = [parts for parts in body if len(parts) > 1]
    cells = [part for parts in rows for part in parts]
    right = [part for parts in rows for part in parts[1:]]
    filled = len(cells) / (len(rows) * len(found))
    figures = sum(is_number(part.text) for part in right) / len(right)
    long = [rule for rule in rules if rule.end - rule.start > 0.6 * (outline.right - outline.left)]
    height = outline.bottom - outline.top
    framed = [rule for rule in long if outline.top - 40 < rule.at < outline.bottom + 20]
    short = median(len(part.words) for part in right) <= 3
    if filled < 0.45 or height <= 0:
        return False
    if len(framed) >= 2 and len(rows) >= 2:
        return figures >= 0.3 or short
    if figures >= 0.5 and len(rows) >= 3:
        return len(found) >= 3 or figures >= 0.7
    return len(found) >= 3 and len(rows) >= 4 and short and filled > 0.7
