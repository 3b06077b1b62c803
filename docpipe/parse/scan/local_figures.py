"""A page with a text layer -> the same page with what its pictures show, where that is writing (pure)."""

from collections.abc import Sequence

from docpipe.parse.content import Box, FoundTable
from docpipe.parse.page.printed import Piece, PrintedLine, PrintedPage

_LEAST = 0.05
"""Of the page's area: smaller pictures are not looked at."""
_LABELLED = 24
"""Letters of the page's own on a picture; with more, it is a drawing whose words are known."""
_MORE = 2
"""Times as many letters must be read on a picture than the page itself has there."""
_PROSE = 20
"""Letters of the line in the middle, by length: shorter ones are labels of a drawing."""


def unread(page: PrintedPage) -> list[Piece]:
    """Pictures of a page that lies upright, large enough to hold a table, with hardly any text on them."""
    if page.turn:
        return []
    least = _LEAST * page.width * page.height
    figures = [piece for piece in page.pieces if piece.role == "figure" and _area(piece.box) >= least]
    return [figure for figure in figures if _letters(figure.lines) < _LABELLED]


def with_read(figure: Piece, read: PrintedPage) -> list[Piece]:
    """A picture as what is written on it; as a figure with its labels where that is no text.

    Args:
        figure: a picture of a page.
        read: what OCR read on it; the corner of the picture is its origin.
    """
    lines = [line for piece in read.pieces for line in piece.lines]
    tables = [piece.table.table for piece in read.pieces if piece.table]
    letters = _letters(lines) + sum(len(cell.text) for table in tables for row in table.rows for cell in row)
    if read.needs_ocr or read.turn or letters <= _MORE * _letters(figure.lines):
        return [figure]
    if not tables and sorted(len(line.text) for line in lines)[len(lines) // 2] < _PROSE:
        return [figure._replace(lines=tuple(_moved_line(line, figure.box) for line in lines))]
    return [_moved(piece, figure.box)._replace(column=figure.column) for piece in read.pieces]


def _letters(lines: Sequence[PrintedLine]) -> int:
    return sum(len(line.text) for line in lines)


def _moved(piece: Piece, by: Box) -> Piece:
    table = piece.table
    if table is not None:
        cells = tuple(tuple(_moved_box(cell, by) for cell in row) for row in table.cells)
        table = FoundTable(_moved_box(table.box, by), table.table, cells)
    return piece._replace(
        lines=tuple(_moved_line(line, by) for line in piece.lines),
        box=_moved_box(piece.box, by),
        left=piece.left + by.left,
        right=piece.right + by.left,
        table=table,
    )


def _moved_line(line: PrintedLine, by: Box) -> PrintedLine:
    edges: Sequence[float] = tuple(edge + by.left for edge in line.edges)
    return PrintedLine(*_moved_box(line.box, by), line.text, line.size, line.style, edges)


def _moved_box(box: Box, by: Box) -> Box:
    return Box(box.left + by.left, box.top + by.top, box.right + by.left, box.bottom + by.top)


def _area(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)
