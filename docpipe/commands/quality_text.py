"""Evaluations, and searches that lost a page -> text for people (pure)."""

import io
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from docpipe.console import safe

if TYPE_CHECKING:
    from docpipe.pipeline.golden.evaluation import Asked, Evaluation
    from docpipe.pipeline.golden.why import Why

_LISTED = 50
"""Questions of a list that are shown; the rest is counted."""


def evaluation_text(found: "Evaluation", below: Sequence[str]) -> str:
    """A table of the questions with their ranks, those not found first, and the measures."""
    order = sorted(found.asked, key=lambda one: (one.rank > 0, -one.rank))
    rows = [(_rank(one.rank), _asked(one), _expected(one)) for one in order[:_LISTED]]
    more = f"... and {len(order) - _LISTED:,} more (--json gives all)\n" if len(order) > _LISTED else ""
    lost = sum(not one.rank for one in found.asked)
    counted = f"{len(found.asked):,} questions, {lost:,} without what was expected among {found.limit} hits\n"
    if not any(one.hits for one in found.asked):
        counted += (
            "nothing was found for any of them: is the index empty? `docpipe status` tells, `docpipe run` fills it\n"
        )
    measures = f"hit rate {found.hit_rate:.3f}, mrr {found.mrr:.3f}, ndcg {found.ndcg:.3f}\n"
    return _table(("rank", "question", "expected"), rows) + more + counted + measures + _missed(below)


def why_text(found: "Why") -> str:
    """The verdict, the stages with what each made of the place, and what to try."""
    rows = [
        (_rank(look.rank) if look.rank else "", f"{look.stage} (lost)" if look.lost else look.stage, safe(look.said))
        for look in found.looks
    ]
    tried = "".join(f"try: {safe(remedy)}\n" for remedy in found.remedies)
    return f"{safe(found.verdict)}\n" + _table(("rank", "stage", "what it made of it"), rows) + tried


def _missed(below: Sequence[str]) -> str:
    return "".join(f"too low: {safe(one)}\n" for one in below)


def _asked(one: "Asked") -> str:
    return safe(one.question) + (f" [{safe(one.where)}]" if one.where else "")


def _expected(one: "Asked") -> str:
    places = ", ".join(one.expect) or f"“{one.contains}”"
    best = f"; found {one.hits[0]}" if one.hits and not one.rank else ""
    return safe(places + best)


def _rank(rank: int) -> str:
    return str(rank) if rank else "-"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number == 0 else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 120
    buffer = io.StringIO()
    Console(file=buffer, width=width, force_terminal=terminal).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines() if line.strip()) + "\n"
