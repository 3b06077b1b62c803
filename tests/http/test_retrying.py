"""Delays, and what a service asks for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._http import retrying
from docpipe._http.retrying import Complaint, by_status, delay, readable, retry_after, told_by
from docpipe.errors import RateLimited

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("Mon, 04 May 2026 12:00:30 GMT", 30.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("-3", 0.0),
        ("nan", 0.0),
        ("inf", 1e9),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}, now=NOW) == seconds


def told(cap: float = 30.0, after: float = 0.0) -> retrying.Verdict:
    error = RateLimited("x", service="chat")
    return retrying.Verdict(kind="retry", error=error, delay_cap=cap, after=after)


def test_delays_double_up_to_the_cap_and_are_never_shorter_than_three_quarters() -> None:
    longest = [delay(told(), attempt, lambda: 1.0) for attempt in range(1, 8)]
    assert longest == [1, 2, 4, 8, 16, 30, 30]
    assert delay(told(), 3, lambda: 0.0) == 3.0
    assert delay(told(cap=120), 100, lambda: 1.0) == 120


def test_a_service_that_names_a_delay_gets_it() -> None:
    assert delay(told(after=17.0), 1, lambda: 1.0) == 17.0


def test_a_delay_of_an_hour_is_no_delay_but_an_answer() -> None:
    verdict = by_status(Complaint(service="chat", status=429, headers={"retry-after": "3600"}))
    assert not verdict.again
    assert isinstance(verdict.error, RateLimited)
    assert verdict.error.retry_after == 3600
    assert "it asks to wait 3600 seconds" in str(verdict.error)


@given(text=st.text(max_size=500))
def test_any_body_becomes_one_short_readable_line(text: str) -> None:
    line = readable(text)
    assert len(line) <= 300
    assert line.isprintable()


@given(
    payload=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(st.sampled_from(["error", "code", "message", "msg", "request_id", "x"]), inner),
    )
)
def test_any_json_can_be_an_error(payload: object) -> None:
    code, message, request_id = told_by(payload, "text")
    assert all(isinstance(part, str) for part in (code, message, request_id))


def test_a_hostile_page_is_read_in_no_time() -> None:
    assert readable("<" * 1_000_000) is not None
    assert readable("<style" * 200_000) is not None
