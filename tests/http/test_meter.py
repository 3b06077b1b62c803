"""Figures."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from docpipe._http import meter
from docpipe._http.meter import Tally, counted

USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "prompt_tokens_details": {"cached_tokens": 6}}


@pytest.mark.parametrize(
    ("usage", "tally"),
    [
        (USAGE, Tally(prompt_tokens=10, cached_tokens=6, completion_tokens=4)),
        ({"total_tokens": 9}, Tally(prompt_tokens=9)),
        ({"total_tokens": 9, "completion_tokens": 4}, Tally(prompt_tokens=5, completion_tokens=4)),
        ({"prompt_tokens": -1, "completion_tokens": "7", "prompt_tokens_details": []}, Tally()),
        ({"prompt_tokens": True, "completion_tokens": 10**30}, Tally()),
        (None, Tally()),
        ([], Tally()),
    ],
    ids=["all", "only a total", "no prompt", "wrong types", "absurd", "null", "a list"],
)
def test_usage_is_counted_and_nonsense_is_zero(usage: Any, tally: Tally) -> None:
    assert counted({"usage": usage}) == tally


def test_a_reply_without_usage_counts_nothing() -> None:
    assert counted({}) == Tally()


def test_figures_from_many_threads_add_up_and_the_difference_is_what_came_between() -> None:
    before = meter.totals()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(400):
            pool.submit(meter.add, "meter-test", "m", Tally(requests=1, attempts=2, prompt_tokens=3))
    between = meter.difference(meter.totals(), before)
    assert between == {("meter-test", "m"): Tally(requests=400, attempts=800, prompt_tokens=1200)}
    assert meter.difference(meter.totals(), meter.totals()) == {}
