"""What a run counted, and what the ledger says afterwards -> an account that is closed, or what is missing (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from docpipe.pipeline.ingest.in_hand import Pages, Tally
from docpipe.pipeline.ingest.ledger import Row, Totals
from docpipe.pipeline.ingest.pricing import Cost
from docpipe.pipeline.report.reports import Account, RunReport, Sums

_MOST_KEPT_BACK = 10
MOST_NAMED = 100
"""Gaps that are named; of more the number is told."""


def account(
    tally: Tally, totals: Totals, *, discovered: int, lost: Sequence[str], uncovered: Mapping[str, Row]
) -> Account:
    """Close the account of a run.

    Args:
        totals: of the ledger after the run.
        discovered: what the listing found, and what is known and was no longer there. Renamed files count once.
        lost: sources that were begun and never ended.
        uncovered: ledger rows of documents of which characters are lost, by uri.
    """
    counts = {status.value: count for status, count in tally.counts.items()}
    gaps = [f"{uri}: it was begun, and nothing is known of how it ended" for uri in lost]
    for uri, row in uncovered.items():
        count = row.coverage.gap
        gaps.append(
            f"{uri}: {count:,} of {row.characters:,} characters are in no chunk, and were not left out on purpose"
        )
    more = len(totals.gaps) - len(uncovered)
    return Account(
        files=Sums(found=discovered, **counts, waiting=tally.waiting),
        pages=_pages(tally.pages, totals),
        characters=totals.characters,
        covered=totals.covered,
        left_out=dict(totals.left_out),
        gaps=(*gaps, *([f"and {more:,} documents more"] if more > 0 else [])),
    )


def _pages(pages: Pages, totals: Totals) -> Sums:
    """Pages before the run and of what it read, against those in the ledger now.

    Documents that wait count as unchanged as far as their older version is in the index.
    """
    return Sums(
        found=pages.before + pages.gained,
        indexed=pages.indexed,
        updated=pages.updated,
        unchanged=totals.pages - totals.stale_pages - pages.indexed - pages.updated,
        deleted=pages.deleted,
        failed=totals.stale_pages,
        ignored=pages.ignored,
    )


def report_of(name: str, tally: Tally, spent: Cost, **facts: Any) -> RunReport:
    """The report of a run, as far as its figures tell it; `facts`: the other fields."""
    counts: Mapping[str, Any] = {status.value: count for status, count in tally.counts.items()}
    return RunReport(
        pipeline=name,
        **counts,
        pages=tally.parsed_pages,
        ocr_pages=sum(len(item.pages) for item in tally.needs_ocr),
        chunks=tally.chunks,
        embedded=tally.embedded,
        reused=tally.reused,
        renamed=tally.renamed,
        touched=tally.touched,
        waiting=tally.waiting,
        failures=tuple(tally.failures),
        left_out=tuple(tally.left_out),
        needs_ocr=tuple(tally.needs_ocr),
        slowest=tuple(tally.slowest),
        upkeep=tally.upkeep,
        recognised=tally.recognised,
        remembered=tally.remembered,
        cost_usd=spent.usd,
        requests=spent.requests,
        tokens=spent.tokens,
        remarks=(*spent.remarks, *_kept_back(tally.unprompted)),
        stage_seconds={stage: round(seconds, 3) for stage, seconds in tally.seconds.items()},
        **facts,
    )


def _kept_back(documents: Sequence[str]) -> tuple[str, ...]:
    """A remark on documents that hold text which no model is given, the first of them named."""
    if not documents:
        return ()
    more = f", and {len(documents) - _MOST_KEPT_BACK:,} more" if len(documents) > _MOST_KEPT_BACK else ""
    named = ", ".join(documents[:_MOST_KEPT_BACK])
    return (
        f"text that is not shown, or that speaks to a model, is kept out of the index and of prompts, in characters: "
        f"{named}{more}",
    )
