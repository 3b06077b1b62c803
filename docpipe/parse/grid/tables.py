"""Words and drawn rules of a page -> its tables (pure)."""

from collections.abc import Sequence

from docpipe.parse.content import Box, FoundTable, Rule, Word
from docpipe.parse.grid import bands, lattice, stream
from docpipe.parse.grid.cells import Held, distribute, table, without_notes, words_in
from docpipe.parse.grid.lattice import Lines

_FAR = 1e5
"""No page is as wide or high, in points."""
_LARGEST_CELL = 60
"""Words of a cell that may hold more than half of all words of its table."""


def find_tables(words: Sequence[Word], rules: Sequence[Rule], *, width: float, height: float) -> list[FoundTable]:
    """The tables of a page, from top to bottom; they do not overlap.

    Args:
        words: in any order, in points on the page as shown.
        rules: lines drawn on the page, as `docpipe.parse.grid.rules` finds them.
        width, height: of the page, in points.

    Returns:
        Tables of at least two rows and two columns. A word whose middle lies in a table's box is in one of its cells.
    """
    words = [word for word in words if _is_sound(word)]
    drawn = lattice.lines(rule for rule in rules if _is_sound(rule))
    ruled = _ruled(words, drawn) if drawn.down else []
    aligned = _aligned(words, drawn, ruled)
    partial = [one for one in ruled if any(_overlap(one.box, other.box) for other in _larger(one, aligned))]
    if partial:  # a grid that is only a part of a table: read the whole table by its words
        ruled = [one for one in ruled if one not in partial]
        aligned = _aligned(words, drawn, ruled)
    clear = [one for one in _apart(aligned) if not any(_overlap(one.box, other.box) for other in ruled)]
    return sorted([*ruled, *clear], key=lambda each: (each.box.top, each.box.left))


def _aligned(words: Sequence[Word], drawn: Lines, ruled: Sequence[FoundTable]) -> list[FoundTable]:
    """Tables of the words that stand in no ruled one."""
    rest = words
    for each in ruled:
        rest = _outside(each.box, rest)
    return stream.tables(rest, drawn)


def _larger(one: FoundTable, others: Sequence[FoundTable]) -> list[FoundTable]:
    return [other for other in others if _surface(other.box) > _surface(one.box)]


def _ruled(words: Sequence[Word], drawn: Lines) -> list[FoundTable]:
    """Tables in drawn grids; where a grid lacks columns, the alignment of its words says where they are."""
    found = []
    for network in lattice.joined(lattice.networks(drawn), words):
        grid = lattice.grid(network)
        held = distribute(grid, words) if grid else []
        if grid is None or not any(cell.words for cell in held) or _frames_text(held):
            continue
        if bands.missing_columns(held):
            made = stream.aligned(lattice.framed(grid.box, drawn.across), words, drawn)
        else:
            made = table(*bands.split(*without_notes(grid, held)))
        if made and _is_table(made):
            found.append(made)
    return _apart(found)


def _is_sound(box: Word | Rule) -> bool:
    """Whether a box lies where pages are: parsers of damaged files give others."""
    return -_FAR < box[0] <= box[2] < _FAR and -_FAR < box[1] <= box[3] < _FAR and bool(box[-1] != "")


def _apart(found: Sequence[FoundTable]) -> list[FoundTable]:
    """Tables without those that overlap a larger one."""
    kept: list[FoundTable] = []
    for each in sorted(found, key=lambda one: (_surface(one.box), one.box), reverse=True):
        if not any(_overlap(each.box, other.box) for other in kept):
            kept.append(each)
    return kept


def _overlap(one: Box, other: Box) -> bool:
    return one.left < other.right and one.right > other.left and one.top < other.bottom and one.bottom > other.top


def _surface(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _frames_text(held: Sequence[Held]) -> bool:
    """Whether one cell holds most of the words, and many: a page laid out in boxes."""
    counts = [len(cell.words) for cell in held]
    return max(counts) > max(_LARGEST_CELL, 0.5 * sum(counts))


def _is_table(found: FoundTable) -> bool:
    rows = [row for row in found.table.rows if row]
    return len(rows) >= 2 and max(len(row) for row in rows) >= 2


def _outside(box: Box, words: Sequence[Word]) -> list[Word]:
    inside = set(words_in(box, words))
    return [word for word in words if word not in inside]
