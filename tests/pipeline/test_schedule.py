"""Times of a cron expression, the loop that keeps them, and the end that a signal asks for."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.errors import InvalidOption
from docpipe.pipeline.schedule import stopping
from docpipe.pipeline.schedule.cron import Timetable
from docpipe.pipeline.schedule.loop import Loop
from docpipe.pipeline.schedule.stopping import INTERRUPTED, TERMINATED, Stop, on_signals

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def times(cron: str, start: datetime, count: int, *, timezone: str = "Europe/Berlin") -> list[str]:
    found, moment = list[str](), start
    for _ in range(count):
        moment = Timetable(cron=cron, timezone=timezone).after(moment)
        found.append(moment.isoformat())
    return found


def test_every_night_at_two_is_every_night_once_when_summer_time_begins_and_ends() -> None:
    assert times("0 2 * * *", datetime(2026, 3, 28, 12, tzinfo=BERLIN), 3) == [
        "2026-03-29T03:00:00+02:00",  # there is no two o'clock
        "2026-03-30T02:00:00+02:00",
        "2026-03-31T02:00:00+02:00",
    ]
    assert times("0 2 * * *", datetime(2026, 10, 24, 12, tzinfo=BERLIN), 3) == [
        "2026-10-25T02:00:00+02:00",  # not again an hour later
        "2026-10-26T02:00:00+01:00",
        "2026-10-27T02:00:00+01:00",
    ]


def test_every_half_hour_goes_on_through_the_hour_that_comes_twice() -> None:
    start = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert times("*/30 * * * *", start, 4) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_the_next_time_is_later_than_the_moment_and_its_own_next_time_is_later_still(moment: datetime) -> None:
    table, start = Timetable(cron="*/20 1-4 * * *", timezone="America/New_York"), moment.replace(tzinfo=UTC)
    first = table.after(start)
    assert start < first < table.after(first)
    assert first - start <= timedelta(hours=26)


def test_names_of_days_may_be_small_and_the_machine_has_a_time_zone_of_its_own() -> None:
    due = Timetable(cron="0 2 * * mon-fri").after(datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert (due.weekday(), due.hour) == (0, 2)


@pytest.mark.parametrize(
    ("cron", "timezone", "words"),
    [
        ("0 2 * *", "UTC", "cannot read '0 2 [*] [*]'.*five fields"),
        ("0 25 * * *", "UTC", "Bad hour"),
        ("", "UTC", "cannot read ''"),
        ("0 0 30 2 *", "UTC", "never comes|Bad"),
        ("0 2 * * *", "Europe/Nowhere", "no time zone 'Europe/Nowhere'"),
        ("0 2 * * *", "../../etc/passwd", "no time zone"),
    ],
)
def test_what_is_no_timetable_is_told_with_an_example(cron: str, timezone: str, words: str) -> None:
    with pytest.raises(InvalidOption, match=words):
        Timetable(cron=cron, timezone=timezone)


@dataclass
class Night(Stop):
    """A Stop in a world where waiting moves the clock."""

    seconds: float = 0.0
    ends: float = DAY
    while_waiting: Callable[[float], None] = field(default=lambda seconds: None)

    def __post_init__(self) -> None:
        Stop.__init__(self)

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        self.while_waiting(self.seconds)
        if self.seconds >= self.ends and not self.reason:
            self.set(TERMINATED)
        return bool(self.reason)


def every(seconds: float) -> Callable[[datetime], datetime]:
    """A timetable whose times are multiples of some seconds."""

    def after(moment: datetime) -> datetime:
        return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, UTC)

    return after


def begun(night: Night, *, run: Callable[[], None] = lambda: None, jitter: float = 0.0, **how: bool) -> list[float]:
    """When the runs of a night began."""
    found: list[float] = []

    def one() -> None:
        found.append(night.seconds)
        run()

    Loop(after=every(HOUR), run=one, stop=night, now=night.now, jitter=jitter, chance=lambda: 0.5)(**how)
    return found


def test_runs_begin_at_their_times_and_not_after_the_end() -> None:
    assert begun(Night(seconds=10, ends=3.5 * HOUR)) == [HOUR, 2 * HOUR, 3 * HOUR]


def test_a_run_may_be_had_at_once() -> None:
    assert begun(Night(seconds=10, ends=1.5 * HOUR), at_once=True) == [10, HOUR]


def test_an_end_that_was_asked_for_before_begins_nothing() -> None:
    night = Night()
    night.set(TERMINATED)
    assert begun(night, at_once=True) == []


def test_jitter_moves_a_run_and_not_the_timetable() -> None:
    assert begun(Night(seconds=10, ends=3.5 * HOUR), jitter=600.0) == [HOUR + 300, 2 * HOUR + 300, 3 * HOUR + 300]


def test_times_that_a_long_run_missed_are_made_up_once() -> None:
    night = Night(seconds=10, ends=8.5 * HOUR)
    lengths = iter([4.5 * HOUR])

    def run() -> None:
        night.seconds += next(lengths, MINUTE)

    assert begun(night, run=run) == [HOUR, 5.5 * HOUR, 6 * HOUR, 7 * HOUR, 8 * HOUR]


def test_times_over_which_the_machine_slept_are_made_up_once() -> None:
    def sleep(seconds: float) -> None:
        if 1.5 * HOUR < seconds < 2 * HOUR:
            night.seconds = 5.2 * HOUR

    night = Night(seconds=10, ends=6.5 * HOUR, while_waiting=sleep)
    assert begun(night) == [HOUR, 5.2 * HOUR, 6 * HOUR]


def test_a_clock_that_was_a_year_ahead_does_not_keep_the_loop_waiting_for_a_year() -> None:
    def correct(seconds: float) -> None:
        if seconds > 365 * DAY:
            night.seconds -= 365 * DAY

    night = Night(seconds=365 * DAY + 10, ends=2.5 * HOUR, while_waiting=correct)
    night.ends = 400 * DAY  # while the clock is wrong

    def end(seconds: float) -> None:
        correct(seconds)
        night.ends = 2.5 * HOUR

    night.while_waiting = end
    assert begun(night) == [HOUR, 2 * HOUR]


def test_a_clock_that_is_set_back_a_little_does_not_run_the_same_time_twice() -> None:
    night = Night(seconds=10, ends=2.5 * HOUR)

    def run() -> None:
        night.seconds -= 20

    assert begun(night, run=run) == [HOUR, 2 * HOUR]


# The Stop.


def test_nobody_asked_at_first_and_the_first_reason_counts() -> None:
    stop = Stop()
    assert (stop.reason, stop.wait(0.0)) == ("", False)
    stop.set(TERMINATED)
    stop.set(INTERRUPTED)
    assert (stop.reason, stop.wait(0.0), stop.wait(60.0)) == (TERMINATED, True, True)


def test_who_waits_is_woken_at_once() -> None:
    stop, woken = Stop(), list[bool]()
    waiting = [threading.Thread(target=lambda: woken.append(stop.wait(60.0))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    stop.set(TERMINATED)
    for thread in waiting:
        thread.join(10)
    assert woken == [True, True, True]


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.01)  # the handler runs between two steps of the program


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGTERM, TERMINATED), (signal.SIGINT, INTERRUPTED)])
def test_the_first_signal_asks_and_a_second_one_ends_at_once(number: int, reason: str) -> None:
    before = signal.getsignal(number)
    with on_signals() as stop:
        send(number)
        assert stop.reason == reason
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    assert signal.getsignal(number) is before


def test_a_wait_in_the_main_thread_is_ended_by_a_signal() -> None:
    with on_signals() as stop:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        begun_at = time.monotonic()
        assert stop.wait(60.0)
        assert time.monotonic() - begun_at < 10
        timer.join()


def test_a_sigterm_that_reaches_a_process_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_signals() as stop:
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert stop.reason == TERMINATED
        monkeypatch.setattr(stopping, "_SAME", 0.0)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    reasons = list[str]()

    def work() -> None:
        with on_signals() as stop:
            reasons.append(stop.reason)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert reasons == [""]
