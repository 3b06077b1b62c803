"""Calls to services -> what they cost: those that a run made, and those that one is expected to make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docpipe._http import meter
from docpipe._http.meter import Tally
from docpipe.errors import InvalidOption
from docpipe.pipeline.ingest.readiness import within
from docpipe.pipeline.report.reports import Plan
from docpipe.prompt.prices import bill
from docpipe.protocols import Expected, PaidByPage, PaidByToken

_OF_QUESTIONS = frozenset({"chat", "rerank", "web_search"})
"""Services that no run asks: calls to them are of questions that were answered meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What calls cost altogether."""

    usd: float = 0.0
    """Of what has a price that is known."""
    requests: int = 0
    tokens: int = 0
    """Read and written."""
    remarks: tuple[str, ...] = ()
    """What the sum leaves out, and why."""


class Spending:
    """What this process has services do for a run from now on."""

    def __init__(self) -> None:
        self._before = meter.totals()

    def so_far(self) -> Cost:
        """What it cost until now."""
        between = meter.difference(meter.totals(), self._before)
        return cost({key: tally for key, tally in between.items() if key[0] not in _OF_QUESTIONS})


def cost(tallies: Mapping[tuple[str, str], Tally]) -> Cost:
    """What calls cost, by (capability, model)."""
    known = bill(tallies)
    return Cost(
        usd=known.usd,
        requests=sum(tally.requests for tally in tallies.values()),
        tokens=sum(tally.tokens for tally in tallies.values()),
        remarks=tuple(f"the cost of {name} is not in the sum: {why}" for name, why in known.unpriced.items()),
    )


def expected_cost(parser: Any, embedder: Any, *, pages: Sequence[int], tokens: int) -> Cost:
    """What a run is expected to cost, rather too much than too little.

    Args:
        pages: how many pages of each file a service has to read.
        tokens: of the texts to embed.
    """
    wanted = [count for count in pages if count]
    by_page = next((part for part in within(parser) if isinstance(part, PaidByPage)), None)
    calls = [part.expected_of_tokens(tokens) for part in within(embedder) if isinstance(part, PaidByToken) and tokens]
    if by_page is not None and wanted:
        calls.append(by_page.expected_of_pages(wanted))
    found = cost(_tallied(calls))
    if wanted and by_page is None:
        remark = f"{sum(wanted):,} pages go to a service of which {type(parser).__name__} does not tell what it takes"
        return Cost(usd=found.usd, requests=found.requests, tokens=found.tokens, remarks=(*found.remarks, remark))
    return found


def check_cost(plan: Plan, max_cost: float) -> None:
    """Refuse a run that would cost too much.

    Raises:
        InvalidOption: the plan is above `max_cost` (USD), or that is no amount of money. Nothing was changed.
    """
    if not 0 <= max_cost < float("inf"):
        raise InvalidOption(
            f"max_cost must be an amount of USD, 0 or more, got {max_cost}", where="max_cost", remedy="give 1.50, say"
        )
    if plan.cost_usd > max_cost:
        raise InvalidOption(
            f"the run would cost about {plan.cost_usd:.4f} USD, more than the {max_cost:.4f} USD that are allowed",
            where="max_cost",
            remedy="allow more, or work on some of the documents with `limit`",
        )


def _tallied(calls: Iterable[Expected]) -> dict[tuple[str, str], Tally]:
    tallies: dict[tuple[str, str], Tally] = {}
    for call in calls:
        key = (call.capability, call.model)
        tallies[key] = tallies.get(key, Tally()) + Tally(
            requests=call.requests,
            attempts=call.requests,
            prompt_tokens=call.prompt_tokens,
            cached_tokens=call.cached_tokens,
            completion_tokens=call.completion_tokens,
        )
    return tallies
