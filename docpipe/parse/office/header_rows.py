"""Rows of cells -> a table whose header is marked (pure)."""

import re
from collections.abc import Sequence

from docpipe.tables import Cell, Table

_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*\d[\d.,'\s]*\)?\s*[%‰]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


def with_header(rows: Sequence[Sequence[Cell]], declared: int = 0) -> Table:
    """Mark the first rows as header.

    Args:
        declared: how many rows the document itself calls its header; 0 leaves it to `looks_like_header`.
    """
    count = declared or int(looks_like_header([[cell.text for cell in row] for row in rows[:2]]))
    return Table(
        tuple(
            tuple(cell._replace(header=True) for cell in row) if place < count else tuple(row)
            for place, row in enumerate(rows)
        )
    )


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: there is a row below, and it has names, no numbers."""
    if len(rows) < 2:
        return False
    names = [text.strip() for text in rows[0]]
    named = [text for text in names if text]
    return bool(named) and len(named) * 2 >= len(names) and not any(_NUMBER.fullmatch(text) for text in named)
