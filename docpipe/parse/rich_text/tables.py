"""What an RTF file says of a table's rows -> a table with spans (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from docpipe.parse.office.header_rows import with_header
from docpipe.tables import Cell, Table

_MOST_CELLS = 2_000


class Place(NamedTuple):
    """How a row says that one of its cells is placed."""

    joins_left: bool = False
    """It is part of the cell at its left."""
    joins_above: bool = False
    """It is part of the cell above."""


@dataclass(slots=True)
class Row:
    """A row that is being read."""

    texts: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    header: bool = False

    def add(self, text: str) -> None:
        """Its next cell."""
        if len(self.texts) < _MOST_CELLS:
            self.texts.append(" ".join(text.split()))


def table_of(rows: Sequence[Row]) -> Table:
    """The table of rows that follow each other; what a joined cell holds besides is kept in the cell that it joins."""
    done: list[list[Cell]] = []
    above: dict[int, tuple[int, int]] = {}  # column -> where the cell that covers it stands: row, place
    for number, row in enumerate(rows):
        cells: list[Cell] = []
        current: dict[int, tuple[int, int]] = {}
        for column, text in enumerate(row.texts):
            place = row.places[column] if column < len(row.places) else Place()
            if place.joins_left and cells:
                cells[-1] = _joined(cells[-1], text)._replace(colspan=cells[-1].colspan + 1)
                current[column] = (number, len(cells) - 1)
            elif place.joins_above and column in above and above[column][0] < number:
                line, at = above[column]
                if current.get(column - 1) != above[column]:
                    kept = done[line][at]
                    done[line][at] = _joined(kept, text)._replace(rowspan=number - line + 1)
                current[column] = (line, at)
            else:
                cells.append(Cell(text))
                current[column] = (number, len(cells) - 1)
        done.append(cells)
        above = current
    return with_header(done, declared=_headers(rows))


def _headers(rows: Sequence[Row]) -> int:
    for number, row in enumerate(rows):
        if not row.header:
            return number
    return 0


def _joined(cell: Cell, text: str) -> Cell:
    return cell._replace(text=f"{cell.text} {text}".strip())
