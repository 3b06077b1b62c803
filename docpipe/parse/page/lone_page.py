"""The only page of a document -> which of its lines are running lines by where and how they stand (pure).

On several pages running lines are known by coming back; here only by the margin, the gap to the text and the type.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from docpipe.parse.page.printed import GAPPED, PrintedLine, PrintedPage
from docpipe.types import BlockKind

_MARGIN = 0.065
"""Of the page's height: a short line by itself that is this near to the edge is a running line."""
_ZONE = 0.14
"""Of the page's height: in it a line of small type, or one of parts wide apart, is a running line."""
_SMALL = 0.7
"""Of the usual size of letters."""
_GAP = 1.4
"""Least white space to the text, in heights of the line."""
_NARROW_GAP = 0.4
_LONGEST = 120
_ACCOUNT = re.compile(r"(?:\d[ -]?){9}")
"""The number of an account or a telephone: people ask for it, and on a letter it stands nowhere else."""
_FEWEST = 4
"""Lines that must be left as text."""
_MOST = 3
_PARTS = 3
_WIDE = 0.5
"""Least share of the page's width between the first and the last of the parts that stand apart."""

_Row = list[PrintedLine]


def lone_running_lines(page: PrintedPage) -> dict[int, BlockKind]:
    """Kinds of the lines, by their identity, that are a header or a footer; no more than three rows at each end."""
    lines = [
        line for piece in page.pieces if piece.role in ("text", "aside") and piece.told is None for line in piece.lines
    ]
    rows = _rows(lines)
    texts = [line for piece in page.pieces for line in piece.lines]
    usual = _usual_size(texts)
    height, width = page.frame[1], page.frame[0]
    found: dict[int, BlockKind] = {}
    for kind, ordered in ((BlockKind.HEADER, rows), (BlockKind.FOOTER, rows[::-1])):
        for row in _outer(ordered, kind, height, width, usual, texts):
            found.update((id(line), kind) for line in row)
    return found if len(texts) - len(found) >= _FEWEST else {}


def _rows(lines: Sequence[PrintedLine]) -> list[_Row]:
    """Lines side by side as one row, from the top down."""
    rows: list[_Row] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom, line.left)):
        last = rows[-1][-1] if rows else None
        if last is not None and (line.top + line.bottom) / 2 < last.bottom and (last.top + last.bottom) / 2 > line.top:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _usual_size(lines: Sequence[PrintedLine]) -> float:
    letters: Counter[float] = Counter()
    for line in lines:
        letters[round(line.size, 1)] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _outer(
    rows: Sequence[_Row], kind: BlockKind, height: float, width: float, usual: float, texts: Sequence[PrintedLine]
) -> Iterator[_Row]:
    """The rows from one edge of the page inwards, as far as they are running lines."""
    for row in rows[:_MOST]:
        depth = max(line.bottom for line in row) if kind is BlockKind.HEADER else height - min(line.top for line in row)
        text = " ".join(line.text for line in row)
        if len(text) > _LONGEST or depth > _ZONE * height or _ACCOUNT.search(text):
            return
        tall = max(line.bottom - line.top for line in row)
        gap = _gap(row, kind, texts)
        size = max(line.size for line in row)
        in_margin = depth <= _MARGIN * height and size <= usual * 1.3
        spread = _is_spread(row, width) and any(letter.isdigit() for letter in text)
        apart = gap >= _GAP * tall and (in_margin or size <= _SMALL * usual)
        if not apart and not (spread and gap >= _NARROW_GAP * tall):
            return
        yield row


def _gap(row: _Row, kind: BlockKind, texts: Sequence[PrintedLine]) -> float:
    """White space between a row and the text further in, in points."""
    if kind is BlockKind.HEADER:
        edge = max(line.bottom for line in row)
        return min((line.top - edge for line in texts if line.top + line.bottom > 2 * edge), default=0.0)
    edge = min(line.top for line in row)
    return min((edge - line.bottom for line in texts if line.top + line.bottom < 2 * edge), default=0.0)


def _is_spread(row: _Row, width: float) -> bool:
    """Whether three short parts or more stand over the width of the page."""
    parts = len(row) + 2 * sum(bool(line.style & GAPPED) for line in row)
    across = max(line.right for line in row) - min(line.left for line in row)
    return parts >= _PARTS and across > _WIDE * width
