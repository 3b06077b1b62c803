"""Lines, tables and pictures of one page -> its pieces in reading order (pure)."""

from collections.abc import Sequence

from docpipe.parse.content import Box, FoundTable
from docpipe.parse.page.columns import Column, Item, columns
from docpipe.parse.page.paragraphs import joined_row, pieces
from docpipe.parse.page.printed import Piece, PrintedLine, union

_SMALLEST_PICTURE = 0.01
"""Of the page's area: smaller ones are logos and ornaments."""
_MOST_PICTURES = 300
"""On one page; with more, small ones are left out before those that touch are joined."""
_EDGE = 0.1
"""Of the page's height: where running headers and footers stand."""
_MOST_EDGE_ROWS = 3
_GAP = 0.9
"""White space between a running header and the text, in units of the next line's height."""
_BACKGROUND = 0.6
"""Of the page's area: a larger picture with text on it is what the page is printed on."""

_BAR = 2.5
"""Height of a coloured bar behind a heading, in units of its line's height, at most."""
_PROSE_LINE = 40
"""Characters: longer lines on a picture are text rather than labels."""
_FILLED = 0.3
"""Of a picture's area: where long lines cover more, it is the ground on which text is printed."""


def arrange(
    lines: Sequence[PrintedLine],
    *,
    turned: Sequence[Sequence[PrintedLine]] = (),
    tables: Sequence[FoundTable] = (),
    pictures: Sequence[Box] = (),
    width: float,
    height: float,
) -> tuple[Piece, ...]:
    """Pieces of a page in reading order; text that runs in another direction comes last.

    Args:
        turned: groups of lines that run in another direction than the page.
        tables: found tables; lines on them are left out, as the tables hold their words.
        pictures: boxes of pictures; lines on them become their text.
        width, height: of the reading frame, in points.
    """
    pictures = _shown(pictures, width * height)
    free, inside = _sorted_out(lines, tables, pictures)
    backdrops = [number for number, held in inside.items() if _is_backdrop(pictures[number], held)]
    if backdrops:
        pictures = [box for number, box in enumerate(pictures) if number not in backdrops]
        free, inside = _sorted_out(lines, tables, pictures)
    blocks = [
        *(Piece("table", (), table.box, 0, table.box.left, table.box.right, table) for table in tables),
        *(Piece("figure", tuple(inside.get(n, ())), box, 0, box.left, box.right) for n, box in enumerate(pictures)),
    ]
    found: list[Piece] = []
    ordered = [column for part in _parted(_items(free, blocks), height) for column in columns(part)]
    for number, column in enumerate(ordered):
        found += _pieces(column, number, free, blocks)
    end = found[-1].column + 1 if found else 0
    for number, group in enumerate(turned):
        box = union(group)
        found.append(Piece("turned", tuple(group), box, end + number, box.left, box.right))
    return tuple(found)


def _items(lines: list[PrintedLine], blocks: list[Piece]) -> list[Item]:
    items = [Item(line[0], line[1], line[2], line[3], number) for number, line in enumerate(lines)]
    count = len(lines)
    return items + [Item(*block.box, count + number, False) for number, block in enumerate(blocks)]


def _parted(items: list[Item], height: float) -> list[list[Item]]:
    """Head, body and foot of a page: a few lines at its edge, with white space between them and the rest."""
    items.sort(key=lambda item: item.bottom)
    top = _head([(item.top, item.bottom) for item in items], height)
    items.sort(key=lambda item: -item.top)
    foot = _head([(height - item.bottom, height - item.top) for item in items[: len(items) - top]], height)
    ends = items[:foot]
    items.sort(key=lambda item: item.bottom)
    return [items[:top], [item for item in items[top:] if item not in ends], ends]


def _head(spans: list[tuple[float, float]], height: float) -> int:
    """How many items at the edge stand apart; spans are sorted by their end."""
    last, rows = 0.0, 0
    for number, (start, end) in enumerate(spans):
        if start > last:
            rows += 1
            if number and start - last > _GAP * (end - start):
                return number
            if rows > _MOST_EDGE_ROWS:
                return 0
        if end > _EDGE * height:
            return 0
        last = max(last, end)
    return 0


def _pieces(column: Column, number: int, lines: list[PrintedLine], blocks: list[Piece]) -> list[Piece]:
    """The pieces of one column, its tables and pictures between its paragraphs."""
    found: list[Piece] = []
    rows: list[PrintedLine] = []
    count = len(lines)
    for row in column.rows:
        if row[0] < count:
            rows.append(joined_row([lines[index] for index in row]))
            continue
        found += pieces(rows, column=number, left=column.left, right=column.right)
        rows = []
        found += [blocks[index - count]._replace(column=number) for index in row]
    found += pieces(rows, column=number, left=column.left, right=column.right)
    if column.aside:
        return [piece._replace(role="aside") if piece.role == "text" else piece for piece in found]
    return found


def _shown(pictures: Sequence[Box], area: float) -> list[Box]:
    """Pictures large enough to be figures, those that touch joined (they are often cut into strips)."""
    if len(pictures) > _MOST_PICTURES:
        pictures = [box for box in pictures if _area(box) >= _SMALLEST_PICTURE * area]
    joined: list[Box] = []
    for box in sorted(pictures, key=lambda box: (box.top, box.left)):
        for index, other in enumerate(joined):
            if _touch(box, other):
                joined[index] = union((box, other))
                break
        else:
            joined.append(box)
    return [box for box in joined if _SMALLEST_PICTURE * area <= _area(box) <= _BACKGROUND * area]


def _is_backdrop(box: Box, lines: Sequence[PrintedLine]) -> bool:
    """Whether a picture only colours what is printed on it: a paragraph that fills it, or one line on a bar."""
    tallest = max(line.bottom - line.top for line in lines)
    if box.bottom - box.top <= _BAR * tallest:
        return True
    prose = [line for line in lines if len(line.text) > _PROSE_LINE]
    return sum(_area(line.box) for line in prose) > _FILLED * _area(box)


def _touch(box: Box, other: Box) -> bool:
    return (
        box.left <= other.right + 1
        and other.left <= box.right + 1
        and box.top <= other.bottom + 1
        and other.top <= box.bottom + 1
    )


def _area(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)


def _sorted_out(
    lines: Sequence[PrintedLine], tables: Sequence[FoundTable], pictures: Sequence[Box]
) -> tuple[list[PrintedLine], dict[int, list[PrintedLine]]]:
    """The lines that stand free, and those on each picture; those in tables are dropped."""
    if not tables and not pictures:
        return list(lines), {}
    free: list[PrintedLine] = []
    inside: dict[int, list[PrintedLine]] = {}
    for line in lines:
        x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        if any(_holds(table.box, x, y) for table in tables):
            continue
        number = next((n for n, box in enumerate(pictures) if _holds(box, x, y)), None)
        if number is None:
            free.append(line)
        else:
            inside.setdefault(number, []).append(line)
    return free, inside


def _holds(box: Box, x: float, y: float) -> bool:
    return box.left <= x <= box.right and box.top <= y <= box.bottom
