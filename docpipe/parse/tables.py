"""Words and drawn rules of a page -> its tables (pure)."""

from collections.abc import Sequence

from docpipe.parse import bands, lattice, stream
from docpipe.parse.cells import Grid, distribute, table, words_in
from docpipe.parse.content import Box, FoundTable, Rule, Word
from docpipe.parse.lattice import Lines


def find_tables(words: Sequence[Word], rules: Sequence[Rule], *, width: float, height: float) -> list[FoundTable]:
    """The tables of a page, from top to bottom; they do not overlap.

    Args:
        words: in any order, in points on the page as shown.
        rules: lines drawn on the page, as `docpipe.parse.rules` finds them.
        width, height: of the page, in points.

    Returns:
        Tables of at least two rows and two columns. A word whose middle lies in a table's box is in one of its cells.
    """
    if not words:
        return []
    drawn = lattice.lines(rules)
    found = []
    for network in lattice.networks(drawn):
        grid = lattice.grid(network)
        if grid is not None:
            ruled = _ruled(network, grid, words)
            if ruled is not None:
                found.append(ruled)
    rest = words
    for each in found:
        rest = _outside(each.box, rest)
    if stream.may_hold_tables(rest):
        found += stream.tables(rest, drawn.across)
    return sorted(found, key=lambda each: each.box)


def _ruled(network: Lines, grid: Grid, words: Sequence[Word]) -> FoundTable | None:
    """The table in a drawn grid; where the grid lacks columns, its words' alignment says where they are."""
    held = distribute(grid, words)
    if not any(cell.words for cell in held):
        return None
    if bands.missing_columns(held):
        aligned = stream.aligned(words_in(grid.box, words), network)
        if aligned is not None:
            return aligned
    found = table(*bands.split(grid, held))
    rows = [row for row in found.table.rows if row]
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return None
    return found


def _outside(box: Box, words: Sequence[Word]) -> list[Word]:
    inside = set(words_in(box, words))
    return [word for word in words if word not in inside]
