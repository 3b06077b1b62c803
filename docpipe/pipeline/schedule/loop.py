"""Times at which runs are due -> runs, one after the other, until somebody asks for an end."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from docpipe.pipeline.schedule.stopping import Stop

_LOOK = 30.0
"""Seconds between two looks at the clock: it may be set, and the machine may have slept."""
_WENT_BACK = timedelta(hours=1)
"""A clock that went back further than this was wrong before."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Runs at the times of a timetable, never two at once.

    A run that takes longer than to the next time, or a machine that slept over several: they are made up once.
    A clock that is set is believed from then on.
    """

    after: Callable[[datetime], datetime]
    """The first time after a moment."""
    run: Callable[[], None]
    """One run; tells of its failure itself."""
    waiting: Callable[[datetime], None] = lambda due: None
    """Is told for when it waits."""
    stop: Stop
    jitter: float = 0.0
    """Most seconds by which a run begins later, by chance: many machines then do not begin at once."""
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = field(default=random.random)
    """From 0 up to 1."""

    def __call__(self, *, at_once: bool = False) -> None:
        """Go on until the Stop is set.

        Args:
            at_once: begin with a run, whatever the time.
        """
        if at_once and not self.stop.reason:
            self.run()
        last = self._moment()
        while not self.stop.reason and self._wait(last):
            last = self._moment()
            self.run()

    def _wait(self, last: datetime) -> bool:
        """Wait for the first time after `last`; whether it came before the end."""
        late = timedelta(seconds=self.jitter * self.chance())
        due = self.after(last) + late
        self.waiting(due)
        while (left := (due - self._moment()).total_seconds()) > 0:
            if self.stop.wait(min(left, _LOOK)):
                return False
            if self._moment() < last - _WENT_BACK:
                last = self._moment()
                due = self.after(last) + late
                self.waiting(due)
        return True

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)
