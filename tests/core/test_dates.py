"""Dates: as documents write them, in ISO 8601, and as stretches of time."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._dates import iso_date, period


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024", "2024"),
        ("2024-05", "2024-05"),
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31T10:00:00Z", "2024-05-31T10:00:00Z"),
        ("2024-05-31 10:00", "2024-05-31T10:00:00"),
        ("2024-05-31T10:00:00.123+0800", "2024-05-31T10:00:00+08:00"),
        ("2011-11-11 11:11:11 UTC", "2011-11-11T11:11:11Z"),
        ("D:20240531100000+08'00'", "2024-05-31T10:00:00+08:00"),
        ("D:20240531100000Z00'00'", "2024-05-31T10:00:00Z"),
        ("D:20240531", "2024-05-31"),
        ("D:202405311000", "2024-05-31T10:00:00"),
        ("20240531", "2024-05-31"),
        ("2024年5月31日", "2024-05-31"),
        ("2024 年 5 月", "2024-05"),
        ("2024/5/31", "2024-05-31"),
        ("2024.05.31 9:30", "2024-05-31T09:30:00"),
        ("31 May 2024", "2024-05-31"),
        ("3rd Sept. 2024", "2024-09-03"),
        ("May 31, 2024", "2024-05-31"),
        ("September 2021", "2021-09"),
        ("Mon, 20 Nov 1995 19:12:08 -0500", "1995-11-20T19:12:08-05:00"),
        ("  1865 ", "1865"),
    ],
)
def test_the_usual_ways_to_write_a_date_are_read(text: str, date: str) -> None:
    assert iso_date(text) == date
    assert iso_date(date) == date


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "3/5/2024", "2024-13-01", "2024-02-30", "0001-01-01", "1601-01-01T00:00:00Z", "12345678",
     "2024-05-31T24:00:00", "D:", "٢٠٢٤", "31 Foo 2024", "1970-01-01T00:00:00Z", "2013-12-23T23:15:00Z", "9" * 10_000],
)  # fmt: skip
def test_what_is_no_date_or_stands_for_none_is_nothing(text: str) -> None:
    assert iso_date(text) == ""


@given(st.text() | st.text("0123456789-:/.TZ+' D年月日Ma"))
def test_any_text_is_a_date_with_its_period_or_nothing(text: str) -> None:
    date = iso_date(text)
    if date:
        start, end = period(date)
        assert -(2**63) < start <= end < 2**63
        assert iso_date(date) == date


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))
def test_a_moment_is_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    start, end = period(iso_date(moment.isoformat()))
    assert start == int(moment.timestamp()) * 10**9
    assert end - start == 10**9


@pytest.mark.parametrize(
    ("date", "days"), [("2024", 366), ("2023", 365), ("2024-02", 29), ("2024-12", 31), ("2024-05-31", 1)]
)
def test_a_year_a_month_and_a_day_are_as_long_as_they_are(date: str, days: int) -> None:
    start, end = period(date)
    assert end - start == days * 86_400 * 10**9


@pytest.mark.parametrize("text", ["", "May", "2024-1", "0000", "2024-00"])
def test_the_period_of_no_date_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        period(text)
